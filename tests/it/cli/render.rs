//! `trepang render`: the events of `--json`, the files, and what the numbers mean.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use trepang::backends::BACKENDS;
use trepang::runs::read_picture;
use trepang_api::Array;
use trepang_api::conformance::ACTIVATION_TOLERANCE;

use crate::binary::{Home, Outcome, json_lines, losses, write_png};
use crate::library::{activation, apart, channel_mean, noise_picture};

#[test]
fn json_is_every_step_and_then_what_came_of_it() {
    for recipe in ["pixel", "original"] {
        let home = Home::new();
        let events = home.json(&format!(
            "render --layer block3_conv2 --channel 7 --recipe {recipe} --size 48 --steps 6 --seed 3 --threads 2 \
             -o out.png --losses out.csv --json"
        ));
        let [steps @ .., done] = events.as_slice() else { panic!("nothing was printed") };
        assert_eq!(steps.len(), 6);
        let losses = losses(steps, 1);
        assert!(losses.last() > losses.first(), "{losses:?}");
        check_done(done, recipe, &losses);
        check_saved(&home, done, &losses);
    }
}

fn check_done(done: &Value, recipe: &str, losses: &[f64]) {
    let expected = json!({
        "event": "done", "network": "minivgg", "layer": "block3_conv2", "channel": 7, "recipe": recipe,
        "backend": BACKENDS[0].name, "device": "cpu", "threads": 2, "seed": 3,
        "steps": 6, "size": 48, "loss_first": losses[0], "loss_last": losses[5], "output": "out.png",
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&done[key], value, "{key}");
    }
    assert!(done["seconds_per_step"].as_f64().unwrap() > 0.0);
}

fn check_saved(home: &Home, done: &Value, losses: &[f64]) {
    let csv = String::from_utf8(home.read("out.csv")).unwrap();
    let rows: Vec<String> = (1..).zip(losses).map(|(step, loss)| format!("{step},{loss}")).collect();
    assert_eq!(csv.lines().collect::<Vec<_>>(), [&["step,loss".to_owned()], &rows[..]].concat());

    let picture = read_picture(&home.path("out.png")).unwrap();
    assert_eq!((picture.width, picture.height), (48, 48));
    let ends = picture.rgb.iter().filter(|&&level| level == 0 || level == 255).count();
    assert_eq!(done["saturated"], ends as f64 / picture.rgb.len() as f64);

    let saved = done["activation_saved"].as_f64().unwrap();
    let measured = channel_mean(&activation("block3_conv2", &picture), 7);
    assert!(apart(saved, measured) <= ACTIVATION_TOLERANCE, "{saved} where the PNG gives {measured}");

    let run = home.path(done["run"].as_str().unwrap());
    let read = |name: &str| std::fs::read(run.join(name)).unwrap();
    let manifest: Value = serde_json::from_slice(&read("manifest.json")).unwrap();
    assert_eq!((&manifest["step"], &manifest["finished"]), (&json!(6), &json!(true)));
    assert_eq!(read("losses.csv"), csv.as_bytes());
    assert_eq!(read_picture(&run.join("image.png")).unwrap(), picture);
}

const PROMISED: &str = "event network layer channel recipe backend device threads seed steps size loss_first \
                        loss_last activation_saved saturated seconds_per_step output activation_robust \
                        activation_start dead_steps";

#[test]
fn only_the_keys_that_scripts_were_promised_and_a_few_more() {
    let events =
        Home::new().json("render --layer block1_conv1 --channel 4 --size 32 --steps 1 -o a.png --json");
    let check = |event: &Value, keys: String| {
        let found: BTreeSet<&str> = event.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(found, keys.split_whitespace().collect());
    };
    check(&events[0], "event step loss".into());
    let more = "objective run activation_start_robust saturated_start dead_share dead carries_recipe";
    check(&events[1], format!("{PROMISED} {more}"));
}

/// What is raised, the layer it reads, and its value on that layer's activation.
type Target = (&'static str, &'static str, fn(&Array) -> f64);

const TARGETS: &[Target] = &[
    ("--layer block4_conv2 --channel 20", "block4_conv2", |a| channel_mean(a, 20)),
    ("--layer block4_conv2:pre --channel 20", "block4_conv2:pre", |a| channel_mean(a, 20)),
    ("--layer block3_conv1 --neuron 8,5,2", "block3_conv1", |a| f64::from(a.data()[8 * 64 + 5 * 8 + 2])),
    ("--logit 31", "predictions", |a| f64::from(a.data()[31])),
    ("--logit sea_cucumber", "predictions", |a| f64::from(a.data()[31])),
];

#[test]
fn step_one_reports_the_objective_on_the_start_picture() {
    let home = Home::new();
    let start = noise_picture(9, 32);
    write_png(&home.path("start.png"), &start);
    for (target, layer, value) in TARGETS {
        let activation = activation(layer, &start);
        let largest = activation.data().iter().fold(0.0_f32, |most, a| most.max(a.abs()));
        let expected = value(&activation);
        for recipe in ["pixel", "original"] {
            let line =
                format!("render {target} --recipe {recipe} --init start.png --steps 1 --json -o a.png");
            let events = home.json(&line);
            assert_eq!(&events[1]["layer"], layer, "{target}");
            let found = losses(&events, 1)[0];
            let apart = (found - expected).abs() / f64::from(largest);
            assert!(apart <= ACTIVATION_TOLERANCE, "{target} {recipe}: {found} is not {expected}");
        }
    }
}

#[test]
fn equal_seeds_give_equal_files_and_others_do_not() {
    let home = Home::new();
    for recipe in ["pixel", "original"] {
        let picture = |seed: u64, name: &str| {
            home.json(&format!(
                "render --layer block2_conv1 --channel 5 --recipe {recipe} --size 32 --steps 3 --seed {seed} --json -o {name}"
            ));
            home.read(name)
        };
        let first = picture(1, "first.png");
        assert_eq!(first, picture(1, "again.png"), "{recipe}");
        picture(2, "other.png");
        let pixels = |name| read_picture(&home.path(name)).unwrap().rgb;
        assert_ne!(pixels("first.png"), pixels("other.png"), "{recipe}");
    }
}

/// As Lucid's notebooks name a channel, and as it is pasted from them.
#[test]
fn a_layers_name_may_hold_the_channel() {
    let home = Home::new();
    for (layer, named) in [
        ("block3_conv2:7", "block3_conv2"),
        (" \u{201c}block3_conv2 : 7\u{201d} ", "block3_conv2"),
        ("block3_conv2:pre : 7", "block3_conv2:pre"),
        ("block3_conv2_pre_relu:7", "block3_conv2:pre"),
    ] {
        let mut command = home.command("render --steps 2 --size 32 --json -o a.png --layer");
        let outcome = Outcome::from(command.arg(layer).output().unwrap());
        let events = json_lines(&outcome.stdout);
        let done = events.last().unwrap_or_else(|| panic!("{layer}: {outcome:?}"));
        assert_eq!((&done["layer"], &done["channel"]), (&json!(named), &json!(7)), "{layer}");
    }
}

#[test]
fn gray_is_flat_and_ignores_the_seed() {
    let home = Home::new();
    let first_loss = |seed: u64| {
        let line = format!(
            "render --layer block2_conv1 --channel 5 --recipe pixel --size 32 --steps 1 --init gray --seed {seed} --json \
             -o a.png"
        );
        losses(&home.json(&line), 1)[0]
    };
    assert_eq!(first_loss(1).to_bits(), first_loss(2).to_bits());
}

#[test]
fn without_a_terminal_the_dashboards_ascent_runs_in_lines() {
    let home = Home::new();
    let outcome = home.run("--layer block1_conv1 --channel 4");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert!(lines.iter().filter(|line| line.contains("loss")).count() > 2, "{lines:#?}");
    assert!(lines.last().unwrap().contains("in a terminal, trepang shows the dashboard"), "{lines:#?}");
    let picture = lines.iter().find_map(|line| line.strip_prefix("the picture is ")).unwrap();
    assert_eq!(read_picture(&home.path(picture)).unwrap().width, 64);
    home.run("--layer block1_conv9").refusal(2);
    home.run("--layer input").refusal(2);
}

#[test]
fn without_json_the_result_is_sentences_on_stdout_alone() {
    let home = Home::new();
    let outcome = home.run("render --layer block1_conv1 --channel 4 --size 32 --steps 2 -o a.png");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    assert!(
        outcome.stdout.contains("channel(block1_conv1, 4)") && outcome.stdout.contains("saved a.png"),
        "{outcome:?}"
    );
    let json = home.run("render --layer block1_conv1 --channel 4 --size 32 --steps 2 -o a.png --json");
    assert_eq!(json_lines(&json.stdout).len(), 3);
}
