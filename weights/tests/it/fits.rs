//! Tests of recognising a network by the names and shapes of its tensors, in the naming of every framework, and of files
//! that come close. No numbers are read.

use std::collections::BTreeMap;
use std::path::Path;

use trepang_api::Array;
use trepang_weights::{
    Architecture, Dialect, FileFormat, Result, TensorInfo, TensorSource, fit, recognise, tensors_of,
};

/// A file that has only names and shapes of tensors.
#[derive(Debug)]
pub(crate) struct TensorList {
    format: FileFormat,
    pub(crate) tensors: Vec<TensorInfo>,
    metadata: BTreeMap<String, String>,
}

impl TensorSource for TensorList {
    fn format(&self) -> FileFormat {
        self.format
    }

    fn path(&self) -> &Path {
        Path::new("a-file")
    }

    fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }

    fn read(&self, index: usize) -> Result<Array> {
        Ok(Array::zeros(&*self.tensors[index].shape))
    }

    fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }
}

pub(crate) fn listed(format: FileFormat, tensors: Vec<TensorInfo>) -> TensorList {
    TensorList { format, tensors, metadata: BTreeMap::new() }
}

fn keras(architecture: Architecture) -> TensorList {
    listed(FileFormat::KerasLegacy, tensors_of(architecture, Dialect::Keras, true).unwrap())
}

/// The error of `fit` for a file that does not hold this network.
fn misfit(architecture: Architecture, file: &TensorList) -> String {
    fit(architecture, file).unwrap_err().to_string()
}

/// Renames every layer of a file: `rename(layer)` returns the new name.
fn renamed(file: &mut TensorList, mut rename: impl FnMut(&str) -> String) {
    let mut last: Option<(String, String)> = None;
    for tensor in &mut file.tensors {
        let layer = tensor.layer.clone().unwrap();
        let new = match &last {
            Some((old, new)) if *old == layer => new.clone(),
            _ => rename(&layer),
        };
        last = Some((layer, new.clone()));
        tensor.name = tensor.name.replace(tensor.layer.as_deref().unwrap(), &new);
        tensor.layer = Some(new);
    }
}

const KERAS: [Architecture; 4] =
    [Architecture::Vgg16, Architecture::Vgg19, Architecture::Resnet50, Architecture::InceptionV3];

#[test]
fn every_version_of_every_network_is_recognised() {
    for architecture in Architecture::ALL {
        for &dialect in architecture.dialects() {
            for classifier in [true, false] {
                if (dialect, classifier) == (Dialect::Timm, false) {
                    continue; // its names are torchvision's
                }
                let format =
                    if dialect == Dialect::Keras { FileFormat::KerasLegacy } else { FileFormat::PytorchZip };
                let file = listed(format, tensors_of(architecture, dialect, classifier).unwrap());
                let fit = recognise(&file).unwrap_or_else(|| panic!("{architecture} {dialect} {classifier}"));
                assert_eq!((fit.architecture, fit.dialect), (architecture, dialect));
                let has_classes = architecture.network(dialect, classifier).unwrap().logits().is_some();
                assert_eq!(fit.classifier, has_classes, "{architecture}");
            }
        }
    }
}

#[test]
fn keras_3_numbers_its_layers_in_the_order_of_its_files() {
    for architecture in KERAS {
        let mut file = keras(architecture);
        file.format = FileFormat::Keras3;
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        renamed(&mut file, |layer| {
            let kind = match layer {
                _ if layer.contains("bn") || layer.contains("normalization") => "batch_normalization",
                _ if layer.contains("conv") => "conv2d",
                _ => "dense",
            };
            let count = counts.entry(kind).or_default();
            *count += 1;
            match *count {
                1 => format!("layers/{kind}"),
                number => format!("layers/{kind}_{}", number - 1),
            }
        });
        let fit = fit(architecture, &file).unwrap();
        assert_eq!((fit.dialect, fit.classifier), (Dialect::Keras, true), "{architecture}");
    }
}

#[test]
fn inceptions_layers_may_start_at_any_number_in_order() {
    let number = |layer: &str| layer.rsplit('_').next().unwrap().parse::<usize>();
    let mut later = keras(Architecture::InceptionV3);
    renamed(&mut later, |layer| match number(layer) {
        Ok(k) => layer.replace(&format!("_{k}"), &format!("_{}", k + 95)),
        Err(_) => layer.into(),
    });
    assert!(fit(Architecture::InceptionV3, &later).is_ok());
    let mut in_order = keras(Architecture::InceptionV3);
    let mut count = 0;
    renamed(&mut in_order, |layer| {
        if layer.starts_with("conv2d") {
            count += 1;
            format!("conv2d_{count}")
        } else {
            layer.into()
        }
    });
    let error = misfit(Architecture::InceptionV3, &in_order);
    assert!(error.contains("not numbered as Keras numbers"), "{error}");
}

#[test]
fn keras_1_had_other_names_for_the_tensors_of_a_layer() {
    let mut file = keras(Architecture::Vgg19);
    for tensor in &mut file.tensors {
        let (layer, role) = tensor.name.split_once('/').unwrap();
        tensor.name = format!("{layer}_{}_1:0", if role == "kernel" { "W" } else { "b" });
    }
    assert_eq!(fit(Architecture::Vgg19, &file).unwrap().architecture, Architecture::Vgg19);
}

#[test]
fn tensors_that_only_training_needs_are_ignored() {
    let mut tensors = tensors_of(Architecture::InceptionV3, Dialect::Torchvision, true).unwrap();
    for name in ["AuxLogits.conv0.conv.weight", "Conv2d_1a_3x3.bn.num_batches_tracked"] {
        tensors.push(TensorInfo { name: name.into(), layer: None, shape: vec![], dtype: "F32".into() });
    }
    assert!(fit(Architecture::InceptionV3, &listed(FileFormat::PytorchLegacy, tensors)).is_ok());
}

#[test]
fn a_file_that_comes_close_is_refused_with_the_difference() {
    let check = |change: fn(&mut Vec<TensorInfo>), part: &str| {
        let mut file = keras(Architecture::Vgg16);
        change(&mut file.tensors);
        let error = misfit(Architecture::Vgg16, &file);
        assert!(error.contains(part) && error.contains("a-file"), "{error}");
    };
    check(|tensors| drop(tensors.remove(4)), "does not fit vgg16: tensor \"block2_conv1/kernel\" is missing");
    check(
        |tensors| drop(tensors.drain(4..6)),
        "tensor \"block2_conv1/kernel\" is missing among the file's 30",
    );
    check(
        |tensors| tensors[0].shape = vec![3, 3, 4, 64],
        "has shape [3, 3, 4, 64] where [3, 3, 3, 64] is needed",
    );
    check(
        |tensors| {
            let more = TensorInfo {
                name: "block3_extra\u{1b}[2J/kernel".into(),
                layer: Some("block3_extra".into()),
                ..tensors[0].clone()
            };
            tensors.push(more);
        },
        "tensor \"block3_extra\\u{1b}[2J/kernel\" has no place in it",
    );
}

#[test]
fn another_network_is_called_by_its_name() {
    for architecture in KERAS.into_iter().filter(|&other| other != Architecture::Vgg19) {
        let error = misfit(Architecture::Vgg19, &keras(architecture));
        let expected = format!("a-file holds {architecture}, not vgg19: say --network {architecture}");
        assert!(error.starts_with(&expected), "{error}");
    }
    let error = misfit(Architecture::Minivgg, &keras(Architecture::Vgg16));
    assert!(error.starts_with("a-file holds vgg16, not minivgg"), "{error}");
}

#[test]
fn the_older_resnet_is_not_taken_for_the_new_one() {
    let mut file = keras(Architecture::Resnet50);
    renamed(&mut file, |layer| layer.replace("conv2_block1_1", "res2a_branch2a"));
    let error = misfit(Architecture::Resnet50, &file);
    assert!(error.contains("\"conv2_block1_1_conv/kernel\" is missing"), "{error}");
}
