//! The mosaic in a terminal: drafts come, stay on disk, and a channel is opened from them.

use super::emulator::Answers;
use super::terminal::{Setup, Terminal};

/// The steps of the draft of a channel that is on the screen: 64 once it is as good as it gets.
fn draft_steps(frame: &super::Frame, channel: usize) -> Option<usize> {
    let text = format!(" {}", frame.lines()[1..].join(" "));
    let at = text.find(&format!(" {channel} "))?;
    let words: Vec<&str> = text[at..].split_whitespace().take(3).collect();
    words.get(1)?.parse::<f64>().ok()?;
    let steps = words.get(2).and_then(|word| word.strip_suffix("/64"));
    Some(steps.map_or(64, |steps| steps.parse().unwrap_or(64)))
}

fn mosaic_in(cache: &std::path::Path, answers: Answers) -> Terminal {
    let setup = Setup::new(80, 24).answers(answers).env("TREPANG_CACHE", cache.to_str().unwrap());
    // A shallow layer, so that drafts are quick also on a busy machine.
    let mut terminal = setup.arg("--layer").arg("block1_conv1").arg("--steps").arg("4").start();
    terminal.wait_until("the run's end", |frame| frame.has("finished"));
    terminal.send("M");
    terminal
}

#[test]
fn drafts_sharpen_are_kept_and_open_in_full() {
    let cache = tempfile::tempdir().unwrap();
    let mut terminal = mosaic_in(cache.path(), Answers::Plain);
    let frame = terminal.wait_until("drafts", |frame| draft_steps(frame, 0).is_some());
    assert!(frame.has("minivgg > block1_conv1 > channel 0 of 32"), "{frame:?}");
    let frame = terminal.wait_until("the page", |frame| frame.has("8 of 8 drafts done"));
    assert!(frame.colours() > 16, "there are pictures: {frame:?}");
    terminal.send("\x1b[C\r");
    let frame = terminal.wait_until("the channel in full", |frame| frame.step().is_some());
    assert!(frame.has("channel(block1_conv1, 1)"), "{frame:?}");
    terminal.send("q");
    terminal.end();
    // The next dashboard has them at once, and the queue goes on from them.
    let mut terminal = mosaic_in(cache.path(), Answers::Plain);
    terminal.wait_until("the kept drafts", |frame| frame.has("8 of 8 drafts done"));
    terminal.send("q");
    terminal.end();
}

#[test]
fn text_under_drafts_is_not_painted_over() {
    for answers in [Answers::Kitty, Answers::Sixel] {
        let cache = tempfile::tempdir().unwrap();
        let mut terminal = mosaic_in(cache.path(), answers);
        let frame = terminal.wait_until("the page", |frame| frame.has("18 of 18 drafts done"));
        assert!(draft_steps(&frame, 17).is_some(), "{frame:?}");
        terminal.send("q");
        terminal.end();
    }
}
