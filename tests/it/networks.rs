//! Whole networks against Keras and torchvision: `tests/golden/make_networks.py` ran them with weights made up from
//! their names, at full size; the same weights go through the readers' conversion here.

use std::sync::LazyLock;

use trepang::engine::{Ascent, Objective, Picture, Pictures, Plan, Recipe, Start};
use trepang::runs::read_picture;
use trepang_api::{Backend, Reference, Weights, find_device};
use trepang_weights::{Architecture, Dialect, MadeUp, Trained};

use crate::golden::{Case, read};
use crate::library::{apart, default_backend, fast_backends, on_cpu, repository};
use crate::made_up::picture;
use crate::wrapped::Skewed;

/// Of a gradient's root mean square, at full size, where rounding lets another number win a max pool or a ReLU here and
/// there: up to 1.5e-2 was seen between correct runs. A wrong axis, factor or padding is far above it.
const FULL_SIZE_TOLERANCE: f64 = 6e-2;

/// The same at a small size, once the near-ties are accounted for: 4e-6 was seen, and as much as 3e-3 with them.
const SMALL_SIZE_TOLERANCE: f64 = 1e-4;

/// Relative. Correct runs of the original program's loop were 4e-6 apart; another channel or a wrong step is 0.3 to 40 %
/// off.
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
struct GoldenNetwork {
    name: (String, usize),
    trained: Trained,
    picture: Picture,
    layers: &'static [&'static str],
    gradient: (&'static str, usize),
}

impl GoldenNetwork {
    fn new(architecture: Architecture, dialect: Dialect, size: usize) -> Self {
        let suffix = if dialect == Dialect::Torchvision { "-torchvision" } else { "" };
        let (layers, layer, channel) = looked_at(architecture);
        Self {
            name: (format!("{architecture}{suffix}"), size),
            trained: MadeUp::new(architecture, dialect, size >= 224).unwrap().load().unwrap(),
            picture: picture(&format!("image/{size}"), size),
            layers,
            gradient: (layer, channel),
        }
    }

    fn case(&self, backend: &dyn Backend) -> Case {
        let Trained { network, weights, .. } = self.trained.clone();
        Case::new(&GOLDEN, self.name.clone(), (network, weights), backend)
    }
}

fn check_at_small_size(architecture: Architecture, size: usize) {
    for dialect in [Dialect::Keras, Dialect::Torchvision] {
        let golden = GoldenNetwork::new(architecture, dialect, size);
        let mut jumps = on_cpu(default_backend(2).as_ref(), &golden.trained);
        for backend in fast_backends(2).into_iter().chain([Box::new(Reference) as Box<dyn Backend>]) {
            let mut case = golden.case(backend.as_ref());
            case.check_activations(&golden.picture, golden.layers);
            case.check_gradient_but_for_near_ties(
                &golden.picture,
                golden.gradient,
                SMALL_SIZE_TOLERANCE,
                jumps.as_mut(),
            );
        }
    }
}

fn check_at_full_size(architecture: Architecture) {
    let size = if architecture == Architecture::InceptionV3 { 299 } else { 224 };
    for backend in fast_backends(2) {
        for dialect in [Dialect::Keras, Dialect::Torchvision] {
            let golden = GoldenNetwork::new(architecture, dialect, size);
            let mut case = golden.case(backend.as_ref());
            case.check_activations(&golden.picture, golden.layers);
            case.check_gradient(&golden.picture, golden.gradient, FULL_SIZE_TOLERANCE);
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
fn vgg16_has_the_frameworks_gradient_at_a_small_size() {
    check_at_small_size(Architecture::Vgg16, 64);
}

#[test]
fn vgg19_has_the_frameworks_gradient_at_a_small_size() {
    check_at_small_size(Architecture::Vgg19, 64);
}

#[test]
fn resnet50_has_the_frameworks_gradient_at_a_small_size() {
    check_at_small_size(Architecture::Resnet50, 64);
}

#[test]
fn inception_v3_has_the_frameworks_gradient_at_a_small_size() {
    check_at_small_size(Architecture::InceptionV3, 96);
}

/// Of a whole network, too, near-ties hide neither a gradient 1 % too long nor a wrong weight.
#[test]
fn near_ties_hide_no_mistake_from_a_sampled_gradient() {
    let mut golden = GoldenNetwork::new(Architecture::Vgg16, Dialect::Keras, 64);
    let backend = default_backend(2);
    let mut right = on_cpu(backend.as_ref(), &golden.trained);
    let skewed = Skewed { backend, factor: 1.01 };
    let mut apart = |backend: &dyn Backend, golden: &GoldenNetwork| {
        let mut case = golden.case(backend);
        case.apart_but_for_near_ties(&golden.picture, golden.gradient, SMALL_SIZE_TOLERANCE, right.as_mut())
    };
    assert!(apart(&skewed, &golden) > 10.0 * SMALL_SIZE_TOLERANCE);
    let mut kernel = golden.trained.weights.remove("block3_conv2.weight").unwrap();
    kernel.data_mut().iter_mut().step_by(1000).for_each(|weight| *weight = -*weight);
    golden.trained.weights.insert("block3_conv2.weight", kernel);
    assert!(apart(&skewed, &golden) > 10.0 * SMALL_SIZE_TOLERANCE);
}

/// The original program, run by TensorFlow: ten steps on Keras's VGG19.
#[test]
fn original_takes_the_steps_of_the_program_in_tensorflow() {
    let Trained { network, weights, .. } = MadeUp::for_the_seed().unwrap().load().unwrap();
    let backend = default_backend(2);
    let cpu = find_device(backend.as_ref(), "cpu").unwrap();
    let mut model = backend.load(&network, &weights, &cpu).unwrap();
    let start = picture("seed-start", 224);
    let plan = Plan {
        start: Start::Picture { file: "seed-start".into(), sha256: String::new() },
        steps: 10,
        ..Plan::new(Objective::channel("block5_conv4", 4), Recipe::named("original").unwrap(), 224)
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
