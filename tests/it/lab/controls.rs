//! What `trepang lab attribute` and `lab ablate` say beside the split itself: controls, photographs that are held out, and the
//! picture as its network saw it.

use std::fs;

use serde_json::Value;
use trepang_api::{Array, Op};
use trepang_weights::minivgg;

use crate::binary::{Home, write_png};
use crate::library::{activation, noise_picture, on_default};
use crate::made_up::picture;

/// A margin at the file's 256 levels against the one at the picture before: of the way between that and the file's.
const ROUNDING: f64 = 0.05;

fn number(found: &Value, field: &str) -> f64 {
    found[field].as_f64().unwrap_or_else(|| panic!("{field} of {found}"))
}

/// The index of the largest logit.
fn first_class(logits: &[f32]) -> usize {
    (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap()
}

#[test]
fn weights_in_a_random_order_attribute_otherwise() {
    let home = Home::new();
    write_png(&home.path("a.png"), &picture("image/64", 64));
    let line = "lab attribute a.png --exact --json --layer block4_conv2 --randomised";
    let found = home.json(line).remove(0);
    let alike = number(&found, "randomised");
    assert!(alike.abs() < 0.5, "{alike}");
    assert_eq!(found, home.json(line).remove(0));
    assert_ne!(alike, number(&home.json(&format!("{line} --seed 7"))[0], "randomised"));
    let text = home.run("lab attribute a.png --exact --layer block4_conv2 --randomised").stdout;
    assert!(text.contains("With the weights in a random order the attributions are alike by"), "{text}");
}

#[test]
fn a_curve_falls_faster_in_the_order_of_the_attributions() {
    let home = Home::new();
    write_png(&home.path("a.png"), &picture("image/64", 64));
    let found = home
        .json("lab ablate a.png --exact --json --layer block4_conv2 --against logsumexp --curve")
        .remove(0);
    let area = |order: &str| number(&found["deletion"][order], "area");
    assert!(area("ordered") < area("random") && area("random") < area("reversed"), "{}", found["deletion"]);
    assert_eq!(found["deletion"]["ordered"]["margins"][0], found["margin"]);
    let text = home.run("lab ablate a.png --exact --layer block4_conv2 --curve").stdout;
    assert!(text.contains("by attribution") && text.contains("in reverse"), "{text}");
}

#[test]
fn half_of_the_photographs_are_counted_without_channels() {
    let home = Home::new();
    write_png(&home.path("a.png"), &noise_picture(0, 64));
    fs::create_dir(home.path("photos")).unwrap();
    let mut counted = Vec::new();
    for seed in 0..7 {
        let photograph = noise_picture(seed, 64);
        write_png(&home.path(&format!("photos/{seed}.png")), &photograph);
        if seed % 2 == 1 {
            counted.push(first_class(activation("predictions", &photograph).data()));
        }
    }
    let class = counted[0];
    let right = counted.iter().filter(|first| **first == class).count();
    let line =
        format!("lab ablate a.png --exact --layer block5_conv2 --class {class} --on photos --top 1,128,256");
    let found = home.json(&format!("{line} --json")).remove(0);
    let recall = &found["recall"];
    assert_eq!((&recall["ordered_on"], &recall["photographs"]), (&4.into(), &3.into()));
    assert_eq!(recall["right"], right);
    let groups = recall["groups"].as_array().unwrap();
    assert_eq!(groups[2]["right"], groups[2]["right_at_random"], "without all channels order says nothing");
    // Half of the channels, those that speak for the class most: nothing is left that does.
    assert_eq!(groups[1]["right"], 0, "{recall}");
    let text = home.run(&line).stdout;
    assert!(text.contains(&format!(": {right} are seen as it with all channels")), "{text}");
    let none = home.json(&format!("{line} --json --replace zero")).remove(0);
    assert_eq!((&none["replace"], &none["photographs"]), (&"zero".into(), &0.into()));
    assert_eq!(none["recall"]["photographs"], 3);
}

/// The recipe `original` saves another contrast than its network saw. Both are told, and the tensor is the one that its formula
/// says.
#[test]
fn the_picture_as_its_network_saw_it_is_told_from_the_file() {
    let home = Home::new();
    let render =
        "render --recipe original --layer block5_conv2 --channel 30 --steps 4 --size 64 --runs runs -o a.png";
    assert_eq!(home.run(render).code, Some(0));
    let run = fs::read_dir(home.path("runs")).unwrap().next().unwrap().unwrap().path();
    let question = "--layer block5_conv2 --class 31 --against 12 --json";
    let asked = |picture: &str| home.json(&format!("lab attribute {picture} {question}")).remove(0);
    let seen = asked(&format!("{} --seen", run.display()));
    assert_eq!(seen, asked("a.png --seen"), "the state, and the steps taken again");
    let file = asked("a.png --exact");
    assert_eq!(file, asked(&run.display().to_string()), "a run without --seen is its file, as it is");
    for (line, flags) in [("means", "--layer block5_conv2"), ("map", "--class 31")] {
        let of = |picture: &str| home.json(&format!("lab {line} {picture} {flags} --json")).remove(0);
        let (by_run, by_file) = (of(&run.display().to_string()), of("a.png --exact"));
        assert_eq!(by_run["means"], by_file["means"], "{line}");
        assert_eq!(by_run["values"], by_file["values"], "{line}");
    }
    assert!(file.get("saved_file").is_none());
    assert_eq!(seen["saved_file"]["margin"], file["margin"]);
    let (of_seen, of_file) = (number(&seen, "margin"), number(&file, "margin"));
    let expected = margin_as_seen(&home, [31, 12]);
    let way = (of_file - of_seen).abs();
    assert!((of_seen - expected).abs() <= ROUNDING * way, "{of_seen}, {expected} by the formula, {of_file}");
    let text = home.run(&format!("lab attribute {} --layer block5_conv2 --seen", run.display())).stdout;
    assert!(text.starts_with("as its network saw it: ") && text.contains("\nas it is saved: "), "{text}");
}

/// The margin of the tensor that `a.png` was saved from, `2 v / 255 - 1` in the network's own input space, but for the rounding to
/// 256 levels.
fn margin_as_seen(home: &Home, [class, rival]: [usize; 2]) -> f64 {
    let trained = minivgg().unwrap();
    let Op::Preprocess(preprocess) = &trained.network.nodes()[0].op else { panic!("preprocessing is first") };
    let saved = image::open(home.path("a.png")).unwrap().to_rgb8();
    let mut planes = vec![0.0; 3 * 64 * 64];
    for (x, y, pixel) in saved.enumerate_pixels() {
        for channel in 0..3 {
            let saved = if preprocess.trained_on_bgr { 2 - channel } else { channel };
            let input = 2.0 * f32::from(pixel.0[saved]) / 255.0 - 1.0;
            let place = channel * 64 * 64 + (y * 64 + x) as usize;
            planes[place] = (input - preprocess.shift[channel]) / preprocess.scale[channel];
        }
    }
    let picture = Array::new([1, 3, 64, 64], planes).unwrap();
    let head = trained.network.logits().unwrap();
    let logits = on_default(&trained).activations(&picture, &[head]).unwrap().remove(0);
    f64::from(logits.data()[class]) - f64::from(logits.data()[rival])
}
