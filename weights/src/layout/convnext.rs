//! The tensor names of torchvision's `ConvNeXt`, and what is folded into which convolution: the factors and offsets of the layer norm
//! before, or the scale of the block.

use super::{Factors, KernelOrder, LayerTensors, plain};

/// The tensors of the layer that the network calls `layer`.
pub(super) fn entry(layer: &str, shape: &[usize]) -> LayerTensors {
    let mut entry = plain(layer, layer, shape);
    let (module, last) = layer.rsplit_once('.').unwrap_or(("", layer));
    let norm = |name: String| {
        let inputs = shape[1];
        Some(Factors::Inputs { scale: format!("{name}.weight"), shift: format!("{name}.bias"), inputs })
    };
    let block = module.strip_suffix(".block");
    match (block, last) {
        (Some(block), "3" | "5") => {
            entry.kernel.order = KernelOrder::Pointwise;
            entry.kernel.shape = shape[..2].to_vec();
            entry.factors = match last {
                "3" => norm(format!("{module}.2")),
                _ => Some(Factors::Outputs { scale: format!("{block}.layer_scale") }),
            };
        }
        (None, "1") if module != "features.0" => entry.factors = norm(format!("{module}.0")),
        _ if layer == "features.0.1" || layer == "classifier.0" => {
            entry.kernel.order = KernelOrder::PerChannel;
            entry.kernel.shape = shape[..1].to_vec();
        }
        _ => {}
    }
    entry
}
