//! Tests that every format returns the numbers that were written, in the file's order and under the file's names.

use trepang_weights::{FileFormat, SafetensorsFile, TensorSource};

use crate::{fixture, open};

/// Lists every tensor as `layer name [shape] dtype`.
fn listing(source: &dyn TensorSource) -> Vec<String> {
    let line = |tensor: &trepang_weights::TensorInfo| {
        let layer = tensor.layer.as_deref().unwrap_or("-");
        format!("{layer} {} {:?} {}", tensor.name, tensor.shape, tensor.dtype)
    };
    source.tensors().iter().map(line).collect()
}

/// Checks that the numbers of the tensor at `index` are 0, 0.5, 1, ...
fn check_halves(source: &dyn TensorSource, index: usize) {
    let array = source.read(index).unwrap();
    let halves: Vec<f32> = (0..array.data().len()).map(|i| i as f32 * 0.5).collect();
    assert_eq!(array.data(), halves, "{}", source.tensors()[index].name);
    assert_eq!(array.shape(), source.tensors()[index].shape);
}

/// Checks that the file holds the network of `keras.safetensors`. `rename` converts a tensor's name to its name there.
fn check_keras(name: &str, format: FileFormat, listed: [&str; 8], rename: fn(&str) -> String) {
    let source = open(name);
    assert_eq!(source.format(), format, "{name}");
    assert_eq!(source.path(), fixture(name));
    assert_eq!(listing(&*source), listed, "{name}");
    let bytes = std::fs::read(fixture("keras.safetensors")).unwrap();
    let expected = trepang_weights::read_safetensors(&bytes, &fixture("keras.safetensors")).unwrap();
    for (index, tensor) in source.tensors().iter().enumerate() {
        let expected = expected.get(&rename(&tensor.name)).unwrap();
        assert_eq!(&source.read(index).unwrap(), expected, "{name}: {}", tensor.name);
    }
}

#[test]
fn keras_legacy_files_of_weights() {
    let listed = [
        "block1_conv1 block1_conv1/kernel:0 [3, 3, 3, 4] F32",
        "block1_conv1 block1_conv1/bias:0 [4] F32",
        "bn bn/gamma:0 [4] F32",
        "bn bn/beta:0 [4] F32",
        "bn bn/moving_mean:0 [4] F32",
        "bn bn/moving_variance:0 [4] F32",
        "fc1 fc1/kernel:0 [64, 5] F32",
        "fc1 fc1/bias:0 [5] F32",
    ];
    for name in ["legacy_v0.h5", "legacy_latest.h5", "legacy_gzip.h5"] {
        check_keras(name, FileFormat::KerasLegacy, listed, |name| name.trim_end_matches(":0").into());
        let metadata = open(name).metadata().clone();
        assert_eq!(metadata["keras_version"], "2.0.0");
        assert_eq!(metadata["backend"], "tensorflow");
    }
}

#[test]
fn keras_legacy_files_of_a_whole_model() {
    let listed = [
        "block1_conv1 block1_conv1/kernel [3, 3, 3, 4] F32",
        "block1_conv1 block1_conv1/bias [4] F32",
        "bn bn/gamma [4] F32",
        "bn bn/beta [4] F32",
        "bn bn/moving_mean [4] F32",
        "bn bn/moving_variance [4] F32",
        "fc1 fc1/kernel [64, 5] F32",
        "fc1 fc1/bias [5] F32",
    ];
    check_keras("k3_legacy_model.h5", FileFormat::KerasLegacy, listed, str::to_owned);
}

#[test]
fn keras_3_files() {
    let listed = [
        "layers/batch_normalization layers/batch_normalization/vars/0 [4] F32",
        "layers/batch_normalization layers/batch_normalization/vars/1 [4] F32",
        "layers/batch_normalization layers/batch_normalization/vars/2 [4] F32",
        "layers/batch_normalization layers/batch_normalization/vars/3 [4] F32",
        "layers/conv2d layers/conv2d/vars/0 [3, 3, 3, 4] F32",
        "layers/conv2d layers/conv2d/vars/1 [4] F32",
        "layers/dense layers/dense/vars/0 [64, 5] F32",
        "layers/dense layers/dense/vars/1 [5] F32",
    ];
    let rename = |path: &str| {
        let names = [
            ("layers/batch_normalization/vars/0", "bn/gamma"),
            ("layers/batch_normalization/vars/1", "bn/beta"),
            ("layers/batch_normalization/vars/2", "bn/moving_mean"),
            ("layers/batch_normalization/vars/3", "bn/moving_variance"),
            ("layers/conv2d/vars/0", "block1_conv1/kernel"),
            ("layers/conv2d/vars/1", "block1_conv1/bias"),
            ("layers/dense/vars/0", "fc1/kernel"),
            ("layers/dense/vars/1", "fc1/bias"),
        ];
        names.iter().find(|(known, _)| *known == path).unwrap().1.into()
    };
    for name in ["k3.weights.h5", "k3.keras"] {
        check_keras(name, FileFormat::Keras3, listed, rename);
        assert_eq!(open(name).metadata()["layers/dense"], "fc1");
    }
}

#[test]
fn keras_1_and_lists_of_layers_in_parts() {
    let source = open("keras1_split.h5");
    let listed = [
        "conv_2 conv_2_W_1:0 [1, 1, 2, 3] F32",
        "conv_2 conv_2_b_1:0 [3] F32",
        "conv_10 conv_10_W_1:0 [1, 1, 3, 2] F32",
    ];
    assert_eq!(listing(&*source), listed);
    for index in 0..3 {
        check_halves(&*source, index);
    }
}

#[test]
fn names_that_several_layers_have_become_paths() {
    let listed = ["b b/kernel [2] F32", "b b/bias [1] F32", "a a/kernel [3] F32"];
    assert_eq!(listing(&*open("same_names.h5")), listed);
}

#[test]
fn the_layers_of_a_model_inside_a_keras_model() {
    let listed = [
        "trunk/conv conv/kernel:0 [1, 1, 3, 2] F32",
        "trunk/bn bn/gamma:0 [2] F32",
        "trunk/bn bn/beta:0 [2] F32",
        "trunk/bn bn/moving_mean:0 [2] F32",
        "trunk/bn bn/moving_variance:0 [2] F32",
        "trunk/last last/kernel:0 [2, 1] F32",
        "head sequential/head/kernel:0 [1, 2] F32",
        "head sequential/head/bias:0 [2] F32",
    ];
    let source = open("nested.h5");
    assert_eq!(listing(&*source), listed);
    check_halves(&*source, 0);
}

#[test]
fn every_type_of_number_in_hdf5() {
    let source = open("types.weights.h5");
    let numbered =
        |n: &str, dtype| format!("block1/layers/conv2d{n} block1/layers/conv2d{n}/vars/0 [4] {dtype}");
    let listed = [
        numbered("", "F32"),
        numbered("_2", "F32"),
        numbered("_4", "F16"),
        numbered("_6", "F64"),
        numbered("_8", "I64"),
        numbered("_10", "U8"),
        numbered("_12", "BF16"),
    ];
    assert_eq!(listing(&*source), listed);
    for index in [0, 1, 2, 3, 6] {
        check_halves(&*source, index);
    }
    let error = source.read(4).unwrap_err().to_string();
    assert!(error.ends_with("holds I64; weights are F32, F16, BF16 or F64"), "{error}");
}

#[test]
fn pytorch_files() {
    let check = |name, format| {
        let source = open(name);
        assert_eq!(source.format(), format, "{name}");
        let listed = ["- features.0.weight [4, 3, 3, 3] F32", "- features.0.bias [4] F32"];
        assert_eq!(listing(&*source), listed, "{name}");
        for index in 0..2 {
            check_halves(&*source, index);
        }
    };
    check("zip_v2.pth", FileFormat::PytorchZip);
    check("zip_protocol4.pth", FileFormat::PytorchZip);
    check("zip_no_checksums.pth", FileFormat::PytorchZip);
    check("legacy_v1.pth", FileFormat::PytorchLegacy);
    check("legacy_v2.pth", FileFormat::PytorchLegacy);
    assert_eq!(open("zip_v2.pth").metadata()["version"], "3");
}

#[test]
fn tensors_in_dictionaries_are_listed_with_every_key() {
    let source = open("nested.pth"); // a checkpoint of a training on several GPUs
    let listed = listing(&*source);
    for name in ["state_dict.module.features.0.weight [4, 3, 3, 3]", "state_dict.module.features.0.bias [4]"]
    {
        assert!(listed.iter().any(|line| line.contains(name)), "{listed:?}");
    }
}

#[test]
fn pytorch_keeps_the_files_order_and_undoes_strides() {
    let source = open("mixed.pth");
    assert_eq!(listing(&*source), ["- b [3, 2] F32", "- a.10 [1] F32", "- a.9 [] I64"]);
    assert_eq!(source.read(0).unwrap().data(), [0.0, 1.5, 0.5, 2.0, 1.0, 2.5]);
}

#[test]
fn safetensors_are_shared_without_a_copy() {
    let source = open("keras.safetensors");
    assert_eq!(source.format(), FileFormat::Safetensors);
    let file = SafetensorsFile::open(&fixture("keras.safetensors")).unwrap();
    assert_eq!(file.tensors(), source.tensors());
    for index in 0..file.tensors().len() {
        let shared = file.shared_f32(index).unwrap();
        assert_eq!(shared.as_ref(), source.read(index).unwrap().data());
        let again = file.shared_f32(index).unwrap();
        assert_eq!(shared.as_ref().as_ptr(), again.as_ref().as_ptr());
    }
    assert!(file.shared_f32(file.tensors().len()).is_none());
    let shared = file.shared_f32(0).unwrap();
    drop(file);
    assert!(shared.as_ref().iter().all(|number| number.is_finite())); // the file is still mapped
}

#[test]
fn safetensors_of_other_types_are_not_shared() {
    let path = fixture("../../minivgg/minivgg.safetensors");
    let file = SafetensorsFile::open(&path).unwrap();
    assert_eq!(file.tensors()[0].dtype, "F16");
    assert!(file.shared_f32(0).is_none());
}
