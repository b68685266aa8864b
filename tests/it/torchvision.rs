//! The networks that only torchvision has, against torchvision: `tests/golden/make_torchvision.py` ran them with weights
//! made up from their names. Small pictures here; full ones where the ignored tests are asked for (`.ci/full`).

use std::sync::LazyLock;

use trepang_api::{Backend, Weights};
use trepang_weights::{Architecture, Dialect, MadeUp, Trained};

use crate::golden::{Case, read};
use crate::library::{default_backend, fast_backends, on_cpu};
use crate::made_up::picture;

/// Of a gradient's root mean square, at full size, without an account of near-ties: as for the networks in `networks`.
const FULL_SIZE_TOLERANCE: f64 = 6e-2;

/// The same at a small size, once the near-ties are accounted for.
const SMALL_SIZE_TOLERANCE: f64 = 1e-4;

const FULL: usize = 224;
const SMALL: usize = 64;

static GOLDEN: LazyLock<Weights> = LazyLock::new(|| read("torchvision.safetensors"));

/// The layers that the script looked at, and the channel whose mean it differentiated.
fn looked_at(architecture: Architecture) -> (&'static [&'static str], (&'static str, usize)) {
    match architecture {
        Architecture::Vgg11 => {
            (&["features.1", "features.5", "features.10", "classifier.0"], ("features.14", 7))
        }
        Architecture::Vgg13 => {
            (&["features.3", "features.9", "features.20", "classifier.4"], ("features.18", 7))
        }
        Architecture::Vgg16Bn => {
            (&["features.1", "features.13", "features.41", "classifier.0"], ("features.32", 7))
        }
        Architecture::Vgg19Bn => {
            (&["features.4", "features.26", "features.50", "classifier.4"], ("features.38", 7))
        }
        Architecture::Resnet18 => {
            (&["bn1", "maxpool", "layer1.0.bn1", "layer2.0.downsample", "layer4.1"], ("layer3.1", 11))
        }
        Architecture::Resnet34 => (&["maxpool", "layer2.3.bn2", "layer4.2"], ("layer3.5", 11)),
        Architecture::Resnet101 => (&["maxpool", "layer2.3.bn3", "layer4.2"], ("layer3.22", 11)),
        Architecture::Resnet152 => (&["maxpool", "layer2.7.bn3", "layer4.2"], ("layer3.35", 11)),
        Architecture::WideResnet50 => (&["layer1.0.bn1", "layer2.3", "layer4.2"], ("layer3.5", 11)),
        Architecture::Resnext50 => (&["layer1.0.bn2", "layer2.0.bn2", "layer4.2"], ("layer3.5", 11)),
        Architecture::Alexnet => (&["features.2", "features.7", "classifier.1"], ("features.9", 7)),
        Architecture::Googlenet => {
            (&["maxpool1", "inception3a.branch2", "inception4c", "inception5b"], ("inception4b", 11))
        }
        Architecture::MobilenetV2 => (
            &["features.0", "features.2.conv.0", "features.3", "features.14.conv.3", "features.18"],
            ("features.10", 11),
        ),
        Architecture::MobilenetV3Large => (
            &["features.1", "features.4.block.2", "features.7", "features.13.block.0.1", "features.16"],
            ("features.11", 11),
        ),
        Architecture::EfficientnetB0 => (
            &["features.0", "features.1.0.block.1", "features.3", "features.5.1.block.0.1", "features.8"],
            ("features.4", 11),
        ),
        Architecture::RegnetY400mf => (
            &[
                "stem",
                "trunk_output.block1.block1-0.f.se",
                "trunk_output.block2",
                "trunk_output.block3.block3-0.proj",
                "trunk_output",
            ],
            ("trunk_output.block2.block2-2", 11),
        ),
        Architecture::ShufflenetV2 => {
            (&["maxpool", "stage2.0.branch1", "stage2.3", "stage3.4.branch2", "conv5"], ("stage3", 11))
        }
        Architecture::Squeezenet11 => (
            &["features.2", "features.3.squeeze", "features.6", "features.12", "classifier.1"],
            ("features.9", 11),
        ),
        Architecture::Densenet121 => (
            &[
                "features.norm0",
                "features.denseblock1.denselayer2.norm1",
                "features.denseblock2",
                "features.transition2",
                "features.norm5",
            ],
            ("features.denseblock3", 611),
        ),
        Architecture::ConvnextTiny => (
            &["features.0", "features.1.0.block.0", "features.2", "features.5.4", "features.7"],
            ("features.5", 11),
        ),
        other => panic!("the script has no {other}"),
    }
}

fn load(architecture: Architecture, classifier: bool) -> Trained {
    MadeUp::new(architecture, Dialect::Torchvision, classifier).unwrap().load().unwrap()
}

fn case(trained: &Trained, size: usize, backend: &dyn Backend) -> Case {
    let Trained { network, weights, .. } = trained.clone();
    Case::new(&GOLDEN, (network.name().to_owned(), size), (network, weights), backend)
}

/// Activations, and the gradient but for near-ties, of a small picture without the classifier.
fn check_small(architecture: Architecture) {
    let (trained, picture) = (load(architecture, false), picture(&format!("image/{SMALL}"), SMALL));
    let (layers, gradient) = looked_at(architecture);
    let mut jumps = on_cpu(default_backend(2).as_ref(), &trained);
    for backend in fast_backends(2) {
        let mut case = case(&trained, SMALL, backend.as_ref());
        case.check_activations(&picture, layers);
        case.check_gradient_but_for_near_ties(&picture, gradient, SMALL_SIZE_TOLERANCE, jumps.as_mut());
    }
}

/// Activations, logits and the gradient of a picture of the network's own size.
fn check_full(architecture: Architecture) {
    let (trained, picture) = (load(architecture, true), picture(&format!("image/{FULL}"), FULL));
    let (layers, gradient) = looked_at(architecture);
    for backend in fast_backends(2) {
        let mut case = case(&trained, FULL, backend.as_ref());
        case.check_activations(&picture, layers);
        case.check_gradient(&picture, gradient, FULL_SIZE_TOLERANCE);
    }
}

#[test]
fn vgg11_has_torchvisions_gradient_at_a_small_size() {
    check_small(Architecture::Vgg11);
}

#[test]
fn vgg13_has_torchvisions_gradient_at_a_small_size() {
    check_small(Architecture::Vgg13);
}

#[test]
fn vgg16_bn_has_torchvisions_gradient_at_a_small_size() {
    check_small(Architecture::Vgg16Bn);
}

#[test]
fn vgg19_bn_has_torchvisions_gradient_at_a_small_size() {
    check_small(Architecture::Vgg19Bn);
}

#[test]
fn resnet18_has_torchvisions_gradient_at_a_small_size() {
    check_small(Architecture::Resnet18);
}

#[test]
fn resnet34_has_torchvisions_gradient_at_a_small_size() {
    check_small(Architecture::Resnet34);
}

#[test]
fn resnet101_has_torchvisions_gradient_at_a_small_size() {
    check_small(Architecture::Resnet101);
}

#[test]
fn resnet152_has_torchvisions_gradient_at_a_small_size() {
    check_small(Architecture::Resnet152);
}

#[test]
fn wide_resnet50_2_has_torchvisions_gradient_at_a_small_size() {
    check_small(Architecture::WideResnet50);
}

#[test]
fn resnext50_32x4d_has_torchvisions_gradient_at_a_small_size() {
    check_small(Architecture::Resnext50);
}

#[test]
fn alexnet_has_torchvisions_gradient_at_a_small_size() {
    check_small(Architecture::Alexnet);
}

#[test]
fn googlenet_has_torchvisions_gradient_at_a_small_size() {
    check_small(Architecture::Googlenet);
}

#[test]
fn mobilenet_v2_has_torchvisions_gradient_at_a_small_size() {
    check_small(Architecture::MobilenetV2);
}

#[test]
fn mobilenet_v3_large_has_torchvisions_gradient_at_a_small_size() {
    check_small(Architecture::MobilenetV3Large);
}

#[test]
fn efficientnet_b0_has_torchvisions_gradient_at_a_small_size() {
    check_small(Architecture::EfficientnetB0);
}

#[test]
fn regnet_y_400mf_has_torchvisions_gradient_at_a_small_size() {
    check_small(Architecture::RegnetY400mf);
}

#[test]
fn shufflenet_v2_x1_0_has_torchvisions_gradient_at_a_small_size() {
    check_small(Architecture::ShufflenetV2);
}

#[test]
fn squeezenet1_1_has_torchvisions_gradient_at_a_small_size() {
    check_small(Architecture::Squeezenet11);
}

#[test]
fn densenet121_has_torchvisions_gradient_at_a_small_size() {
    check_small(Architecture::Densenet121);
}

#[test]
fn convnext_tiny_has_torchvisions_gradient_at_a_small_size() {
    check_small(Architecture::ConvnextTiny);
}

#[test]
fn squeezenet1_1_computes_what_torchvision_computes() {
    check_full(Architecture::Squeezenet11);
}

#[test]
fn resnext50_32x4d_computes_what_torchvision_computes() {
    check_full(Architecture::Resnext50);
}

#[test]
fn resnet18_computes_what_torchvision_computes() {
    check_full(Architecture::Resnet18);
}

#[test]
#[ignore = "takes long; .ci/full asks for it"]
fn networks_of_torchvision_alone_compute_the_same_at_full_size() {
    for architecture in [
        Architecture::Vgg11,
        Architecture::Vgg13,
        Architecture::Vgg16Bn,
        Architecture::Vgg19Bn,
        Architecture::Resnet34,
        Architecture::Resnet101,
        Architecture::Resnet152,
        Architecture::WideResnet50,
        Architecture::Alexnet,
        Architecture::Googlenet,
        Architecture::MobilenetV2,
        Architecture::MobilenetV3Large,
        Architecture::EfficientnetB0,
        Architecture::RegnetY400mf,
        Architecture::ShufflenetV2,
        Architecture::Densenet121,
        Architecture::ConvnextTiny,
    ] {
        check_full(architecture);
    }
}
