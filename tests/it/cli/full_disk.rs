//! A disk without room: one sentence, no half file, and what was computed is kept where there is room.

use std::process::Command;

use trepang::runs::{RunFolder, read_origin};

use crate::binary::{Home, Outcome, write_png};
use crate::library::noise_picture;

/// Fills a tiny file system called `full`, runs the binary, and lists the files that are there. The mount is
/// this shell's alone and goes with it.
const ON_A_FULL_DISK: &str =
    "mount -t tmpfs -o size=64k tmpfs full && head -c 65536 /dev/zero >full/filler || exit
    \"$0\" \"$@\" >/dev/null; code=$?; find full -type f; exit $code";

/// The same with room for one state and some pictures, and not for a second state beside the first. What is there in the end is
/// copied to `kept`.
const ON_A_SMALL_DISK: &str =
    "mount -t tmpfs -o size=2600k tmpfs full && head -c 400000 /dev/zero >full/filler || exit
    \"$0\" \"$@\" >/dev/null; code=$?; cp -r full kept; find full -name filler; exit $code";

/// `None`, with a printed reason, where nothing can be mounted.
fn on_a_full_disk(home: &Home, line: &str) -> Option<Outcome> {
    on_a_disk(home, ON_A_FULL_DISK, line)
}

fn on_a_disk(home: &Home, script: &str, line: &str) -> Option<Outcome> {
    std::fs::create_dir_all(home.path("full")).unwrap();
    let mut unshare = Command::new("unshare");
    unshare.args(["--map-root-user", "--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_trepang")]);
    let outcome = home.wrapped(unshare, line).output().map(Outcome::from);
    match outcome {
        Ok(outcome) if outcome.stdout.contains("full/filler") => Some(outcome),
        other => {
            eprintln!("skipped: a tiny file system cannot be mounted here: {other:?}");
            None
        }
    }
}

const RENDER: &str = "render --layer block1_conv1 --channel 4 --size 32 --steps 2";

#[test]
fn a_picture_that_does_not_fit_is_kept_with_its_run() {
    for target in ["-o full/a.png", "-o a.png --losses full/a.csv"] {
        let home = Home::new();
        let Some(outcome) = on_a_full_disk(&home, &format!("{RENDER} {target}")) else { return };
        let sentence = outcome.refusal(1);
        assert!(
            sentence.contains("cannot write full/a.") && sentence.contains("No space left"),
            "{sentence}"
        );
        assert!(sentence.contains("free some space or choose another folder with -"), "{sentence}");
        let run = sentence.split_once("the run itself is saved in ").unwrap().1.split_once(": ").unwrap().0;
        assert_eq!(outcome.stdout, "full/filler\n", "nothing is left behind");
        home.json(&format!("render --resume {run} --json -o later.png"));
        assert!(home.path("later.png").exists());
    }
}

#[test]
fn where_there_is_little_room_the_picture_is_kept() {
    let home = Home::new();
    let line = "render --layer block1_conv1 --channel 4 --size 224 --steps 3 --runs full -o a.png";
    let Some(outcome) = on_a_disk(&home, ON_A_SMALL_DISK, line) else { return };
    assert!(outcome.refusal(1).contains("No space left"), "{outcome:?}");
    let folder = home.path("kept/minivgg-channel-block1_conv1-4-lucid-seed0");
    let origin = read_origin(&folder.join("image.png")).unwrap();
    assert_eq!(origin.plan.steps, 3, "the newest picture");
    let (_, saved) = RunFolder::open(&folder).unwrap();
    assert!(saved.state.losses.len() < 3, "the newest state did not fit");
}

#[test]
fn an_index_and_a_report_without_room_say_so() {
    let home = Home::new();
    std::fs::create_dir_all(home.path("set/n02321529")).unwrap();
    for seed in 0..4 {
        write_png(&home.path(&format!("set/n02321529/{seed}.png")), &noise_picture(seed, 64));
    }
    for line in [
        "lab index set --layer block5_conv2 --out full/index",
        "lab report set/n02321529/0.png --exact --layer block5_conv2 --channel 4 -o full/a.html",
    ] {
        let Some(outcome) = on_a_full_disk(&home, line) else { return };
        assert!(outcome.refusal(1).contains("No space left"), "{line}: {outcome:?}");
        let left: Vec<&str> = outcome.stdout.lines().filter(|file| *file != "full/filler").collect();
        let is_result = |file: &&str| matches!(file.rsplit('.').next(), Some("parquet" | "html"));
        assert!(!left.iter().any(is_result), "{left:?}");
    }
}

#[test]
fn a_run_that_cannot_be_kept_is_not_begun() {
    let home = Home::new();
    let Some(outcome) = on_a_full_disk(&home, &format!("{RENDER} --runs full -o a.png")) else { return };
    let sentence = outcome.refusal(1);
    assert!(sentence.contains("No space left"), "{sentence}");
    assert!(sentence.contains("free some space or choose another folder with --runs"), "{sentence}");
    assert_eq!(outcome.stdout, "full/filler\n", "nothing is left behind");
    assert!(!home.path("a.png").exists());
}
