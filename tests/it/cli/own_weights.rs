//! Weights of the user's own: heads with other classes, names for them, and one of several sets in a file.

use std::fs;

use serde_json::Value;
use trepang::runs::read_origin;
use trepang_api::conformance::noise;
use trepang_api::{Array, Reference, Weights};
use trepang_weights::{Trained, minivgg};

use crate::binary::{Home, write_png};
use crate::library::{image, noise_picture, on_cpu, with_tensor, write_weights};

/// The tensors of `weights` before the classes, each after `prefix`.
fn trunk_under(prefix: &str, weights: &Weights, all: &mut Weights) {
    for (name, array) in weights.iter().filter(|(name, _)| !name.starts_with("predictions")) {
        all.insert(format!("{prefix}{name}"), array.clone());
    }
}

/// A file with minivgg's trunk under a prefix, and a head of three classes under another name.
fn three_classes(home: &Home) -> [Array; 2] {
    let head = [noise(5, [3, 256]), noise(6, [3])];
    let mut all = Weights::default();
    trunk_under("net.trunk.", &minivgg().unwrap().weights, &mut all);
    all.insert("net.last.weight", head[0].clone());
    all.insert("net.last.bias", head[1].clone());
    write_weights(&home.path("three.safetensors"), &all);
    head
}

fn top(line: &Value) -> Vec<(u64, String, f64)> {
    let class = |class: &Value| {
        let (number, logit) = (class["class"].as_u64().unwrap(), class["logit"].as_f64().unwrap());
        (number, class["label"].as_str().unwrap().to_owned(), logit)
    };
    line["top"].as_array().unwrap().iter().map(class).collect()
}

#[test]
fn a_head_of_three_classes_predicts_by_numbers_or_names() {
    let home = Home::new();
    let [kernel, bias] = three_classes(&home);
    let picture = noise_picture(3, 64);
    write_png(&home.path("a.png"), &picture);
    // By hand: the mean of the last features through the head.
    let Trained { network, weights, .. } = minivgg().unwrap();
    let at = network.layer("global_average").unwrap();
    let trained = Trained { network, weights, ..minivgg().unwrap() };
    let features = on_cpu(&Reference, &trained).activations(&image(&picture), &[at]).unwrap().remove(0);
    let logit = |class: usize| {
        let products = kernel.item(class).iter().zip(features.data()).map(|(a, b)| f64::from(a * b));
        products.sum::<f64>() + f64::from(bias.data()[class])
    };
    let line = home.json("predict --weights three.safetensors a.png --exact --json").remove(0);
    assert_eq!(top(&line).len(), 3);
    for (class, label, found) in top(&line) {
        assert!((found - logit(class as usize)).abs() < 1e-3 && label == class.to_string(), "{line}");
    }
    fs::write(home.path("names.txt"), "red fox\nowl\nsea slug\n").unwrap();
    let line =
        home.json("predict --weights three.safetensors --labels names.txt a.png --exact --json").remove(0);
    for (class, label, _) in top(&line) {
        assert_eq!(label, ["red fox", "owl", "sea slug"][class as usize]);
    }
    home.json("render --weights three.safetensors --labels names.txt --logit owl --size 32 --steps 1 --json -o b.png");
}

#[test]
fn another_number_of_labels_than_of_classes_is_refused() {
    let home = Home::new();
    three_classes(&home);
    write_png(&home.path("a.png"), &noise_picture(3, 64));
    fs::write(home.path("two.json"), "[\"a\", \"b\"]").unwrap();
    let outcome = home.run("predict --weights three.safetensors --labels two.json a.png");
    assert!(outcome.refusal(2).contains("two.json has 2 labels, and minivgg has 3 classes"), "{outcome:?}");
    let outcome = home.run("predict --labels nowhere.txt a.png");
    assert!(outcome.refusal(1).contains("nowhere.txt cannot be used"), "{outcome:?}");
}

#[test]
fn a_trunk_under_another_head_renders_and_does_not_predict() {
    let home = Home::new();
    let mut all = Weights::default();
    trunk_under("", &minivgg().unwrap().weights, &mut all);
    all.insert("mlp.0.weight", noise(1, [8, 256]));
    all.insert("mlp.2.weight", noise(2, [2, 8]));
    write_weights(&home.path("other.safetensors"), &all);
    write_png(&home.path("a.png"), &noise_picture(3, 64));
    let outcome = home.run("predict --weights other.safetensors a.png");
    let sentence = outcome.refusal(2);
    assert!(
        sentence.contains("another head than one linear layer (mlp.0.weight, mlp.2.weight)"),
        "{sentence}"
    );
    let flags =
        "--weights other.safetensors --layer block2_conv1 --channel 5 --size 32 --steps 2 --json -o a.png";
    let outcome = home.run(&format!("render {flags}"));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains("has another head, which is left out: mlp.0.weight"), "{outcome:?}");
}

#[test]
fn one_of_several_sets_is_taken_and_taken_again() {
    let home = Home::new();
    let mut all = Weights::default();
    trunk_under("ema.", &with_tensor("block2_conv1.weight", |k| k.item_mut(5).reverse()).weights, &mut all);
    trunk_under("model.", &minivgg().unwrap().weights, &mut all);
    write_weights(&home.path("two.safetensors"), &all);
    let render = "render --layer block2_conv1 --channel 5 --recipe pixel --size 32 --steps 2 --json";
    home.json(&format!("{render} -o own.png"));
    let outcome = home.run(&format!("{render} --weights two.safetensors -o first.png"));
    assert!(outcome.stderr.contains("\"model\" is taken"), "{outcome:?}");
    assert!(outcome.stderr.contains("--pick takes another: ema"), "{outcome:?}");
    home.json(&format!("{render} --weights two.safetensors --pick ema -o ema.png"));
    let pixels = |name: &str| trepang::runs::read_picture(&home.path(name)).unwrap().rgb;
    assert_eq!(pixels("own.png"), pixels("first.png"));
    assert_ne!(pixels("own.png"), pixels("ema.png"));
    assert_eq!(read_origin(&home.path("ema.png")).unwrap().provenance.pick.as_deref(), Some("ema"));
    for name in ["first.png", "ema.png"] {
        home.json(&format!("render --from {name} --json -o again.png"));
        assert_eq!(home.read("again.png"), home.read(name));
    }
    let about = home.json("info two.safetensors --pick ema --json").remove(0);
    let sets: Vec<_> =
        about["sets"].as_array().unwrap().iter().map(|set| (&set["key"], &set["taken"])).collect();
    assert_eq!(sets, [(&"model".into(), &false.into()), (&"ema".into(), &true.into())]);
    let outcome = home.run(&format!("{render} --weights two.safetensors --pick swa -o c.png"));
    assert!(outcome.refusal(2).contains("--pick takes one of: model, ema"), "{outcome:?}");
    let outcome = home.run("render --from ema.png --weights two.safetensors --pick model -o d.png");
    assert!(outcome.refusal(2).contains("was made with --pick ema"), "{outcome:?}");
}
