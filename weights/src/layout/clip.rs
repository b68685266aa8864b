//! The tensor names of CLIP's trunks in timm: `stem.conv1.conv`, `stages.3.2.conv2_kxk.bn`.

use super::{BatchNorm, LayerTensors, normed};

/// Batch norm's epsilon in CLIP.
const EPSILON: f64 = 1e-5;

/// The tensors of the layer that the network calls `layer`: `conv1`, `layer4.2.conv2` or `layer4.0.downsample`.
pub(super) fn entry(layer: &str, shape: &[usize]) -> LayerTensors {
    let (block, conv) = layer.rsplit_once('.').unwrap_or(("", layer));
    let module = match conv {
        "conv1" => "conv1_1x1",
        "conv2" => "conv2_kxk",
        "conv3" => "conv3_1x1",
        _ => "shortcut.conv",
    };
    let stage = block.strip_prefix("layer").and_then(|block| block.split_once('.'));
    let module = match stage.and_then(|(stage, index)| Some((stage.parse::<usize>().ok()?, index))) {
        Some((stage, index)) => format!("stages.{}.{index}.{module}", stage - 1),
        None => format!("stem.{conv}"),
    };
    normed(layer, &format!("{module}.conv"), shape, BatchNorm::torch(&format!("{module}.bn"), EPSILON))
}
