//! `--resume`: a run goes on as if it had never stopped.

use serde_json::Value;
use trepang::runs::{read_origin, read_picture};

use crate::binary::{Home, losses};
use crate::library::repository;

const RENDER: &str = "render --layer block4_conv2 --channel 20 --size 32 --seed 5 --json";

fn run_of(events: &[Value]) -> &str {
    events.last().unwrap()["run"].as_str().unwrap()
}

#[test]
fn a_run_beyond_its_end_is_a_longer_run() {
    for recipe in ["pixel", "original"] {
        let home = Home::new();
        let first = home.json(&format!("{RENDER} --recipe {recipe} --steps 4 -o short.png"));
        let rest = home.json(&format!("render --resume {} --steps 9 --json -o long.png", run_of(&first)));
        let whole = home.json(&format!("{RENDER} --recipe {recipe} --steps 9 -o whole.png"));
        assert_eq!([losses(&first, 1), losses(&rest, 5)].concat(), losses(&whole, 1), "{recipe}");
        assert!(home.read("long.png") == home.read("whole.png"), "{recipe}");
        let (rest, whole) = (rest.last().unwrap(), whole.last().unwrap());
        for key in ["steps", "seed", "size", "loss_first", "loss_last", "activation_saved", "saturated"] {
            assert_eq!(rest[key], whole[key], "{recipe}: {key}");
        }
        assert_eq!(rest["run"], first.last().unwrap()["run"], "it goes on in its own folder");
    }
}

/// In these recipes a step depends on how long the run is meant to be.
const SCHEDULED: [&str; 3] = [
    "--recipe pixel --set optimizer.schedule=linear",
    "--recipe maco --set steps=4",
    "--recipe dream --init a.png",
];

#[test]
fn a_run_that_was_made_longer_is_made_again_to_the_byte() {
    let home = Home::new();
    crate::binary::write_png(&home.path("a.png"), &crate::library::noise_picture(7, 64));
    for flags in SCHEDULED {
        let layer =
            if flags.contains("dream") { "--layer block3_conv2" } else { "--layer block3_conv2 --channel 7" };
        let first = home.json(&format!("render {layer} {flags} --size 64 --steps 4 --json -o short.png"));
        let run = run_of(&first);
        home.json(&format!("render --resume {run} --steps 7 --json -o long.png"));
        home.json("render --from long.png --json -o again.png");
        assert!(home.read("long.png") == home.read("again.png"), "{flags}");
        let image = format!("{run}/image.png");
        home.json(&format!("render --from {image} --json -o image.png"));
        assert!(home.read(&image) == home.read("image.png"), "{flags}");
        // A run that was never made longer says nothing of it.
        home.json("render --from short.png --json -o again.png");
        assert!(home.read("short.png") == home.read("again.png"), "{flags}");
        assert!(read_origin(&home.path("short.png")).unwrap().plan.lengths.is_empty());
        assert!(!read_origin(&home.path("long.png")).unwrap().plan.lengths.is_empty());
    }
}

#[test]
fn an_unfinished_runs_picture_is_made_again_to_the_byte() {
    let home = Home::new();
    let render =
        "render --layer block3_conv2 --channel 7 --recipe pixel --set optimizer.schedule=linear --size 32";
    let mut running = home.start(&format!("{render} --steps 4000000 --json -o cut.png --runs runs"));
    running.line();
    running.signal("TERM");
    running.finish();
    let run = std::fs::read_dir(home.path("runs")).unwrap().next().unwrap().unwrap().path();
    let image = run.join("image.png").display().to_string();
    home.json(&format!("render --from {image} --json -o again.png"));
    assert!(home.read(&image) == home.read("again.png"));
}

#[test]
fn a_finished_run_gives_its_picture_again_without_a_step() {
    let home = Home::new();
    let first = home.json(&format!("{RENDER} --steps 3 -o first.png"));
    let again = home.json(&format!("render --resume {} --json -o again.png", run_of(&first)));
    assert_eq!(again.len(), 1, "only the end is reported: {again:?}");
    assert!(again[0]["seconds_per_step"].is_null());
    assert!(home.read("first.png") == home.read("again.png"));
}

#[test]
fn a_run_is_found_by_its_name() {
    let home = Home::new();
    let line = "render --layer block1_conv1 --channel 4 --size 32 --steps 2 --json -o a.png";
    let done = home.json(line).pop().unwrap();
    let name = "minivgg-channel-block1_conv1-4-lucid-seed0";
    assert_eq!(done["run"], home.path(&format!("trepang/runs/{name}")).display().to_string());
    let more = home.json(&format!("render --resume {name} --steps 3 --json -o b.png")).pop().unwrap();
    assert_eq!((&more["steps"], &more["run"]), (&3.into(), &done["run"]));
    let wrong = home.run(&format!("render --resume {} -o c.png", &name[..name.len() - 1]));
    assert!(wrong.refusal(2).contains(&format!("did you mean \"{name}\"?")), "{wrong:?}");
    let nothing = home.run("render --resume nothing -o c.png");
    assert!(nothing.refusal(1).contains("nothing does not hold a run"), "{nothing:?}");
    // What lies here comes first.
    std::fs::create_dir(home.path(name)).unwrap();
    let here = home.run(&format!("render --resume {name} -o c.png"));
    assert!(here.refusal(1).contains("there is no state"), "{here:?}");
}

#[test]
fn a_run_does_not_go_back() {
    let home = Home::new();
    let first = home.json(&format!("{RENDER} --steps 3 -o first.png"));
    let outcome = home.run(&format!("render --resume {} --steps 2 -o back.png", run_of(&first)));
    assert!(outcome.refusal(2).contains("has taken 3 steps"), "{outcome:?}");
    assert!(!home.path("back.png").exists());
}

/// Version 0.1.0 called the recipe `original` `seed`; the files are a run and its picture as it wrote them.
#[test]
fn a_run_of_the_recipe_seed_goes_on_as_one_of_original() {
    let home = Home::new();
    let before = |kind: &str| repository(&format!("tests/golden/recipe-seed-0.1.0.{kind}"));
    std::fs::create_dir(home.path("run")).unwrap();
    std::fs::copy(before("safetensors"), home.path("run/state.safetensors")).unwrap();
    home.json_of_0_1_0("render --resume run --json -o again.png");
    let again = home.path("again.png");
    assert_eq!(read_picture(&again).unwrap().rgb, read_picture(&before("png")).unwrap().rgb);
    assert_eq!(read_origin(&again).unwrap().plan, read_origin(&before("png")).unwrap().plan);
    home.run("render --resume run --steps 5 -o longer.png");
    for name in ["seed", "original"] {
        let new =
            "render --layer block2_conv1 --channel 5 --backend reference --threads 1 --size 32 --steps 5";
        home.json(&format!("{new} --recipe {name} --json -o whole.png"));
        let picture = |file: &str| read_picture(&home.path(file)).unwrap();
        assert_eq!(picture("longer.png"), picture("whole.png"), "{name}");
    }
}

/// The saved state with another size in its plan.
fn with_size(state: &[u8], before: &str, size: &str) -> Vec<u8> {
    let length = u64::from_le_bytes(state[..8].try_into().unwrap()) as usize;
    let header = std::str::from_utf8(&state[8..8 + length]).unwrap();
    // The plan is JSON text inside of the header's JSON.
    let text = |size: &str| format!("\\\"size\\\":{size},");
    assert!(header.contains(&text(before)), "{header}");
    let mut header = header.replace(&text(before), &text(size)).into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    [&(header.len() as u64).to_le_bytes(), &*header, &state[8 + length..]].concat()
}

#[test]
fn a_state_of_absurd_size_is_refused_at_once() {
    let home = Home::new();
    home.run("render --layer block2_conv1 --channel 4 --size 32 --steps 2 --runs runs -o a.png");
    let run = std::fs::read_dir(home.path("runs")).unwrap().next().unwrap().unwrap().path();
    let state = std::fs::read(run.join("state.safetensors")).unwrap();
    for size in ["40000", "9223372036854775808", "18446744073709551615", "0"] {
        std::fs::write(run.join("state.safetensors"), with_size(&state, "32", size)).unwrap();
        let outcome = home.run(&format!("render --resume {} --steps 4 -o b.png", run.display()));
        outcome.refusal(outcome.code.filter(|code| [1, 2].contains(code)).expect("an exit code of ours"));
    }
}

#[test]
fn a_state_and_a_manifest_of_two_plans_are_refused() {
    let home = Home::new();
    home.run("render --layer block2_conv1 --channel 4 --size 32 --steps 2 --runs runs -o a.png");
    let run = std::fs::read_dir(home.path("runs")).unwrap().next().unwrap().unwrap().path();
    let manifest = std::fs::read_to_string(run.join("manifest.json")).unwrap();
    let mut tried = 0;
    for (was, is, part) in [
        ("\"seed\": 0", "\"seed\": 1", "the seed"),
        ("\"size\": 32", "\"size\": 48", "the size"),
        ("block2_conv1", "block2_conv2", "the objective"),
    ] {
        if manifest.contains(was) {
            tried += 1;
            std::fs::write(run.join("manifest.json"), manifest.replace(was, is)).unwrap();
            let outcome = home.run(&format!("render --resume {} --steps 4 -o b.png", run.display()));
            assert!(outcome.refusal(1).contains(&format!("differ in {part}")), "{outcome:?}");
        }
    }
    assert_eq!(tried, 3, "{manifest}");
    std::fs::remove_file(run.join("manifest.json")).unwrap();
    home.json(&format!("render --resume {} --steps 4 --json -o b.png", run.display()));
}
