//! Pictures that are no squares: every recipe makes them, from noise and from photographs, and everything that is written of
//! them has their size.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use trepang::engine::{
    Ascent, AskedSize, Evaluator, Objective, Picture, PictureSize, Pictures, Plan, RECIPES, Recipe, Start,
};
use trepang::runs::{RunFolder, read_picture};
use trepang::worker::protocol::{Action, DraftPage, DraftSeries, Settings, Status};
use trepang_api::conformance::{ACTIVATION_TOLERANCE, noise};
use trepang_weights::minivgg;

use crate::binary::{Home, losses, write_png};
use crate::library::{activation, channel_mean, on_default, repository};
use crate::worker::{spawn, spawn_with_store, wait};

/// Noise that is half as wide again as it is high.
fn photo(width: usize, height: usize) -> Picture {
    let rgb = noise(5, [3 * width * height]).data().iter().map(|v| (127.5 * (v + 1.0)) as u8).collect();
    Picture { width, height, rgb }
}

fn size_of(file: &Path) -> (usize, usize) {
    let picture = read_picture(file).unwrap();
    (picture.width, picture.height)
}

#[test]
fn every_recipe_makes_wide_and_high_pictures_again() {
    let home = Home::new();
    write_png(&home.path("photo.png"), &photo(96, 64));
    for recipe in RECIPES {
        for (size, width, height) in [("96x64", 96, 64), ("32x48", 32, 48)] {
            let init = if Recipe::named(recipe).unwrap().wants_picture() { "--init photo.png" } else { "" };
            let target = if recipe == "dream" || recipe == "caricature" {
                "--layer block2_conv1"
            } else {
                "--layer block2_conv1 --channel 5"
            };
            let line = format!("render {target} --recipe {recipe} {init} --size {size} --steps 3 -o a.png");
            let outcome = home.run(&format!("{line} --json"));
            assert_eq!(outcome.code, Some(0), "{recipe} {size}: {outcome:?}");
            assert_eq!(size_of(&home.path("a.png")), (width, height), "{recipe}");
            let done: Value = serde_json::from_str(outcome.stdout.lines().last().unwrap()).unwrap();
            let sides = (&done["size"], &done["width"], &done["height"]);
            assert_eq!(sides, (&json!(width.max(height)), &json!(width), &json!(height)), "{recipe}");
            let again = home.run("render --from a.png -o b.png");
            assert_eq!(again.code, Some(0), "{recipe} {size}: {again:?}");
            assert!(home.read("a.png") == home.read("b.png"), "{recipe} {size}: other bytes");
        }
    }
}

#[test]
fn recipes_of_photographs_keep_their_size() {
    let home = Home::new();
    write_png(&home.path("wide.png"), &photo(144, 96));
    for (recipe, target) in [("dream", ""), ("caricature", ""), ("accentuate", "--channel 5")] {
        let line = format!(
            "render --recipe {recipe} --layer block2_conv1 {target} --init wide.png --steps 2 -o a.png"
        );
        assert_eq!(home.run(&line).stderr, "", "{recipe}: nothing is cut or scaled");
        assert_eq!(size_of(&home.path("a.png")), (144, 96), "{recipe}");
        assert_eq!(home.run(&format!("{line} --size 96x96")).code, Some(0), "{recipe}");
        assert_eq!(size_of(&home.path("a.png")), (96, 96), "{recipe}: what is asked for is saved");
    }
}

#[test]
fn an_oblong_dream_of_few_steps_has_its_full_size() {
    let home = Home::new();
    write_png(&home.path("wide.png"), &photo(120, 80));
    for steps in 1..=6 {
        let flags = "--recipe dream --layer block2_conv1 --init wide.png -o a.png --gif a.gif";
        let outcome = home.run(&format!("render {flags} --steps {steps}"));
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{steps}");
        assert_eq!(size_of(&home.path("a.png")), (120, 80), "{steps}");
        // All frames have one size, or it could not be written; an early octave is enlarged.
        assert_eq!(size_of(&home.path("a.gif")), (120, 80), "{steps}");
    }
}

#[test]
fn the_first_loss_is_the_objective_on_the_photograph() {
    let home = Home::new();
    let start = photo(48, 32);
    write_png(&home.path("wide.png"), &start);
    let line =
        "render --layer block3_conv1 --channel 8 --recipe pixel --init wide.png --steps 1 --json -o a.png";
    let events = home.json(line);
    let found = activation("block3_conv1", &start);
    assert_eq!(found.shape()[2..], [8, 12]);
    let (expected, first) = (channel_mean(&found, 8), losses(&events, 1)[0]);
    let largest = found.data().iter().fold(0.0_f32, |most, a| most.max(a.abs()));
    assert!(
        (first - expected).abs() <= ACTIVATION_TOLERANCE * f64::from(largest),
        "{first} is not {expected}"
    );
    let begun = events[1]["activation_start"].as_f64().unwrap();
    assert!(
        (begun - expected).abs() <= ACTIVATION_TOLERANCE * f64::from(largest),
        "{begun} is not {expected}"
    );
}

#[test]
fn an_interrupted_oblong_dream_goes_on_with_the_same_bits() {
    let trained = minivgg().unwrap();
    let mut model = on_default(&trained);
    let pictures = Pictures::from([("photo".to_owned(), photo(100, 70))]);
    let start = Start::Picture { file: "photo".into(), sha256: String::new() };
    let objective = Objective::Layer { layer: "block2_conv1".into() };
    let size = PictureSize { width: 100, height: 70 };
    let recipe = Recipe::named("dream").unwrap();
    let plan = Plan { start, steps: 10, ..Plan::new(objective, recipe, size) };
    let mut whole = Ascent::new(plan.clone(), &trained.network, &pictures).unwrap();
    let mut sizes = Vec::new();
    for step in 0..10 {
        let mut again =
            Ascent::resume(plan.clone(), &trained.network, whole.state().clone(), &pictures).unwrap();
        again.step(model.as_mut()).unwrap();
        whole.step(model.as_mut()).unwrap();
        assert_eq!(again.state(), whole.state(), "step {step}");
        let picture = whole.picture();
        sizes.push((picture.width, picture.height));
    }
    assert!(sizes.is_sorted() && sizes[0].0 < 64 && sizes[9] == (100, 70), "{sizes:?}");
    let full = Ascent::new(plan, &trained.network, &pictures).unwrap().full_picture();
    assert_eq!((full.width, full.height), (100, 70), "enlarged for animations");
}

/// Written by version 0.2.0, which had only squares: `tests/golden/make_square_of_a_photograph.sh`.
#[test]
fn squares_that_were_cut_from_photographs_are_made_again() {
    let home = Home::new();
    let golden = |name: &str| repository("tests/golden").join(name);
    let before = golden("square-of-a-photograph-0.2.0.png");
    let photograph = golden("picture-400x300.png");
    let line = format!("render --from {} --init {} -o again.png", before.display(), photograph.display());
    let outcome = home.run(&line);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains("is cropped to its middle 300x300 and scaled to 32x32"), "{outcome:?}");
    let (was, is) = (read_picture(&before).unwrap(), read_picture(&home.path("again.png")).unwrap());
    assert_eq!((is.width, is.height), (32, 32));
    assert!(was.rgb == is.rgb, "other pixels than version 0.2.0 made");
}

#[test]
fn scores_see_the_whole_of_an_oblong_picture() {
    let trained = minivgg().unwrap();
    let mut model = on_default(&trained);
    let objective = Objective::channel("block1_conv1", 2);
    let mut clean = |picture: &Picture| {
        let size = PictureSize { width: picture.width, height: picture.height };
        let mut evaluator =
            Evaluator::new(&objective, &trained.network, (size, 1), &Pictures::new()).unwrap();
        loop {
            if let Some(score) = evaluator.advance(picture, model.as_mut()).unwrap() {
                return score.clean;
            }
        }
    };
    let wide = photo(64, 32);
    let expected = channel_mean(&activation("block1_conv1", &wide), 2);
    assert!((clean(&wide) - expected).abs() < 1e-5 * expected.abs().max(1.0), "{expected}");
    // Sides that the network does not take are scaled, and neither cut nor squeezed to a square.
    let flat = |width: usize, height: usize| {
        let rgb = (0..width * height).flat_map(|at| if at % width < width / 2 { [255; 3] } else { [0; 3] });
        Picture { width, height, rgb: rgb.collect() }
    };
    let (odd, even) = (clean(&flat(100, 50)), clean(&flat(64, 32)));
    assert!((odd - even).abs() < 0.05 * even.abs(), "{odd} {even}");
}

#[test]
fn sizes_that_cannot_be_are_told_in_a_sentence() {
    let home = Home::new();
    write_png(&home.path("wide.png"), &photo(48, 32));
    let line = "render --layer block1_conv1 --channel 3 --recipe pixel --steps 1 -o a.png";
    for (flags, words) in [
        ("--size 100x64", "minivgg cannot take 100x64 pixels: take a multiple of 16 from 32 to 4096"),
        ("--size 64x0", "minivgg cannot take 64x0 pixels: take a multiple of 16 from 32 to 4096"),
        ("--size 64x16", "minivgg cannot take 64x16 pixels: take a multiple of 16 from 32 to 4096"),
    ] {
        let outcome = home.run(&format!("{line} {flags}"));
        assert!(outcome.refusal(2).contains(words), "{flags}: {outcome:?}");
    }
    let outcome = home.run(&format!("{line} --init wide.png --size 50"));
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.stderr.ends_with("50x33 pixels: take a multiple of 16 from 32 to 4096\n"), "{outcome:?}");
    for size in ["64x", "x", "64x32x3"] {
        let outcome = home.run(&format!("{line} --size {size}"));
        assert_eq!(outcome.code, Some(2), "{size}");
        assert!(outcome.stderr.contains("480x320"), "{outcome:?}");
    }
}

#[test]
fn a_neuron_of_an_oblong_picture_has_its_own_place() {
    let home = Home::new();
    let line = "render --layer block2_conv1 --recipe pixel --size 64x32 --steps 2 --json -o a.png --neuron";
    // Sixteen rows by thirty-two columns.
    let events = home.json(&format!("{line} 8,15,31"));
    assert_eq!((&events[2]["width"], &events[2]["height"]), (&json!(64), &json!(32)));
    let outcome = home.run(&format!("{line} 8,31,15"));
    assert!(outcome.refusal(2).contains("16 rows by 32 columns"), "{outcome:?}");
}

#[test]
fn the_worker_gives_a_run_the_shape_of_its_photograph() {
    let (runs, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = folder.path().join("wide.png");
    write_png(&file, &photo(96, 64));
    let start = Start::Picture { file: file.display().to_string(), sha256: String::new() };
    let settings = Settings { steps: 2, start, ..Settings::of(Recipe::named("pixel").unwrap(), 48) };
    let plan = settings.plan(&Objective::channel("block1_conv1", 2)).unwrap();
    assert_eq!(plan.size, 48.into(), "the dashboard does not know the photograph");
    let worker = spawn(runs.path(), 0);
    for (action, width, height) in [
        (Action::StartInShape(Box::new(plan.clone())), 48, 32),
        (Action::Start(Box::new(plan.clone())), 48, 48),
    ] {
        let before = worker.snapshot().run.as_ref().map_or(0, |run| run.number);
        worker.send(action);
        let last = wait(&worker, "the end", |snapshot| {
            snapshot.status == Status::Finished
                && snapshot.run.as_ref().is_some_and(|run| run.number > before)
        });
        let run = last.run.as_ref().unwrap();
        assert_eq!((run.picture.width, run.picture.height), (width, height));
        assert_eq!(run.plan.size, PictureSize { width, height });
    }
    let entries = fs::read_dir(runs.path()).unwrap().map(|entry| entry.unwrap().path());
    let sizes: Vec<String> = entries
        .filter(|path| path.is_dir())
        .map(|path| RunFolder::open(&path).unwrap().1.origin.plan.size.to_string())
        .collect();
    assert!(sizes.contains(&"48x32".to_owned()), "{sizes:?}");
}

#[test]
fn drafts_have_the_shape_that_was_asked_for_and_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (runs, store) = (folder.path().join("runs"), folder.path().join("pictures"));
    let size = AskedSize::Sides(PictureSize { width: 48, height: 32 });
    let settings = Settings { steps: 64, ..Settings::of(Recipe::named("pixel").unwrap(), size) };
    let series = DraftSeries { layer: "block1_conv1".into(), settings };
    let page = DraftPage { series, first: 0, count: 2, patient: false };
    for _ in 0..2 {
        let worker = spawn_with_store(&runs, &store, minivgg().unwrap());
        worker.send(Action::Draft(Some(Box::new(page.clone()))));
        let last = wait(&worker, "the drafts", |snapshot| {
            let sheet = snapshot.sheets.first();
            sheet.is_some_and(|sheet| sheet.drafts.iter().filter(|draft| draft.step >= 64).count() == 2)
        });
        let draft = &last.sheets[0].drafts[0];
        assert_eq!((draft.picture.width, draft.picture.height), (48, 32));
    }
}
