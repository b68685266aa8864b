//! Poor surroundings: no colours wanted, a dumb terminal, another locale, no terminal at all; and a quiet screen.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::{Answers, Frame, Setup, running, running_in, step};

#[test]
fn no_color_leaves_colours_to_the_picture_alone() {
    let mut terminal = running_in(Setup::new(100, 30).env("NO_COLOR", "1"));
    let frame = terminal.wait_for("finished");
    let picture = frame.picture().unwrap();
    assert_eq!(frame.coloured_outside(picture), 0, "{frame:?}");
    assert!(frame.picture_colours() > 100, "the picture has lost its colours");
    // The same screen has colours otherwise: the test looks at the right thing.
    let coloured = running().frame();
    assert!(coloured.coloured_outside(coloured.picture().unwrap()) > 20);
}

#[test]
fn other_locales_get_the_dashboard_too() {
    for (name, value) in [("LANG", "C"), ("LC_ALL", "POSIX"), ("LANG", "de_DE.ISO-8859-1")] {
        let terminal = running_in(Setup::new(80, 24).env(name, value));
        assert_eq!(terminal.frame().shown_by().as_deref(), Some("half-blocks"), "{name}={value}");
        let ended = terminal.quit();
        assert_eq!(ended.code, Some(0), "{name}={value}: {}", ended.said);
        ended.assert_restored();
    }
}

#[test]
fn a_dumb_terminal_gets_lines_and_is_asked_nothing() {
    for term in ["dumb", ""] {
        let terminal = Setup::new(80, 24).env("TERM", term).answers(Answers::Nothing).start();
        let runs = terminal.runs();
        let ended = terminal.end();
        assert_eq!(ended.code, Some(0), "{}", ended.said);
        assert!(!ended.raw.contains('\x1b'), "{:?}", ended.raw);
        for told in
            ["step     8 of 128", "the picture is", "TERM names no terminal that a screen can be drawn on"]
        {
            assert!(ended.raw.contains(told), "no {told:?} in {}", ended.raw);
        }
        let name = "minivgg-channel-block5_conv2-30-pixel-seed0";
        let refused = Setup::attached_to_run((80, 24), &runs, name).env("TERM", term).start().end();
        assert_eq!(refused.code, Some(1), "{}", refused.said);
        let told = "attach shows a dashboard, which needs a terminal: TERM names no terminal";
        assert!(refused.raw.contains(told), "{}", refused.raw);
    }
}

#[test]
fn nothing_is_written_while_nothing_changes() {
    for answers in [Answers::Plain, Answers::Kitty] {
        let mut terminal = Setup::new(100, 30).answers(answers).start();
        terminal.wait_for("finished");
        terminal.wait_until("the last picture", |frame| frame.picture().is_some());
        // The last picture may still be on its way: quiet has to come, and to stay.
        let quiet = || {
            let before = terminal.written();
            thread::sleep(Duration::from_secs(1));
            terminal.written() - before
        };
        let bytes: Vec<usize> = (0..10).map(|_| quiet()).take_while(|&bytes| bytes > 0).collect();
        assert!(bytes.len() < 10, "{answers:?}: bytes in each second after the end: {bytes:?}");
        assert_eq!(quiet(), 0, "{answers:?}");
    }
}

/// The number of times that the terminal was asked for its status.
fn questions(terminal: &super::Terminal) -> usize {
    terminal.raw_text().matches("\x1b[5n").count()
}

#[test]
fn a_terminal_that_does_not_reply_is_asked_once_and_sent_little() {
    let mut terminal = Setup::new(120, 40).answers(Answers::Nothing).start();
    terminal.wait_until("a picture", |frame| frame.picture_colours() > 16);
    super::prolong(&mut terminal);
    thread::sleep(Duration::from_secs(4));
    let (before, begun) = (terminal.written(), std::time::Instant::now());
    thread::sleep(Duration::from_secs(3));
    let rate = (terminal.written() - before) as f64 / begun.elapsed().as_secs_f64();
    assert!(rate < 30_000.0, "{rate} bytes a second");
    assert!(rate > 500.0, "pictures stand still: {rate} bytes a second");
    assert_eq!(questions(&terminal), 1);
}

#[test]
fn a_late_reply_holds_pictures_back_and_no_key() {
    // Each reply comes two seconds after its question.
    let mut terminal = Setup::new(100, 30).answers(Answers::LateKitty).start();
    terminal.wait_for("step");
    let begun = std::time::Instant::now();
    for channel in 31..=36 {
        terminal.send("l");
        terminal.wait_for(&format!("channel {channel} of 256"));
    }
    let (seconds, asked) = (begun.elapsed().as_secs_f64(), questions(&terminal));
    assert!(asked as f64 <= 2.0 + seconds / 2.0, "{asked} questions in {seconds} s");
}

#[test]
fn a_terminal_gets_only_the_colours_that_it_has() {
    for (term, largest) in [("xterm-256color", 255), ("xterm", 15)] {
        let setup = Setup::new(100, 30).env("COLORTERM", "").env("TERM", term);
        let mut terminal = setup.answers(Answers::Plain).start();
        terminal.wait_for("finished");
        terminal.wait_until_quiet();
        let raw = terminal.raw_text().replacen("\x1b[48;2;1;2;3m", "", 1);
        assert!(!raw.contains("8;2;"), "{term}: a colour of 24 bits");
        let colours: std::collections::BTreeSet<u8> = raw
            .split("48;5;")
            .skip(1)
            .filter_map(|rest| rest.split(['m', ';']).next()?.parse().ok())
            .collect();
        assert!(
            colours.len() > 4 && colours.last().is_some_and(|last| *last <= largest),
            "{term}: {colours:?}"
        );
        terminal.quit().assert_restored();
    }
}

#[test]
fn a_pause_is_as_quiet_as_the_end() {
    let mut terminal = running();
    super::prolong(&mut terminal);
    terminal.send(" ");
    terminal.wait_until("a pause", Frame::is_settled);
    thread::sleep(Duration::from_secs(1));
    let before = terminal.written();
    thread::sleep(Duration::from_secs(1));
    assert_eq!(terminal.written() - before, 0);
    terminal.send(" ");
    let here = step(&terminal.frame());
    terminal.wait_until("more steps", |frame| step(frame) > here);
}

#[test]
fn it_says_which_of_stdin_and_stdout_is_no_terminal() {
    let terminal = Setup::new(100, 30).stdin_from_nothing().start();
    let ended = terminal.end();
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert!(ended.said.contains("stdin is no terminal"), "{}", ended.said);
}

#[test]
fn without_a_terminal_it_prints_lines_and_saves_the_picture() {
    let home = tempfile::tempdir().unwrap();
    let runs = home.path().join("runs");
    let mut command = Command::new(env!("CARGO_BIN_EXE_trepang"));
    command.arg("--runs").arg(&runs).env("HOME", home.path()).stdin(Stdio::null());
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(!text.contains('\x1b'), "escape sequences in {text:?}");
    assert!(text.contains("stdout is no terminal"), "{text}");
    assert!(text.contains("in a terminal, trepang shows the dashboard"), "{text}");
    assert!(text.lines().filter(|line| line.starts_with("step ")).count() > 3, "{text}");
    let picture = text.lines().find_map(|line| line.strip_prefix("the picture is ")).unwrap();
    let picture = image::open(picture).unwrap();
    assert_eq!((picture.width(), picture.height()), (64, 64));
    assert_eq!(fs::read_dir(runs).unwrap().count(), 1);
}
