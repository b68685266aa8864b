//! The mouse in a terminal: its reports, and that the terminal has it back in the end.

use super::{Frame, Setup, Terminal, running, running_in};

const ON: [&str; 3] = ["\x1b[?1000h", "\x1b[?1002h", "\x1b[?1006h"];
const OFF: [&str; 3] = ["\x1b[?1000l", "\x1b[?1002l", "\x1b[?1006l"];

/// Clicks on a cell, as a terminal reports it.
fn click(terminal: &Terminal, (x, y): (u16, u16)) {
    terminal.send(&format!("\x1b[<0;{0};{1}M\x1b[<0;{0};{1}m", x + 1, y + 1));
}

/// Whether the mouse is the program's, after all these bytes.
fn is_captured(raw: &str) -> bool {
    let last = |modes: [&str; 3]| modes.map(|mode| raw.rfind(mode));
    ON.iter().all(|mode| raw.contains(mode)) && last(ON).into_iter().min() > last(OFF).into_iter().max()
}

#[test]
fn clicks_choose_layers_and_channels_and_the_wheel_scrolls() {
    let mut terminal = running();
    let frame = terminal.wait_for("block4_conv1");
    let at = frame.find("block4_conv1").unwrap();
    click(&terminal, at);
    terminal.wait_until("the layer", |frame| frame.has("minivgg > block4_conv1 > channel 30 of 160"));
    let number = |frame: &Frame| frame.find("  33 ").map(|(x, y)| (x + 2, y));
    let at = terminal.wait("a channel", number);
    click(&terminal, at);
    terminal.wait_until("the channel", |frame| frame.has("> channel 33 of 160"));
    terminal.send(&format!("\x1b[<64;{};{}M", at.0 + 1, 4));
    terminal.wait_until("the layer above", |frame| !frame.has("minivgg > block4_conv1 "));
    // Reports by three bytes are understood too, and their bytes are no keys: "q" is a place.
    terminal.send("\x1b[M  q");
    terminal.send("\x1b[Mqqq");
    terminal.send("l");
    terminal.wait_until("the next channel", |frame| frame.has("> channel 34 of"));
    let ended = terminal.quit();
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ended.assert_restored();
    assert!(!is_captured(&ended.raw));
}

#[test]
fn a_border_is_dragged() {
    let mut terminal = running();
    let width = |frame: &Frame| frame.pane("layers").map(|pane| pane.width);
    let before = width(&terminal.frame()).unwrap();
    let border = before + 2;
    terminal.send(&format!("\x1b[<0;{border};6M\x1b[<32;{};7M\x1b[<32;{};7M", border + 3, border + 5));
    let frame = terminal.wait_until("wider lists", |frame| width(frame) == Some(before + 5));
    assert!(frame.has("> channel 30 of 256"), "{frame:?}");
    terminal.send(&format!("\x1b[<0;{};7m", border + 5));
    terminal.send("0");
    terminal.wait_until("the lists as they were", |frame| width(frame) == Some(before));
}

#[test]
fn the_terminal_has_the_mouse_back_however_it_ends() {
    for end in ["q", "TERM", "SEGV", "ABRT"] {
        let terminal = running();
        assert!(is_captured(&terminal.raw_text()));
        if end == "q" {
            terminal.send(end);
        } else {
            terminal.signal(end);
        }
        let ended = terminal.end();
        assert!(!is_captured(&ended.raw), "{end}");
        ended.assert_restored();
    }
}

#[test]
fn the_shell_and_text_to_be_copied_have_the_mouse_meanwhile() {
    let mut terminal = running();
    terminal.send("\x1a");
    terminal.wait_raw("the mouse is given back", |raw| !is_captured(raw));
    terminal.wait_until_stopped();
    terminal.signal("CONT");
    terminal.wait_raw("the mouse is taken again", is_captured);
    terminal.wait_until("the dashboard", |frame| frame.has("╭ layers"));
    terminal.send("y");
    terminal.wait_for("copied, if the terminal takes OSC 52");
    terminal.wait_raw("the mouse is lent", |raw| !is_captured(raw));
    terminal.send("\x1b");
    terminal.wait_raw("the mouse is taken again", is_captured);
}

#[test]
fn who_wants_the_mouse_for_text_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("trepang")).unwrap();
    std::fs::write(folder.path().join("trepang/config.toml"), "mouse = false\n").unwrap();
    let by_file = Setup::new(100, 30).env("XDG_CONFIG_HOME", folder.path().to_str().unwrap());
    let by_flag = Setup::new(100, 30).arg("--mouse").arg("false");
    for setup in [by_file, by_flag] {
        let ended = running_in(setup).quit();
        assert!(ON.iter().all(|mode| !ended.raw.contains(mode)));
    }
}
