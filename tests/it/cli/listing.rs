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
fn one_network_is_listed_by_its_name_or_by_that_of_its_weights() {
    let home = Home::new();
    let stdout = home.run("networks minivgg").stdout;
    assert!(stdout.starts_with("minivgg, 64 px\n") && stdout.contains("256 x 4 x 4"), "{stdout}");
    assert_eq!(stdout.matches(" px\n").count(), 1);
    for (name, network, layer) in [
        ("resnet18", "resnet18", "layer1"),
        ("vgg16-trunk", "vgg16", "block5_conv3"),
        ("vgg16", "vgg16", "block1_conv1"),
    ] {
        let listed = home.json(&format!("networks {name} --json")).pop().unwrap();
        assert_eq!((listed.as_array().map(Vec::len), &listed[0]["name"]), (Some(1), &json!(network)));
        let layers = listed[0]["layers"].as_array().unwrap();
        assert!(layers.iter().any(|found| found["name"].as_str().unwrap().starts_with(layer)), "{layers:?}");
    }
    let wrong = home.run("networks minivg");
    assert!(wrong.refusal(2).contains("no network \"minivg\" (did you mean \"minivgg\"?)"), "{wrong:?}");
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
fn show_prints_in_the_size_and_by_the_protocol_asked_for() {
    let home = Home::new();
    write_png(&home.path("a.png"), &noise_picture(1, 16));
    for (flags, begin, inside) in [
        ("--image-protocol kitty", "\u{1b}_Ga=T,f=24,q=2,s=16,v=16,c=2,r=1,", ";"),
        ("--image-protocol kitty --size 10", "\u{1b}_Ga=T,f=24,q=2,s=80,v=80,c=10,r=5,", ";"),
        ("--image-protocol sixel --size 4", "\u{1b}P", "\"1;1;32;32"),
        ("--image-protocol iterm2 --size 6", "\u{1b}]1337;File=inline=1;size=", "width=6;height=3;"),
        ("--image-protocol none", "a.png, 16 x 16 pixels\n", ""),
    ] {
        let outcome = home.run(&format!("show a.png {flags}"));
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{flags}");
        assert!(outcome.stdout.starts_with(begin) && outcome.stdout.contains(inside), "{outcome:?}");
    }
    for (size, cells) in [(10, 50), (20, 200)] {
        let text = home.run(&format!("show a.png --size {size} --image-protocol halfblocks")).stdout;
        assert_eq!(text.matches('▄').count(), cells, "{size}");
    }
    assert!(home.run("show a.png --size 0").refusal(2).contains("--size"));
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

#[test]
fn a_run_stays_on_one_line_whatever_it_is_called() {
    let home = Home::new();
    home.run("render --layer block2_conv1 --channel 4 --size 32 --steps 1 --runs runs -o a.png");
    let run = std::fs::read_dir(home.path("runs")).unwrap().next().unwrap().unwrap().path();
    std::fs::rename(run, home.path("runs/one\ntwo")).unwrap();
    let listed = home.run("runs --runs runs");
    assert_eq!(listed.stdout.lines().count(), 1, "{listed:?}");
    assert!(listed.stdout.starts_with("one\\ntwo "), "{listed:?}");
}
