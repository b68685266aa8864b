//! `trepang bench`: what it prints, and what it refuses. Not how fast anything is: a test cannot tell.

use serde_json::json;

use crate::binary::Home;

const SMALL: &str = "bench --layer block2_conv1 --size 32 --rounds 2 --threads 1";

#[test]
fn two_backends_are_measured_in_turns() {
    let lines = Home::new().json(&format!("{SMALL} --batch 2 --vs reference --per-layer --json"));
    let [whole, report] = &lines[..] else { panic!("{lines:?}") };
    for side in ["a", "b"] {
        let number = |key: &str| whole[side][key].as_f64().unwrap();
        assert!(0.0 < number("host_seconds_median"), "{whole}");
        assert!(number("host_seconds_median") < number("seconds_median"), "{whole}");
    }
    assert!(whole["ratio_median"].as_f64().unwrap() > 0.0 && whole["recipe"] == "lucid", "{whole}");
    for (key, value) in [
        ("network", json!("minivgg")),
        ("layer", json!("block2_conv1")),
        ("size", json!(32)),
        ("batch", json!(2)),
        ("threads", json!(1)),
    ] {
        assert_eq!(report[key], value, "{key}");
    }
    assert_eq!(report["b"]["backend"], "reference");
    // 32 x 32 positions of 27 x 32 products, 16 x 16 of 288 x 48, an addition with each, there and back, two images.
    let gflop = 2.0 * 4.0 * (32.0 * 32.0 * 27.0 * 32.0 + 16.0 * 16.0 * 288.0 * 48.0) / 1e9;
    for side in ["a", "b"] {
        let number = |key: &str| report[side][key].as_f64().unwrap();
        assert!(number("seconds_median") > 0.0);
        let share = number("gflops") * number("seconds_median") / gflop;
        assert!((share - 1.0).abs() < 1e-9, "{side}: {share}");
        assert!(!cfg!(target_os = "linux") || number("peak_mb") > 1.0);
    }
    let [least, median, most] =
        ["ratio_min", "ratio_median", "ratio_max"].map(|key| report[key].as_f64().unwrap());
    assert!(0.0 < least && least <= median && median <= most, "{report}");
    let layers: Vec<_> = report["layers"].as_array().unwrap().iter().map(|layer| &layer["layer"]).collect();
    assert_eq!(layers, ["block1_conv1", "block1_pool", "block2_conv1"]);
}

#[test]
fn one_backend_has_no_ratio_and_people_get_a_table() {
    let report = Home::new().json(&format!("{SMALL} --random-weights --json")).remove(1);
    assert!(report.get("ratio_median").is_none() && report.get("b").is_none(), "{report}");
    let stdout = Home::new().run(SMALL).stdout;
    assert!(stdout.starts_with("minivgg, block2_conv1, 32 px, 1 at once, threads: 1\n"), "{stdout}");
    assert!(stdout.contains("GFLOP/s"), "{stdout}");
    assert!(stdout.contains("\nwhole steps by lucid, with what is outside of the network\ncpu "), "{stdout}");
}

#[test]
fn what_cannot_be_measured_is_refused_in_one_sentence() {
    for (flags, code, word) in [
        ("--vs nothing", 2, "there is no backend \"nothing\""),
        ("--layer block9", 2, "has no layer \"block9\""),
        ("--size 33", 2, "multiple of 16"),
        ("--network nothing", 2, "nothing"),
        ("--rounds 0", 2, "--rounds"),
    ] {
        let outcome = Home::new().run(&format!("bench {flags}"));
        let sentence = outcome.refusal(code);
        assert!(sentence.contains(word), "{flags}: {sentence}");
    }
}
