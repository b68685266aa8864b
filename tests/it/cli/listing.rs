//! What tells without computing: `networks`, `show`, `--help`.

use serde_json::json;
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
fn lists_for_people_hold_the_same_names() {
    let home = Home::new();
    let stdout = home.run("networks").stdout;
    assert!(stdout.contains("minivgg, 64 px") && stdout.contains("block5_conv2"), "{stdout}");
}

#[test]
fn recipes_are_listed_with_the_names_they_had_before() {
    let home = Home::new();
    let listed = home.run("recipes").stdout;
    let original = listed.lines().find(|line| line.starts_with("original ")).unwrap();
    assert!(original.ends_with("(also: seed)") && !listed.contains("\nseed "), "{listed}");
    let recipes = home.json("recipes --json");
    let original = recipes.iter().find(|recipe| recipe["name"] == "original").unwrap();
    assert_eq!(original["aliases"][0], "seed");
    assert_eq!(home.run("recipes --show seed").stdout, home.run("recipes --show original").stdout);
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
        "--neuron",
        "--logit",
        "--steps",
        "--size",
        "--seed",
        "--init",
        "--from",
        "--resume",
        "-o",
        "--losses",
        "--json",
        "recipes",
        "noise",
        "gray",
        "--objective",
        "--set",
        "--seeds",
        "--sheet",
        "--gif",
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
    for line in ["networks --help", "devices --help", "parity --help"] {
        assert!(Home::new().run(line).stdout.contains("--json"), "{line}");
    }
}
