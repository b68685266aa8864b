//! From the logical names of a layout to the tensors of a file. A PyTorch or safetensors file has the names
//! themselves; Keras's have layers, whose tensors go by position, and in two cases only the layers' order.

use std::collections::HashMap;

use crate::layout::{Part, convolution_order};
use crate::{Architecture, Format, Source, TensorInfo};

/// Positions in [`Source::tensors`] by logical name.
pub(crate) type Index = HashMap<String, usize>;

/// The names of the tensors as they are, for PyTorch and safetensors.
pub(crate) fn by_name(source: &dyn Source) -> Index {
    source.tensors().iter().enumerate().map(|(at, tensor)| (tensor.name.clone(), at)).collect()
}

/// The tensors of a Keras file as `<layer>/<role>`, or why its layers cannot be told apart.
pub(crate) fn keras(
    source: &dyn Source,
    architecture: Architecture,
    parts: &[Part],
) -> Result<Index, String> {
    let layers = layers(source.tensors());
    let by_order = source.format() == Format::Keras3 || architecture == Architecture::InceptionV3;
    if !by_order {
        let named = layers.iter().map(|layer| (layer.name.to_owned(), layer));
        return Ok(index(named));
    }
    let convs: Vec<String> = names(parts, 4);
    let convs = convolution_order(architecture, &convs);
    if source.format() == Format::KerasLegacy {
        check_numbers(&layers, &convs)?;
    }
    let norms: Vec<String> = convs.iter().map(|conv| norm_of(conv)).collect();
    let mut named = Vec::new();
    for (kind, names) in [("conv2d", convs), ("batch_normalization", norms), ("dense", names(parts, 2))] {
        named.extend(names.into_iter().zip(layers.iter().filter(|layer| layer.number(kind).is_some())));
    }
    // A classifier's layers keep their own names where the convolutions are numbered.
    named.extend(layers.iter().filter(|layer| layer.name == "predictions").map(|l| (l.name.to_owned(), l)));
    Ok(index(named.into_iter()))
}

/// The layers in `parts` whose kernels have this many sides.
fn names(parts: &[Part], sides: usize) -> Vec<String> {
    parts.iter().filter(|part| part.kernel.shape.len() == sides).map(|part| part.layer.clone()).collect()
}

fn norm_of(conv: &str) -> String {
    conv.replace("conv2d", "batch_normalization").replace("_conv", "_bn")
}

/// A layer of a Keras file and its tensors.
#[derive(Debug)]
struct Layer<'a> {
    name: &'a str,
    first: usize,
    tensors: &'a [TensorInfo],
}

impl Layer<'_> {
    /// Its number if it is an automatically named layer of this kind: `conv2d` is 0, `layers/conv2d_7` is 7.
    fn number(&self, kind: &str) -> Option<usize> {
        match self.name.rsplit('/').next()?.strip_prefix(kind)? {
            "" => Some(0),
            rest => rest.strip_prefix('_')?.parse().ok(),
        }
    }

    /// What each tensor is, by its position.
    fn roles(&self) -> &'static [&'static str] {
        let is_norm = self.tensors.first().is_some_and(|tensor| tensor.shape.len() == 1);
        match (is_norm, self.tensors.len()) {
            (true, 3) => &["beta", "moving_mean", "moving_variance"],
            (true, _) => &["gamma", "beta", "moving_mean", "moving_variance"],
            (false, _) => &["kernel", "bias"],
        }
    }
}

fn layers(tensors: &[TensorInfo]) -> Vec<Layer<'_>> {
    let mut first = 0;
    let runs = tensors.chunk_by(|a, b| a.layer == b.layer);
    runs.map(|tensors| {
        let layer = Layer { name: tensors[0].layer.as_deref().unwrap_or_default(), first, tensors };
        first += tensors.len();
        layer
    })
    .collect()
}

fn index<'a>(named: impl Iterator<Item = (String, &'a Layer<'a>)>) -> Index {
    named
        .flat_map(|(name, layer)| {
            let tensors = layer.first..layer.first + layer.tensors.len();
            layer.roles().iter().zip(tensors).map(move |(role, at)| (format!("{name}/{role}"), at))
        })
        .collect()
}

/// InceptionV3's layers are numbered as they were made and listed by depth: the numbers of the convolutions in
/// the file must rank as the order by which they are told apart, or the file is of another make.
fn check_numbers(layers: &[Layer], convs: &[String]) -> Result<(), String> {
    let found: Vec<usize> = layers.iter().filter_map(|layer| layer.number("conv2d")).collect();
    let expected: Vec<usize> =
        convs.iter().filter_map(|conv| conv.strip_prefix("conv2d_")?.parse().ok()).collect();
    if found.len() != expected.len() {
        return Err(format!("it has {} convolutions where {} are needed", found.len(), expected.len()));
    }
    let mut sorted = found.clone();
    sorted.sort_unstable();
    let ranks = found.iter().map(|number| sorted.partition_point(|other| other < number));
    match ranks.eq(expected) {
        true => Ok(()),
        false => Err("its convolutions are not numbered as Keras numbers this network's".into()),
    }
}
