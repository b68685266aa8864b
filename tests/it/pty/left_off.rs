//! A dashboard begins where the last one was left, unless something else is asked for.

use std::fs;
use std::path::Path;

use super::{Ended, Setup, Terminal};

const RIGHT: &str = "\x1b[C";

fn start(home: &Path, args: &[&str]) -> Terminal {
    let setup = Setup::new(100, 30).env("XDG_STATE_HOME", home.to_str().unwrap());
    args.iter().fold(setup, |setup, arg| setup.arg(arg)).start()
}

/// Waits for the cursor, and quits.
fn quit_at(mut terminal: Terminal, layer: &str, channel: &str) -> Ended {
    terminal.wait_until("the cursor", |frame| frame.has(layer) && frame.has(&format!("╭ {channel} ")));
    terminal.wait_until("a run", |frame| frame.step().is_some_and(|(step, _)| step > 0));
    let ended = terminal.quit();
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ended
}

#[test]
fn it_begins_where_the_last_one_was_left() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("trepang/dashboard.json");
    let mut first = start(home.path(), &[]);
    first.wait_for("channel 30 of 256");
    first.send(&format!("<<<{RIGHT}pt"));
    quit_at(first, "block4_conv2:pre", "channel 31 of 160");
    let left = fs::read_to_string(&file).unwrap();
    assert!(left.contains("block4_conv2:pre") && left.contains("minivgg"), "{left}");

    let mut second = start(home.path(), &[]);
    let frame = second.wait_for("channel(block4_conv2:pre, 31)");
    assert!(!frame.has("classes"), "they were hidden:\n{frame:?}");
    quit_at(second, "block4_conv2:pre", "channel 31 of 160");
    // What the flags say goes before.
    quit_at(start(home.path(), &["--layer", "block1_conv1"]), "block1_conv1", "channel 0 of 32");
    quit_at(start(home.path(), &[]), "block1_conv1", "channel 0 of 32");
}

#[test]
fn marks_and_the_sizes_of_panes_come_back() {
    let home = tempfile::tempdir().unwrap();
    let mut first = start(home.path(), &[]);
    let own = first.wait_for("channel 30 of 256").pane("layers").unwrap().width;
    first.wait_until("a run", |frame| frame.step().is_some_and(|(step, _)| step > 3));
    first.send(" ");
    first.wait_for("paused");
    first.send("m}}}");
    first.wait_until("wider lists", |frame| frame.pane("layers").is_some_and(|pane| pane.width == own + 6));
    assert_eq!(first.quit().code, Some(0));

    // Also where the flags name a place.
    let mut second = start(home.path(), &["--layer", "block1_conv1"]);
    second.wait_until("wider lists", |frame| frame.pane("layers").is_some_and(|pane| pane.width == own + 6));
    second.send("'");
    second.wait_for("channel(block5_conv2, 30) pixel seed 0 step");
    second.send("\r");
    second.wait_for("channel 30 of 256");
    second.send("0");
    second.wait_until("their own size", |frame| frame.pane("layers").is_some_and(|pane| pane.width == own));
    assert_eq!(second.quit().code, Some(0));
}

#[test]
fn a_bad_file_is_passed_over_with_a_line() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("trepang/dashboard.json");
    fs::create_dir(file.parent().unwrap()).unwrap();
    for text in ["{\"network\": 3", "[]", r#"{"network": "gone-net", "layer": "x", "channel": 99}"#] {
        fs::write(&file, text).unwrap();
        let ended = quit_at(start(home.path(), &[]), "block5_conv2", "channel 30 of 256");
        assert!(
            ended.raw.contains("cannot be used") || ended.raw.contains("gone-net, which was left last"),
            "{}",
            ended.raw
        );
        assert!(fs::read_to_string(&file).unwrap().contains("block5_conv2"));
    }
    // A channel that there is not is passed over without a word.
    fs::write(&file, r#"{"network": "minivgg", "layer": "block1_conv1", "channel": 99}"#).unwrap();
    quit_at(start(home.path(), &[]), "block5_conv2", "channel 30 of 256");
}

#[test]
fn two_dashboards_at_once_keep_the_marks_of_both() {
    let home = tempfile::tempdir().unwrap();
    let mut both =
        ["3", "5"].map(|channel| start(home.path(), &["--layer", "block1_conv1", "--channel", channel]));
    for terminal in &mut both {
        terminal.wait_for("finished");
        terminal.send("m");
        terminal.wait_for("marked: channel(block1_conv1");
    }
    for terminal in both {
        assert_eq!(terminal.quit().code, Some(0));
    }
    let mut later = start(home.path(), &["--layer", "block1_conv1"]);
    later.wait_until("a run", |frame| frame.step().is_some_and(|(step, _)| step > 0));
    later.send("'");
    later.wait_for("marked pictures");
    let frame = later.frame();
    assert!(frame.has("channel(block1_conv1, 3)") && frame.has("channel(block1_conv1, 5)"), "{frame:?}");
    // What one of them takes away is away for the other too.
    later.send("x");
    later.wait_until("one mark", |frame| !frame.has("channel(block1_conv1, 5) pixel"));
    later.send("\x1b");
    later.wait_until("no list", |frame| !frame.has("marked pictures"));
    assert_eq!(later.quit().code, Some(0));
    let left = fs::read_to_string(home.path().join("trepang/dashboard.json")).unwrap();
    assert!(
        left.contains("channel(block1_conv1, 3)") && !left.contains("channel(block1_conv1, 5)"),
        "{left}"
    );
}
