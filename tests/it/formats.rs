//! `docs/json.md` is true: every field that the program prints or writes is in its tables with that type, and every field
//! that the tables promise is there.

mod schema;

use std::fs;

use safetensors::SafeTensors;
use serde_json::{Map, Value, json};
use trepang::engine::{Change, MeantLength, Objective, Plan, Recipe};
use trepang_weights::{Architecture, MadeUp};

use self::schema::Schema;
use crate::binary::{Home, json_lines, write_png};
use crate::library::{noise_picture, repository, with_tensor, write_weights};

/// A picture that is made quickly: few steps of few pixels.
const QUICK: &str = "--size 32 --steps 2 --runs runs --json";

fn check(schema: &Schema, lines: &[Value], name: &str) {
    assert!(!lines.is_empty(), "no {name} was printed");
    for line in lines {
        schema.check(name, line);
    }
}

/// The events of `render`, each by its own table.
fn check_events(schema: &Schema, events: &[Value], expected: &[&str]) {
    for event in events {
        let name = event["event"].as_str().unwrap();
        assert!(expected.contains(&name), "{event}");
        schema.check(&format!("{}{}", name[..1].to_uppercase(), &name[1..]), event);
    }
    assert!(expected.iter().all(|name| events.iter().any(|event| event["event"] == *name)), "{events:?}");
}

#[test]
fn events_of_render_are_as_documented() {
    let (schema, home) = (Schema::read(), Home::new());
    let one = home.json(&format!("render --layer block2_conv1 --channel 4 {QUICK} -o a.png"));
    check_events(&schema, &one, &["step", "done"]);
    check(&schema, &home.json("runs --runs runs --json"), "RunEntry");
    let sum =
        home.json(&format!("render --objective layer(block2_conv1)-tv(0.1) {QUICK} --seeds 2 -o several"));
    check_events(&schema, &sum, &["step", "done", "seeds"]);
    let done = sum.iter().find(|event| event["event"] == "done").unwrap();
    assert_eq!((&done["layer"], &done["channel"]), (&Value::Null, &Value::Null));
}

#[test]
fn a_picture_that_cannot_be_made_is_an_event() {
    let (schema, home) = (Schema::read(), Home::new());
    // Channel 9 is off everywhere, and the recipe stops where no gradient is.
    let off = with_tensor("block2_conv1.bias", |bias| bias.data_mut()[9] = -1e6);
    write_weights(&home.path("off.safetensors"), &off.weights);
    let outcome = home.run(&format!(
        "render --weights off.safetensors --layer block2_conv1 --channel 4,9 --recipe pixel --set dead=stop {QUICK} -o out"
    ));
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    check_events(&schema, &json_lines(&outcome.stdout), &["step", "done", "failed"]);
}

#[test]
fn the_files_of_a_run_are_as_documented() {
    let (schema, home) = (Schema::read(), Home::new());
    write_png(&home.path("photo.png"), &noise_picture(3, 32));
    for line in [
        "--channel 4",
        "--channel 4 --init gray --recipe maco",
        "--recipe dream --init photo.png",
        "--recipe caricature --init photo.png",
    ] {
        let events = home.json(&format!("render --layer block2_conv1 {line} {QUICK} -o a.png"));
        let run = home.path(events.last().unwrap()["run"].as_str().unwrap());
        let manifest = fs::read(run.join("manifest.json")).unwrap();
        schema.check("Manifest", &serde_json::from_slice(&manifest).unwrap());
        for picture in [home.path("a.png"), run.join("image.png")] {
            schema.check("Origin", &text_chunk(&fs::read(picture).unwrap()));
        }
        check_state(&schema, &fs::read(run.join("state.safetensors")).unwrap());
        let losses = fs::read_to_string(run.join("losses.csv")).unwrap();
        let lines: Vec<&str> = losses.lines().collect();
        assert!(lines[0] == "step,loss" && lines[1].starts_with("1,") && lines[2].starts_with("2,"));
        assert_eq!(lines[2][2..].parse::<f64>().ok(), events.last().unwrap()["loss_last"].as_f64());
    }
}

/// The JSON of the PNG's text chunk, found by the bytes alone: length, type, keyword, five zero bytes, text.
fn text_chunk(png: &[u8]) -> Value {
    let start = b"iTXttrepang\0\0\0\0\0";
    let at = png.windows(start.len()).position(|bytes| bytes == start).expect("it has a text chunk");
    let length = u32::from_be_bytes(png[at - 4..at].try_into().unwrap()) as usize;
    serde_json::from_slice(&png[at + start.len()..at + 4 + length]).unwrap()
}

fn check_state(schema: &Schema, bytes: &[u8]) {
    let (_, header) = SafeTensors::read_metadata(bytes).unwrap();
    let metadata = header.metadata().clone().unwrap();
    schema.check("Origin", &serde_json::from_str(&metadata["origin"]).unwrap());
    schema.check("StateMetadata", &json!(metadata));
    let file = SafeTensors::deserialize(bytes).unwrap();
    let types = file.iter().map(|(name, tensor)| (name.to_owned(), json!(format!("{:?}", tensor.dtype()))));
    schema.check("StateTensors", &Value::Object(types.collect::<Map<_, _>>()));
}

#[test]
fn a_run_that_went_on_elsewhere_is_as_documented() {
    let (schema, home) = (Schema::read(), Home::new());
    let events = home.json(&format!("render --layer block1_conv1 --channel 4 --threads 1 {QUICK} -o a.png"));
    let run = events.last().unwrap()["run"].as_str().unwrap();
    home.json(&format!("render --resume {run} --threads 2 --steps 3 -o b.png --json"));
    let manifest: Value = serde_json::from_slice(&home.read(&format!("{run}/manifest.json"))).unwrap();
    assert_eq!(manifest["segments"].as_array().map(Vec::len), Some(2), "{manifest}");
    schema.check("Manifest", &manifest);
    schema.check("Origin", &text_chunk(&home.read("b.png")));
}

#[test]
fn lists_and_reports_are_as_documented() {
    let (schema, home) = (Schema::read(), Home::new());
    write_png(&home.path("a.png"), &noise_picture(3, 64));
    for (seed, class) in (0..20).zip(["n02321529", "n02321529", "n01443537"].into_iter().cycle()) {
        fs::create_dir_all(home.path(&format!("set/{class}"))).unwrap();
        write_png(&home.path(&format!("set/{class}/{seed}.png")), &noise_picture(seed, 64));
    }
    home.json("render --layer block5_conv2 --channel 4 --size 64 --steps 2 --runs runs --json -o made.png");
    for (line, name) in [
        ("predict a.png --json", "Prediction"),
        ("lab attribute a.png --layer block5_conv2 --json", "Attribution"),
        ("lab attribute a.png --layer block4_conv2 --against logsumexp --json", "Attribution"),
        (
            "lab attribute made.png --layer block5_conv2 --seen --on set/n02321529 --randomised --json",
            "Attribution",
        ),
        ("lab ablate a.png --layer block5_conv2 --json", "Ablation"),
        ("lab ablate a.png --layer block5_conv2 --curve --on set/n02321529 --json", "Ablation"),
        ("lab index set --layer block5_conv2 --relevance --full --out index --json", "LabIndex"),
        ("lab examples --index index --channel 4 --json", "ChannelExamples"),
        ("lab examples --index index --class n02321529 --json", "SelectiveChannels"),
        ("lab distance a.png --index index --json", "PictureDistances"),
        ("lab project a.png --index index --baselines 1 --json", "PictureProjection"),
        (
            "lab seed a.png --class n02321529 --per-class 5 --perplexity 2 --on set --layer block3_conv1 --json",
            "SeedReplay",
        ),
        ("lab means a.png --layer block4_conv1 --channel 3 --json", "PictureMeans"),
        ("lab compare index index --json", "LayerComparison"),
        ("lab compare index index --channel 3 --json", "LayerComparison"),
        ("lab map a.png --randomised --json", "PictureMap"),
        ("lab report a.png --layer block5_conv2 --channel 4 -o r.html --json", "LabReport"),
        ("lab map a.png --layer block4_conv1 --channel 3 --json", "PictureMap"),
        ("info minivgg --json", "WeightsFile"),
        ("recipes --json", "Recipe"),
        ("recipes --show maco --json", "Recipe"),
        ("parity --network minivgg --threads 1 --json", "ParityReport"),
    ] {
        check(&schema, &home.json(line), name);
    }
    for flags in ["--layer block1_conv1", "--layer block2_conv1 --vs reference --per-layer"] {
        let lines = home.json(&format!("bench {flags} --size 32 --rounds 1 --json"));
        check(&schema, &lines[..1], "WholeReport");
        check(&schema, &lines[1..], "BenchReport");
    }
    for (line, name) in [
        ("pull --list --json", "WeightSet"),
        ("networks --json", "NetworkLayers"),
        ("devices --json", "DeviceReport"),
    ] {
        let lines = home.json(line);
        assert_eq!(lines.len(), 1, "trepang {line}");
        check(&schema, lines[0].as_array().unwrap(), name);
    }
    let fixture = repository("weights/tests/fixtures/legacy_v1.pth");
    check(&schema, &home.json(&format!("info {} --json", fixture.display())), "WeightsFile");
}

#[test]
fn a_recipe_with_every_key_is_as_documented() {
    let (schema, home) = (Schema::read(), Home::new());
    let text = home.run("recipes --show maco").stdout.replace("\"maco\"", "\"fourier\"");
    let table =
        "\n[param.spectrum]\nfrequencies = [0.1, 0.2]\nmagnitudes = [[1.0, 0.5], [1.0, 0.5], [1.0, 0.5]]\n";
    let transforms = "transforms = [{ pad = 1 }, { jitter = 1 }, { scale = [1.0] }, { zoom = [0.9, 1.1] }, { rotate = [5] }, \
                      { turn = [-5, 5] }, { flip = 0.5 }, { blur = [0.5, 1] }, { noise = [0.1, 0.1] },";
    fs::write(home.path("all.toml"), text.replacen("transforms = [", transforms, 1) + table).unwrap();
    let recipes = home.json("recipes --show all.toml --json");
    assert_eq!(recipes[0]["transforms"].as_array().map(Vec::len), Some(11), "{recipes:?}");
    check(&schema, &recipes, "Recipe");
}

#[test]
fn a_plan_that_was_changed_on_the_way_is_as_documented() {
    let recipe = Recipe::named("pixel").unwrap();
    let objective = || Objective::channel("block2_conv1", 4);
    let change = Change { step: 3, objective: objective(), recipe: recipe.clone() };
    let lengths = vec![MeantLength { step: 0, steps: 9 }];
    let plan = Plan { changes: vec![change], lengths, ..Plan::new(objective(), recipe, 32) };
    Schema::read().check("Plan", &serde_json::to_value(plan).unwrap());
}

#[test]
fn a_set_that_is_here_is_told_as_documented() {
    let (schema, home) = (Schema::read(), Home::new());
    let architecture = Architecture::EfficientnetLite0;
    let dialect = architecture.dialects()[0];
    let trained = MadeUp::new(architecture, dialect, true).unwrap().load().unwrap();
    write_weights(&home.path("plain.safetensors"), &trained.weights);
    // Pulled files say whose version they are, and what they were made from.
    let (plain, about) =
        (home.read("plain.safetensors"), [("dialect", dialect.name()), ("source", "a test")]);
    let metadata = about.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let tensors = SafeTensors::deserialize(&plain).unwrap();
    let pulled = safetensors::serialize(tensors.tensors(), Some(metadata)).unwrap();
    let folder = home.path(".cache/trepang/weights");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("efficientnet_lite0.safetensors"), pulled).unwrap();
    let lines = home.json("pull efficientnet_lite0 --offline --json");
    assert_eq!((&lines[0]["source"], &lines[0]["sha256"]), (&"a test".into(), &Value::Null));
    check(&schema, &lines, "Pulled");
}
