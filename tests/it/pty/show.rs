//! `trepang show` in a terminal: it asks what can be shown, and waits for nobody.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

use crate::binary::{Home, write_png};
use crate::library::noise_picture;

/// How long it may take to the end: a second for the terminal, and the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// Shows a picture in a terminal of this type and size that replies `answer` to the question put last. Returns what was
/// written, and how long that took.
fn shown(term: &str, (columns, rows): (u16, u16), answer: &'static str) -> (String, Duration) {
    let home = Home::new();
    write_png(&home.path("a.png"), &noise_picture(1, 20));
    let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_trepang"));
    command.env_clear();
    command.env("TERM", term);
    command.cwd(home.path(""));
    command.args(["show", "a.png"]);
    let begun = Instant::now();
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let (mut reader, mut writer) =
        (pair.master.try_clone_reader().unwrap(), pair.master.take_writer().unwrap());
    let written = Arc::<Mutex<Vec<u8>>>::default();
    let inside = Arc::clone(&written);
    let listener = thread::spawn(move || {
        let mut bytes = [0; 4096];
        let mut asked = false;
        while let Ok(len @ 1..) = reader.read(&mut bytes) {
            let mut written = inside.lock().unwrap();
            written.extend(&bytes[..len]);
            if !asked && String::from_utf8_lossy(&written).contains("\x1b[5n") {
                asked = true;
                writer.write_all(answer.as_bytes()).unwrap();
            }
        }
    });
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "it waits: {:?}",
            String::from_utf8_lossy(&written.lock().unwrap())
        );
        thread::sleep(Duration::from_millis(5));
    };
    let took = begun.elapsed();
    listener.join().unwrap();
    assert!(status.success(), "{status:?}");
    let written = String::from_utf8_lossy(&written.lock().unwrap()).into_owned();
    (written, took)
}

fn half_blocks(text: &str) -> usize {
    text.matches(['▀', '▄']).count()
}

#[test]
fn a_terminal_that_does_not_answer_gets_half_blocks() {
    for (term, size) in [("xterm-256color", (80, 24)), ("xterm-kitty", (0, 0)), ("vt100", (1, 1))] {
        let (text, _) = shown(term, size, "");
        assert!(half_blocks(&text) > 0 && !text.contains("a=T"), "{term}: {text:?}");
    }
}

#[test]
fn a_dumb_terminal_is_asked_nothing() {
    let (text, _) = shown("dumb", (80, 24), "");
    assert!(half_blocks(&text) >= 200 && !text.contains("\x1b[5n"), "{text:?}");
}

#[test]
fn kittys_pictures_are_shown_where_the_cursor_is() {
    let old = "\x1bP>|kitty(0.20.1)\x1b\\\x1b_Gi=31;OK\x1b\\\x1b[?62c\x1b[6;16;8t\x1b[0n";
    let (text, took) = shown("xterm-kitty", (80, 24), old);
    assert!(
        text.contains("\x1b_Ga=T,f=24,q=2,s=20,v=20,c=3,r=2,m=0;") && half_blocks(&text) == 0,
        "{text:?}"
    );
    assert!(took < PATIENCE / 2);
    let (text, _) =
        shown("xterm-kitty", (80, 24), "\x1b_Gi=31;ENOTSUPPORTED\x1b\\\x1b[?62c\x1b[6;16;8t\x1b[0n");
    assert!(half_blocks(&text) > 0 && !text.contains("a=T"), "{text:?}");
}
