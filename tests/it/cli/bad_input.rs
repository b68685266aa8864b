//! Bad input gets one clear sentence and exit code 2 for what was asked wrongly, 1 for the rest; and no file.

use std::fs;
use std::process::Command;

use trepang::engine::Recipe;
use trepang_api::Array;
use trepang_weights::minivgg;

use crate::binary::{Home, Outcome, write_png};
use crate::library::{noise_picture, repository, with_tensor, write_weights};

/// Flags, exit code, a part of the sentence.
type Case = (&'static str, i32, &'static str);

fn check(home: &Home, cases: &[Case]) {
    for (flags, code, part) in cases {
        let output = if flags.contains(" -o ") { "" } else { "-o out.png" };
        let outcome = home.run(&format!("render {flags} {output}"));
        assert!(outcome.refusal(*code).contains(part), "{flags}: {outcome:?}");
        assert_eq!(outcome.stdout, "", "{flags}");
        assert!(!home.path("out.png").exists(), "{flags} left a picture");
    }
}

const NAMES: &[Case] = &[
    ("--network resnet --logit 1", 2, "no network \"resnet\" (did you mean \"resnet"),
    ("--network lenet --logit 1", 2, "no network \"lenet\""),
    ("--network 9 --logit 1", 2, "no network \"9\"; the networks are: minivgg"),
    ("--layer block5 --channel 4", 2, "no layer \"block5\"; did you mean \"block5_conv1"),
    (
        "--logit cucumber",
        2,
        "no class \"cucumber\"; did you mean \"sea cucumber\" (an index from 0 to 63, a WordNet",
    ),
    ("--objective logit(cucumbr)", 2, "did you mean \""),
    ("--layer block5_conv9 --channel 4", 2, "no layer \"block5_conv9\"; did you mean \"block5_conv"),
    ("--layer fc7 --channel 4", 2, "no layer \"fc7\" (`trepang networks minivgg` lists its layers)"),
    ("--layer input --channel 0", 2, "no layer \"input\""),
    ("--layer fc7 --logit 4", 2, "`trepang networks minivgg`"),
    ("--layer block5_conv2 --channel 256", 2, "block5_conv2 has 256 channels, 0 to 255"),
    ("--layer block5_conv2 --neuron 256,0,0", 2, "block5_conv2 has 256 channels"),
    ("--layer block5_conv2 --neuron 0,4,0", 2, "no neuron at row 4, column 0"),
    ("--layer block5_conv2 --neuron 0,0,2 --size 32", 2, "is 2 rows by 2 columns at this size"),
    ("--layer block5_conv2:256", 2, "block5_conv2 has 256 channels, 0 to 255"),
    (
        "--layer block5_conv2:3 --channel 4",
        2,
        "names block5_conv2:3 already: leave --channel and --neuron out",
    ),
    (
        "--layer block5_conv2:3 --logit 4",
        2,
        "\"block5_conv2:3\" is a channel; here a layer is needed: block5_conv2",
    ),
    ("--layer labels:0", 2, "\"labels:0\" is not a layer: give it with --logit"),
    ("--layer tv(0.1)", 2, "\"tv(0.1)\" is not a layer: give it with --objective"),
    ("--layer fc7:3", 2, "no layer \"fc7\""),
    ("--logit unicorn", 2, "no class \"unicorn\"; give an index from 0 to 63"),
    ("--logit 64", 2, "no class \"64\""),
    ("--logit 3 --layer block5_conv2", 2, "block5_conv2 has no class logits"),
    ("--logit 3 --recipe lucent", 2, "no recipe \"lucent\"; did you mean lucid? The recipes are: "),
    ("--logit 3 --backend torch", 2, "no backend \"torch\" in this build; it has: "),
    ("--logit 3 --backend reference --device mps", 2, "reference finds no device \"mps\" here; it has: cpu"),
    ("--logit 3 --device cuda:7", 2, "no device \"cuda:7\" here: "),
];

#[test]
fn a_recipe_is_a_regular_file_of_bounded_size() {
    let home = Home::new();
    std::os::unix::fs::symlink("/dev/zero", home.path("z.toml")).unwrap();
    fs::write(home.path("long.toml"), vec![b'#'; 2 << 20]).unwrap();
    check(
        &home,
        &[
            ("--layer block1_conv1 --channel 4 --recipe z.toml", 1, "not a regular file"),
            ("--layer block1_conv1 --channel 4 --recipe long.toml", 1, "longer than 1048576 bytes"),
        ],
    );
}

#[test]
fn what_a_message_quotes_is_short() {
    let home = Home::new();
    let (long, longest) = ("x".repeat(100_000), "x".repeat(900_000));
    let recipe = |key: &str| {
        let own = if key == "objective" { format!("objective = \"{longest}\"\n") } else { String::new() };
        let lucid = Recipe::text("lucid").unwrap();
        let name = if key == "name" { longest.as_str() } else { "lucid" };
        own + &lucid.replace("name = \"lucid\"", &format!("name = \"{name}\""))
    };
    fs::write(home.path("objective.toml"), recipe("objective")).unwrap();
    fs::write(home.path("name.toml"), recipe("name")).unwrap();
    for (flags, part) in [
        ("--layer block1_conv1 --channel 1 --recipe objective.toml".to_owned(), "raises a whole layer"),
        ("--layer block1_conv1 --recipe objective.toml".into(), "cannot be read"),
        ("--recipe name.toml".into(), "needs --channel"),
        (format!("--objective {long}"), "a channel is written channel("),
        (format!("--objective channel({long},1)"), "no layer"),
        (format!("--layer {long} --channel 1"), "no layer"),
        (format!("--logit {long}"), "give an index"),
        (format!("--logit 1 --network {long}"), "no network"),
        (format!("--logit 1 --backend {long}"), "no backend"),
        (format!("--logit 1 --recipe {long}"), "no recipe"),
        (format!("--logit 1 --set {long}=1"), "unknown field"),
    ] {
        let outcome = home.run(&format!("render {flags} -o out.png"));
        let (sentence, shown) = (outcome.refusal(2), &flags[..flags.len().min(60)]);
        assert!(sentence.len() < 3000 && sentence.contains(part), "{shown}: {sentence:.4000}");
    }
}

/// Sets the clipboard, clears the screen, and turns the direction of text, as C0, C1 and bidi controls do.
const HOSTILE: &str = "\u{1b}]52;c;cm0=\u{7}\u{9b}2J\u{202e}x";

#[test]
fn foreign_text_never_controls_the_terminal() {
    let home = Home::new();
    let trepang = |args: &[&str]| Outcome::from(home.command("").args(args).output().unwrap());
    let name = format!("{HOSTILE}.png");
    let size = ["--size", "32", "--steps", "1", "-o", &name];
    let layer = ["render", "--layer", "block1_conv1", "--channel", "4"];
    let long = format!("render --objective channel({HOSTILE},1)");
    for outcome in [
        trepang(&[&layer[..], &size].concat()),
        trepang(&[&layer[..], &size, &["--json"]].concat()),
        trepang(&["render", "--layer", HOSTILE, "--channel", "4", "-o", "a.png"]),
        trepang(&["render", "--objective", &long, "-o", "a.png"]),
        trepang(&["render", "--recipe", HOSTILE, "--layer", "block1_conv1", "-o", "a.png"]),
        trepang(&["predict", &format!("missing{HOSTILE}.png")]),
        trepang(&["info", &format!("missing{HOSTILE}.pth")]),
        trepang(&["show", &format!("missing{HOSTILE}.png")]),
        trepang(&[HOSTILE]),
    ] {
        let text = format!("{}{}", outcome.stdout, outcome.stderr).replace('\n', "");
        assert!(!text.contains(trepang_api::is_control), "{text:?}");
        assert!(!text.is_empty(), "{outcome:?}");
    }
}

#[test]
fn a_pipe_in_the_place_of_a_file_is_refused_at_once() {
    let home = Home::new();
    let pipe = home.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::fs::create_dir(home.path("run")).unwrap();
    let state = home.path("run/state.safetensors");
    assert!(std::process::Command::new("mkfifo").arg(&state).status().unwrap().success());
    for line in ["render --from pipe -o a.png", "render --resume run -o a.png"] {
        assert!(matches!(home.run(line).code, Some(1)), "{line}");
    }
    for what in ["pipe", "run", "/dev/null"] {
        let outcome = home.run(&format!("info {what}"));
        let sentence = format!("cannot read the weights file {what}: it is not a regular file");
        assert_eq!(outcome.refusal(1), sentence);
    }
}

#[test]
fn a_step_to_infinity_is_refused_and_leaves_no_run() {
    for set in ["optimizer.rate=1e308", "optimizer.rate=-1e300"] {
        let home = Home::new();
        let render = "render --layer block1_conv1 --channel 4 --size 32 --steps 2 -o a.png --runs runs";
        let outcome = home.run(&format!("{render} --set {set}"));
        assert!(outcome.refusal(1).contains("that is not a finite number"), "{set}: {outcome:?}");
        let left = std::fs::read_dir(home.path("runs")).map_or(0, Iterator::count);
        assert_eq!((left, home.path("a.png").exists()), (0, false), "{set}");
    }
}

#[test]
fn names_that_do_not_exist() {
    check(&Home::new(), NAMES);
}

#[test]
fn sizes_that_the_network_cannot_take() {
    let home = Home::new();
    for size in ["0", "1", "16", "50", "1600000", "1099511627776", "18446744073709551615"] {
        let outcome = home.run(&format!("render --logit 1 --size {size} -o out.png"));
        let sentence = outcome.refusal(2);
        assert!(sentence.contains("take a multiple of 16 from 32 to "), "{sentence}");
    }
    // Seen in parts, a picture may be larger than what the network takes, but not by any factor.
    let outcome = home.run("render --logit 1 --recipe maco --size 8208 -o out.png");
    let sentence = outcome.refusal(2);
    assert!(sentence.contains("8208 pixels is too large: the largest side is 8192"), "{sentence}");
    assert!(!home.path("out.png").exists());
}

const WEIGHTS: &[Case] = &[
    (
        "--weights nan --logit 1",
        1,
        "nan: the weights are damaged: tensor \"block3_conv1.weight\" holds NaN at",
    ),
    ("--weights misshapen --logit 1", 1, "has shape [96, 48, 5, 5] where [96, 48, 3, 3] is needed"),
    ("--weights misshapen --logit 1", 1, "misshapen does not fit minivgg"),
    ("--weights misshapen --logit 1", 1, "`trepang info misshapen` shows what it holds"),
    ("--weights missing --logit 1", 1, "tensor \"predictions.bias\" is missing among the file's 17"),
    ("--weights extra --logit 1", 1, "tensor \"block3_momentum\" has no place in it"),
    ("--weights whole --network vgg19 --logit 1", 1, "whole holds minivgg, not vgg19: say --network minivgg"),
    ("--weights evil --logit 1", 1, "evil asks for posix.system to be run"),
    ("--weights cut --logit 1", 1, "cut is not a whole safetensors file"),
    ("--weights text --logit 1", 1, "text is no weights file that can be read"),
    ("--weights folder --logit 1", 1, "cannot read the weights file folder"),
    ("--weights nowhere --logit 1", 1, "cannot read the weights file nowhere"),
    ("--weights nowhere --logit 1", 1, "choose another file with --weights, or leave it out"),
];

#[test]
fn weights_that_cannot_be_used() {
    let home = Home::new();
    let save = |name: &str, tensor: &str, change: fn(&mut Array)| {
        write_weights(&home.path(name), &with_tensor(tensor, change).weights);
    };
    save("nan", "block3_conv1.weight", |weight| weight.data_mut()[5] = f32::NAN);
    save("misshapen", "block3_conv1.weight", |weight| *weight = Array::zeros([96, 48, 5, 5]));
    save("whole", "block3_conv1.weight", |_| {});
    let mut weights = minivgg().unwrap().weights;
    let bias = weights.remove("predictions.bias").unwrap();
    write_weights(&home.path("missing"), &weights);
    weights.insert("block3_momentum", bias.clone());
    weights.insert("predictions.bias", bias);
    write_weights(&home.path("extra"), &weights);
    fs::copy(repository("weights/tests/fixtures/evil.pth"), home.path("evil")).unwrap();
    let whole = home.read("whole");
    fs::write(home.path("cut"), &whole[..whole.len() / 2]).unwrap();
    fs::write(home.path("text"), "these are not weights").unwrap();
    fs::create_dir(home.path("folder")).unwrap();
    check(&home, WEIGHTS);
}

const STARTS: &[Case] = &[
    ("--logit 1 --init quo\"ted.png", 2, "rename it without the quote"),
    (
        "--logit 1 --init cut.png",
        1,
        "cut.png ends early: 15 of its 32 rows are there; copy or fetch it again",
    ),
    ("--logit 1 --init text.png", 1, "text.png is not a picture that can be read"),
    ("--logit 1 --init nowhere.png", 1, "cannot read the picture nowhere.png"),
];

#[test]
fn start_pictures_that_cannot_be_used() {
    let home = Home::new();
    write_png(&home.path("small.png"), &noise_picture(1, 32));
    let png = home.read("small.png");
    fs::write(home.path("cut.png"), &png[..png.len() / 2]).unwrap();
    fs::write(home.path("text.png"), "this is not a picture").unwrap();
    check(&home, STARTS);
}

const PLACES: &[Case] = &[
    ("--logit 1 -o nowhere/out.png", 1, "there is no folder nowhere; create it or choose another"),
    ("--logit 1 -o folder", 1, "cannot write folder: it exists and is not a regular file"),
    ("--logit 1 -o file/out.png", 1, "cannot write file/out.png: there is no folder file"),
    ("--logit 1 --losses out.png", 2, "the picture and the losses cannot be the same file, out.png"),
    ("--logit 1 --losses ./out.png", 2, "the picture and the losses cannot be the same file"),
    ("--logit 1 --losses folder/../out.png", 2, "the picture and the losses cannot be the same file"),
    ("--logit 1 --losses nowhere/a.csv", 1, "cannot write nowhere/a.csv"),
    ("--logit 1 --runs file", 1, "cannot make the run's folder in file"),
];

#[test]
fn a_start_that_fails_leaves_no_folder() {
    let home = Home::new();
    let outcome = home
        .run("render --layer block5_conv2 --channel 2 --recipe original --init gray --runs runs -o a.png");
    assert!(outcome.refusal(1).contains("dead"), "{outcome:?}");
    assert_eq!(fs::read_dir(home.path("runs")).unwrap().count(), 0);
}

#[test]
fn places_that_cannot_be_written() {
    let home = Home::new();
    fs::create_dir(home.path("folder")).unwrap();
    fs::write(home.path("file"), "").unwrap();
    check(&home, PLACES);
}

const READ: &[Case] = &[
    (
        "--logit 1 --init start.png -o start.png",
        2,
        "the picture and --init cannot be the same file, start.png",
    ),
    ("--logit 1 --init start.png -o ./start.png", 2, "the picture and --init cannot be the same file"),
    ("--logit 1 --init start.png -o link.png", 2, "the picture and --init cannot be the same file"),
    ("--logit 1 --weights start.png -o ./start.png", 2, "the picture and --weights cannot be the same file"),
    ("--logit 1 --init start.png --losses ./start.png", 2, "the losses and --init cannot be the same file"),
    ("--from start.png --losses ./start.png", 2, "the losses and --from cannot be the same file"),
];

#[test]
fn files_that_are_read_are_not_written_over() {
    let home = Home::new();
    write_png(&home.path("start.png"), &noise_picture(1, 64));
    std::os::unix::fs::symlink("start.png", home.path("link.png")).unwrap();
    let before = home.read("start.png");
    check(&home, READ);
    assert!(home.read("start.png") == before);
}

const ORIGINS: &[Case] = &[
    ("--from plain.png", 1, "plain.png does not say how it was made"),
    ("--from text.png", 1, "text.png is not a PNG, JPEG or WebP file"),
    ("--from cut.png", 1, "cut.png is not a whole PNG file"),
    ("--from nowhere.png", 1, "cannot read the picture nowhere.png"),
];

#[test]
fn pictures_that_do_not_say_how_they_were_made() {
    let home = Home::new();
    write_png(&home.path("plain.png"), &noise_picture(1, 32));
    fs::write(home.path("text.png"), "this is not a picture").unwrap();
    home.json("render --layer block1_conv1 --channel 4 --size 32 --steps 1 --json -o own.png");
    let own = home.read("own.png");
    fs::write(home.path("cut.png"), &own[..own.len() - 20]).unwrap();
    check(&home, ORIGINS);
}

const RUNS: &[Case] = &[
    (
        "--resume nowhere --steps 5",
        1,
        "nowhere does not hold a run: it is no folder; the folder of a run is what",
    ),
    ("--resume own.png --steps 5", 1, "own.png does not hold a run: it is no folder"),
    ("--resume empty --steps 5", 1, "empty does not hold a run: there is no state to go on from"),
    ("--resume cut --steps 5", 1, "cut/state.safetensors is damaged"),
    ("--resume text --steps 5", 1, "text/state.safetensors is damaged"),
    ("--resume nan", 1, "nan/state.safetensors is damaged: what it holds is not what was written"),
    ("--resume sparse", 1, "sparse/state.safetensors is damaged: it is not as long as its header says"),
];

#[test]
fn runs_that_cannot_go_on() {
    let home = Home::new();
    let done = home.json("render --layer block1_conv1 --channel 4 --size 32 --steps 1 --json -o own.png");
    let state = home.read(&format!("{}/state.safetensors", done[1]["run"].as_str().unwrap()));
    let mut nan = state.clone();
    let last = nan.len() - size_of::<f32>();
    nan[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    for (name, bytes) in [("cut", &state[..state.len() / 2]), ("text", b"not a state"), ("nan", &nan)] {
        fs::create_dir(home.path(name)).unwrap();
        fs::write(home.path(name).join("state.safetensors"), bytes).unwrap();
    }
    fs::create_dir(home.path("empty")).unwrap();
    fs::create_dir(home.path("sparse")).unwrap();
    fs::write(home.path("sparse/state.safetensors"), &state).unwrap();
    let sparse = fs::OpenOptions::new().write(true).open(home.path("sparse/state.safetensors")).unwrap();
    sparse.set_len(100 << 30).unwrap();
    check(&home, RUNS);
}

#[test]
fn a_pipe_in_the_place_of_a_manifest_blocks_nothing() {
    let home = Home::new();
    let done = home.json("render --layer block1_conv1 --channel 4 --size 32 --steps 1 --json -o own.png");
    let run = done[1]["run"].as_str().unwrap();
    fs::remove_file(home.path(run).join("manifest.json")).unwrap();
    let made = Command::new("mkfifo").arg(home.path(run).join("manifest.json")).status().unwrap();
    assert!(made.success());
    let outcome = home.run(&format!("render --resume {run} --steps 2 -o out.png"));
    assert!(outcome.refusal(1).contains("manifest.json: it exists and is not a regular file"), "{outcome:?}");
}

#[test]
fn more_memory_than_there_is_is_refused_before_it_is_taken() {
    let home = Home::new();
    let flags = "--layer block1_conv1 --channel 4 --set images=256 --size 4096 --steps 1 --runs runs";
    for line in [format!("render {flags} -o out.png"), flags.to_owned()] {
        // Some machines have more.
        let outcome = Outcome::from(home.command(&line).env("TREPANG_MEMORY", "30000").output().unwrap());
        let sentence = outcome.refusal(1);
        assert!(sentence.contains("a picture of 4096 px takes about 154619 MB of memory"), "{sentence}");
        assert!(!home.path("out.png").exists() && !home.path("runs").exists());
    }
}

/// The images would fit, and the activations of so many views would not.
#[test]
fn a_step_that_does_not_fit_into_memory_is_refused() {
    let home = Home::new();
    let flags = "--layer block5_conv2 --channel 4 --set views=64 --size 512 --steps 1 --runs runs";
    for line in [format!("render {flags} -o out.png"), flags.to_owned()] {
        let outcome = Outcome::from(home.command(&line).env("TREPANG_MEMORY", "500").output().unwrap());
        let sentence = outcome.refusal(1);
        assert!(sentence.contains("a picture of 512 px takes about"), "{sentence}");
        let left = fs::read_dir(home.path("runs")).map_or(0, Iterator::count);
        assert!(!home.path("out.png").exists() && left == 0, "{line}");
    }
}

/// A whole command line, and a part of what the flag parser says.
const LINES: &[(&str, &str)] = &[
    ("render --logit 1", "--output"),
    ("render --layer block5_conv2 -o out.png", "--channel"),
    ("render --channel 4 -o out.png", "--layer"),
    ("render --layer block5_conv2 --channel 4 --logit 3 -o out.png", "cannot be used with"),
    ("render --layer block5_conv2 --neuron 1,2 -o out.png", "three numbers are needed"),
    ("render --logit 3 --steps 0 -o out.png", "--steps"),
    ("render --logit 3 --threads 0 -o out.png", "--threads"),
    ("render --logit 3 --size big -o out.png", "--size"),
    ("render --logit 3 --seed -1 -o out.png", "-1"),
    ("render --layer block5_conv2 --channel -1 -o out.png", "channels are counted from 0"),
    ("render --layer block5_conv2 --neuron -1,0,0 -o out.png", "counted from 0"),
    ("--channel -1", "channels are counted from 0"),
    ("render --laier block5_conv2 --channel 4 -o out.png", "tip: a similar argument exists: '--layer'"),
    ("render --resume a --runs b -o out.png", "cannot be used with"),
    ("render --from a.png --seed 3 -o out.png", "cannot be used with"),
    ("render --from a.png --resume b -o out.png", "cannot be used with"),
    ("--image-protocol telepathy", "halfblocks"),
    ("paint", "paint"),
];

#[test]
fn what_cannot_be_typed_is_said_by_the_flag_parser() {
    let home = Home::new();
    for (line, part) in LINES {
        let outcome = home.run(line);
        assert!(outcome.refusal(2).contains(part) && outcome.stdout.is_empty(), "{line}: {outcome:?}");
    }
}
