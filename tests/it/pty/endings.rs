//! Every way to end the dashboard: the terminal is the shell's again, the run is kept, and nothing stays behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{Ended, Setup, Terminal, prolong, running, running_in, step};

/// The one run of a session, with at least this many steps, told to the user and fit to go on with.
fn assert_kept(ended: &Ended, steps: usize) -> PathBuf {
    let [folder] = &ended.runs()[..] else { panic!("not one run: {:?}", ended.runs()) };
    let saved = format!("saved in {}", folder.display());
    assert!(ended.said.contains(&saved), "{saved:?} is not said in {:?}", ended.said);
    let taken = steps_of(folder);
    assert!(taken >= steps, "{taken} steps are saved of {steps}");
    let losses = fs::read_to_string(folder.join("losses.csv")).unwrap();
    assert_eq!(losses.lines().count(), 1 + taken);
    folder.clone()
}

fn steps_of(folder: &Path) -> usize {
    let manifest: Value = serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    manifest["step"].as_u64().unwrap() as usize
}

/// Goes on with a run for three steps, as the user can.
fn assert_resumable(ended: &Ended, folder: &Path) {
    let wanted = steps_of(folder) + 3;
    let mut command = Command::new(env!("CARGO_BIN_EXE_trepang"));
    command.args(["render", "--steps", &wanted.to_string(), "--resume"]).arg(folder);
    command.arg("-o").arg(ended.home().join("resumed.png"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(steps_of(folder), wanted);
}

/// A long run that has taken some steps, and how many.
fn long_run() -> (Terminal, usize) {
    let mut terminal = running();
    prolong(&mut terminal);
    let steps = step(&terminal.wait_until("some steps", |frame| step(frame) > 5));
    (terminal, steps)
}

#[test]
fn q_and_ctrl_c_quit_and_keep_the_run() {
    for key in ["q", "\x03"] {
        let (terminal, steps) = long_run();
        terminal.send(key);
        let ended = terminal.end();
        assert_eq!(ended.code, Some(0), "{key:?}: {}", ended.said);
        ended.assert_restored();
        let folder = assert_kept(&ended, steps);
        assert_resumable(&ended, &folder);
    }
}

#[test]
fn ctrl_c_quits_wherever_the_user_is() {
    for keys in ["?\x03", "g12\x03", "z\x03", " \x03"] {
        let terminal = running();
        terminal.send(keys);
        let ended = terminal.end();
        assert_eq!(ended.code, Some(0), "{keys:?}: {}", ended.said);
        ended.assert_restored();
        assert_kept(&ended, 1);
    }
}

#[test]
fn a_finished_run_is_kept_once() {
    let mut terminal = running();
    let said = terminal.wait_for("finished");
    assert!(said.has("saved in "), "{said:?}");
    let ended = terminal.quit();
    assert_eq!(ended.code, Some(0));
    assert_eq!(steps_of(&assert_kept(&ended, 128)), 128);
}

#[test]
fn signals_end_it_and_keep_the_run() {
    for signal in ["TERM", "INT", "QUIT", "USR1", "XCPU"] {
        let (terminal, steps) = long_run();
        terminal.signal(signal);
        let ended = terminal.end();
        assert_eq!(ended.code, Some(1), "{signal}: {}", ended.said);
        ended.assert_restored();
        assert!(ended.said.contains("interrupted"), "{signal}: {}", ended.said);
        let folder = assert_kept(&ended, steps);
        assert_resumable(&ended, &folder);
    }
}

#[test]
fn a_death_that_no_code_survives_leaves_a_sane_terminal() {
    for signal in ["SEGV", "BUS", "ABRT", "ALRM", "PROF", "SYS", "TRAP"] {
        let (terminal, _) = long_run();
        terminal.signal(signal);
        let ended = terminal.end();
        assert_ne!(ended.code, Some(0), "{signal}");
        ended.assert_restored();
    }
}

#[test]
fn a_signal_that_comes_twice_does_not_leave_a_wrecked_terminal() {
    let (terminal, steps) = long_run();
    let twice = format!("kill -TERM {0}; kill -TERM {0}", terminal.pid());
    assert!(Command::new("sh").args(["-c", &twice]).status().unwrap().success());
    let ended = terminal.end();
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    ended.assert_restored();
    assert_kept(&ended, steps);
}

#[test]
fn a_suspended_dashboard_gives_the_terminal_to_the_shell() {
    let (mut terminal, _) = long_run();
    for outside in [true, false] {
        if outside {
            terminal.signal("TSTP");
        } else {
            terminal.send("\x1a");
        }
        terminal.wait_until("the shell's screen", |frame| {
            !frame.in_alternate_screen() && !frame.cursor_is_hidden()
        });
        terminal.wait_until_stopped();
        terminal.signal("CONT");
        terminal.wait_until("the dashboard", |frame| frame.in_alternate_screen() && frame.has("╭ layers"));
    }
    let ended = terminal.quit();
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ended.assert_restored();
}

#[test]
fn a_run_goes_on_to_its_end_when_the_terminal_goes_away() {
    let mut terminal = running();
    let (pid, runs) = (terminal.pid(), terminal.runs());
    terminal.wait_until("some steps", |frame| step(frame) > 3);
    terminal.hang_up();
    let ended = terminal.end();
    assert_eq!(ended.code, Some(0));
    assert_nothing_left(pid);
    let [folder] = &ended.runs()[..] else { panic!("not one run in {}", runs.display()) };
    assert_eq!(steps_of(folder), 128);
    assert_resumable(&ended, folder);
}

#[test]
fn without_a_terminal_it_ends_when_a_signal_asks_for_it() {
    let (mut terminal, steps) = long_run();
    terminal.hang_up();
    std::thread::sleep(std::time::Duration::from_millis(300));
    terminal.signal("TERM");
    let ended = terminal.end();
    let [folder] = &ended.runs()[..] else { panic!("not one run: {:?}", ended.runs()) };
    assert!(steps_of(folder) >= steps);
    assert_resumable(&ended, folder);
}

#[test]
fn a_terminal_that_goes_away_ends_it_when_nothing_runs_too() {
    let (mut terminal, _) = long_run();
    terminal.send(" ");
    terminal.wait_for("paused");
    terminal.hang_up();
    assert_eq!(terminal.end().code, Some(0));
}

#[test]
fn nothing_outlives_the_dashboard() {
    let terminal = running();
    let pid = terminal.pid();
    assert!(threads(pid) > 2, "a worker and an encoder run while it is open");
    let ended = terminal.quit();
    assert_eq!(ended.code, Some(0));
    assert_nothing_left(pid);
}

/// How many threads a process has; none when it is gone.
fn threads(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count)
}

/// Neither the process nor one that it started in its session is there. Looked up where `/proc` is.
fn assert_nothing_left(pid: u32) {
    assert_eq!(threads(pid), 0);
    let session = |entry: &Path| {
        let stat = fs::read_to_string(entry.join("stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(3)?.parse::<u32>().ok()
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
    let left: Vec<_> = processes.filter(|process| session(process) == Some(pid)).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_q_typed_before_there_is_anything_to_see_quits() {
    let terminal = Setup::new(80, 24).arg("--image-protocol").arg("halfblocks").start();
    terminal.send("q");
    let ended = terminal.end();
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ended.assert_restored();
}

#[test]
fn a_run_that_cannot_be_kept_is_told() {
    let terminal = running_in(Setup::new(100, 30).runs("/dev/null/runs"));
    let ended = terminal.quit();
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    ended.assert_restored();
    assert!(ended.said.contains("could not be saved"), "{}", ended.said);
}
