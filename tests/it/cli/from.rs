//! `--from`: a picture says how it was made, and is made again to the byte.

use std::path::Path;

use trepang::engine::Plan;
use trepang::runs::{Provenance, read_origin, read_picture};

use crate::binary::{Home, write_png};
use crate::library::{noise_picture, repository, with_tensor, write_weights};

const SMALL: &str = "--size 32 --steps 3";

#[test]
fn a_picture_is_made_again_to_the_byte() {
    let home = Home::new();
    write_png(&home.path("start.png"), &noise_picture(4, 32));
    let other = with_tensor("block2_conv1.bias", |bias| bias.data_mut()[5] += 0.5);
    write_weights(&home.path("other.safetensors"), &other.weights);
    for flags in [
        "--layer block2_conv1 --channel 5",
        "--layer block2_conv1 --channel 5 --recipe original --seed 18446744073709551615",
        "--layer block2_conv1 --neuron 5,3,2 --threads 1",
        "--logit 31 --init gray",
        "--layer block2_conv1:pre --channel 5 --init start.png",
        "--layer block2_conv1 --channel 5 --weights other.safetensors",
        "--layer block2_conv1 --channel 5 --backend reference --recipe original --init start.png",
    ] {
        home.json(&format!("render {flags} {SMALL} --json -o first.png"));
        home.json("render --from first.png --json -o again.png");
        assert!(home.read("first.png") == home.read("again.png"), "{flags}");
    }
}

/// `tests/golden/make_candle_was_cpu.sh` made the picture, and the run that it goes on with.
#[cfg(feature = "cpu")]
#[test]
fn what_candle_made_on_the_cpu_before_is_made_again_by_cpu() {
    let home = Home::new();
    let old = repository("tests/golden/candle-was-cpu");
    std::fs::create_dir(home.path("run")).unwrap();
    for entry in std::fs::read_dir(old.join("run")).unwrap().map(Result::unwrap) {
        std::fs::copy(entry.path(), home.path("run").join(entry.file_name())).unwrap();
    }
    let picture = old.join("picture.png");
    let made = read_picture(&picture).unwrap();
    for how in [format!("--from {}", picture.display()), "--resume run --steps 3".into()] {
        let done = home.json_of_0_1_0(&format!("render {how} --json -o again.png")).pop().unwrap();
        assert_eq!((&done["backend"], &done["device"]), (&"cpu".into(), &"cpu".into()), "{how}");
        assert_eq!(read_picture(&home.path("again.png")).unwrap().rgb, made.rgb, "{how}");
        assert_eq!(but_for_version(&home.path("again.png")), but_for_version(&picture), "{how}");
    }
    // What candle makes now says so, and is candle's.
    let flags = "--layer block2_conv1 --channel 5 --backend candle --device cpu";
    if cfg!(feature = "candle") {
        home.json(&format!("render {flags} {SMALL} --json -o candle.png"));
        let done = home.json("render --from candle.png --json -o again.png").pop().unwrap();
        assert_eq!(done["backend"], "candle");
        assert!(home.read("candle.png") == home.read("again.png"));
    }
}

/// A picture's plan and provenance, without the version of the program.
fn but_for_version(picture: &Path) -> (Plan, Provenance) {
    let origin = read_origin(picture).unwrap();
    (origin.plan, Provenance { trepang: String::new(), ..origin.provenance })
}

/// Version 0.1.0 called the recipe `original` `seed`; the file is one that it wrote.
#[test]
fn a_picture_of_the_recipe_seed_is_made_again() {
    let home = Home::new();
    let before = repository("tests/golden/recipe-seed-0.1.0.png");
    let from = format!("render --from {} --json -o again.png", before.display());
    let done = home.json_of_0_1_0(&from).pop().unwrap();
    let again = home.path("again.png");
    assert_eq!(read_picture(&again).unwrap().rgb, read_picture(&before).unwrap().rgb);
    assert_eq!(but_for_version(&again), but_for_version(&before));
    // What that version told of it.
    for (key, value) in [("activation_saved", 0.452_238_196_856), ("activation_robust", 0.369_008_123_718)] {
        assert!((done[key].as_f64().unwrap() - value).abs() < 1e-6, "{key}: {}", done[key]);
    }
}

#[test]
fn a_picture_may_be_replaced_by_itself() {
    let home = Home::new();
    home.json(&format!("render --layer block2_conv1 --channel 5 {SMALL} --json -o first.png"));
    let first = home.read("first.png");
    home.json("render --from first.png --json -o ./first.png");
    assert!(home.read("first.png") == first);
}

#[test]
fn weights_may_move() {
    let home = Home::new();
    let other = with_tensor("block2_conv1.bias", |bias| bias.data_mut()[5] += 0.5);
    write_weights(&home.path("other.safetensors"), &other.weights);
    let render = format!("render --layer block2_conv1 --channel 5 --weights other.safetensors {SMALL}");
    let done = home.json(&format!("{render} --json -o first.png")).pop().unwrap();
    std::fs::rename(home.path("other.safetensors"), home.path("moved.safetensors")).unwrap();
    let run = format!("--resume {}", done["run"].as_str().unwrap());
    for made in ["--from first.png", &run] {
        let outcome = home.run(&format!("render {made} -o again.png"));
        assert!(outcome.refusal(1).contains("name its new path with --weights"), "{outcome:?}");
        home.json(&format!("render {made} --weights moved.safetensors --json -o again.png"));
        assert!(home.read("first.png") == home.read("again.png"), "{made}");
    }
}

#[test]
fn a_start_picture_may_move() {
    let home = Home::new();
    write_png(&home.path("start.png"), &noise_picture(4, 32));
    home.json(&format!(
        "render --layer block2_conv1 --channel 5 --init start.png {SMALL} --json -o first.png"
    ));
    std::fs::rename(home.path("start.png"), home.path("moved.png")).unwrap();
    let sentence = home.run("render --from first.png -o again.png");
    assert!(sentence.refusal(1).contains("name its new path with --init"), "{sentence:?}");
    home.json("render --from first.png --init moved.png --json -o again.png");
    assert!(home.read("first.png") == home.read("again.png"));
}

#[test]
fn another_start_picture_is_refused() {
    let home = Home::new();
    write_png(&home.path("start.png"), &noise_picture(4, 32));
    home.json(&format!(
        "render --layer block2_conv1 --channel 5 --init start.png {SMALL} --json -o first.png"
    ));
    write_png(&home.path("start.png"), &noise_picture(5, 32));
    for init in ["", "--init start.png", "--init noise"] {
        let outcome = home.run(&format!("render --from first.png {init} -o again.png"));
        assert!(outcome.refusal(2).contains("is not the picture that this one started from"), "{outcome:?}");
    }
    home.json(&format!("render --layer block2_conv1 --channel 5 {SMALL} --json -o noise.png"));
    let outcome = home.run("render --from noise.png --init start.png -o again.png");
    assert!(outcome.refusal(2).contains("started from no file"), "{outcome:?}");
    assert!(!home.path("again.png").exists());
}

/// Renders, and goes on by these flags; the folder of the run.
fn gone_on(home: &Home, how: &str, steps: usize) -> String {
    let render = format!("render --layer block2_conv1 --channel 5 --device cpu --threads 1 {SMALL}");
    let done = home.json(&format!("{render} --json -o first.png")).pop().unwrap();
    let run = done["run"].as_str().unwrap().to_owned();
    home.json(&format!("render --resume {run} --steps {steps} {how} --json -o mixed.png"));
    run
}

#[test]
fn a_picture_that_two_computations_made_says_so_and_is_refused() {
    for how in ["--threads 2", "--backend reference"] {
        let home = Home::new();
        let run = gone_on(&home, how, 5);
        let picture = format!("{run}/image.png");
        for picture in ["mixed.png", &picture] {
            let outcome = home.run(&format!("render --from {picture} -o again.png"));
            let sentence = outcome.refusal(2);
            assert!(sentence.contains("cannot be made again to the byte"), "{sentence}");
            assert!(sentence.contains("from step 4: ") && sentence.contains("--resume"), "{sentence}");
        }
        let manifest: serde_json::Value =
            serde_json::from_slice(&home.read(&format!("{run}/manifest.json"))).unwrap();
        let steps = manifest["segments"].as_array().unwrap().iter().map(|part| &part["step"]);
        assert!(steps.eq([0, 3]), "{how}: {manifest}");
        // The run itself goes on as before, and its last computation needs no flag.
        home.json(&format!("render --resume {run} --steps 6 --json -o more.png"));
        let manifest: serde_json::Value =
            serde_json::from_slice(&home.read(&format!("{run}/manifest.json"))).unwrap();
        assert_eq!(manifest["segments"].as_array().unwrap().len(), 2);
    }
}

#[test]
fn a_run_that_goes_on_with_the_same_computation_is_one() {
    let home = Home::new();
    let run = gone_on(&home, "", 5);
    assert!(!String::from_utf8(home.read(&format!("{run}/manifest.json"))).unwrap().contains("segments"));
    home.json("render --from mixed.png --json -o again.png");
    assert!(home.read("mixed.png") == home.read("again.png"));
    // Another computation that takes no step makes nothing of the picture.
    home.json(&format!("render --resume {run} --threads 2 --json -o still.png"));
    assert!(home.read("mixed.png") == home.read("still.png"));
}

#[test]
fn other_weights_are_refused() {
    let home = Home::new();
    home.json(&format!("render --layer block2_conv1 --channel 5 {SMALL} --json -o first.png"));
    let other = with_tensor("block2_conv1.bias", |bias| bias.data_mut()[5] += 0.5);
    write_weights(&home.path("other.safetensors"), &other.weights);
    let outcome = home.run("render --from first.png --weights other.safetensors -o again.png");
    assert!(outcome.refusal(2).contains("the weights are not those of that run"), "{outcome:?}");
    assert!(!home.path("again.png").exists());
}

#[cfg(feature = "cpu")]
#[test]
fn other_vector_instructions_than_the_pictures_are_told() {
    let home = Home::new();
    let render = |vectors: Option<&str>, flags: &str| {
        let mut command = home.command("render");
        command.env_remove("TREPANG_VECTORS").envs(vectors.map(|vectors| ("TREPANG_VECTORS", vectors)));
        let made = command.args(flags.split(' ')).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        String::from_utf8(made.stderr).unwrap()
    };
    let flags = format!("--layer block2_conv1 --channel 5 {SMALL}");
    render(None, &format!("{flags} -o best.png"));
    let best = read_origin(&home.path("best.png")).unwrap().provenance.vectors.unwrap();
    render(Some("portable"), &format!("{flags} -o first.png"));
    assert_eq!(render(Some("portable"), "--from first.png -o again.png"), "");
    assert!(home.read("first.png") == home.read("again.png"));
    let said = render(None, "--from first.png -o other.png");
    if best == "portable" {
        assert_eq!(said, "");
    } else {
        let words = format!("portable computed that, and {best} computes here");
        assert!(said.contains(&words) && said.contains("TREPANG_VECTORS=portable"), "{said}");
    }
}

#[test]
fn another_number_of_threads_or_backend_is_told() {
    let home = Home::new();
    home.json(&format!("render --layer block2_conv1 --channel 5 --threads 2 {SMALL} --json -o first.png"));
    for (flags, said) in [
        ("", None),
        ("--threads 1", Some("computed with --threads 2, and this is with 1")),
        ("--backend candle", Some("cpu on cpu computed that, and candle on cpu computes here")),
    ] {
        let outcome = home.run(&format!("render --from first.png {flags} -o again.png"));
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert_eq!(home.read("first.png") == home.read("again.png"), said.is_none(), "{flags}");
        assert!(said.is_none_or(|said| outcome.stderr.contains(said)), "{outcome:?}");
        let same =
            read_picture(&home.path("first.png")).unwrap() == read_picture(&home.path("again.png")).unwrap();
        assert_eq!(
            outcome.stderr.contains("the picture differs from first.png"),
            !same,
            "{flags}: {outcome:?}"
        );
    }
}

/// A program for pictures can change the pixels and keep the text.
#[test]
fn a_picture_whose_pixels_were_changed_is_told() {
    let home = Home::new();
    home.json(&format!("render --layer block2_conv1 --channel 5 {SMALL} --json -o first.png"));
    let origin = read_origin(&home.path("first.png")).unwrap();
    let mut picture = read_picture(&home.path("first.png")).unwrap();
    picture.rgb[30] ^= 16;
    trepang::runs::write_picture(&home.path("edited.png"), &picture, &origin).unwrap();
    let outcome = home.run("render --from edited.png -o again.png");
    let pixels = picture.rgb.len() / 3;
    let said = format!(
        "the picture differs from edited.png in 1 of {pixels} pixels, by up to 16 of 255: the file, which Trepang {} made, \
         was changed",
        env!("CARGO_PKG_VERSION")
    );
    assert!(outcome.code == Some(0) && outcome.stderr.contains(&said), "{outcome:?}");
    assert!(home.read("first.png") == home.read("again.png"));
    trepang::runs::write_picture(&home.path("edited.png"), &noise_picture(4, 48), &origin).unwrap();
    let outcome = home.run("render --from edited.png -o again.png");
    assert!(outcome.stderr.contains("edited.png has 48x48 pixels, and its recipe makes"), "{outcome:?}");
}
