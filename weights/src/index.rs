//! Maps the logical names of a layout to the tensors of a file. A PyTorch or safetensors file uses those names, after a
//! prefix that `prefix` finds. A Keras
//! file has layers whose tensors are told apart by position; in Keras 3 files and for InceptionV3, the layers too.

use std::collections::{BTreeMap, HashMap};

use crate::layout::{LayerTensors, convolution_order, present_name};
use crate::{Architecture, FileFormat, TensorInfo, TensorSource};

/// Positions in [`TensorSource::tensors`] by logical name.
pub(crate) type Index = HashMap<String, usize>;

/// The index of a PyTorch or safetensors file, whose tensor names are the logical names with a prefix.
pub(crate) fn by_name(source: &dyn TensorSource) -> Index {
    let tensors = source.tensors().iter().enumerate();
    let name = |tensor: &TensorInfo| present_name(&tensor.name).unwrap_or_else(|| tensor.name.clone());
    tensors.map(|(at, tensor)| (name(tensor), at)).collect()
}

/// The index of a Keras file by `<layer>/<role>`. What is in a model inside the file's own has the path to that model before
/// its name: `resnet50/conv1_conv/kernel`. The error says why layers cannot be told apart.
pub(crate) fn keras(
    source: &dyn TensorSource,
    architecture: Architecture,
    entries: &[LayerTensors],
) -> Result<Index, String> {
    let layers = layers(source);
    let own = |layer: &KerasLayer| {
        format!("{}{}", prefix_of(layer.path.rsplit_once('/').unwrap_or_default().0), layer.name)
    };
    let mut found = index(layers.iter().map(|layer| (own(layer), layer)));
    let is_named = |prefix: &str| {
        names(entries, 4).iter().all(|conv| found.contains_key(&format!("{prefix}{conv}/kernel")))
    };
    let by_order = source.format() == FileFormat::Keras3 || architecture == Architecture::InceptionV3;
    let mut all = Index::new();
    for model in innermost(&layers, names(entries, 4).len()).into_iter().filter(|_| by_order) {
        let prefix = prefix_of(model);
        let inner: Vec<&KerasLayer> = layers.iter().filter(|layer| is_below(layer.path, model)).collect();
        let ordered = if architecture != Architecture::InceptionV3 && is_named(&prefix) {
            in_order(&inner, "dense", names(entries, 2))
        } else {
            in_order_of_layers(&inner, source.format(), architecture, entries)?
        };
        all.extend(ordered.into_iter().map(|(name, at)| (format!("{prefix}{name}"), at)));
    }
    found.extend(all);
    Ok(found)
}

/// The index of a model whose layers are told apart by their order.
fn in_order_of_layers(
    layers: &[&KerasLayer],
    format: FileFormat,
    architecture: Architecture,
    entries: &[LayerTensors],
) -> Result<Index, String> {
    let convs = convolution_order(architecture, &names(entries, 4));
    if format == FileFormat::KerasLegacy {
        check_numbers(layers, &convs)?;
    }
    let norms: Vec<String> = convs.iter().map(|conv| norm_of(conv)).collect();
    let mut found = Index::new();
    let own = names(entries, 4);
    let own_norms = own.iter().map(|conv| norm_of(conv)).collect();
    let by_names = in_order_of_names(layers, "conv2d", own).zip(in_order_of_names(
        layers,
        "batch_normalization",
        own_norms,
    ));
    if let Some((convs, norms)) = by_names {
        found.extend(convs.into_iter().chain(norms));
    } else {
        found.extend(in_order(layers, "conv2d", convs));
        found.extend(in_order(layers, "batch_normalization", norms));
    }
    found.extend(in_order(layers, "dense", names(entries, 2)));
    // InceptionV3 numbers its convolutions, but its classifier has a name of its own.
    let named = layers.iter().filter(|layer| layer.name == "predictions");
    found.extend(index(named.map(|&layer| ("predictions".to_owned(), layer))));
    Ok(found)
}

/// The part before the names of the layers in a model at this path. Keras 3 keeps them in a group `layers` of the
/// model's.
fn prefix_of(model: &str) -> String {
    let model = if model == "layers" { "" } else { model.strip_suffix("/layers").unwrap_or(model) };
    if model.is_empty() { String::new() } else { format!("{model}/") }
}

/// The index of the layers whose names in a Keras 3 file, which are others than the groups', are numbered as this kind: Keras
/// numbers layers in the order of their creation, that of `names`. None if there are not just as many.
fn in_order_of_names(layers: &[&KerasLayer], kind: &str, names: Vec<String>) -> Option<Index> {
    let mut numbered: Vec<_> = layers
        .iter()
        .filter(|layer| layer.is_named)
        .filter_map(|layer| Some((number(layer.name, kind)?, *layer)))
        .collect();
    numbered.sort_by_key(|(number, _)| *number);
    let is_whole = numbered.len() == names.len();
    is_whole.then(|| index(names.into_iter().zip(numbered.into_iter().map(|(_, layer)| layer))))
}

/// The index of the layers of a kind, which have these names in this order.
fn in_order(layers: &[&KerasLayer], kind: &str, names: Vec<String>) -> Index {
    let layers = layers.iter().filter(|layer| layer.number(kind).is_some());
    index(names.into_iter().zip(layers.copied()))
}

/// The paths of the innermost models that have at least `convs` convolutions; the empty path of the whole file if none has.
fn innermost<'a>(layers: &[KerasLayer<'a>], convs: usize) -> Vec<&'a str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for layer in layers.iter().filter(|layer| layer.is_conv()) {
        for (slash, _) in layer.path.match_indices('/') {
            *counts.entry(&layer.path[..slash]).or_default() += 1;
        }
    }
    let models: Vec<&str> =
        counts.into_iter().filter(|(_, count)| *count >= convs).map(|(path, _)| path).collect();
    let is_innermost = |model: &&str| !models.iter().any(|other| other != model && is_below(other, model));
    let found: Vec<&str> = models.iter().copied().filter(is_innermost).collect();
    if found.is_empty() { vec![""] } else { found }
}

fn is_below(path: &str, model: &str) -> bool {
    model.is_empty() || path.strip_prefix(model).is_some_and(|rest| rest.starts_with('/'))
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
    /// The path in the file, through the models that the layer is in.
    path: &'a str,
    /// The name that its author or Keras gave it; Keras 3 files of early versions do not have it, and the path's end
    /// stands for it.
    name: &'a str,
    /// Whether the file has its name.
    is_named: bool,
    first: usize,
    tensors: &'a [TensorInfo],
}

impl KerasLayer<'_> {
    /// The layer's number, if Keras named it automatically as this kind: `conv2d` is 0, `layers/conv2d_7` is 7.
    fn number(&self, kind: &str) -> Option<usize> {
        number(self.path.rsplit('/').next()?, kind)
    }

    /// Whether the first tensor is the kernel of a convolution over pictures.
    fn is_conv(&self) -> bool {
        self.tensors.first().is_some_and(|tensor| tensor.shape.len() == 4)
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

/// The number in a name that Keras gives to layers of a kind.
fn number(name: &str, kind: &str) -> Option<usize> {
    match name.strip_prefix(kind)? {
        "" => Some(0),
        rest => rest.strip_prefix('_')?.parse().ok(),
    }
}

fn layers(source: &dyn TensorSource) -> Vec<KerasLayer<'_>> {
    let mut first = 0;
    let runs = source.tensors().chunk_by(|a, b| a.layer == b.layer);
    runs.map(|tensors| {
        let path = tensors[0].layer.as_deref().unwrap_or_default();
        let end = path.rsplit('/').next().unwrap_or_default();
        let named = source.metadata().get(path);
        let name = named.map_or(end, String::as_str);
        let layer = KerasLayer { path, name, is_named: named.is_some(), first, tensors };
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
fn check_numbers(layers: &[&KerasLayer], convs: &[String]) -> Result<(), String> {
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use trepang_api::Array;

    use super::*;
    use crate::{Dialect, Result, fit, layout};

    /// A list of tensors without numbers.
    #[derive(Debug)]
    struct Listed {
        format: FileFormat,
        tensors: Vec<TensorInfo>,
        metadata: BTreeMap<String, String>,
    }

    impl TensorSource for Listed {
        fn format(&self) -> FileFormat {
            self.format
        }

        fn path(&self) -> &Path {
            Path::new("listed")
        }

        fn tensors(&self) -> &[TensorInfo] {
            &self.tensors
        }

        fn read(&self, _: usize) -> Result<Array> {
            Ok(Array::new(vec![0], Vec::new())?)
        }

        fn metadata(&self) -> &BTreeMap<String, String> {
            &self.metadata
        }
    }

    fn head(layer: &str, shape: &[usize]) -> TensorInfo {
        let (name, dtype) = (format!("{layer}/kernel"), "F32".into());
        TensorInfo { name, layer: Some(layer.into()), shape: shape.into(), dtype }
    }

    /// The layers of a network inside a model that has a convolution before it and a fully connected layer after it.
    fn listed(format: FileFormat, own: &[TensorInfo], is_named: bool) -> Listed {
        let (mut tensors, mut metadata) = (vec![head("layers/conv2d", &[1, 1, 3, 3])], BTreeMap::new());
        let (mut convs, mut norms) = (0.., 0..);
        for layer in own.chunk_by(|a, b| a.layer == b.layer) {
            let number = if layer[0].shape.len() == 4 {
                ("conv2d", convs.next())
            } else {
                ("batch_normalization", norms.next())
            };
            let name = layer[0].layer.clone().unwrap();
            let path = match format {
                FileFormat::KerasLegacy => format!("net/{name}"),
                _ => nested(number.1.unwrap(), number.0),
            };
            if is_named {
                metadata.insert(path.clone(), name);
            }
            tensors.extend(
                layer.iter().map(|tensor| TensorInfo { layer: Some(path.clone()), ..tensor.clone() }),
            );
        }
        tensors.push(head("layers/dense", &[2048, 5]));
        Listed { format, tensors, metadata }
    }

    fn check(format: FileFormat, architecture: Architecture, is_named: bool) {
        let own = fit::tensors_of(architecture, Dialect::Keras, false).unwrap();
        let network = architecture.network(Dialect::Keras, false).unwrap();
        let entries = layout::native(&network, architecture, Dialect::Keras);
        let index = keras(&listed(format, &own, is_named), architecture, &entries).unwrap();
        let prefix =
            if format == FileFormat::KerasLegacy { "net/" } else { "layers/sequential/layers/functional/" };
        for (at, tensor) in own.iter().enumerate() {
            let name = format!("{prefix}{}", tensor.name);
            assert_eq!(index.get(&name), Some(&(at + 1)), "{format}: {name}");
        }
        assert!(index.contains_key("dense/kernel"));
    }

    fn nested(number: usize, kind: &str) -> String {
        let suffix = if number == 0 { String::new() } else { format!("_{number}") };
        format!("layers/sequential/layers/functional/layers/{kind}{suffix}")
    }

    #[test]
    fn a_trunk_inside_other_models_is_found() {
        check(FileFormat::Keras3, Architecture::Resnet50, true);
        check(FileFormat::Keras3, Architecture::Resnet50, false);
        check(FileFormat::Keras3, Architecture::InceptionV3, false);
        check(FileFormat::KerasLegacy, Architecture::Resnet50, false);
        check(FileFormat::Keras3, Architecture::Vgg16, false);
    }

    /// Two networks on one input, as Keras 3 writes them: groups are numbered by depth, names in the order of creation, in
    /// which another model came before.
    #[test]
    fn networks_on_one_input_are_told_apart_by_names() {
        let of = |architecture| fit::tensors_of(architecture, Dialect::Keras, false).unwrap();
        let (inception, resnet) = (of(Architecture::InceptionV3), of(Architecture::Resnet50));
        let later = |name: &str| {
            let (kind, number) = name.rsplit_once('_').map_or((name, "0"), |(kind, number)| (kind, number));
            number.parse::<usize>().map_or(name.to_owned(), |number| format!("{kind}_{}", number + 94))
        };
        let mut layers: Vec<(String, &[TensorInfo], usize)> = Vec::new();
        for (at, own) in [&resnet, &inception].into_iter().enumerate() {
            for layer in own.chunk_by(|a, b| a.layer == b.layer) {
                let name = layer[0].layer.clone().unwrap();
                layers.push((if at == 1 { later(&name) } else { name }, layer, at));
            }
        }
        // Any order that mixes the two.
        layers.sort_by_key(|(name, ..)| name.bytes().rev().collect::<Vec<u8>>());
        let (mut tensors, mut metadata, mut places) = (Vec::new(), BTreeMap::new(), Index::new());
        for (at, (name, layer, network)) in layers.iter().enumerate() {
            let path = format!(
                "layers/{}_{at}",
                if layer[0].shape.len() == 4 { "conv2d" } else { "batch_normalization" }
            );
            metadata.insert(path.clone(), name.clone());
            for tensor in *layer {
                if *network == 1 {
                    places.insert(tensor.name.clone(), tensors.len());
                }
                tensors.push(TensorInfo { layer: Some(path.clone()), ..tensor.clone() });
            }
        }
        let network = Architecture::InceptionV3.network(Dialect::Keras, false).unwrap();
        let entries = layout::native(&network, Architecture::InceptionV3, Dialect::Keras);
        let file = Listed { format: FileFormat::Keras3, tensors, metadata };
        let found = keras(&file, Architecture::InceptionV3, &entries).unwrap();
        for (name, at) in places {
            assert_eq!(found.get(&name), Some(&at), "{name}");
        }
    }
}
