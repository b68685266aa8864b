//! Channels from which no gradient comes back: this is reported, the recipe wakes them where it can, and no NaN appears.

use serde_json::Value;
use trepang::engine::{Ascent, AscentState, Error, Objective, Pictures, Plan, Recipe, Start};
use trepang::runs::{Cell, RunFolder, contact_sheet, read_picture};
use trepang_api::Array;
use trepang_weights::Trained;

use crate::binary::{Home, losses};
use crate::library::{on_default, with_tensor, write_weights};

const LAYER: &str = "block5_conv2";
const CHANNEL: usize = 4;
const SIZE: usize = 32;

/// How far below zero the start pictures leave the channel's largest entry.
const DEPTH: f32 = 0.5;

fn plan(recipe: Recipe) -> Plan {
    Plan::new(Objective::channel(LAYER, CHANNEL), recipe, SIZE)
}

/// The channel before its ReLU on the recipe's start picture.
fn before_relu(trained: &Trained, recipe: &Recipe) -> Vec<f32> {
    let levels = Start::Noise.levels(SIZE, 0, recipe.param.noise, &Pictures::new()).unwrap();
    let image = levels.iter().map(|level| (level / 255.0) as f32).collect();
    let image = Array::new([1, 3, SIZE, SIZE], image).unwrap();
    let at = [trained.network.layer(&format!("{LAYER}:pre")).unwrap()];
    let activation = on_default(trained).activations(&image, &at).unwrap().swap_remove(0);
    let area = activation.data().len() / 256;
    activation.data()[CHANNEL * area..][..area].to_vec()
}

/// The embedded network with the channel's bias so low that it is dead at the start of both recipes.
fn asleep() -> Trained {
    let lower_by = |amount: f32| with_tensor("block5_conv2.bias", |bias| bias.data_mut()[CHANNEL] -= amount);
    let recipes = [Recipe::named("original").unwrap(), Recipe::named("pixel").unwrap()];
    let awake = lower_by(0.0);
    let highest = recipes.iter().flat_map(|recipe| before_relu(&awake, recipe)).fold(0.0, f32::max);
    let asleep = lower_by(highest + DEPTH);
    assert!(recipes.iter().all(|recipe| before_relu(&asleep, recipe).iter().all(|&a| a < 0.0)));
    asleep
}

/// The channel's kernel is zero: nothing in the picture reaches it, before or after the ReLU.
fn unreachable_channel() -> Trained {
    with_tensor("block5_conv2.weight", |kernel| {
        let len = kernel.item(CHANNEL).len();
        kernel.item_mut(CHANNEL)[..len].fill(0.0);
    })
}

#[test]
fn original_stops_at_a_dead_channel_and_changes_nothing() {
    let trained = asleep();
    let mut ascent =
        Ascent::new(plan(Recipe::named("original").unwrap()), &trained.network, &Pictures::new()).unwrap();
    let before = ascent.state().clone();
    let error = ascent.step(on_default(&trained).as_mut()).unwrap_err();
    assert!(matches!(error, Error::Dead { step: 1, .. }), "{error:?}");
    assert_eq!(ascent.state(), &before);
}

#[test]
fn pixel_follows_redirected_gradients_until_the_channel_wakes() {
    let trained = asleep();
    let mut ascent =
        Ascent::new(plan(Recipe::named("pixel").unwrap()), &trained.network, &Pictures::new()).unwrap();
    let mut model = on_default(&trained);
    let mut dead = 0;
    while !ascent.is_finished() {
        let report = ascent.step(model.as_mut()).unwrap();
        assert!(report.gradient_norm > 0.0 && report.gradient_norm.is_finite(), "{report:?}");
        assert_eq!(report.dead, report.loss == 0.0, "{report:?}");
        dead += usize::from(report.dead);
    }
    let state = ascent.state();
    assert!(dead > 0 && dead < state.losses.len() && dead == state.dead_steps, "{dead} dead steps");
    assert!(state.losses.last() > Some(&0.0));
    assert!(state.x.data().iter().all(|x| x.is_finite()));
}

#[test]
fn the_binary_says_that_a_channel_is_dead() {
    let home = Home::new();
    write_weights(&home.path("asleep"), &asleep().weights);
    write_weights(&home.path("unreachable"), &unreachable_channel().weights);
    for (weights, recipe, way_out) in [
        ("asleep", "original", "the recipe 'pixel'"),
        ("unreachable", "original", "the recipe 'pixel'"),
        ("unreachable", "pixel", "redirected gradient is just as flat"),
    ] {
        let outcome = home.run(&format!("{} --weights {weights} --recipe {recipe}", render()));
        let sentence = outcome.refusal(1);
        assert!(sentence.contains("channel(block5_conv2, 4) is dead at step 1"), "{sentence}");
        assert!(sentence.contains(way_out), "{weights} {recipe}: {sentence}");
        assert!(!outcome.stdout.contains("NaN") && !home.path("out.png").exists());
    }
}

#[test]
fn the_manifest_counts_the_dead_steps() {
    let home = Home::new();
    write_weights(&home.path("asleep"), &asleep().weights);
    let events = home.json(&format!("{} --weights asleep --recipe pixel", render()));
    let dead = losses(&events, 1).iter().filter(|&&loss| loss == 0.0).count();
    let run = home.path(events.last().unwrap()["run"].as_str().unwrap());
    let manifest: Value = serde_json::from_slice(&std::fs::read(run.join("manifest.json")).unwrap()).unwrap();
    assert!(dead > 0);
    assert_eq!(manifest["dead_steps"], dead);
    let (_, progress) = RunFolder::open(&run).unwrap();
    assert!(progress.state.x.data().iter().all(|x| x.is_finite()));
}

#[test]
fn a_channel_that_nothing_wakes_is_told_in_words() {
    let home = Home::new();
    // The redirected gradient moves the picture, and no picture outweighs this bias.
    let off = with_tensor("block2_conv1.bias", |bias| bias.data_mut()[9] = -1e6);
    write_weights(&home.path("off.safetensors"), &off.weights);
    let line = "render --weights off.safetensors --layer block2_conv1 --size 32 --steps 3 --runs runs";
    let outcome = home.run(&format!("{line} --channel 9 -o a.png"));
    let last = outcome.stdout.lines().last();
    assert_eq!(last, Some("nothing woke this channel in 3 steps; the picture shows nothing"), "{outcome:?}");
    let events = home.json(&format!("{line} --channel 4,9 --json -o out --sheet sheet.png"));
    let dead: Vec<&Value> =
        events.iter().filter(|event| event["event"] == "done").map(|event| &event["dead"]).collect();
    assert_eq!(dead, [false, true]);
    let cell = |channel: u64, value: &str| {
        let picture = read_picture(&home.path(&format!("out/block2_conv1/{channel}.png"))).unwrap();
        Cell { picture, label: format!("{channel}  {value}") }
    };
    let done = events.iter().find(|event| event["event"] == "done").unwrap();
    let value = format!("{:.1}", done["activation_saved"].as_f64().unwrap());
    let expected = contact_sheet(&[cell(4, &value), cell(9, "dead")], None);
    assert!(read_picture(&home.path("sheet.png")).unwrap() == expected);
    let runs = home.json("runs --runs runs --json");
    assert_eq!(runs.iter().filter(|run| run["dead"] == true && run["channel"] == 9).count(), 2);
    assert_eq!(runs.iter().filter(|run| run["dead"] == false && run["channel"] == 4).count(), 1);
    assert!(home.run("runs --runs runs").stdout.contains("dead, nothing woke it"));
}

#[test]
fn the_dashboards_plain_lines_tell_a_dead_channel_too() {
    let home = Home::new();
    let off = with_tensor("block2_conv1.bias", |bias| bias.data_mut()[9] = -1e6);
    write_weights(&home.path("off.safetensors"), &off.weights);
    for (channel, is_told) in [(9, true), (4, false)] {
        let line =
            format!("--weights off.safetensors --layer block2_conv1 --channel {channel} --set steps=2");
        let outcome = home.run(&line);
        let told = outcome.stdout.contains("nothing woke this channel in 2 steps\n");
        assert_eq!((outcome.code, told), (Some(0), is_told), "{outcome:?}");
    }
}

#[test]
fn only_steps_at_zero_without_a_gradient_are_dead() {
    let (trained, recipe) = (asleep(), Recipe::named("pixel").unwrap());
    let ascent = Ascent::new(plan(recipe), &trained.network, &Pictures::new()).unwrap();
    let is_dead = |losses: &[f64], dead_steps| {
        AscentState { losses: losses.to_vec(), dead_steps, ..ascent.state().clone() }.is_dead()
    };
    assert!(is_dead(&[0.0, -0.0], 2));
    assert!(!is_dead(&[], 0) && !is_dead(&[0.0, 0.0], 1) && !is_dead(&[0.0, 1e-30], 2));
}

fn render() -> String {
    format!("render --layer {LAYER} --channel {CHANNEL} --size {SIZE} --json -o out.png")
}
