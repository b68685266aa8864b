//! The mosaic in a terminal: drafts come, stay on disk, and a channel is opened from them.

use std::collections::HashSet;

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

pub(super) fn mosaic_in(cache: &std::path::Path, answers: Answers) -> Terminal {
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
    terminal.wait_until("the channel in full", |frame| {
        frame.has("channel(block1_conv1, 1)") && frame.step().is_some()
    });
    terminal.quit();
    // The next dashboard has them at once, and the queue goes on from them.
    let mut terminal = mosaic_in(cache.path(), Answers::Plain);
    terminal.wait_until("the kept drafts", |frame| frame.has("8 of 8 drafts done"));
    terminal.quit();
}

#[test]
fn text_under_drafts_is_not_painted_over() {
    for answers in [Answers::Kitty, Answers::Sixel] {
        let cache = tempfile::tempdir().unwrap();
        let mut terminal = mosaic_in(cache.path(), answers);
        let frame = terminal.wait_until("the page", |frame| frame.has("18 of 18 drafts done"));
        assert!(draft_steps(&frame, 17).is_some(), "{frame:?}");
        terminal.quit();
    }
}

/// The rows and the sizes in pixels of all sixel pictures that were written: `CSI row ; column H DCS 9;1;0 q " 1;1;width;height`.
fn sixels(raw: &str) -> Vec<(u16, [u32; 2])> {
    let picture = |(before, after): (&str, &str)| {
        let row = before.rsplit("\x1b[").next()?.split(';').next()?.parse().ok()?;
        let raster = after.split_once("q\"1;1;")?.1;
        let end = raster.find(|c: char| !c.is_ascii_digit() && c != ';')?;
        let mut sides = raster[..end].split(';').map(str::parse);
        Some((row, [sides.next()?.ok()?, sides.next()?.ok()?]))
    };
    raw.match_indices("H\x1bP").filter_map(|(at, _)| picture((&raw[..at], &raw[at + 1..]))).collect()
}

#[test]
fn sixels_are_as_small_as_xterm_takes_them_and_leave_the_lines() {
    let cache = tempfile::tempdir().unwrap();
    let setup =
        Setup::new(140, 40).answers(Answers::Sixel).env("TREPANG_CACHE", cache.path().to_str().unwrap());
    let mut terminal = setup.arg("--layer").arg("block1_conv1").arg("--steps").arg("4").start();
    terminal.wait_until("the run's end", |frame| frame.has("finished"));
    let before = terminal.written();
    terminal.send("M");
    terminal.wait_until("the page", |frame| frame.has("32 of 32 drafts done"));
    terminal.wait_until_quiet();
    let raw = terminal.raw_text();
    let painted = sixels(&raw[raw.len() - (terminal.written() - before).min(raw.len())..]);
    assert!(painted.len() > 4, "{painted:?}");
    for (row, sides) in painted {
        assert!(sides.iter().all(|side| *side <= 1000), "xterm drops {sides:?}");
        assert!((row - 2) % 7 != 6, "row {row} belongs to the text");
    }
    terminal.quit();
}

/// The cells of kitty's pictures that were sent, columns and rows, one after the other.
fn kitty_cells(raw: &str) -> Vec<(u16, u16)> {
    let number = |keys: &str, name: &str| {
        let rest = &keys[keys.find(name)? + name.len()..];
        rest[..rest.find(',')?].parse().ok()
    };
    let sent = raw.split("\x1b_Ga=T").skip(1);
    sent.filter_map(|keys| Some((number(keys, ",c=")?, number(keys, ",r=")?))).collect()
}

#[test]
fn kitty_gets_each_draft_by_itself() {
    let cache = tempfile::tempdir().unwrap();
    let mut terminal = mosaic_in(cache.path(), Answers::Kitty);
    terminal.wait_until("the page", |frame| frame.has("18 of 18 drafts done"));
    terminal.wait_until_quiet();
    let colours = terminal.frame().placeholder_colours();
    let ids: HashSet<String> = colours.iter().map(|colour| format!("{colour:?}")).collect();
    assert_eq!(ids.len(), 18, "each has an id of its own: {ids:?}");
    let raw = terminal.raw_text();
    let drafts = kitty_cells(&raw);
    let last = drafts[drafts.len() - 18..].to_vec();
    assert!(last.iter().all(|cells| *cells == last[0]) && last[0].0 < 20, "{last:?}");
    let before = terminal.written();
    terminal.send("\x1b[C");
    terminal.wait_for("channel 1 of 32");
    terminal.wait_until_quiet();
    assert!(terminal.written() - before < 2_000, "no picture is sent for a cursor that moves");
    terminal.quit().assert_restored();
}
