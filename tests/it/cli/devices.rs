//! Backends and devices from the command line: what there is, choosing one, and whether all agree.

use serde_json::{Value, json};
use trepang::backends::BACKENDS;
use trepang::config::args::ComputeArgs;
use trepang::config::find_place;
use trepang_api::conformance::CHECKS;
use trepang_api::{Backend as _, Reference};

use crate::binary::Home;
use crate::library::backends;

fn text<'a>(entry: &'a Value, key: &str) -> &'a str {
    entry[key].as_str().unwrap_or_else(|| panic!("{key} of {entry}"))
}

#[test]
fn devices_are_those_of_every_backend_and_the_cpu_works() {
    let lines = Home::new().json("devices --json --threads 2");
    let listed = lines[0].as_array().unwrap();
    let mut expected = Vec::new();
    for backend in backends(2) {
        let devices = backend.devices();
        expected.extend(devices.iter().map(|device| (backend.name().to_owned(), device.to_string())));
    }
    let found = listed.iter().map(|entry| (text(entry, "backend").into(), text(entry, "device").into()));
    assert_eq!(found.collect::<Vec<(String, String)>>(), expected);
    for entry in listed.iter().filter(|entry| entry["device"] == "cpu") {
        assert_eq!((&entry["works"], &entry["error"]), (&json!(true), &json!(null)), "{entry}");
        assert!(!text(entry, "description").is_empty());
        if cfg!(target_os = "linux") {
            assert!(entry["memory"].as_u64().unwrap() > 100_000_000, "{entry}");
        }
    }
}

#[test]
fn the_list_for_people_says_what_works_and_what_is_absent() {
    let stdout = Home::new().run("devices").stdout;
    assert!(stdout.contains("reference") && stdout.contains("works"), "{stdout}");
    assert_eq!(stdout.contains("not in this build: "), !trepang::backends::ABSENT.is_empty(), "{stdout}");
}

#[cfg(feature = "cpu")]
#[test]
fn other_vector_instructions_can_be_asked_for() {
    let home = Home::new();
    let devices = |vectors: &str| {
        crate::binary::Outcome::from(
            home.command("devices").env("TREPANG_VECTORS", vectors).output().unwrap(),
        )
    };
    assert!(devices("portable").stdout.contains("no vector instructions"));
    let refused = devices("mmx");
    let all = format!("{}{}", refused.stdout, refused.stderr);
    assert!(all.contains("TREPANG_VECTORS") && all.contains("'mmx'; there are portable"), "{all}");
    let mut render = home.command("render");
    render.env("TREPANG_VECTORS", "mmx").args([
        "--backend",
        "cpu",
        "--layer",
        "block1_conv1",
        "--channel",
        "3",
    ]);
    assert_eq!(render.args(["-o", "a.png"]).output().unwrap().status.code(), Some(2));
}

#[test]
fn the_device_chooses_the_backend_where_none_is_named() {
    let (auto, device) = find_place(&ComputeArgs::default()).unwrap();
    let device = device.to_string();
    for (flags, backend, device) in [
        ("", auto.name(), device.as_str()),
        ("--device cpu", BACKENDS[0].name, "cpu"),
        ("--backend reference", "reference", "cpu"),
        ("--backend reference --device cpu", "reference", "cpu"),
    ] {
        let line =
            format!("render --layer block1_conv1 --channel 3 --size 32 --steps 1 -o a.png --json {flags}");
        let events = Home::new().json(&line);
        let done = events.last().unwrap();
        assert_eq!((text(done, "backend"), text(done, "device")), (backend, device), "{flags}");
    }
    let outcome = Home::new().run("predict --device cuda:7 a.png");
    let sentence = outcome.refusal(2);
    for backend in backends(1) {
        let has = format!("{} has cpu", backend.name());
        assert!(sentence.contains(&has), "{sentence}");
    }
}

#[test]
fn parity_measures_every_place_and_says_that_all_is_well() {
    let home = Home::new();
    let lines = home.json("parity --network minivgg --threads 2 --json");
    let [report] = lines.as_slice() else { panic!("one line, not {}", lines.len()) };
    assert_eq!((&report["passes"], &report["unusable"]), (&json!(true), &json!([])));
    let places: usize = backends(2).iter().map(|backend| backend.devices().len()).sum();
    assert_eq!(report["operations"].as_array().unwrap().len(), places * CHECKS.len());
    let networks = report["networks"].as_array().unwrap();
    assert_eq!((networks.len(), text(&networks[0], "network")), (1, "minivgg, 64 px"));
    let rows = networks[0]["rows"].as_array().unwrap();
    let about = |who: &str, what: &str| {
        let found = rows.iter().find(|row| text(row, "who") == who && text(row, "what") == what);
        found.unwrap_or_else(|| panic!("no row about {what} of {who}: {rows:#?}"))
    };
    if cfg!(feature = "cpu") {
        for recipe in ["pixel", "original"] {
            let scale = about("cpu cpu : itself", &format!("20 steps of {recipe}"));
            assert_eq!((&scale["tolerance"], &scale["passes"]), (&json!(null), &json!(true)));
        }
        // Its kernels split their work so that no sum depends on the number of threads.
        assert_eq!(about("cpu cpu : with 1 thread", "20 steps of pixel")["worst"], 0.0);
    }
    let real = backends(2).into_iter().filter(|backend| backend.name() != Reference.name());
    let names: Vec<String> = real.map(|backend| format!("{} cpu", backend.name())).collect();
    for (index, later) in names.iter().enumerate() {
        for earlier in &names[..index] {
            for (what, tolerance) in [("activations", 1e-4), ("pull-back", 1e-3)] {
                let row = about(&format!("{earlier} : {later}"), what);
                assert_eq!(row["tolerance"], tolerance);
                assert!(row["worst"].as_f64().unwrap() > 0.0, "two implementations, not one: {row}");
            }
        }
    }
}

#[test]
fn parity_for_people_is_a_table_with_a_verdict() {
    let outcome = Home::new().run("parity --network minivgg --threads 1");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    assert!(outcome.stdout.contains("ties in max pooling go to the first"), "{}", outcome.stdout);
    assert!(outcome.stdout.ends_with("differences are within their tolerances\n"), "{}", outcome.stdout);
    let outcome = Home::new().run("parity --network resnet");
    assert!(outcome.refusal(2).contains("no network \"resnet\""), "{outcome:?}");
}

/// Where the library beside the program is gone, the user reads what to do, and everything else works.
#[cfg(feature = "tch")]
#[test]
fn without_libtorch_one_sentence_says_what_to_do() {
    let home = Home::new();
    std::fs::create_dir(home.path("bin")).unwrap();
    let alone = home.path("bin/trepang");
    std::fs::copy(env!("CARGO_BIN_EXE_trepang"), &alone).unwrap();
    let run = |line: &str| -> crate::binary::Outcome {
        home.wrapped(std::process::Command::new(&alone), line).output().unwrap().into()
    };
    let picture = "render --layer block1_conv1 --channel 3 --size 32 --steps 1 -o a.png";
    let outcome = run(&format!("{picture} --backend tch"));
    let sentence = outcome.refusal(1);
    assert!(
        sentence.contains("backend tch cannot be used here") && sentence.contains("backends/tch/setup.sh")
    );
    assert!(sentence.contains("libtrepang_tch"), "{sentence}");
    let outcome = run(picture);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let listed = run("devices").stdout;
    assert!(listed.contains("tch        -") && listed.contains("cpu        cpu"), "{listed}");
    // A library that is there, but not libtorch's.
    std::fs::write(home.path("bin/libtrepang_tch.so"), "no library").unwrap();
    let outcome = run(&format!("{picture} --backend tch"));
    assert!(outcome.refusal(1).contains("was not built with this program"), "{outcome:?}");
}
