//! `trepang predict` on the embedded network.

use std::fs;

use trepang::engine::Picture;

use crate::binary::{Home, write_png};
use crate::library::{activation, noise_picture, repository};

#[test]
fn a_line_for_each_picture_with_its_classes_in_order() {
    let home = Home::new();
    let picture = noise_picture(3, 64);
    write_png(&home.path("a.png"), &picture);
    write_png(&home.path("b.png"), &noise_picture(4, 64));
    let lines = home.json("predict --network minivgg a.png b.png --top 64 --exact --json");
    assert_eq!(
        (lines.len(), &lines[0]["image"], &lines[0]["network"]),
        (2, &"a.png".into(), &"minivgg".into())
    );
    let logits = activation("predictions", &picture);
    let top = lines[0]["top"].as_array().unwrap();
    assert_eq!(top.len(), 64);
    let mut last = f64::INFINITY;
    for class in top {
        let (logit, expected) =
            (class["logit"].as_f64().unwrap(), logits.data()[class["class"].as_u64().unwrap() as usize]);
        assert!((logit - f64::from(expected)).abs() < 1e-4 && logit <= last, "{class}");
        last = logit;
    }
    let total: f64 = top.iter().map(|class| class["probability"].as_f64().unwrap()).sum();
    assert!((total - 1.0).abs() < 1e-9, "{total}");
    let sea_cucumber = top.iter().find(|class| class["class"] == 31).unwrap();
    assert_eq!(
        (&sea_cucumber["wnid"], &sea_cucumber["label"]),
        (&"n02321529".into(), &"sea cucumber, holothurian".into())
    );
}

#[test]
fn any_size_is_resized_and_cropped_unless_exact_is_asked_for() {
    let home = Home::new();
    fs::copy(repository("tests/golden/picture-400x300.png"), home.path("wide.png")).unwrap();
    let stdout = home.run("predict wide.png").stdout;
    assert_eq!(stdout.lines().count(), 6, "{stdout}");
    assert!(stdout.starts_with("wide.png, by minivgg"), "{stdout}");
    write_png(&home.path("thin.png"), &Picture { width: 3000, height: 1, rgb: vec![9; 9000] });
    let outcome = home.run("predict thin.png");
    assert!(outcome.refusal(1).contains("thin.png: the picture has 3000x1 pixels"), "{outcome:?}");
    for size in [16, 225] {
        write_png(&home.path("odd.png"), &noise_picture(1, size));
        let outcome = home.run("predict odd.png --exact");
        assert!(outcome.refusal(2).contains("classifies pictures of 64x64 pixels"), "{outcome:?}");
    }
    let tiny = Picture { width: 1, height: 1, rgb: vec![9; 3] };
    write_png(&home.path("tiny.png"), &tiny);
    assert_eq!(home.run("predict tiny.png --top 1").code, Some(0));
    let outcome = home.run("predict tiny.png --exact");
    assert!(outcome.refusal(2).contains("minivgg classifies pictures of 64x64 pixels"), "{outcome:?}");
}

#[test]
fn one_unreadable_picture_does_not_stop_the_others() {
    let home = Home::new();
    write_png(&home.path("a.png"), &noise_picture(3, 64));
    fs::write(home.path("b.png"), "no picture").unwrap();
    let outcome = home.run("predict b.png a.png missing.png");
    assert!(outcome.stdout.starts_with("a.png, by minivgg"), "{outcome:?}");
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("b.png") && outcome.stderr.contains("missing.png"), "{outcome:?}");
}
