//! The state dicts of torchvision and timm. The networks already carry torchvision's layer names as aliases, so
//! the names of the tensors follow from those.

use trepang_api::{Network, Node};

use super::{Norm, Order, Part, normed, plain};
use crate::Dialect;

const RESNET_EPSILON: f64 = 1e-5;
const INCEPTION_EPSILON: f64 = 1e-3;

/// The part of `node`, whose tensors in the network are called `layer`.
pub(super) fn part(network: &Network, node: &Node, dialect: Dialect, layer: &str, shape: &[usize]) -> Part {
    if let (Dialect::Timm, Some(part)) = (dialect, timm_head(layer, shape)) {
        return part;
    }
    let aliases: Vec<&str> = network.aliases_of(&node.name).collect();
    for alias in &aliases {
        let (module, last) = alias.rsplit_once('.').unwrap_or(("", alias));
        let (conv, epsilon) = match last {
            "bn" => (format!("{module}.conv"), INCEPTION_EPSILON),
            "1" if module.ends_with("downsample") => (format!("{module}.0"), RESNET_EPSILON),
            _ if last.starts_with("bn") => (alias.replace("bn", "conv"), RESNET_EPSILON),
            _ => continue,
        };
        return normed(layer, &conv, shape, Norm::torch(alias, epsilon));
    }
    plain(layer, aliases.first().copied().unwrap_or(layer), shape)
}

/// timm keeps VGG's classifier as convolutions.
fn timm_head(layer: &str, shape: &[usize]) -> Option<Part> {
    let [outputs, inputs] = *shape else { return None };
    let (name, side) = match layer {
        "fc1" => ("pre_logits.fc1", 7),
        "fc2" => ("pre_logits.fc2", 1),
        "predictions" => return Some(plain(layer, "head.fc", shape)),
        _ => return None,
    };
    let mut part = plain(layer, name, shape);
    part.kernel.order = Order::Unrolled;
    part.kernel.shape = vec![outputs, inputs / (side * side), side, side];
    Some(part)
}
