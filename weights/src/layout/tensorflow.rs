//! The names of the constants in the published graph of `inception_v1`: `mixed4a_1x1_w` and `mixed4a_1x1_b`.

use super::{KernelOrder, KernelTensor, LayerTensors};

/// The tensors of the layer that the network calls `layer`.
pub(super) fn entry(layer: &str, shape: &[usize]) -> LayerTensors {
    let (order, kernel) = match *shape {
        [outputs, inputs, height, width] => (KernelOrder::Hwio, vec![height, width, inputs, outputs]),
        _ => (KernelOrder::InOut, shape.iter().rev().copied().collect()),
    };
    LayerTensors {
        layer: layer.into(),
        kernel: KernelTensor { name: format!("{layer}_w"), order, shape: kernel },
        bias: Some(format!("{layer}_b")),
        norm: None,
        factors: None,
        outputs: shape[0],
    }
}
