//! `trepang lab examples` and `trepang lab distance` on an index of pictures that are known: those of one class are bright on
//! one side.

use std::fs;
use std::path::Path;

use image::ImageReader;
use serde_json::Value;
use trepang::engine::Picture;

use crate::binary::{Home, write_png};
use crate::library::noise_picture;

/// Noise, with all of its contrast on one side in every second picture.
fn picture(seed: u64) -> Picture {
    let mut picture = noise_picture(seed, 64);
    if seed.is_multiple_of(2) {
        for (at, byte) in picture.rgb.iter_mut().enumerate() {
            *byte = if at / 3 % 64 < 40 { 128 } else { *byte };
        }
    }
    picture
}

/// A home with 24 pictures of two classes, and an index of them.
fn home(more: &str) -> Home {
    let home = Home::new();
    for seed in 0..24 {
        let class = ["n02321529", "n01443537"][(seed % 2) as usize];
        fs::create_dir_all(home.path(&format!("set/{class}"))).unwrap();
        write_png(&home.path(&format!("set/{class}/{seed:02}.png")), &picture(seed));
    }
    home.json(&format!("lab index set --layer block3_conv1 --json {more}"));
    home
}

fn list<'a>(found: &'a Value, field: &str) -> &'a Vec<Value> {
    found[field].as_array().unwrap()
}

/// The channel whose mean tells the two classes apart best.
fn telling_channel(home: &Home) -> (usize, Value) {
    let found =
        (0..8).map(|channel| home.json(&format!("lab examples --channel {channel} --json")).remove(0));
    let found = found.enumerate().max_by(|(_, a), (_, b)| {
        let area = |found: &Value| list(found, "selectivity")[0]["auc"].as_f64().unwrap();
        area(a).total_cmp(&area(b))
    });
    found.unwrap()
}

#[test]
fn a_channels_examples_come_in_order_with_their_classes() {
    let home = home("--relevance");
    let (channel, found) = telling_channel(&home);
    let best = &list(&found, "selectivity")[0];
    assert_eq!((&best["pictures"], &best["others"]), (&12.into(), &12.into()));
    assert!(best["auc"].as_f64().unwrap() > 0.9, "{best}");
    let examples = list(&found, "examples");
    assert!(examples.len() == 9 && examples.is_sorted_by(|a, b| a["mean"].as_f64() >= b["mean"].as_f64()));
    assert!(examples.iter().all(|example| example["label"] == best["label"]), "{examples:?}");
    let mix: u64 = list(&found, "class_mix").iter().map(|count| count["pictures"].as_u64().unwrap()).sum();
    assert_eq!(mix, 24);
    let other = if best["label"] == "n02321529" { "n01443537" } else { "sea_cucumber" };
    let line = format!("lab examples --channel {channel} --class {other} --top 3 --by max --json");
    let within = home.json(&line).remove(0);
    assert_eq!((&within["pictures"], list(&within, "examples").len()), (&12.into(), 3));
    assert_ne!(list(&within, "examples")[0]["label"], best["label"]);
    let relevant = home.json(&format!("lab examples --channel {channel} --by relevance --json")).remove(0);
    let values = list(&relevant, "examples").iter().map(|example| example["relevance"].as_f64().unwrap());
    assert!(values.is_sorted_by(|a, b| a >= b));
    let text = home.run(&format!("lab examples --channel {channel}")).stdout;
    assert!(
        text.contains("(n = 12, p ") && text.contains("sea cucumber") && text.contains("goldfish"),
        "{text}"
    );
}

/// The channel that the class's own list puts first is the one that tells it best by its own examples.
#[test]
fn a_class_has_the_channels_that_tell_it_best() {
    let home = home("");
    let found = home.json("lab examples --class sea_cucumber --json").remove(0);
    assert_eq!(
        (&found["class"], &found["pictures"], &found["others"]),
        (&"n02321529".into(), &12.into(), &12.into())
    );
    let channels = list(&found, "channels");
    assert!(channels.len() > 8 && channels.is_sorted_by(|a, b| a["auc"].as_f64() >= b["auc"].as_f64()));
    let best = &channels[0];
    let own = home.json(&format!("lab examples --channel {} --json", best["channel"])).remove(0);
    let area = list(&own, "selectivity").iter().find(|area| area["label"] == "n02321529").unwrap();
    assert_eq!(area["auc"], best["auc"]);
    assert!(best["p"].as_f64() > area["p"].as_f64(), "of many channels one is good by chance");
    let text = home.run("lab examples --class sea_cucumber --top 3").stdout;
    assert!(text.contains("tell 12 photographs of sea cucumber from 12 others best"), "{text}");
    assert!(text.lines().filter(|line| line.contains("e-")).count() == 3, "{text}");
    assert!(home.run("lab examples --json").refusal(2).contains("--channel"));
}

fn size(path: &Path) -> (u32, u32) {
    ImageReader::open(path).unwrap().into_dimensions().unwrap()
}

#[test]
fn a_sheet_shows_what_a_channel_saw_beside_its_picture() {
    let home = home("");
    write_png(&home.path("made.png"), &noise_picture(99, 64));
    home.run("lab examples --channel 1 --top 8 -o a.png");
    home.run("lab examples --channel 1 --top 8 -o b.png --beside made.png");
    home.run("lab examples --channel 1 --top 8 -o c.png --whole");
    assert!(size(&home.path("a.png")).0 > 200 && size(&home.path("b.png")) == size(&home.path("a.png")));
    assert_ne!(home.read("a.png"), home.read("b.png"));
    assert_ne!(home.read("a.png"), home.read("c.png"), "parts are not wholes");
    fs::rename(home.path("set"), home.path("moved")).unwrap();
    assert!(home.run("lab examples --channel 1 -o d.png").refusal(1).contains("--data"));
    assert_eq!(home.run("lab examples --channel 1 --top 8 -o d.png --data moved").code, Some(0));
    assert_eq!(home.read("a.png"), home.read("d.png"));
}

#[test]
fn a_picture_is_measured_among_the_photographs() {
    let home = home("--full");
    let measure = |line: &str| home.json(&format!("lab distance {line} --exact --json")).remove(0);
    // One that nobody has seen, of the second kind, which is the class n01443537.
    write_png(&home.path("inside.png"), &picture(101));
    let inside = measure("inside.png");
    let classes = list(&inside, "classes");
    assert_eq!((&classes[0]["label"], classes.len()), (&"n01443537".into(), 2), "{inside}");
    assert_eq!(inside["votes"][0]["share"], 1.0);
    assert!(
        classes[0]["rank"].as_f64().unwrap() > 1.0 / 13.0 && classes[0]["z"].as_f64().unwrap().abs() < 3.0
    );
    assert!(inside["lead"]["low"].as_f64().unwrap() > 0.0, "{inside}");
    assert!(classes.iter().all(|class| class["l2"].as_f64() > class["l2_means"].as_f64()));
    let counted = |field: &str| {
        let bins = inside["histogram"][field].as_array().unwrap();
        bins.iter().map(|bin| bin.as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!((counted("intra"), counted("inter")), (12, 12));
    assert!(inside["sentence"].as_str().unwrap().contains("among the photographs of goldfish"), "{inside}");
    let stripes = (0..64 * 64 * 3).map(|at| if at / 3 % 8 < 4 { 255 } else { 0 }).collect();
    write_png(&home.path("outside.png"), &Picture { width: 64, height: 64, rgb: stripes });
    let outside = measure("outside.png");
    let nearest = &list(&outside, "classes")[0];
    assert!(
        nearest["z"].as_f64().unwrap() > 5.0 && nearest["rank"].as_f64() == Some(1.0 / 13.0),
        "{nearest}"
    );
    assert!(outside["sentence"].as_str().unwrap().contains("outside of the photographs"));
    assert_eq!(outside, measure("outside.png"), "seeded");
    let text = home.run("lab distance inside.png outside.png --exact").stdout;
    assert!(
        text.contains("Mahalanobis") && text.contains("outside.png, by block3_conv1 of minivgg"),
        "{text}"
    );
}

#[test]
fn what_an_index_cannot_answer_is_said() {
    let home = home("");
    fs::create_dir(home.path("few")).unwrap();
    fs::create_dir(home.path("few/cats")).unwrap();
    fs::copy(home.path("set/n02321529/00.png"), home.path("few/cats/a.png")).unwrap();
    home.run("lab index few --layer block3_conv1 --out small");
    write_png(&home.path("a.png"), &noise_picture(1, 64));
    for (line, code, told) in [
        ("examples --channel 0 --index nowhere", 2, "there is no index in nowhere"),
        ("examples --channel 9999", 2, "has the channels 0 to"),
        ("examples --channel 0 --layer block5_conv2", 2, "but block3_conv1"),
        ("examples --channel 0 --by relevance", 2, "--relevance"),
        ("examples --channel 0 --class cats", 2, "no picture of the index is of the class cats"),
        ("examples --channel 0 --network vgg16-trunk", 1, "vgg16-trunk"),
        ("examples --channel 0 -o a.txt", 2, "no name for a picture"),
        ("distance a.png --index small", 2, "has 1 photographs with a label"),
        ("distance missing.png", 1, "missing.png"),
    ] {
        let outcome = home.run(&format!("lab {line}"));
        assert!(outcome.code == Some(code) && outcome.stderr.contains(told), "{line}: {outcome:?}");
    }
}
