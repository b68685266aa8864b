//! A reader that has gone, as `head` goes: no command that prints calls that an error.

use std::io;

use crate::binary::{Home, Outcome, write_png};
use crate::library::noise_picture;

/// Runs it with a stdout that nobody reads.
fn unread(home: &Home, line: &str) -> Outcome {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    home.command(line).stdout(writer).output().expect("the binary was built").into()
}

#[test]
fn no_list_calls_a_closed_pipe_an_error() {
    let home = Home::new();
    write_png(&home.path("a.png"), &noise_picture(1, 64));
    home.json("render --layer block1_conv1 --channel 4 --size 32 --steps 1 -o b.png --runs runs --json");
    for line in [
        "--help",
        "--version",
        "completions bash",
        "devices --json",
        "info minivgg",
        "info minivgg --json",
        "man",
        "networks",
        "networks minivgg",
        "networks --json",
        "predict a.png",
        "predict a.png --json",
        "pull --list",
        "recipes",
        "recipes --json",
        "runs --runs runs",
        "runs --runs runs --json",
        "show a.png",
        "show a.png --image-protocol sixel",
        "show a.png --image-protocol iterm2",
    ] {
        let outcome = unread(&home, line);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "trepang {line}");
    }
}

#[test]
fn a_render_that_nobody_reads_says_what_it_kept() {
    let home = Home::new();
    let line = "render --layer block1_conv1 --channel 4 --size 32 --steps 3 --runs runs";
    for (flags, kept) in [
        ("--json -o a.png", "stopped after step 1, saved in runs/"),
        ("-o a.png", "the picture is saved as a.png"),
    ] {
        let outcome = unread(&home, &format!("{line} {flags}"));
        assert!(outcome.refusal(0).starts_with(kept), "{outcome:?}");
    }
    let outcome = unread(&home, &format!("{line} -o -"));
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
}
