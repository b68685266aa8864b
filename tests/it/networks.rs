//! Whole networks against Keras and torchvision: `tests/golden/make_networks.py` ran them with weights made up from
//! their names, at full size; the same weights go through the readers' conversion here.

use std::sync::LazyLock;

use trepang::engine::{Ascent, Objective, Pictures, Plan, Recipe, Start};
use trepang::runs::read_picture;
use trepang_api::{Backend, Reference, Weights, find_device};
use trepang_weights::{Architecture, Dialect, MadeUp, Trained};

use crate::golden::{Case, read};
use crate::library::{apart, backends, default_backend, repository};
use crate::made_up::picture;

/// Of a gradient's root mean square. Rounding lets another number win a max pool or a ReLU here and there: up to 1.3e-2
/// was seen between correct runs. A wrong axis, factor or padding is far above it.
const GRADIENT_TOLERANCE: f64 = 3e-2;

/// Relative. Correct runs of the seed's loop were 4e-6 apart; another channel or a wrong step is 0.3 to 40 % off.
const SEED_LOSS_TOLERANCE: f64 = 1e-3;

/// Of the saved bytes, how many are within 2 of TensorFlow's: 99.99 % between correct runs, 60 to 77 % after a mistake.
const SEED_PICTURE_SHARE: f64 = 0.99;

static GOLDEN: LazyLock<Weights> = LazyLock::new(|| read("networks.safetensors"));

/// The layers that the script looked at, and the channel whose mean it differentiated.
fn looked_at(architecture: Architecture) -> (&'static [&'static str], &'static str, usize) {
    match architecture {
        Architecture::Vgg16 => (&["block1_conv2", "block3_conv1", "block5_conv3", "fc1"], "block4_conv2", 7),
        Architecture::Vgg19 => (&["block1_conv2", "block3_conv1", "block5_conv4", "fc1"], "block5_conv4", 11),
        Architecture::Resnet50 => {
            (&["pool1_pool", "conv3_block4_out", "conv5_block3_out"], "conv4_block6_out", 11)
        }
        Architecture::InceptionV3 => (&["mixed0", "mixed3", "mixed7", "mixed10"], "mixed7", 33),
        other => panic!("the script has no {other}"),
    }
}

/// A network with made-up weights, as the script ran it: whole at its own size, without its classifier at a small one.
fn check(backend: &dyn Backend, architecture: Architecture, dialect: Dialect, size: usize) {
    let suffix = if dialect == Dialect::Torchvision { "-torchvision" } else { "" };
    let Trained { network, weights, .. } =
        MadeUp::new(architecture, dialect, size >= 224).unwrap().load().unwrap();
    let mut case = Case::new(&GOLDEN, (format!("{architecture}{suffix}"), size), (network, weights), backend);
    let picture = picture(&format!("image/{size}"), size);
    let (layers, layer, channel) = looked_at(architecture);
    case.check_activations(&picture, layers);
    case.check_gradient(&picture, (layer, channel), GRADIENT_TOLERANCE);
}

fn check_at_full_size(architecture: Architecture) {
    let size = if architecture == Architecture::InceptionV3 { 299 } else { 224 };
    for backend in backends(2).iter().filter(|backend| backend.name() != Reference.name()) {
        for dialect in [Dialect::Keras, Dialect::Torchvision] {
            check(backend.as_ref(), architecture, dialect, size);
        }
    }
}

#[test]
fn vgg16_computes_what_keras_and_torchvision_compute() {
    check_at_full_size(Architecture::Vgg16);
}

#[test]
fn vgg19_computes_what_keras_and_torchvision_compute() {
    check_at_full_size(Architecture::Vgg19);
}

#[test]
fn resnet50_computes_what_keras_and_torchvision_compute() {
    check_at_full_size(Architecture::Resnet50);
}

#[test]
fn inception_v3_computes_what_keras_and_torchvision_compute() {
    check_at_full_size(Architecture::InceptionV3);
}

#[test]
fn the_reference_computes_vgg_at_a_small_size() {
    check(&Reference, Architecture::Vgg19, Dialect::Keras, 64);
    check(&Reference, Architecture::Vgg16, Dialect::Torchvision, 64);
}

#[test]
fn the_reference_computes_resnet50_at_a_small_size() {
    check(&Reference, Architecture::Resnet50, Dialect::Keras, 64);
    check(&Reference, Architecture::Resnet50, Dialect::Torchvision, 64);
}

#[test]
fn the_reference_computes_inception_v3_at_a_small_size() {
    check(&Reference, Architecture::InceptionV3, Dialect::Keras, 96);
    check(&Reference, Architecture::InceptionV3, Dialect::Torchvision, 96);
}

/// The seed's own program, run by TensorFlow: ten steps on Keras's VGG19.
#[test]
fn the_recipe_seed_does_what_the_seed_did_in_tensorflow() {
    let Trained { network, weights, .. } = MadeUp::for_the_seed().unwrap().load().unwrap();
    let backend = default_backend(2);
    let cpu = find_device(backend.as_ref(), "cpu").unwrap();
    let mut model = backend.load(&network, &weights, &cpu).unwrap();
    let start = picture("seed-start", 224);
    let plan = Plan {
        start: Start::Picture { file: "seed-start".into(), sha256: String::new() },
        steps: 10,
        ..Plan::new(Objective::channel("block5_conv4", 4), Recipe::named("seed").unwrap(), 224)
    };
    let pictures = Pictures::from([("seed-start".to_owned(), start)]);
    let mut ascent = Ascent::new(plan, &network, &pictures).unwrap();
    for (step, &expected) in (1..).zip(GOLDEN.get("seed.losses").unwrap().data()) {
        let loss = ascent.step(model.as_mut()).unwrap().loss;
        assert!(apart(loss, expected.into()) <= SEED_LOSS_TOLERANCE, "step {step}: {loss} for {expected}");
    }
    let saved = read_picture(&repository("tests/golden/seed-vgg19.png")).unwrap();
    let found = ascent.picture();
    let close = found.rgb.iter().zip(&saved.rgb).filter(|(f, e)| f.abs_diff(**e) <= 2).count();
    let share = close as f64 / saved.rgb.len() as f64;
    assert!(share >= SEED_PICTURE_SHARE, "{share} of the bytes are within 2");
}
