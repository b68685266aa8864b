//! `-o` in other formats than PNG: the file is what its name says, its activation is that of the file, and it says how it was
//! made where it can.

use image::ImageFormat;
use serde_json::Value;

use crate::binary::Home;

const LINE: &str = "render --layer block2_conv1 --channel 5 --size 32 --steps 3 --runs runs";

fn made(home: &Home, output: &str) -> Value {
    home.json(&format!("{LINE} --json -o {output}")).pop().unwrap()
}

#[test]
fn a_picture_has_the_format_of_its_name() {
    let home = Home::new();
    let png = made(&home, "a.png");
    for (name, format, is_exact) in [
        ("a.jpg", ImageFormat::Jpeg, false),
        ("a.jpeg", ImageFormat::Jpeg, false),
        ("a.webp", ImageFormat::WebP, true),
        ("a.tiff", ImageFormat::Tiff, true),
        ("a.bmp", ImageFormat::Bmp, true),
    ] {
        let done = made(&home, name);
        assert_eq!(image::guess_format(&home.read(name)).unwrap(), format, "{name}");
        // What is measured is the file as it was written.
        let [of_png, of_file] = [&png, &done].map(|done| done["activation_saved"].as_f64().unwrap());
        assert_eq!(of_file == of_png, is_exact, "{name}: {of_file}, as PNG {of_png}");
        assert!((of_file - of_png).abs() < 0.2 * of_png.abs(), "{name}: {of_file}, as PNG {of_png}");
    }
}

#[test]
fn jpeg_and_webp_are_made_again_to_the_byte() {
    let home = Home::new();
    made(&home, "a.png");
    for name in ["a.jpg", "a.webp"] {
        assert_eq!(made(&home, name)["carries_recipe"], true);
        home.json(&format!("render --from {name} --runs runs --json -o again-{name}"));
        assert!(home.read(&format!("again-{name}")) == home.read(name), "{name}");
        home.json(&format!("render --from {name} --runs runs --json -o again.png"));
        assert!(home.read("again.png") == home.read("a.png"), "{name}");
    }
}

#[test]
fn the_last_line_says_that_a_file_has_no_recipe() {
    let home = Home::new();
    for (name, has_recipe) in [("a.bmp", false), ("a.jpg", true)] {
        let outcome = home.run(&format!("{LINE} -o {name}"));
        let last = outcome.stdout.lines().last().unwrap();
        assert_eq!(last.contains("only a PNG remakes itself"), !has_recipe, "{outcome:?}");
    }
    assert_eq!(made(&home, "a.bmp")["carries_recipe"], false);
    let refused = home.run("render --from a.bmp -o b.png");
    assert!(refused.refusal(1).starts_with("a.bmp is not a PNG, JPEG or WebP file"), "{refused:?}");
}

#[test]
fn an_unknown_ending_is_refused_before_the_work() {
    let home = Home::new();
    for (line, name) in [("-o a.gif", "a.gif"), ("-o a.xyz", "a.xyz"), ("-o a.png --sheet b.pdf", "b.pdf")] {
        let outcome = home.run(&format!("{LINE} {line}"));
        let expected = format!(
            "{name} is no name for a picture: it has to end in .png, .jpg, .jpeg, .webp, .tif, .tiff or .bmp"
        );
        assert_eq!(outcome.refusal(2), expected);
    }
    assert!(!home.path("runs").exists(), "no run has begun");
}
