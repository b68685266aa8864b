//! `--input`: what a weights file's network was trained to see, which is applied, remembered and written down.

use std::fs;

use trepang::engine::Picture;
use trepang_api::{Array, Preprocess, Reference, Weights};
use trepang_weights::{Architecture, Dialect, MadeUp, TensorSource, Trained, minivgg};

use crate::binary::{Home, write_png};
use crate::library::{noise_picture, on_cpu, with_tensor, write_weights};

/// The logits of minivgg on numbers that need no preprocessing: `values(channel, rgb)` is the network's input.
fn logits_by_hand(picture: &Picture, values: impl Fn(usize, [f32; 3]) -> f32) -> Vec<f32> {
    let trained = minivgg().unwrap();
    let none = Preprocess { scale: [1.0; 3], shift: [0.0; 3], trained_on_bgr: false };
    let network = trained.network.clone().with_preprocess(none);
    let at = [network.logits().unwrap()];
    let pixels = |c: usize| {
        let values = &values;
        picture.rgb.chunks_exact(3).map(move |rgb| values(c, [rgb[0], rgb[1], rgb[2]].map(f32::from)))
    };
    let data = (0..3).flat_map(pixels).collect();
    let seen = Array::new([1, 3, picture.height, picture.width], data).unwrap();
    let trained = Trained { network, ..trained };
    on_cpu(&Reference, &trained).activations(&seen, &at).unwrap().remove(0).into_data()
}

fn check_logits(home: &Home, flags: &str, expected: &[f32]) {
    let line = home.json(&format!("predict {flags} a.png --exact --top 64 --json")).remove(0);
    let largest = expected.iter().fold(0.0_f32, |largest, logit| largest.max(logit.abs()));
    for class in line["top"].as_array().unwrap() {
        let found = class["logit"].as_f64().unwrap();
        let expected = f64::from(expected[class["class"].as_u64().unwrap() as usize]);
        // Rounding: the backends add in another order.
        assert!((found - expected).abs() < 1e-4 * f64::from(largest), "{flags}: {found} for {expected}");
    }
}

fn home_with_weights() -> Home {
    let home = Home::new();
    write_weights(&home.path("own.safetensors"), &minivgg().unwrap().weights);
    write_png(&home.path("a.png"), &noise_picture(3, 64));
    home
}

/// A way from R, G, B in 0..255 to the network's input.
type ByHand = fn(usize, [f32; 3]) -> f32;

#[test]
fn every_input_is_what_its_formula_says() {
    let home = home_with_weights();
    let cases: [(&str, ByHand); 8] = [
        ("torch", |c, rgb| (rgb[c] / 255.0 - [0.485, 0.456, 0.406][c]) / [0.229, 0.224, 0.225][c]),
        ("tf", |c, rgb| rgb[c] / 127.5 - 1.0),
        ("caffe", |c, rgb| rgb[2 - c] - [103.939, 116.779, 123.68][c]),
        ("clip", |c, rgb| {
            (rgb[c] / 255.0 - [0.481_454_66, 0.457_827_5, 0.408_210_73][c])
                / [0.268_629_54, 0.261_302_6, 0.275_777_1][c]
        }),
        ("inceptionv1", |c, rgb| rgb[c] - 117.0),
        ("unit:bgr", |c, rgb| rgb[2 - c] / 255.0),
        ("255", |c, rgb| rgb[c]),
        ("0.1,0.2,0.3/0.5,0.25,0.2:bgr", |c, rgb| {
            (rgb[2 - c] / 255.0 - [0.3, 0.2, 0.1][c]) / [0.2, 0.25, 0.5][c]
        }),
    ];
    for (input, by_hand) in cases {
        let expected = logits_by_hand(&noise_picture(3, 64), by_hand);
        check_logits(&home, &format!("--weights own.safetensors --input {input}"), &expected);
    }
}

#[test]
fn bgr_is_the_same_as_a_file_whose_first_kernel_is_turned() {
    let home = home_with_weights();
    let turned = with_tensor("block1_conv1.weight", |kernel| {
        let plane = kernel.shape()[2] * kernel.shape()[3];
        for kernel in kernel.data_mut().chunks_exact_mut(3 * plane) {
            let (first, rest) = kernel.split_at_mut(plane);
            first.swap_with_slice(&mut rest[plane..]);
        }
    });
    write_weights(&home.path("turned.safetensors"), &turned.weights);
    for input in ["torch", "tf", "0.4,0.5,0.6/0.2,0.3,0.4"] {
        let top =
            |flags: &str| home.json(&format!("predict --weights {flags} a.png --json"))[0]["top"].clone();
        assert_eq!(
            top(&format!("own.safetensors --input {input}:bgr")),
            top(&format!("turned.safetensors --input {input}"))
        );
    }
}

#[test]
fn an_input_is_remembered_for_a_file_until_it_is_forgotten() {
    let home = home_with_weights();
    let about = |flags: &str| {
        let about = home.json(&format!("info {flags} --json")).remove(0);
        let text = |field: &str| about[field].as_str().unwrap().to_owned();
        (text("preprocessing"), text("preprocessing_from"))
    };
    let own = about("own.safetensors");
    assert_eq!(own.1, "published");
    home.json("predict --weights own.safetensors --input tf a.png --json");
    fs::copy(home.path("own.safetensors"), home.path("copy.safetensors")).unwrap();
    let expected = "RGB of 0..255 / 127.5 - 1 (--input tf)".to_owned();
    assert_eq!(about("copy.safetensors"), (expected, "remembered".to_owned()));
    check_logits(
        &home,
        "--weights copy.safetensors",
        &logits_by_hand(&noise_picture(3, 64), |c, rgb| rgb[c] / 127.5 - 1.0),
    );
    // Another file is another matter.
    let other = with_tensor("block2_conv1.bias", |bias| bias.data_mut()[5] += 0.5);
    write_weights(&home.path("other.safetensors"), &other.weights);
    assert_eq!(about("other.safetensors"), own);
    assert_eq!(about("own.safetensors --input unit").1, "given");
    assert_eq!(about("own.safetensors").0, "RGB of 0..1 (--input unit)");
    assert_eq!(about("own.safetensors --input forget"), own);
    assert_eq!(about("copy.safetensors"), own);
}

#[test]
fn a_run_keeps_its_input_whatever_is_remembered_later() {
    let home = home_with_weights();
    let flags = "--layer block2_conv1 --channel 5 --recipe original --size 32 --steps 2 --json";
    home.json(&format!("render --weights own.safetensors {flags} -o own.png"));
    home.json(&format!(
        "render --weights own.safetensors --input 0.5,0.5,0.5/0.25,0.5,0.25:bgr {flags} -o given.png"
    ));
    home.json(&format!("render --weights own.safetensors {flags} -o remembered.png"));
    assert_eq!(home.read("given.png"), home.read("remembered.png"));
    assert_ne!(home.read("own.png"), home.read("given.png"));
    home.json("info own.safetensors --input clip --json");
    for name in ["own.png", "given.png"] {
        home.json(&format!("render --from {name} --json -o again.png"));
        assert!(home.read("again.png") == home.read(name), "{name}");
    }
    let outcome = home.run("render --from given.png --weights own.safetensors --input tf -o no.png");
    let expected = "that run was made with --input 0.5,0.5,0.5/0.25,0.5,0.25:bgr; leave --input out";
    assert!(outcome.refusal(2).ends_with(expected), "{outcome:?}");
}

#[test]
fn what_cannot_be_an_input_is_a_usage_error() {
    let home = home_with_weights();
    for (flags, part) in [
        (
            "--weights own.safetensors --input imagenet",
            "torch, tf, caffe, clip, inceptionv1, unit, 255 or MEAN/STD",
        ),
        ("--weights own.safetensors --input 0,0,0/1,0,1", "no deviation may be 0 or less"),
        ("--input torch", "name it with --weights or --network"),
    ] {
        let outcome = home.run(&format!("predict {flags} a.png"));
        assert!(outcome.refusal(2).contains(part), "{outcome:?}");
    }
}

#[test]
fn a_training_that_only_names_indicate_is_told() {
    let home = Home::new();
    let made_up = MadeUp::new(Architecture::EfficientnetLite0, Dialect::Lite, false).unwrap();
    let mut weights = Weights::default();
    for (at, tensor) in made_up.tensors().iter().enumerate() {
        weights.insert(format!("net.{}", tensor.name), made_up.read(at).unwrap());
    }
    write_weights(&home.path("lite.safetensors"), &weights);
    assert_eq!(home.json("info lite.safetensors --json")[0]["preprocessing_from"], "names");
    let render = "render --network efficientnet_lite0 --weights lite.safetensors --layer block1a_project_bn --channel 1 \
                  --recipe pixel --size 32 --steps 1 --json -o a.png";
    let outcome = home.run(render);
    let expected = "trepang: lite.safetensors is taken for efficientnet-lite's training by its names, which sees RGB of \
                    0..255, (x - 127) / 128; --input says otherwise\n";
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), expected));
    home.json(&format!("{render} --input tf"));
    home.json(render); // remembered, so nothing is assumed
}
