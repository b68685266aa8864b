//! Maps the logical names of a layout to the tensors of a file. A PyTorch or safetensors file uses those names, after a
//! prefix that `prefix` finds. A Keras
//! file has layers whose tensors are told apart by position; in Keras 3 files and for InceptionV3, the layers too.

use std::collections::HashMap;

use crate::layout::{LayerTensors, convolution_order};
use crate::{Architecture, FileFormat, TensorInfo, TensorSource};

/// Positions in [`TensorSource::tensors`] by logical name.
pub(crate) type Index = HashMap<String, usize>;

/// The index of a PyTorch or safetensors file, whose tensor names are the logical names with a prefix.
pub(crate) fn by_name(source: &dyn TensorSource) -> Index {
    source.tensors().iter().enumerate().map(|(at, tensor)| (tensor.name.clone(), at)).collect()
}

/// The index of a Keras file by `<layer>/<role>`. The error says why its layers cannot be told apart.
pub(crate) fn keras(
    source: &dyn TensorSource,
    architecture: Architecture,
    entries: &[LayerTensors],
) -> Result<Index, String> {
    let layers = layers(source.tensors());
    let by_order = source.format() == FileFormat::Keras3 || architecture == Architecture::InceptionV3;
    if !by_order {
        let named = layers.iter().map(|layer| (layer.name.to_owned(), layer));
        return Ok(index(named));
    }
    let convs: Vec<String> = names(entries, 4);
    let convs = convolution_order(architecture, &convs);
    if source.format() == FileFormat::KerasLegacy {
        check_numbers(&layers, &convs)?;
    }
    let norms: Vec<String> = convs.iter().map(|conv| norm_of(conv)).collect();
    let mut named = Vec::new();
    for (kind, names) in [("conv2d", convs), ("batch_normalization", norms), ("dense", names(entries, 2))] {
        named.extend(names.into_iter().zip(layers.iter().filter(|layer| layer.number(kind).is_some())));
    }
    // InceptionV3 numbers its convolutions, but its classifier has a name of its own.
    named.extend(layers.iter().filter(|layer| layer.name == "predictions").map(|l| (l.name.to_owned(), l)));
    Ok(index(named.into_iter()))
}

/// The names of the layers in `entries` whose kernels have `sides` dimensions: 4 for a convolution, 2 for a fully connected
/// layer.
fn names(entries: &[LayerTensors], sides: usize) -> Vec<String> {
    entries
        .iter()
        .filter(|entry| entry.kernel.shape.len() == sides)
        .map(|entry| entry.layer.clone())
        .collect()
}

fn norm_of(conv: &str) -> String {
    conv.replace("conv2d", "batch_normalization").replace("_conv", "_bn")
}

/// A layer of a Keras file: consecutive tensors, of which the first is at position `first` in the file.
#[derive(Debug)]
struct KerasLayer<'a> {
    name: &'a str,
    first: usize,
    tensors: &'a [TensorInfo],
}

impl KerasLayer<'_> {
    /// The layer's number, if Keras named it automatically as this kind: `conv2d` is 0, `layers/conv2d_7` is 7.
    fn number(&self, kind: &str) -> Option<usize> {
        match self.name.rsplit('/').next()?.strip_prefix(kind)? {
            "" => Some(0),
            rest => rest.strip_prefix('_')?.parse().ok(),
        }
    }

    /// The role of each tensor, by its position in the layer.
    fn roles(&self) -> &'static [&'static str] {
        let is_norm = self.tensors.first().is_some_and(|tensor| tensor.shape.len() == 1);
        match (is_norm, self.tensors.len()) {
            (true, 3) => &["beta", "moving_mean", "moving_variance"],
            (true, _) => &["gamma", "beta", "moving_mean", "moving_variance"],
            (false, _) => &["kernel", "bias"],
        }
    }
}

fn layers(tensors: &[TensorInfo]) -> Vec<KerasLayer<'_>> {
    let mut first = 0;
    let runs = tensors.chunk_by(|a, b| a.layer == b.layer);
    runs.map(|tensors| {
        let layer = KerasLayer { name: tensors[0].layer.as_deref().unwrap_or_default(), first, tensors };
        first += tensors.len();
        layer
    })
    .collect()
}

fn index<'a>(named: impl Iterator<Item = (String, &'a KerasLayer<'a>)>) -> Index {
    named
        .flat_map(|(name, layer)| {
            let tensors = layer.first..layer.first + layer.tensors.len();
            layer.roles().iter().zip(tensors).map(move |(role, at)| (format!("{name}/{role}"), at))
        })
        .collect()
}

/// InceptionV3's layers are numbered in the order of their creation and listed by depth. Checks that the numbers of the
/// file's convolutions rank in the expected order; otherwise another program wrote the file.
fn check_numbers(layers: &[KerasLayer], convs: &[String]) -> Result<(), String> {
    let found: Vec<usize> = layers.iter().filter_map(|layer| layer.number("conv2d")).collect();
    let expected: Vec<usize> =
        convs.iter().filter_map(|conv| conv.strip_prefix("conv2d_")?.parse().ok()).collect();
    if found.len() != expected.len() {
        return Err(format!("it has {} convolutions where {} are needed", found.len(), expected.len()));
    }
    let mut sorted = found.clone();
    sorted.sort_unstable();
    let ranks = found.iter().map(|number| sorted.partition_point(|other| other < number));
    if ranks.eq(expected) {
        Ok(())
    } else {
        Err("its convolutions are not numbered as Keras numbers this network's".into())
    }
}
