//! The modules that torchvision's networks have in common, with its names: a convolution with batch norm and an activation
//! function (`Conv2dNormActivation`), and squeeze-and-excitation ("Squeeze-and-Excitation Networks", arXiv 1709.01507). Batch
//! norm is folded into the convolution: the norm's module is what both give.

use crate::{Conv2d, LayerId, NetworkBuilder, Op, Padding};

/// A square convolution that keeps the size but for its step.
#[derive(Debug, Clone, Copy)]
pub(super) struct SquareConv {
    pub(super) channels: [usize; 2],
    pub(super) kernel: usize,
    pub(super) step: usize,
    pub(super) groups: usize,
}

impl SquareConv {
    /// A convolution of one cell.
    pub(super) fn pointwise(inputs: usize, outputs: usize) -> Self {
        Self { channels: [inputs, outputs], kernel: 1, step: 1, groups: 1 }
    }

    /// A convolution of each channel by itself.
    pub(super) fn depthwise(channels: usize, kernel: usize, step: usize) -> Self {
        Self { channels: [channels; 2], kernel, step, groups: channels }
    }

    pub(super) fn op(self, weights: impl Into<String>) -> Conv2d {
        let Self { channels: [inputs, outputs], kernel, step, groups } = self;
        Conv2d {
            weights: weights.into(),
            inputs,
            outputs,
            kernel: [kernel; 2],
            stride: [step; 2],
            padding: Padding::all(kernel / 2),
            groups,
        }
    }
}

/// The module `name` of a convolution, `name.0`, batch norm, `name.1`, and perhaps an activation function, `name.2`.
pub(super) fn conv_norm(
    b: &mut NetworkBuilder,
    name: &str,
    conv: SquareConv,
    curve: Option<&Op>,
    from: LayerId,
) -> LayerId {
    let modules = [format!("{name}.0"), format!("{name}.1"), format!("{name}.2")];
    numbered(b, name, conv, (&modules, curve), from)
}

/// The same with other names for the three modules.
pub(super) fn numbered(
    b: &mut NetworkBuilder,
    name: &str,
    conv: SquareConv,
    ([weights, norm, activation], curve): (&[String; 3], Option<&Op>),
    from: LayerId,
) -> LayerId {
    let op = Op::Conv2d(conv.op(weights));
    let mut alias = |module: &str, own: &str| {
        if module != own {
            b.alias(module, own);
        }
    };
    let Some(curve) = curve else {
        alias(norm, name);
        return b.add(name, op, &[from]);
    };
    let pre = format!("{name}:pre");
    alias(norm, &pre);
    alias(activation, name);
    let conv = b.add(pre, op, &[from]);
    b.add(name, curve.clone(), &[conv])
}

/// The squeeze-and-excitation module `name`: a gate for each channel, of the means of all channels.
pub(super) fn squeeze_excite(
    b: &mut NetworkBuilder,
    name: &str,
    [channels, squeezed]: [usize; 2],
    [inner, gate]: [&Op; 2],
    from: LayerId,
) -> LayerId {
    let mut at = b.add(format!("{name}.avgpool"), Op::GlobalAverage, &[from]);
    let layers = [
        ("fc1", "activation", SquareConv::pointwise(channels, squeezed), inner),
        ("fc2", "scale_activation", SquareConv::pointwise(squeezed, channels), gate),
    ];
    for (module, activation, conv, curve) in layers {
        let (layer, own) = (format!("{name}.{module}"), format!("{name}.{activation}"));
        let pre = format!("{own}:pre");
        b.alias(layer.as_str(), pre.as_str());
        let conv = b.add(pre, Op::Conv2d(conv.op(layer)), &[at]);
        at = b.add(own, curve.clone(), &[conv]);
    }
    b.add(name, Op::Multiply, &[from, at])
}
