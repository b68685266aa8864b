//! `trepang lab compare` on small indices.

use std::fs;

use serde_json::Value;

use crate::binary::{Home, write_png};
use crate::library::noise_picture;

/// A home with indices of 12 pictures and of 10 of those, with two more.
fn home() -> Home {
    let home = Home::new();
    for seed in 0..14 {
        let mut picture = noise_picture(seed, 64);
        let level = (seed * 17) as u8;
        // Noise alone makes all pictures alike.
        picture
            .rgb
            .iter_mut()
            .skip(64 * 3 * seed as usize * 4)
            .for_each(|byte| *byte = byte.wrapping_mul(level | 1) / 2);
        for (set, is_in) in [("set", seed < 12), ("other", seed >= 2)] {
            fs::create_dir_all(home.path(&format!("{set}/n02321529"))).unwrap();
            if is_in {
                write_png(&home.path(&format!("{set}/n02321529/{seed:02}.png")), &picture);
            }
        }
    }
    home.run("lab index set --layer block3_conv1,block4_conv1 --out a --json");
    home.run("lab index other --layer block3_conv1 --out b --json");
    home
}

fn compared(home: &Home, line: &str) -> Value {
    home.json(&format!("lab compare {line} --json")).remove(0)
}

#[test]
fn a_network_finds_itself_over_the_pictures_in_both() {
    let home = home();
    let found = compared(&home, "a b --layer block3_conv1");
    assert_eq!(
        (&found["pictures"], &found["only_in_a"], &found["only_in_b"]),
        (&10.into(), &2.into(), &2.into())
    );
    let channels = found["channels"].as_array().unwrap();
    let alive: Vec<&Value> = channels.iter().filter(|channel| !channel["r"].is_null()).collect();
    assert!(alive.len() > channels.len() / 2, "{} of {}", alive.len(), channels.len());
    for channel in &alive {
        // Another batch sums in another order.
        assert!(channel["same_r"].as_f64().unwrap() > 0.999, "{channel}");
    }
    assert_eq!(found["same"].as_u64().unwrap() as usize, alive.len());
    assert!(
        found["sentence"]
            .as_str()
            .unwrap()
            .contains("channels correlate most with the channel of their own number")
    );
    let run = home.run("lab compare a b --layer block3_conv1 --top 3");
    assert!(run.code == Some(0) && run.stderr.contains("different lists of pictures"), "{run:?}");
    assert!(
        run.stdout.contains("10 pictures are in both, by their paths; 2 only in A, 2 only in B"),
        "{run:?}"
    );
}

#[test]
fn a_channel_has_its_candidates_in_another_layer() {
    let home = home();
    let line = "a a --layer block3_conv1 --other-layer block4_conv1 --channel 5 --top 4";
    let found = compared(&home, line);
    let candidates = found["candidates"].as_array().unwrap();
    assert_eq!((found["channels"].as_array().unwrap().len(), candidates.len()), (1, 4));
    let own = &found["channels"][0];
    assert_eq!(
        (&own["channel"], &own["match"], &own["r"]),
        (&5.into(), &candidates[0]["channel"], &candidates[0]["r"])
    );
    assert_eq!(own["next"], candidates[1]["channel"]);
    assert!(candidates[0]["interval"]["low"].as_f64() < candidates[0]["r"].as_f64());
    assert!(found["same"].is_null(), "layers of two names have no channels in common");
    assert_eq!(found, compared(&home, line), "the same seed, the same numbers");
}

#[test]
fn comparisons_that_cannot_be_are_refused() {
    let home = home();
    fs::create_dir_all(home.path("elsewhere/n02321529")).unwrap();
    for seed in 0..3 {
        write_png(&home.path(&format!("elsewhere/n02321529/x{seed}.png")), &noise_picture(seed, 64));
    }
    home.run("lab index elsewhere --layer block3_conv1 --out c --json");
    for (line, code, sentence) in [
        ("a b", 2, "name a layer with --layer"),
        ("a b --layer block1_conv1", 2, "has no layer block1_conv1"),
        ("b a --other-layer block2_conv1", 2, "has no layer block2_conv1"),
        ("b a --channel 4000", 2, "has the channels 0 to 95"),
        (
            "a c --layer block3_conv1",
            2,
            "0 pictures are in both indices by their paths, and 3 are needed at least",
        ),
        ("nowhere b", 2, "there is no index in nowhere"),
    ] {
        let run = home.run(&format!("lab compare {line}"));
        assert!(run.refusal(code).contains(sentence), "{line}: {}", run.stderr);
    }
}
