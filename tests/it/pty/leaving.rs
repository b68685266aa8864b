//! Leaving the dashboard while what was started goes on, and coming back.

use std::process::Command;
use std::time::{Duration, Instant};

use super::{Setup, Terminal, prolong, running, step};

/// Long enough for anything on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A long run that was started by hand.
fn started() -> Terminal {
    let mut terminal = running();
    terminal.send("r");
    terminal.wait_until("the next seed", |frame| frame.seed() == Some(1));
    prolong(&mut terminal);
    terminal.wait_until("some steps", |frame| step(frame) > 5);
    terminal
}

fn ask(terminal: &mut Terminal) {
    terminal.send("q");
    let frame = terminal.wait_for("leave? what you started goes on");
    assert!(frame.has("y q save and leave  d leave it running  Esc stay"), "{frame:?}");
}

#[test]
fn a_question_keeps_a_run_from_being_cut_short() {
    let mut terminal = started();
    ask(&mut terminal);
    terminal.send("n");
    let taken = step(&terminal.wait_until("no question", |frame| !frame.has("leave?")));
    terminal.wait_until("more steps", |frame| step(frame) > taken);
    ask(&mut terminal);
    terminal.send("q");
    let ended = terminal.end();
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ended.assert_restored();
    assert!(ended.said.contains("saved in "), "{}", ended.said);
}

#[test]
fn a_run_that_is_left_running_goes_on_without_a_screen() {
    let mut terminal = started();
    let runs = terminal.runs();
    ask(&mut terminal);
    terminal.send("d");
    let ended = terminal.end();
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ended.assert_restored();
    let process = ended.said.split("in process ").nth(1).and_then(|rest| rest.split(';').next()).unwrap();
    assert!(ended.said.contains(&format!("come back with: trepang attach {process}")), "{}", ended.said);
    let trepang = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trepang"));
        let output = command.args(args).arg("--runs").arg(&runs).output().unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let steps = |listed: &str| -> usize {
        let words: Vec<&str> =
            listed.lines().find(|line| line.contains("seed1")).unwrap().split("  ").collect();
        words.iter().find_map(|word| word.trim().strip_suffix("/6528 steps")).unwrap().parse().unwrap()
    };
    let listed = trepang(&["runs"]);
    assert!(listed.contains(&format!("process {process}")), "{listed}");
    let before = steps(&listed);
    let mut back = Setup::attached_to_run((100, 30), &runs, process).start();
    back.wait_until("more steps", |frame| step(frame) > before + 3);
    assert!(back.quit().said.contains("goes on"));
    let stopped = trepang(&["runs", "--stop", "minivgg-channel-block5_conv2-30-pixel-seed1"]);
    assert!(stopped.contains("is stopped after step"), "{stopped}");
    assert!(steps(&trepang(&["runs"])) > before);
}

#[test]
fn attach_opens_a_run_that_is_at_rest() {
    let mut terminal = Setup::new(100, 30).arg("--steps").arg("8").start();
    terminal.wait_for("finished");
    let runs = terminal.runs();
    terminal.send("<");
    let ended = terminal.quit();
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    let name = "minivgg-channel-block5_conv2-30-pixel-seed0";
    let mut again = Setup::attached_to_run((100, 30), &runs, name).start();
    let frame = again.wait_until("the run", |frame| step(frame) == 8 && frame.has("finished"));
    assert!(frame.has("\u{256d} channel 30 of 256"), "{frame:?}");
    again.send("+");
    again.wait_until("more steps", |frame| step(frame) == 40 && frame.has("finished"));
    let begun = Instant::now();
    let ended = again.quit();
    assert!(ended.code == Some(0) && begun.elapsed() < PATIENCE, "{}", ended.said);
}

#[test]
fn a_queue_that_is_left_running_goes_on_to_its_end() {
    let setup = Setup::new(100, 30).arg("--layer").arg("block5_conv2").arg("--channel").arg("253");
    let mut terminal = setup.arg("--steps").arg("1").start();
    terminal.wait_for("finished");
    let runs = terminal.runs();
    terminal.send("S\x1b[B\x1b[B\r\x15300\r");
    terminal.wait_for("the next run has the steps 300");
    terminal.send("a");
    terminal.wait_until("the queue's first run", |frame| {
        frame.step().is_some_and(|(step, steps)| step > 0 && steps == 300)
    });
    ask(&mut terminal);
    terminal.send("d");
    let ended = terminal.end();
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert!(ended.said.contains("in process "), "{}", ended.said);
    let manifest = |channel: usize| {
        let folder = runs.join(format!("minivgg-channel-block5_conv2-{channel}-pixel-seed0"));
        std::fs::read_to_string(folder.join("manifest.json")).unwrap_or_default()
    };
    assert_eq!(manifest(255), "", "the queue is not done yet");
    // Without a screen it comes to the layer's last channel.
    let deadline = Instant::now() + 2 * PATIENCE;
    while !manifest(255).contains("\"finished\": true") {
        assert!(Instant::now() < deadline, "the queue does not come to its end");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(manifest(255).contains("\"step\": 300,") && manifest(254).contains("\"step\": 300,"));
}
