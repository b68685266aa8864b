//! The tensor names of torchvision's `DenseNet`, whose norms stand before their convolutions.

use super::{BatchNorm, KernelOrder, KernelTensor, LayerTensors, normed, plain};

/// Batch norm's epsilon.
const EPSILON: f64 = 1e-5;

/// The tensors of the layer that the network calls `layer`: a convolution, with the norm behind it if that is no norm of more channels,
/// or a norm by itself.
pub(super) fn entry(layer: &str, shape: &[usize]) -> LayerTensors {
    let (module, last) = layer.rsplit_once('.').unwrap_or(("", layer));
    let norm = |name: &str| BatchNorm::torch(&format!("{module}.{name}"), EPSILON);
    match last {
        "conv0" => normed(layer, layer, shape, norm("norm0")),
        "conv1" => normed(layer, layer, shape, norm("norm2")),
        "conv2" | "conv" => LayerTensors { bias: None, ..plain(layer, layer, shape) },
        _ if last.starts_with("norm") => {
            let gammas = KernelTensor {
                name: format!("{layer}.weight"),
                order: KernelOrder::Ones,
                shape: vec![shape[0]],
            };
            LayerTensors { kernel: gammas, ..normed(layer, layer, shape, norm(last)) }
        }
        _ => plain(layer, layer, shape),
    }
}

/// The present name of a tensor of a dense layer: published files have `denselayer1.norm.1.weight` for `denselayer1.norm1.weight`.
pub(super) fn present_name(name: &str) -> Option<String> {
    let (layer, rest) = name.split_once(".denselayer")?;
    let (number, rest) = rest.split_once('.')?;
    let (kind, rest) = rest.split_once('.')?;
    let is_old = matches!(kind, "norm" | "conv") && rest.starts_with(['1', '2']);
    is_old.then(|| format!("{layer}.denselayer{number}.{kind}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_published_files_become_those_of_today() {
        let old = "x.features.denseblock1.denselayer12.norm.2.running_var";
        let present = "x.features.denseblock1.denselayer12.norm2.running_var";
        assert_eq!(present_name(old).as_deref(), Some(present));
        for name in [present, "features.transition1.norm.weight", "features.denseblock1.denselayer1"] {
            assert_eq!(present_name(name), None);
        }
    }
}
