//! Merges what the backends have no operation for into convolutions: a batch norm or another map of each channel into the
//! layer before it, and zeros around an activation into the window that reads it. What cannot be merged becomes a
//! convolution of one cell for each channel.

use trepang_api::{ActivationCurve, Op, Padding, Pool};

use super::ir::{Kernel, LayerOp, Layers};

/// Merges and replaces until only operations of the backends are left. A layer that is gone says where it went.
pub(super) fn simplify(layers: &mut Layers) {
    gates(layers);
    let (mut readers, positive) = (layers.readers(), never_negative(layers));
    for at in 0..layers.0.len() {
        let &[input, ..] = layers.0[at].inputs.as_slice() else { continue };
        if readers[input] == 1 && merge(layers, [input, at], &positive) {
            readers[input] = 0;
        }
    }
    for layer in &mut layers.0 {
        let channels = layer.shape.channels;
        match &mut layer.op {
            LayerOp::Affine { scale, shift } => {
                let (scale, shift) = (std::mem::take(scale), std::mem::take(shift));
                layer.op = LayerOp::Conv(Kernel::depthwise(scale, shift, Padding::default()));
            }
            LayerOp::Pad(padding) => {
                let kernel = Kernel::depthwise(vec![1.0; channels], vec![0.0; channels], *padding);
                layer.op = LayerOp::Conv(kernel);
            }
            LayerOp::Image | LayerOp::Conv(_) | LayerOp::Linear(_) | LayerOp::Plain(_) => {}
        }
    }
}

/// Makes one curve of a number times a gate of it: x times its sigmoid, as exporters write `SiLU` and hard-swish.
fn gates(layers: &mut Layers) {
    let readers = layers.readers();
    for at in 0..layers.0.len() {
        let (LayerOp::Plain(Op::Multiply), &[a, b]) = (&layers.0[at].op, layers.0[at].inputs.as_slice())
        else {
            continue;
        };
        for [x, gate] in [[a, b], [b, a]] {
            let curve = match layers.0[gate].op {
                LayerOp::Plain(Op::Unary(ActivationCurve::Sigmoid)) => ActivationCurve::Silu,
                LayerOp::Plain(Op::Unary(ActivationCurve::HardSigmoid { slope, shift }))
                    if is_swish(slope, shift) =>
                {
                    ActivationCurve::HardSwish
                }
                _ => continue,
            };
            if layers.0[gate].inputs == [x] && readers[gate] == 1 {
                layers.0[at].op = LayerOp::Plain(Op::Unary(curve));
                layers.0[at].inputs = vec![x];
                layers.0[gate].inputs.clear();
                layers.0[gate].merged_into = Some(at);
                break;
            }
        }
    }
}

/// Whether a hard sigmoid is that of hard-swish, x / 6 + 1 / 2.
fn is_swish(slope: f32, shift: f32) -> bool {
    (slope - 1.0 / 6.0).abs() < 1e-6 && shift == 0.5
}

/// Merges the layer at `before` into the one at `at`, which alone reads it. Tells whether that was possible.
fn merge(layers: &mut Layers, [before, at]: [usize; 2], positive: &[bool]) -> bool {
    let reads_one = layers.0[at].inputs.len() == 1;
    let merged = match (&layers.0[before].op, &layers.0[at].op) {
        _ if !reads_one => None,
        (
            LayerOp::Conv(_) | LayerOp::Linear(_) | LayerOp::Affine { .. },
            LayerOp::Affine { scale, shift },
        ) => {
            let (scale, shift) = (scale.clone(), shift.clone());
            Some(mapped(std::mem::replace(&mut layers.0[before].op, LayerOp::Image), &scale, &shift))
        }
        (LayerOp::Pad(zeros), LayerOp::Conv(kernel)) => {
            let padding = *zeros + kernel.padding;
            Some(LayerOp::Conv(Kernel { padding, ..kernel.clone() }))
        }
        (LayerOp::Pad(zeros), LayerOp::Plain(op)) => padded(op, *zeros, positive[before]).map(LayerOp::Plain),
        _ => None,
    };
    let Some(op) = merged else { return false };
    layers.0[at].op = op;
    layers.0[at].inputs = std::mem::take(&mut layers.0[before].inputs);
    layers.0[before].merged_into = Some(at);
    true
}

/// A layer with its outputs mapped.
fn mapped(op: LayerOp, scale: &[f32], shift: &[f32]) -> LayerOp {
    match op {
        LayerOp::Conv(mut kernel) => {
            map_rows(&mut kernel.weight, &mut kernel.bias, scale, shift);
            LayerOp::Conv(kernel)
        }
        LayerOp::Linear(mut matrix) => {
            map_rows(&mut matrix.weight, &mut matrix.bias, scale, shift);
            LayerOp::Linear(matrix)
        }
        LayerOp::Affine { scale: mut first, shift: mut second } => {
            map_rows(&mut first, &mut second, scale, shift);
            LayerOp::Affine { scale: first, shift: second }
        }
        other @ (LayerOp::Image | LayerOp::Pad(_) | LayerOp::Plain(_)) => other,
    }
}

/// Maps rows of weights and their biases. In f64, as batch norms are folded everywhere here.
fn map_rows(weight: &mut [f32], bias: &mut [f32], scale: &[f32], shift: &[f32]) {
    let row = weight.len() / scale.len().max(1);
    for (channel, (&scale, &shift)) in scale.iter().zip(shift).enumerate() {
        for number in &mut weight[channel * row..][..row] {
            *number = (f64::from(*number) * f64::from(scale)) as f32;
        }
        bias[channel] = (f64::from(bias[channel]) * f64::from(scale) + f64::from(shift)) as f32;
    }
}

/// A pooling that takes zeros around its input for its own padding; none if that would mean something else, or if a
/// window could lie in the padding.
fn padded(op: &Op, zeros: Padding, is_positive: bool) -> Option<Op> {
    let fits = |pool: Pool| {
        let padding = pool.padding + zeros;
        let [height, width] = pool.kernel;
        let inside = padding.top.max(padding.bottom) < height && padding.left.max(padding.right) < width;
        inside.then_some(Pool { padding, ..pool })
    };
    match op {
        // Zeros are never above the largest of numbers of which none is below zero.
        Op::MaxPool(pool) if is_positive => fits(*pool).map(Op::MaxPool),
        Op::AveragePool { pool, count_padding } if *count_padding || pool.padding == Padding::default() => {
            fits(*pool).map(|pool| Op::AveragePool { pool, count_padding: true })
        }
        _ => None,
    }
}

/// Whether the numbers of each layer are never negative.
fn never_negative(layers: &Layers) -> Vec<bool> {
    let mut positive: Vec<bool> = Vec::with_capacity(layers.0.len());
    for layer in &layers.0 {
        let of_inputs = layer.inputs.iter().all(|&input| positive[input]);
        positive.push(match &layer.op {
            LayerOp::Plain(
                Op::Relu
                | Op::Relu6
                | Op::Softmax
                | Op::Unary(ActivationCurve::Sigmoid | ActivationCurve::HardSigmoid { .. }),
            ) => true,
            LayerOp::Plain(Op::Unary(_) | Op::LayerNorm { .. } | Op::GroupNorm { .. })
            | LayerOp::Image
            | LayerOp::Conv(_)
            | LayerOp::Linear(_)
            | LayerOp::Affine { .. } => false,
            LayerOp::Plain(_) | LayerOp::Pad(_) => of_inputs,
        });
    }
    positive
}

#[cfg(test)]
mod tests {
    use trepang_api::Shape;

    use super::super::ir::Layer;
    use super::*;

    fn layers(ops: Vec<LayerOp>) -> Layers {
        let mut layers = Layers(vec![Layer {
            op: LayerOp::Image,
            inputs: Vec::new(),
            shape: Shape { channels: 2, height: 4, width: 4 },
            origin: None,
            merged_into: None,
        }]);
        for (at, op) in ops.into_iter().enumerate() {
            layers.add(op, &[at], Some(at)).unwrap();
        }
        layers
    }

    fn conv() -> LayerOp {
        LayerOp::Conv(Kernel::depthwise(vec![2.0, 4.0], vec![1.0, -1.0], Padding::default()))
    }

    fn affine() -> LayerOp {
        LayerOp::Affine { scale: vec![3.0, 0.5], shift: vec![10.0, 20.0] }
    }

    #[test]
    fn a_batch_norm_is_folded_into_the_convolution_before_it() {
        let mut found = layers(vec![conv(), affine()]);
        simplify(&mut found);
        let folded = Kernel::depthwise(vec![6.0, 2.0], vec![13.0, 19.5], Padding::default());
        assert_eq!(found.0[2].op, LayerOp::Conv(folded));
        assert_eq!((found.0[1].merged_into, found.0[2].inputs.as_slice()), (Some(2), &[0][..]));
    }

    #[test]
    fn a_convolution_that_others_read_too_stays_as_it_is() {
        let mut found = layers(vec![conv(), affine()]);
        found.add(LayerOp::Plain(Op::Relu), &[1], None).unwrap();
        simplify(&mut found);
        assert_eq!((found.0[1].op.clone(), found.0[1].merged_into), (conv(), None));
        let LayerOp::Conv(kernel) = &found.0[2].op else { panic!("{:?}", found.0[2]) };
        assert_eq!((kernel.groups, &kernel.weight), (2, &vec![3.0, 0.5]));
    }

    #[test]
    fn zeros_may_win_a_maximum_where_nothing_is_above_them() {
        let pool = Pool { kernel: [3, 3], stride: [2, 2], padding: Padding::default() };
        let pad = || LayerOp::Pad(Padding::all(1));
        let mut bare = layers(vec![conv(), pad(), LayerOp::Plain(Op::MaxPool(pool))]);
        simplify(&mut bare);
        assert!(matches!(&bare.0[2].op, LayerOp::Conv(kernel) if kernel.padding == Padding::all(1)));
        assert_eq!(bare.0[3].op, LayerOp::Plain(Op::MaxPool(pool)));
        let relu = LayerOp::Plain(Op::Relu);
        let mut after = layers(vec![relu, pad(), LayerOp::Plain(Op::MaxPool(pool))]);
        simplify(&mut after);
        let merged = Pool { padding: Padding::all(1), ..pool };
        assert_eq!(after.0[3].op, LayerOp::Plain(Op::MaxPool(merged)));
    }
}
