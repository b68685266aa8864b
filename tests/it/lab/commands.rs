//! `trepang lab` on the embedded network.

use std::fs;

use serde_json::Value;

use crate::binary::{Home, write_png};
use crate::library::{activation, noise_picture};
use crate::made_up::picture;

/// A home with `a.png`, a picture of the network's size, and a folder of photographs.
fn home() -> Home {
    let home = Home::new();
    write_png(&home.path("a.png"), &picture("image/64", 64));
    fs::create_dir(home.path("photos")).unwrap();
    for seed in 0..5 {
        write_png(&home.path(&format!("photos/{seed}.png")), &noise_picture(seed, 80));
    }
    home
}

fn attribute(home: &Home, more: &str) -> Value {
    home.json(&format!("lab attribute a.png --exact --json {more}")).remove(0)
}

fn numbers(found: &Value, field: &str) -> Vec<f64> {
    found["channels"].as_array().unwrap().iter().map(|row| row[field].as_f64().unwrap()).collect()
}

#[test]
fn an_attribution_has_every_channel_and_adds_up() {
    let home = home();
    let found = attribute(&home, "--layer block5_conv2 --class 31 --against 12");
    let keys: Vec<&String> = found.as_object().unwrap().keys().collect();
    let expected = [
        "network",
        "layer",
        "class",
        "rival",
        "margin",
        "bias",
        "channels",
        "completeness_error",
        "flip_count",
        "sentence",
    ];
    assert_eq!(keys.len(), expected.len());
    assert!(expected.iter().all(|key| found.get(key).is_some()), "{keys:?}");
    assert_eq!((&found["network"], &found["layer"]), (&"minivgg".into(), &"block5_conv2".into()));
    assert_eq!((&found["class"], &found["rival"]), (&31.into(), &12.into()));
    let logits = activation("predictions", &picture("image/64", 64));
    let margin = f64::from(logits.data()[31]) - f64::from(logits.data()[12]);
    assert!((found["margin"].as_f64().unwrap() - margin).abs() < 1e-3, "{margin}");
    let attributions = numbers(&found, "attribution");
    assert!(attributions.len() == 256 && attributions.is_sorted_by(|a, b| a >= b));
    let sum: f64 = attributions.iter().sum::<f64>() + found["bias"].as_f64().unwrap();
    assert!((sum - found["margin"].as_f64().unwrap()).abs() < 1e-9);
    // The last layer is linear: all three measures are one.
    for field in ["integrated", "ablation"] {
        let apart =
            numbers(&found, field).iter().zip(&attributions).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(apart < 1e-4, "{field}: {apart}");
    }
}

#[test]
fn names_and_numbers_of_classes_ask_the_same() {
    let home = home();
    let by_number = attribute(&home, "--layer block5_conv2 --class 31");
    assert_eq!(by_number, attribute(&home, "--layer block5_conv2 --class n02321529"));
    assert_eq!(by_number, attribute(&home, "--layer block5_conv2 --class sea_cucumber --against rival"));
    let logits = activation("predictions", &picture("image/64", 64));
    let best =
        (0..64).filter(|&class| class != 31).max_by(|&a, &b| logits.data()[a].total_cmp(&logits.data()[b]));
    assert_eq!(by_number["rival"], best.unwrap());
    let against_all = attribute(&home, "--layer block5_conv2 --class 31 --against logsumexp");
    assert!(against_all["rival"].is_null() && against_all["margin"].as_f64().unwrap() < 0.0);
    assert!(against_all["sentence"].as_str().unwrap().contains("sea cucumber's log-probability"));
}

#[test]
fn a_small_margin_has_no_percentages() {
    let home = home();
    // The picture's first two classes are 0.66 apart.
    let found = attribute(&home, "--layer block4_conv1");
    assert!(found["margin"].as_f64().unwrap() < 1.0);
    let shares = found["channels"].as_array().unwrap().iter().map(|row| &row["share"]);
    assert!(shares.clone().all(Value::is_null), "{:?}", shares.collect::<Vec<_>>());
    let sentence = found["sentence"].as_str().unwrap();
    assert!(sentence.contains("(too small for percentages)") && !sentence.contains('%'), "{sentence}");
    let text = home.run("lab attribute a.png --exact --layer block4_conv1").stdout;
    assert!(text.starts_with(sentence) && text.contains("150 more") && text.contains("biases"), "{text}");
}

#[test]
fn where_there_are_percentages_they_add_up_to_a_hundred() {
    let home = home();
    let far = (0..64).map(|class| attribute(&home, &format!("--layer block5_conv2 --against {class}")));
    let far = far.skip(1).find(|found| !found["channels"][0]["share"].is_null()).unwrap();
    let shares: f64 = numbers(&far, "share").iter().sum();
    let bias = far["bias"].as_f64().unwrap() / far["margin"].as_f64().unwrap();
    assert!((shares + bias - 1.0).abs() < 1e-9, "{shares} {bias}");
    assert!(far["sentence"].as_str().unwrap().contains(" % of "), "{far}");
}

#[test]
fn baselines_move_the_start_of_the_path_only() {
    let home = home();
    let zero = attribute(&home, "--layer block4_conv1");
    for baseline in ["black", "blur"] {
        let found = attribute(&home, &format!("--layer block4_conv1 --baseline {baseline}"));
        assert_eq!(numbers(&found, "attribution"), numbers(&zero, "attribution"));
        assert_ne!(numbers(&found, "integrated"), numbers(&zero, "integrated"));
        assert!(found["completeness_error"].as_f64().unwrap().abs() < 0.05, "{baseline}: {found}");
    }
}

#[test]
fn ablation_says_what_is_lost_alone_and_together() {
    let home = home();
    let ablate = |more: &str| {
        home.json(&format!("lab ablate a.png --exact --json --layer block4_conv1 {more}")).remove(0)
    };
    let zero = ablate("--top 1,4");
    let groups = zero["groups"].as_array().unwrap();
    assert_eq!((groups.len(), &groups[0]["top"], &groups[1]["top"]), (2, &1.into(), &4.into()));
    assert_eq!(groups[0]["joint"], groups[0]["sum"], "one channel together is one channel alone");
    assert_ne!(groups[1]["joint"], groups[1]["sum"], "effects do not add up");
    assert_eq!((&zero["replace"], &zero["photographs"]), (&"zero".into(), &0.into()));
    let attributed = attribute(&home, "--layer block4_conv1");
    assert_eq!(numbers(&zero, "ablation"), numbers(&attributed, "ablation"));
    assert_eq!(zero["flip_count"], attributed["flip_count"]);
    let mean = ablate("--on photos");
    assert_eq!((&mean["replace"], &mean["photographs"]), (&"mean".into(), &5.into()));
    assert!(mean["channels"][0]["standard_error"].is_null());
    let drawn = ablate("--on photos --replace resample --seed 3");
    assert!(drawn["channels"][0]["standard_error"].as_f64().unwrap() > 0.0);
    assert_eq!(drawn, ablate("--on photos --replace resample --seed 3"));
    assert_ne!(numbers(&mean, "ablation"), numbers(&drawn, "ablation"));
    let text = home.run("lab ablate a.png --exact --layer block4_conv1").stdout;
    assert!(text.contains("lost together") && text.contains("first 20"), "{text}");
}

#[test]
fn photographs_of_the_class_end_the_sentence() {
    let home = home();
    let found = attribute(&home, "--layer block5_conv2 --class 31 --on photos");
    let sentence = found["sentence"].as_str().unwrap();
    assert!(sentence.contains("; on 5 photographs of sea cucumber it "), "{sentence}");
    fs::write(home.path("photos/z.png"), "no picture").unwrap();
    let outcome = home.run("lab attribute a.png --exact --layer block5_conv2 --on photos");
    assert!(
        outcome.code == Some(0) && outcome.stderr.contains("left out: ") && outcome.stderr.contains("z.png")
    );
    assert!(outcome.stdout.contains("on 5 photographs"), "{outcome:?}");
}

#[test]
fn what_cannot_be_asked_is_refused_in_one_sentence() {
    let home = home();
    fs::create_dir(home.path("empty")).unwrap();
    fs::create_dir(home.path("broken")).unwrap();
    fs::write(home.path("broken/a.png"), "no picture").unwrap();
    fs::write(home.path("cut.png"), &home.read("a.png")[..2000]).unwrap();
    for (line, code, told) in [
        ("attribute a.png --layer block5_conv9", 2, "did you mean"),
        ("attribute a.png --layer block5_conv2 --class sea_urchinn", 2, "minivgg has no class"),
        ("attribute a.png --layer block5_conv2 --class 64", 2, "0 to 63"),
        ("attribute a.png --layer block5_conv2 --class -1", 2, "0 to 63"),
        ("attribute a.png --layer block5_conv2 --against 99", 2, "0 to 63"),
        ("attribute a.png --layer block5_conv2 --class 3 --against 3", 2, "no margin over itself"),
        ("attribute a.png --layer predictions --network vgg16-trunk", 2, "`trepang render`"),
        ("attribute missing.png --layer block5_conv2", 1, "missing.png"),
        ("attribute cut.png --layer block5_conv2", 1, "cut.png"),
        ("attribute a.png --layer block5_conv2 --on empty", 1, "empty holds no picture"),
        ("attribute a.png --layer block5_conv2 --on nowhere", 1, "nowhere"),
        ("attribute a.png --layer block5_conv2 --on broken", 1, "none of the 1 photographs"),
        ("ablate a.png --layer block5_conv2 --replace mean", 2, "--on"),
        ("attribute a.png --layer block5_conv2 --on .", 2, "name the one that has the photographs"),
        ("map a.png --network vgg16-trunk", 2, "`trepang lab map --channel`"),
        ("attribute a.png --layer block5_conv2 --seen", 1, "a.png"),
        ("attribute a.png --layer block5_conv2 --seen --exact", 2, "--exact"),
        ("ablate a.png --layer block5_conv2 --top 1,300", 2, "block5_conv2 has 256 channels"),
        ("ablate a.png --layer block5_conv2 --top 0", 2, "1 or more"),
        ("attribute a.png", 2, "--layer"),
    ] {
        let outcome = home.run(&format!("lab {line}"));
        assert!(outcome.refusal(code).contains(told), "{line}: {outcome:?}");
    }
}
