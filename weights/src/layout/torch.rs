//! The tensor names of torchvision and timm. The networks already carry torchvision's layer names, as their own or as
//! aliases, and the names of the tensors follow from those.

use trepang_api::{Network, Node};

use super::{BatchNorm, KernelOrder, LayerTensors, normed, plain};
use crate::Dialect;

const RESNET_EPSILON: f64 = 1e-5;
const VGG_EPSILON: f64 = 1e-5;
const INCEPTION_EPSILON: f64 = 1e-3;
const MOBILENET_EPSILON: f64 = 1e-3;

/// The tensors of `node`, whose tensors the network calls `layer`.
pub(super) fn entry(
    network: &Network,
    node: &Node,
    dialect: Dialect,
    layer: &str,
    shape: &[usize],
) -> LayerTensors {
    if let (Dialect::Timm, Some(entry)) = (dialect, timm_head(layer, shape)) {
        return entry;
    }
    let aliases: Vec<&str> = network.aliases_of(&node.name).collect();
    for name in std::iter::once(node.name.as_str()).chain(aliases.iter().copied()) {
        let (module, last) = name.rsplit_once('.').unwrap_or(("", name));
        let (conv, epsilon) = match last {
            "bn" => (format!("{module}.conv"), INCEPTION_EPSILON),
            "1" if module.ends_with("downsample") => (format!("{module}.0"), RESNET_EPSILON),
            _ if last.starts_with("bn") => (name.replace("bn", "conv"), RESNET_EPSILON),
            _ => continue,
        };
        return normed(layer, &conv, shape, BatchNorm::torch(name, epsilon));
    }
    let is_vgg = layer.starts_with("features.") && layer.matches('.').count() == 1;
    if let Some(norm) =
        successor(layer).filter(|norm| !is_vgg && (node.name == *norm || aliases.contains(&&**norm)))
    {
        let epsilon = if network.name() == "mobilenet_v3_large" { MOBILENET_EPSILON } else { RESNET_EPSILON };
        return normed(layer, layer, shape, BatchNorm::torch(&norm, epsilon));
    }
    // torchvision's name of a layer is its first alias, or its own name where it has no alias.
    let module = aliases.first().copied().unwrap_or(layer);
    if layer.starts_with("features.") && layer != module {
        // VGG with batch norm: the tensors are named for the convolution, which has a bias, and the layer for the norm
        // after it.
        let norm = Some(BatchNorm::torch(module, VGG_EPSILON));
        return LayerTensors { norm, ..plain(layer, layer, shape) };
    }
    plain(layer, module, shape)
}

/// The name of the module behind the one called `name`, if that ends with its number.
fn successor(name: &str) -> Option<String> {
    let (module, number) = name.rsplit_once('.')?;
    Some(format!("{module}.{}", number.parse::<usize>().ok()? + 1))
}

/// The tensors of VGG's classifier in timm, which stores it as convolutions; none for other layers.
fn timm_head(layer: &str, shape: &[usize]) -> Option<LayerTensors> {
    let [outputs, inputs] = *shape else { return None };
    let (name, side) = match layer {
        "fc1" => ("pre_logits.fc1", 7),
        "fc2" => ("pre_logits.fc2", 1),
        "predictions" => return Some(plain(layer, "head.fc", shape)),
        _ => return None,
    };
    let mut entry = plain(layer, name, shape);
    entry.kernel.order = KernelOrder::Unrolled;
    entry.kernel.shape = vec![outputs, inputs / (side * side), side, side];
    Some(entry)
}
