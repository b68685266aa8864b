//! The list of saved runs in the real binary: opened, exported, deleted, and what a kill leaves of that.

use std::path::Path;
use std::process::Command;

use super::{Setup, Terminal, running_in};

const NAME: &str = "minivgg-channel-block5_conv2-30-pixel-seed0";

fn runs_listed(runs: &Path) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_trepang")).arg("runs").arg("--runs").arg(runs).output().unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

/// A dashboard with a finished run in this folder, and the list of runs open.
fn with_list(runs: &Path) -> Terminal {
    let setup = Setup::new(100, 30).arg("--steps").arg("8").runs(runs.to_str().unwrap());
    let mut terminal = running_in(setup);
    terminal.wait_for("finished");
    terminal.send("o");
    terminal.wait_for("saved runs: 1 of 1");
    terminal
}

fn delete(terminal: &mut Terminal) {
    terminal.send("x");
    terminal.wait_for("delete this run");
    terminal.send("y");
    terminal.wait_for("none yet");
}

#[test]
fn a_deleted_run_is_removed_when_the_dashboard_ends() {
    let runs = tempfile::tempdir().unwrap();
    let mut terminal = with_list(runs.path());
    delete(&mut terminal);
    terminal.send("u");
    terminal.wait_for(&format!("{NAME} is back"));
    terminal.send("\r");
    terminal.wait_until("the run on the screen", |frame| frame.has("is finished, after 8 steps"));
    terminal.send("o");
    terminal.wait_for("saved runs: 1 of 1");
    delete(&mut terminal);
    terminal.send("o");
    let ended = terminal.quit();
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ended.assert_restored();
    assert!(runs_listed(runs.path()).is_empty(), "{}", runs_listed(runs.path()));
    let left: Vec<_> =
        std::fs::read_dir(runs.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["trepang.log"]);
}

#[test]
fn what_a_killed_dashboard_deleted_is_there_again() {
    let runs = tempfile::tempdir().unwrap();
    let mut terminal = with_list(runs.path());
    delete(&mut terminal);
    terminal.signal("KILL");
    terminal.end();
    assert!(!runs.path().join(NAME).exists());
    let listed = runs_listed(runs.path());
    assert!(listed.contains(&format!("{NAME} is back")) && listed.contains("8/8 steps"), "{listed}");
    assert!(!runs_listed(runs.path()).contains("is back"));
}

/// From a file of weights, which differ from the built-in ones in a bit, to the built-in network, whose run it is.
#[test]
fn a_run_of_another_network_brings_that_network() {
    let folder = tempfile::tempdir().unwrap();
    let (runs, weights) = (folder.path().join("runs"), folder.path().join("w.safetensors"));
    let mut bytes =
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/weights/minivgg/minivgg.safetensors")).unwrap();
    let low = bytes.len() - 2;
    bytes[low] ^= 1;
    std::fs::write(&weights, bytes).unwrap();
    let setup = |channel: &str| {
        let setup = Setup::new(200, 40).runs(runs.to_str().unwrap()).arg("--steps").arg("4");
        setup.arg("--layer").arg("block3_conv2").arg("--channel").arg(channel)
    };
    let mut terminal = setup("7").start();
    terminal.wait_for("finished");
    assert_eq!(terminal.quit().code, Some(0));
    let mut terminal = setup("3").arg("--weights").arg(weights.to_str().unwrap()).start();
    terminal.wait_until("another network", |frame| frame.has("finished") && frame.has("w.safetensors"));
    terminal.send("o");
    let name = "minivgg-channel-block3_conv2-7-pixel-seed0";
    let frame = terminal.wait_for(name);
    // The run on the screen is under the cursor.
    let own = frame.lines().iter().position(|line| line.contains("\u{25b8} minivgg")).unwrap() as u16;
    terminal.send(if frame.find(name).unwrap().1 > own { "\x1b[B" } else { "\x1b[A" });
    terminal.send("\r");
    let frame = terminal.wait_until("the network of the run", |frame| {
        !frame.has("w.safetensors") && frame.has("> block3_conv2 > channel 7 of") && frame.has("finished")
    });
    assert_eq!(frame.step(), Some((4, 4)), "{frame:?}");
    let ended = terminal.quit();
    assert_eq!(ended.code, Some(0), "{}", ended.said);
}
