//! A second dashboard on the same worker, from another terminal: both see and do the same, and either may go.

use std::process::Command;
use std::time::{Duration, Instant};

use super::mosaic::mosaic_in;
use super::{Answers, Ended, Setup, Terminal, prolong, running, step};

/// Long enough for anything on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The command line beside the dashboards, in their surroundings.
fn trepang(terminal: &Terminal, args: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trepang"));
    command.args(args).arg("--runs").arg(terminal.runs());
    command.env("XDG_RUNTIME_DIR", terminal.runs().parent().unwrap());
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

fn assert_detached(ended: &Ended, process: u32) {
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ended.assert_restored();
    let text = format!("process {process} goes on; come back with: trepang attach {process}");
    assert!(ended.said.contains(&text), "{}", ended.said);
}

#[test]
fn two_dashboards_show_one_run_and_either_may_go() {
    let mut first = running();
    let process = first.pid();
    prolong(&mut first);
    let taken = step(&first.wait_until("some steps", |frame| step(frame) > 3));
    let mut second = Setup::attached_to((100, 30), &first).start();
    let frame = second.wait_until("the same run", |frame| step(frame) > taken);
    assert!(frame.has("block5_conv2"), "the cursor is on what is maximised:\n{frame:?}");

    second.send(" ");
    first.wait_for("paused");
    first.send(" ");
    let paused_at = step(&second.wait_for("running"));
    assert_detached(&second.quit(), process);
    first.wait_until("more steps", |frame| step(frame) > paused_at + 3);

    first.hang_up();
    let mut third = Setup::attached_to((80, 24), &first).start();
    third.wait_until("more steps without the first terminal", |frame| step(frame) > paused_at + 6);
    let name = "minivgg-channel-block5_conv2-30-pixel-seed0";
    // It has a folder once it is a second old.
    let begun = Instant::now();
    while !trepang(&first, &["runs"]).1.contains(&format!("process {process}")) {
        assert!(begun.elapsed() < PATIENCE, "{:?}", trepang(&first, &["runs"]));
    }
    let (code, stopped) = trepang(&first, &["runs", "--stop", name]);
    assert!(code == Some(0) && stopped.contains("is stopped after step"), "{stopped}");
    let seen = third.end();
    assert!(seen.said.contains(&format!("process {process} has ended")), "{}", seen.said);
    seen.assert_restored();
    assert_eq!(first.end().code, Some(0));
}

#[test]
fn a_dashboard_that_is_killed_leaves_its_viewers_a_sentence() {
    let mut first = running();
    prolong(&mut first);
    let mut second = Setup::attached_to((80, 24), &first).start();
    second.wait_until("the same run", |frame| step(frame) > 1);
    first.signal("KILL");
    let ended = second.end();
    assert!(ended.said.contains("the process that computed has gone"), "{}", ended.said);
    assert_eq!(ended.code, Some(1));
    ended.assert_restored();
    // The socket that it left is found out.
    let (code, text) = trepang(&first, &["attach"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("no dashboard of yours is running"), "{text}");
}

#[test]
fn a_store_opens_on_the_drafts_that_are_made_or_kept_there() {
    let cache = tempfile::tempdir().unwrap();
    let mut first = mosaic_in(cache.path(), Answers::Plain);
    first.wait_until("the page", |frame| frame.has("8 of 8 drafts done"));
    let (process, runs) = (first.pid(), first.runs());
    let store = cache.path().join("pictures");
    let mut second = Setup::attached_to_run((80, 24), &runs, store.to_str().unwrap()).start();
    second.wait_until("the other's page", |frame| frame.has("8 of 8 drafts done"));
    assert_detached(&second.quit(), process);
    let ended = first.quit();
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    let layer = store.join("done").join("block1_conv1");
    let pack = std::fs::read_dir(layer).unwrap().next().unwrap().unwrap().path();
    for given in [&store, &pack] {
        let mut third = Setup::attached_to_run((80, 24), &runs, given.to_str().unwrap()).start();
        let frame = third.wait_until("the kept drafts", |frame| frame.has("8 of 8 drafts done"));
        assert!(frame.has("minivgg > block1_conv1 > channel 0 of 32"), "{frame:?}");
        let ended = third.quit();
        assert_eq!(ended.code, Some(0), "{}", ended.said);
        ended.assert_restored();
    }
    std::fs::write(&pack, "damaged").unwrap();
    let refused = Setup::attached_to_run((80, 24), &runs, pack.to_str().unwrap()).start().end();
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.raw.contains("there are no pictures in") && refused.raw.contains("that can be read"),
        "{}",
        refused.raw
    );
}
