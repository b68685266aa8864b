//! What stops a run from outside: a signal, a reader that goes away. The steps taken are kept, and it goes on.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::binary::{Home, Outcome, json_lines, losses};

const RENDER: &str = "render --layer block4_conv2 --channel 20 --size 32 --seed 5 --json";

/// The time after which a run is killed, and what it may lose: a second, and as much again on a machine that has other work.
const LIFE: Duration = Duration::from_millis(3500);
const LOST: Duration = Duration::from_secs(2);

/// More than any machine takes before the test stops it.
const ENDLESS: &str = "--steps 4000000";

#[test]
fn after_a_signal_the_run_goes_on_to_the_same_bits() {
    for signal in ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "XCPU", "XFSZ"] {
        if signal == "HUP" && is_ignored(signal) {
            continue;
        }
        let home = Home::new();
        let mut running = home.start(&format!("{RENDER} {ENDLESS} -o cut.png"));
        let mut printed = running.line();
        running.signal(signal);
        let outcome = running.finish();
        printed += &outcome.stdout;
        let (taken, run) = kept(outcome.refusal(1));
        assert!(!home.path("cut.png").exists(), "a picture that is not finished is not put out");
        let cut = losses(&json_lines(&printed), 1);
        assert_eq!(cut.len(), taken, "every step taken was reported");
        check_rest(&home, &cut, &run);
    }
}

/// Whether these tests were started with a signal ignored, as by `nohup` or in the background of a script, so that the program
/// begins in the same way.
fn is_ignored(signal: &str) -> bool {
    let bit = match signal {
        "HUP" => 0,
        "INT" => 1,
        "QUIT" => 2,
        _ => return false,
    };
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).unwrap() >> bit & 1 == 1)
}

/// The steps and the folder of `interrupted after step K of S; the run is saved, go on with: trepang render
/// --resume RUN -o OUT.png`.
fn kept(sentence: &str) -> (usize, String) {
    let taken = between(sentence, "interrupted after step ", " of ").parse().unwrap();
    (taken, between(sentence, "trepang render --resume ", " -o "))
}

fn between(sentence: &str, from: &str, to: &str) -> String {
    let (_, rest) = sentence.split_once(from).unwrap_or_else(|| panic!("no \"{from}\" in: {sentence}"));
    rest.split_once(to).unwrap_or_else(|| panic!("no \"{to}\" in: {rest}")).0.into()
}

/// Goes on for four steps and compares with a run that was left alone.
fn check_rest(home: &Home, cut: &[f64], run: &str) {
    let steps = cut.len() + 4;
    let rest = home.json(&format!("render --resume {run} --steps {steps} --json -o rest.png"));
    let whole = home.json(&format!("{RENDER} --steps {steps} -o whole.png"));
    assert_eq!([cut, &losses(&rest, cut.len() as u64 + 1)].concat(), losses(&whole, 1));
    assert!(home.read("rest.png") == home.read("whole.png"), "after {} steps", cut.len());
}

#[test]
fn a_signal_while_it_loads_leaves_no_empty_run() {
    // The signal comes as soon as the run has a folder: before the first step, or some steps later.
    for _ in 0..8 {
        let home = Home::new();
        let running = home.start(&format!("{RENDER} {ENDLESS} -o cut.png --runs runs"));
        let runs = home.path("runs");
        while std::fs::read_dir(&runs).map_or(0, Iterator::count) == 0 {
            std::thread::yield_now();
        }
        running.signal("TERM");
        let outcome = running.finish();
        let sentence = outcome.refusal(1);
        let left = std::fs::read_dir(&runs).unwrap().count();
        if sentence.contains("interrupted before the first step") {
            assert_eq!(left, 0, "{sentence}");
        } else {
            assert!(kept(sentence).0 > 0 && left == 1, "{sentence}");
        }
    }
}

/// The first signal comes wherever the program is by then: before its first line, while it loads, or in its first steps.
#[test]
fn every_signal_ends_the_program_cleanly_at_any_moment() {
    for (turn, signal) in
        ["INT", "TERM", "QUIT", "USR1", "USR2", "XCPU"].into_iter().cycle().take(24).enumerate()
    {
        if is_ignored(signal) {
            continue;
        }
        let home = Home::new();
        let running = home.start(&format!("{RENDER} {ENDLESS} -o cut.png --runs runs"));
        std::thread::sleep(Duration::from_millis(15 * turn as u64));
        let has_begun = running.takes_signals();
        running.signal(signal);
        let outcome = running.finish();
        if outcome.code.is_none() {
            assert!(!has_begun && outcome.stderr.is_empty(), "{turn}, {signal}, {outcome:?}");
            continue;
        }
        let sentence = outcome.refusal(1);
        let left = std::fs::read_dir(home.path("runs")).map_or(0, Iterator::count);
        assert_eq!(left, usize::from(sentence.contains("--resume")), "{signal} after {turn}: {sentence}");
    }
}

#[test]
fn a_command_that_keeps_nothing_ends_at_a_signal() {
    let home = Home::new();
    let running = home.start("bench --network vgg19 --layer block5_conv4 --random-weights");
    std::thread::sleep(Duration::from_millis(700));
    running.signal("QUIT");
    assert_eq!(running.finish().refusal(1), "interrupted");
}

#[test]
fn a_second_signal_does_not_wait_for_a_long_step() {
    let home = Home::new();
    let long =
        "render --layer block5_conv2 --channel 20 --size 1024 --set views=24 --json --steps 40 --runs runs";
    let running = home.start(&format!("{long} -o cut.png"));
    let runs = home.path("runs");
    while std::fs::read_dir(&runs).map_or(0, Iterator::count) == 0 {
        std::thread::yield_now();
    }
    std::thread::sleep(Duration::from_millis(300));
    running.signal("TERM");
    std::thread::sleep(Duration::from_millis(100));
    let second = Instant::now();
    running.signal("INT");
    let outcome = running.finish();
    assert!(second.elapsed() < Duration::from_secs(2), "{:?}", second.elapsed());
    let sentence = outcome.refusal(1);
    let left = std::fs::read_dir(&runs).unwrap().count();
    assert_eq!(left, usize::from(sentence.contains("--resume")), "{sentence}");
    assert!(sentence.contains("interrupted"), "{sentence}");
}

#[test]
fn a_run_in_progress_cannot_be_resumed_by_another_process() {
    let home = Home::new();
    let mut running = home.start(&format!("{RENDER} {ENDLESS} -o cut.png --runs runs"));
    running.line();
    let folder = std::fs::read_dir(home.path("runs")).unwrap().next().unwrap().unwrap().path();
    let resume = format!("render --resume {} --steps 4000001 -o b.png", folder.display());
    assert!(home.run(&resume).refusal(1).contains("another process is going on with the run"));
    running.signal("TERM");
    let (taken, run) = kept(running.finish().refusal(1));
    assert_eq!(home.run(&format!("render --resume {run} --steps {} -o b.png", taken + 1)).code, Some(0));
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 4, "no lock stays: {left:?}");
}

#[test]
fn when_its_reader_goes_away_the_run_is_kept() {
    let home = Home::new();
    let mut running = home.start(&format!("{RENDER} {ENDLESS} -o cut.png"));
    running.line();
    running.close_stdout();
    let outcome = running.finish();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let sentence = outcome.stderr.as_str();
    assert!(sentence.contains("nobody reads stdout any more"), "{sentence}");
    let taken: usize = between(sentence, "stopped after step ", ", ").parse().unwrap();
    let run = between(sentence, "saved in ", ": ");
    let rest = home.json(&format!("render --resume {run} --steps {} --json -o rest.png", taken + 1));
    assert_eq!(losses(&rest, taken as u64 + 1).len(), 1);
}

#[test]
fn a_closed_stdout_is_no_error_and_costs_no_picture() {
    let home = Home::new();
    for (line, part) in [
        ("networks", ""),
        ("networks --json", ""),
        ("devices --json", ""),
        ("render --logit 31 --size 32 --steps 2 -o a.png", "the picture is saved as a.png"),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let outcome = Outcome::from(home.command(line).stdout(writer).output().unwrap());
        assert_eq!(
            (outcome.code, outcome.stderr.is_empty()),
            (Some(0), part.is_empty()),
            "{line}: {outcome:?}"
        );
        assert!(outcome.stderr.contains(part), "{line}: {outcome:?}");
    }
    assert!(home.path("a.png").exists());
}

/// A process that is killed loses about a second: the state is put down that often between two saves.
#[test]
fn a_killed_run_goes_on_from_about_a_second_before() {
    let home = Home::new();
    let mut running = home.start(&format!("{RENDER} {ENDLESS} -o cut.png --runs runs"));
    let (begun, mut printed, mut early) = (Instant::now(), String::new(), 0);
    while begun.elapsed() < LIFE {
        printed += &running.line();
        if begun.elapsed() + LOST < LIFE {
            early += 1;
        }
    }
    running.signal("KILL");
    printed += &running.finish().stdout;
    let folder = std::fs::read_dir(home.path("runs")).unwrap().next().unwrap().unwrap().path();
    let losses_of_all = losses(&json_lines(&printed), 1);
    assert!(early > 2 && losses_of_all.len() > early, "{early} of {}", losses_of_all.len());

    // Far beyond what was taken, so that the first line says where it goes on.
    let mut rest = home.start(&format!("render --resume {} --json -o rest.png", folder.display()));
    let next: Value = serde_json::from_str(&rest.line()).unwrap();
    rest.signal("TERM");
    let step = usize::try_from(next["step"].as_u64().unwrap()).unwrap();
    assert!(step > early, "{early} steps were a second old, and it goes on at step {step}");
    if let Some(loss) = losses_of_all.get(step - 1) {
        assert_eq!(next["loss"].as_f64(), Some(*loss), "the same run goes on");
    }
    rest.finish();
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 4, "no journal stays once the run is saved: {left:?}");
}

#[test]
fn a_run_is_stopped_by_its_name_from_another_process() {
    let home = Home::new();
    let mut running = home.start(&format!("{RENDER} {ENDLESS} -o cut.png --runs runs"));
    running.line();
    let listed = home.json("runs --runs runs --json").remove(0);
    let name = listed["name"].as_str().unwrap();
    assert!(
        listed["running"] == true && listed["process"].is_u64() && listed["host"].is_string(),
        "{listed}"
    );
    let stopped = home.json(&format!("runs --runs runs --stop {name} --json")).remove(0);
    assert_eq!((&stopped["name"], &stopped["process"]), (&listed["name"], &listed["process"]));
    let outcome = running.finish();
    assert_eq!(stopped["step"], kept(outcome.refusal(1)).0);
    let again = home.run(&format!("runs --runs runs --stop {name}"));
    assert!(again.refusal(2).contains("is not running"), "{again:?}");
    assert!(home.run("runs --runs runs --stop nowhere").refusal(2).contains("there is no run nowhere"));
}
