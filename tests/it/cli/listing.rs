//! What tells without computing: `networks`, `devices`, `show`, `--help`.

use serde_json::json;
use trepang::backends::backends;
use trepang_weights::{Architecture, minivgg};

use crate::binary::{Home, write_png};
use crate::library::noise_picture;

#[test]
fn networks_are_one_array_of_layers_with_their_shapes() {
    let lines = Home::new().json("networks --json");
    let [networks] = lines.as_slice() else { panic!("one line, not {}", lines.len()) };
    let networks = networks.as_array().unwrap();
    assert!(
        networks
            .iter()
            .map(|network| network["name"].as_str().unwrap())
            .eq(Architecture::ALL.map(Architecture::name))
    );
    let minivgg_listed = &networks[0];
    assert_eq!(minivgg_listed["size"], 64);
    let layers = minivgg_listed["layers"].as_array().unwrap();
    assert_eq!(layers.len(), minivgg().unwrap().network.layers().count());
    for layer in [
        json!({"name": "block1_conv1:pre", "kind": "conv", "channels": 32, "height": 64, "width": 64}),
        json!({"name": "block4_pool", "kind": "max_pool", "channels": 160, "height": 4, "width": 4}),
        json!({"name": "block5_conv2", "kind": "relu", "channels": 256, "height": 4, "width": 4}),
        json!({"name": "predictions", "kind": "linear", "channels": 64, "height": 1, "width": 1}),
    ] {
        assert!(layers.contains(&layer), "{layer} is not among {layers:#?}");
    }
}

#[test]
fn devices_are_those_of_every_backend_and_the_cpu_works() {
    let lines = Home::new().json("devices --json --threads 2");
    let listed = lines[0].as_array().unwrap();
    let mut expected = Vec::new();
    for backend in backends(2).unwrap() {
        let devices = backend.devices();
        expected.extend(devices.iter().map(|device| (backend.name().to_owned(), device.to_string())));
    }
    let text = |entry: &serde_json::Value, key: &str| entry[key].as_str().unwrap().to_owned();
    assert!(listed.iter().map(|entry| (text(entry, "backend"), text(entry, "device"))).eq(expected));
    for entry in listed.iter().filter(|entry| entry["device"] == "cpu") {
        assert_eq!((&entry["works"], &entry["error"]), (&json!(true), &json!(null)), "{entry}");
        assert!(!text(entry, "description").is_empty());
    }
}

#[test]
fn lists_for_people_hold_the_same_names() {
    let home = Home::new();
    let stdout = home.run("networks").stdout;
    assert!(stdout.contains("minivgg, 64 px") && stdout.contains("block5_conv2"), "{stdout}");
    let stdout = home.run("devices").stdout;
    assert!(stdout.contains("reference") && stdout.contains("works"), "{stdout}");
}

#[test]
fn show_prints_a_picture() {
    let home = Home::new();
    write_png(&home.path("a.png"), &noise_picture(1, 16));
    let outcome = home.run("show a.png");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    assert!(outcome.stdout.contains('▄'), "{outcome:?}");
}

#[test]
fn help_names_every_flag() {
    let everywhere =
        ["--network", "--weights", "--layer", "--channel", "--recipe", "--backend", "--device", "--threads"];
    let dashboard = ["--image-protocol", "--runs", "auto", "kitty", "sixel", "iterm2", "halfblocks", "none"];
    let render = [
        "--neuron", "--logit", "--steps", "--size", "--seed", "--init", "--from", "--resume", "-o",
        "--losses", "--json", "pixel", "noise", "gray",
    ];
    for (line, flags) in [("--help", &dashboard[..]), ("render --help", &render[..])] {
        let outcome = Home::new().run(line);
        assert_eq!(outcome.code, Some(0));
        let words: Vec<&str> = outcome.stdout.split(|c: char| !c.is_alphanumeric() && c != '-').collect();
        for flag in everywhere.iter().chain(flags) {
            assert!(words.contains(flag), "trepang {line} does not name {flag}");
        }
    }
    assert!(Home::new().run("render --help").stdout.lines().count() > 20, "it is printed as it is");
    for line in ["networks --help", "devices --help"] {
        assert!(Home::new().run(line).stdout.contains("--json"), "{line}");
    }
}
