//! A disk without room: one sentence, no half file, and what was computed is kept where there is room.

use std::process::Command;

use crate::binary::{Home, Outcome};

/// Fills a tiny file system called `full`, runs the binary, and lists the files that are there. The mount is
/// this shell's alone and goes with it.
const ON_A_FULL_DISK: &str =
    "mount -t tmpfs -o size=64k tmpfs full && head -c 65536 /dev/zero >full/filler || exit
    \"$0\" \"$@\" >/dev/null; code=$?; find full -type f; exit $code";

/// `None`, with a printed reason, where nothing can be mounted.
fn on_a_full_disk(home: &Home, line: &str) -> Option<Outcome> {
    std::fs::create_dir_all(home.path("full")).unwrap();
    let mut unshare = Command::new("unshare");
    unshare.args(["--map-root-user", "--mount", "sh", "-c", ON_A_FULL_DISK, env!("CARGO_BIN_EXE_trepang")]);
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
fn a_run_that_cannot_be_kept_is_not_begun() {
    let home = Home::new();
    let Some(outcome) = on_a_full_disk(&home, &format!("{RENDER} --runs full -o a.png")) else { return };
    let sentence = outcome.refusal(1);
    assert!(sentence.contains("No space left"), "{sentence}");
    assert!(sentence.contains("free some space or choose another folder with --runs"), "{sentence}");
    assert_eq!(outcome.stdout, "full/filler\n", "nothing is left behind");
    assert!(!home.path("a.png").exists());
}
