//! Maps against pytorch-grad-cam, their own identities, and `trepang lab map`.

use safetensors::SafeTensors;
use trepang::lab::{Map, Tail, grad_cam, hires_cam, saliency};
use trepang_weights::minivgg;

use crate::binary::{Home, write_png};
use crate::golden::read;
use crate::library::{image, on_default, repository};
use crate::made_up::picture;

/// Of the largest value of a raw map: sums of f32 products against sums in f64.
const TOLERANCE: f64 = 1e-4;

/// Of a map between 0 and 1, after it was enlarged: a level of a picture.
const LEVEL: f64 = 1.0 / 255.0;

fn apart(map: &Map, golden: &[f32]) -> f64 {
    assert_eq!(map.values.len(), golden.len());
    map.values.iter().zip(golden).map(|(a, b)| (a - f64::from(*b)).abs()).fold(0.0, f64::max)
}

fn class_of_the_script() -> usize {
    let bytes = std::fs::read(repository("tests/golden/lab_maps.safetensors")).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    header.metadata().as_ref().unwrap()["class"].parse().unwrap()
}

#[test]
fn maps_of_layers_are_pytorch_grad_cams() {
    let (golden, trained) = (read("lab_maps.safetensors"), minivgg().unwrap());
    let (mut model, class) = (on_default(&trained), class_of_the_script());
    let picture = image(&picture("image/64", 64));
    for name in ["block5_conv2", "block4_conv1"] {
        let layer = trained.network.layer(name).unwrap();
        let mut tail = Tail::new(model.as_mut(), &trained.network, &picture, layer).unwrap();
        let maps = [("gradcam", grad_cam(&mut tail, class)), ("hirescam", hires_cam(&mut tail, class))];
        for (method, map) in maps {
            let map = map.unwrap();
            let raw = golden.get(&format!("{name}.{method}.raw")).unwrap().data();
            let largest = raw.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
            assert!(apart(&map, raw) < TOLERANCE * f64::from(largest), "{name} {method}");
            let scaled = golden.get(&format!("{name}.{method}.scaled")).unwrap().data();
            assert!(apart(&map.scaled().enlarged(64, 64), scaled) < LEVEL, "{name} {method} scaled");
        }
    }
}

#[test]
fn a_saliency_is_a_slope_of_the_logit() {
    let trained = minivgg().unwrap();
    let (mut model, class) = (on_default(&trained), 51);
    let picture = image(&picture("image/64", 64));
    let map = saliency(model.as_mut(), &trained.network, &picture, class).unwrap();
    let steepest = (0..64 * 64).max_by(|&a, &b| map.values[a].total_cmp(&map.values[b])).unwrap();
    let head = trained.network.logits().unwrap();
    let mut slopes = [0, 1, 2].map(|colour| {
        let mut logit = |by: f32| {
            let mut moved = picture.clone();
            moved.data_mut()[colour * 64 * 64 + steepest] += by;
            f64::from(model.activations(&moved, &[head]).unwrap()[0].data()[class])
        };
        ((logit(1e-2) - logit(-1e-2)) / 2e-2).abs()
    });
    slopes.sort_by(f64::total_cmp);
    assert!((slopes[2] / map.values[steepest] - 1.0).abs() < 0.05, "{slopes:?} {}", map.values[steepest]);
}

#[test]
fn every_method_gives_a_map_and_a_picture() {
    let home = Home::new();
    write_png(&home.path("a.png"), &picture("image/64", 64));
    for (method, side) in
        [("hirescam", 4), ("gradcam", 4), ("saliency", 64), ("smoothgrad", 64), ("occlusion", 64)]
    {
        let line = format!("lab map a.png --exact --method {method} --json");
        let found = home.json(&line).remove(0);
        assert_eq!((&found["height"], &found["width"]), (&side.into(), &side.into()), "{method}");
        assert_eq!(found["values"].as_array().unwrap().len(), side * side);
        assert_eq!(found, home.json(&line).remove(0), "{method} is seeded");
        let drawn = home.run(&format!("lab map a.png --exact --method {method} -o {method}.png"));
        assert!(drawn.stdout.contains(method), "{drawn:?}");
        assert_eq!(image::image_dimensions(home.path(&format!("{method}.png"))).unwrap(), (64, 64));
    }
    let channel = home.json("lab map a.png --exact --layer block4_conv1 --channel 3 --json").remove(0);
    assert_eq!((&channel["method"], &channel["height"]), (&"channel".into(), &8.into()));
    assert!(channel["class"].is_null());
    let piped = home.run("lab map a.png --exact").stdout;
    assert!(piped.contains("hirescam at block5_conv2") && !piped.contains('\u{2584}'), "{piped}");
    let blocks = home.run("lab map a.png --exact --image-protocol halfblocks").stdout;
    assert!(
        blocks.contains("hirescam at block5_conv2 of minivgg") && blocks.contains('\u{2584}'),
        "{blocks}"
    );
}

#[test]
fn a_hirescam_adds_up_to_the_logit_less_the_bias() {
    let home = Home::new();
    write_png(&home.path("a.png"), &picture("image/64", 64));
    let sum = |class: usize| -> f64 {
        let line = format!("lab map a.png --exact --layer block5_conv2 --class {class} --json");
        let found = home.json(&line).remove(0);
        found["values"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).sum()
    };
    let line = "lab attribute a.png --exact --layer block5_conv2 --class 31 --against 12 --json";
    let attributed = home.json(line).remove(0);
    let margin = attributed["margin"].as_f64().unwrap() - attributed["bias"].as_f64().unwrap();
    assert!((sum(31) - sum(12) - margin).abs() < 1e-4);
}

#[test]
fn random_weights_destroy_a_map() {
    let home = Home::new();
    write_png(&home.path("a.png"), &picture("image/64", 64));
    for method in ["hirescam", "saliency"] {
        let layer = if method == "hirescam" { "--layer block3_conv1" } else { "" };
        let line = format!("lab map a.png --exact --method {method} {layer} --randomised --json");
        let alike = home.json(&line)[0]["randomised"].as_f64().unwrap();
        assert!(alike.abs() < 0.5, "{method}: {alike}");
    }
}

#[test]
fn maps_that_cannot_be_are_refused() {
    let home = Home::new();
    write_png(&home.path("a.png"), &picture("image/64", 64));
    for (line, told) in [
        ("--method saliency --layer block4_conv1", "leave --layer out"),
        ("--method channel", "needs --channel"),
        ("--method gradcam --channel 3", "is of a class"),
        ("--layer block4_conv1 --channel 160", "has the channels 0 to 159"),
        ("--class 99", "0 to 63"),
        ("--layer predictions -o x.txt", "no name for a picture"),
    ] {
        let outcome = home.run(&format!("lab map a.png --exact {line}"));
        assert!(outcome.refusal(2).contains(told), "{line}: {outcome:?}");
    }
}
