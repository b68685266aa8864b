//! Too little memory for what was asked: one sentence and exit code 1, wherever it runs out.

use std::process::Command;

use crate::binary::{Home, Outcome};

/// Runs the binary with an address space of so many kB.
fn limited(home: &Home, kilobytes: u64, line: &str) -> Outcome {
    let mut shell = Command::new("sh");
    shell.args([
        "-c",
        &format!("ulimit -v {kilobytes} && exec \"$0\" \"$@\""),
        env!("CARGO_BIN_EXE_trepang"),
    ]);
    let mut command = home.wrapped(shell, line);
    // What is thought to be free is not asked for, so that the memory really runs out.
    command.env("TREPANG_MEMORY", "100000").output().expect("a shell").into()
}

#[test]
fn memory_that_runs_out_ends_in_one_sentence() {
    let home = Home::new();
    home.json("render --layer block1_conv1 --channel 4 --size 64 --steps 1 --json -o a.png");
    let render = "render --layer block5_conv2 --channel 30 --size 512 --steps 1 -o b.png";
    let mut ran_out = 0;
    for line in [render, "predict a.png"] {
        // From about what the program itself needs.
        for kilobytes in (100_000..=250_000).step_by(50_000) {
            let outcome = limited(&home, kilobytes, line);
            if outcome.code != Some(0) {
                let sentence = outcome.refusal(1);
                ran_out +=
                    usize::from(sentence.contains("memory ran out") && sentence.contains("ulimit -v is"));
            }
        }
    }
    assert!(ran_out > 0, "memory was enough each time");
}
