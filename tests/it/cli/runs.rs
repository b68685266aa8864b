//! `trepang runs`: what is saved, as lines and as JSON, and what else may be in the folder.

use std::fs;

use serde_json::{Value, json};
use trepang::runs::RunFolder;

use crate::binary::Home;

const QUICK: &str = "--size 32 --steps 2 --runs runs --json";

/// A run of one channel, as `runs --json` lists it.
fn entry(home: &Home, channel: u64) -> Value {
    let listed = home.json("runs --runs runs --json");
    listed.into_iter().find(|run| run["channel"] == channel).expect("it is listed")
}

#[test]
fn every_run_is_one_object_a_line() {
    let home = Home::new();
    let done = home
        .json(&format!("render --layer block2_conv1 --channel 4 --seed 7 {QUICK} -o a.png"))
        .pop()
        .unwrap();
    home.json(&format!("render --objective channel(block1_conv1,3)-tv(0.1) {QUICK} -o b.png"));
    let one = entry(&home, 4);
    for (key, value) in [
        ("network", json!("minivgg")),
        ("layer", json!("block2_conv1")),
        ("objective", json!("channel(block2_conv1, 4)")),
        ("recipe", json!("lucid")),
        ("size", json!(32)),
        ("seed", json!(7)),
        ("step", json!(2)),
        ("steps", json!(2)),
        ("finished", json!(true)),
        ("resumable", json!(true)),
        ("running", json!(false)),
        ("activation", done["activation_saved"].clone()),
        ("activation_robust", done["activation_robust"].clone()),
        ("loss_last", done["loss_last"].clone()),
        ("path", done["run"].clone()),
    ] {
        assert_eq!(one[key], value, "{key}");
    }
    assert!(one["age"].as_u64().unwrap() < 600, "{one}");
    assert_eq!(entry(&home, 3)["layer"], "block1_conv1");
}

#[test]
fn more_steps_make_the_measured_activation_unknown() {
    let home = Home::new();
    let done = home.json(&format!("render --layer block2_conv1 --channel 4 {QUICK} -o a.png")).pop().unwrap();
    let run = home.path(done["run"].as_str().unwrap());
    let (folder, saved) = RunFolder::open_to_resume(&run).unwrap();
    assert_eq!(
        (entry(&home, 4)["running"].clone(), entry(&home, 4)["resumable"].clone()),
        (json!(true), json!(false))
    );
    let network = trepang_weights::minivgg().unwrap().network;
    let pictures = trepang::engine::Pictures::new();
    let ascent =
        trepang::engine::Ascent::resume(saved.origin.plan, &network, saved.state, &pictures).unwrap();
    folder.save(&ascent).unwrap();
    drop(folder);
    assert_eq!(entry(&home, 4)["activation"], Value::Null);
    let line = home.run("runs --runs runs").stdout;
    assert!(line.contains("2/2 steps") && line.contains("last loss"), "{line}");
    fs::remove_file(run.join("state.safetensors")).unwrap();
    assert_eq!(entry(&home, 4)["resumable"], false);
}

#[test]
fn an_absent_folder_is_no_error() {
    let outcome = Home::new().run("runs --runs nowhere --json");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), ""));
    assert_eq!(outcome.stderr, "trepang: there are no runs: nowhere does not exist\n");
}

#[test]
fn what_is_no_run_is_passed_over() {
    let home = Home::new();
    home.json(&format!("render --layer block2_conv1 --channel 4 {QUICK} -o a.png"));
    fs::write(home.path("runs/notes.txt"), "mine").unwrap();
    fs::create_dir_all(home.path("runs/bad\u{1b}[31m")).unwrap();
    fs::write(home.path("runs/bad\u{1b}[31m/manifest.json"), "{").unwrap();
    let outcome = home.run("runs --runs runs");
    assert_eq!((outcome.code, outcome.stdout.lines().count()), (Some(0), 1), "{outcome:?}");
    assert!(outcome.stdout.contains("2/2 steps  activation "), "{outcome:?}");
    let remark = outcome.stderr.strip_prefix("trepang: passed over: ").unwrap();
    assert!(remark.contains("notes.txt (it is no folder)") && remark.contains("manifest.json"), "{remark}");
    assert!(!remark.contains('\u{1b}') && remark.lines().count() == 1, "{remark:?}");
}
