//! What is typed and pasted, by what it does to the line that is open, and to the dashboard if none is.

use super::{Setup, running, running_in};

/// A text as terminals send it when it is pasted, if that was asked for.
fn pasted(text: &str) -> String {
    format!("\x1b[200~{text}\x1b[201~")
}

#[test]
fn a_pasted_text_is_no_keys_even_in_pieces() {
    let mut terminal = running();
    assert!(terminal.raw_text().contains("\x1b[?2004h"));
    terminal.send(&pasted("q\rNBl\x03\x1a\x1b[C"));
    terminal.wait_for("the pasted text was ignored");
    let (begin, end) = ("\x1b[200~lllq", "qq\x1b[201~");
    terminal.send(begin);
    std::thread::sleep(std::time::Duration::from_millis(1500));
    terminal.send(end);
    terminal.send("l");
    let frame = terminal.wait_for("╭ channel 31 of 256");
    assert!(frame.has("q quit"), "{frame:?}");
    let ended = terminal.quit();
    ended.assert_restored();
    assert_eq!(ended.code, Some(0));
}

#[test]
fn a_pasted_objective_is_put_in_at_the_cursor() {
    let mut terminal = running();
    terminal.send("O\x15(block5_conv2,\u{1b}[H");
    terminal.send(&pasted("channel"));
    terminal.wait_for("objective: channel(block5_conv2,");
    terminal.send("\x05");
    terminal.send(&pasted("\r\n3)\x07"));
    terminal.wait_for("objective: channel(block5_conv2, 3)▁");
    terminal.send("\r");
    terminal.wait_until("the new objective", |frame| frame.pane("channel(block5_conv2, 3)").is_some());
}

#[test]
fn a_line_is_edited_as_in_a_shell() {
    let mut terminal = running_in(Setup::new(100, 30));
    terminal.send("O\x15layer(block5_conv1) + x");
    terminal.wait_for("objective: layer(block5_conv1) + x▁");
    // Ctrl-W twice, Alt-B twice, and the rest of the line away.
    terminal.send("\x17\x17\x1bb\x0b");
    terminal.wait_for("objective: layer(▁");
    terminal.send("block4_c\t");
    terminal.wait_for("block4_conv1:pre");
    terminal.send("1)\r");
    terminal.wait_until("the run", |frame| frame.pane("layer(block4_conv1)").is_some());
    terminal.send("O\x15\x1b[A");
    let frame = terminal.wait_for("objective: layer(block4_conv1)▁");
    assert!(!frame.has("q quit"), "{frame:?}");
}

#[test]
fn a_slash_finds_and_a_colon_runs_commands() {
    let mut terminal = running();
    terminal.send("/block4_conv1 7");
    terminal.wait_for("channel  block4_conv1, 7");
    terminal.send("\r");
    terminal.wait_for("╭ channel 7 of 160");
    terminal.send(":next ch");
    terminal.wait_until("one command", |frame| frame.has("next channel") && !frame.has("suspend"));
    terminal.send("\r");
    terminal.wait_for("╭ channel 8 of 160");
    terminal.send("s/channel(");
    terminal.wait_for("run      ");
    terminal.send("\x1b");
    terminal.wait_for("q quit");
    terminal.send(":quit\r");
    let ended = terminal.end();
    assert_eq!(ended.code, Some(0));
    ended.assert_restored();
}
