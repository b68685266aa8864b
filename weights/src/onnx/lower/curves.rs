//! Activation functions that are no ReLU, products of two activations, and normalizations over channels.

use trepang_api::{ActivationCurve, Lrn, Op};

use super::super::evaluate::axis;
use super::super::ir::LayerOp;
use super::super::proto::NodeProto;
use super::super::value::{Act, Axis, GraphValue, NCHW};
use super::{Lowering, NotLowered, Reading};

/// The curve of a node; none for an operation of another kind. Fails, with a clause, for one with numbers that are not known.
pub(super) fn curve(node: &NodeProto) -> Result<Option<ActivationCurve>, NotLowered> {
    let number = |name: &str, default: f32| node.float(name).unwrap_or(default);
    Ok(Some(match node.op_type.as_str() {
        "Sigmoid" => ActivationCurve::Sigmoid,
        "Tanh" => ActivationCurve::Tanh,
        "Swish" if number("alpha", 1.0) == 1.0 => ActivationCurve::Silu,
        "HardSigmoid" => {
            ActivationCurve::HardSigmoid { slope: number("alpha", 0.2), shift: number("beta", 0.5) }
        }
        "HardSwish" => ActivationCurve::HardSwish,
        "LeakyRelu" => ActivationCurve::LeakyRelu { slope: number("alpha", 0.01) },
        "Elu" => ActivationCurve::Elu { alpha: number("alpha", 1.0) },
        "Gelu" => match node.text("approximate").unwrap_or("none") {
            "none" | "" => ActivationCurve::Gelu,
            "tanh" => ActivationCurve::GeluTanh,
            other => return Err(format!("approximates by \"{other}\"").into()),
        },
        _ => return Ok(None),
    }))
}

impl Lowering<'_> {
    /// The product of two activations of one shape, or of one and a number for each of its channels.
    pub(super) fn product(&mut self, node: &Reading) -> Result<Vec<GraphValue>, NotLowered> {
        let (a, b) = (self.act(node.input(0)?)?, self.act(node.input(1)?)?);
        if a.axes != b.axes || a.channels_last != b.channels_last {
            return Err("multiplies activations in different layouts".into());
        }
        let is_gate = |act: &Act| {
            let shape = self.layers.shape(act.at);
            shape.height * shape.width == 1
        };
        let (first, second) = if is_gate(&a) && !is_gate(&b) { (b, a) } else { (a, b) };
        let at = self.layers.add(LayerOp::Plain(Op::Multiply), &[first.at, second.at], Some(node.at))?;
        Ok(vec![GraphValue::Act(Act { at, ..first })])
    }

    /// LRN and `LayerNormalization`.
    pub(super) fn normal(&mut self, node: &Reading) -> Result<Vec<GraphValue>, NotLowered> {
        let act = self.act(node.input(0)?)?;
        if node.op() == "LRN" { self.response_norm(node, act) } else { self.layer_norm(node, act) }
    }

    fn response_norm(&mut self, node: &Reading, act: Act) -> Result<Vec<GraphValue>, NotLowered> {
        let number = |name: &str, default: f32| node.node.float(name).unwrap_or(default);
        let size = node.node.int("size").and_then(|size| usize::try_from(size).ok()).unwrap_or(0);
        let lrn =
            Lrn { size, alpha: number("alpha", 1e-4), beta: number("beta", 0.75), bias: number("bias", 1.0) };
        if act.axes.get(1) != Some(&Axis::C) || act.channels_last.is_some() {
            return Err("normalizes over another side than the channels".into());
        }
        if size.is_multiple_of(2) || lrn.bias <= 0.0 || lrn.alpha < 0.0 {
            return Err(
                format!("has the size {size}, the bias {} and the alpha {}", lrn.bias, lrn.alpha).into()
            );
        }
        let at = self.layers.add(LayerOp::Plain(Op::Lrn(lrn)), &[act.at], Some(node.at))?;
        Ok(vec![GraphValue::Act(Act { at, ..act })])
    }

    /// The normalization, and what its output is multiplied by.
    fn layer_norm(&mut self, node: &Reading, act: Act) -> Result<Vec<GraphValue>, NotLowered> {
        let side = axis(node.node.int("axis").unwrap_or(-1), act.axes.len())?;
        let shape = self.layers.shape(act.at);
        let is_vector = act.axes == NCHW && side == 1 && shape.height * shape.width == 1;
        let is_last = side + 1 == act.axes.len() && act.axes[side] == Axis::C;
        if !(is_last || is_vector) || act.channels_last.is_some() {
            return Err("normalizes over other sides than the channels".into());
        }
        let epsilon = node.node.float("epsilon").unwrap_or(1e-5);
        let norm = LayerOp::Plain(Op::LayerNorm { epsilon });
        let mut at = self.layers.add(norm, &[act.at], Some(node.at))?;
        let numbers = |place: usize, default: f32| -> Result<Vec<f32>, NotLowered> {
            Ok(node.weights(place)?.map_or_else(|| vec![default; shape.channels], |given| given.floats()))
        };
        let (scale, shift) = (numbers(1, 1.0)?, numbers(2, 0.0)?);
        if [&scale, &shift].iter().any(|numbers| numbers.len() != shape.channels) {
            return Err("has numbers for another count of channels".into());
        }
        if scale.iter().any(|&scale| scale != 1.0) || shift.iter().any(|&shift| shift != 0.0) {
            at = self.layers.add(LayerOp::Affine { scale, shift }, &[at], Some(node.at))?;
        }
        Ok(vec![GraphValue::Act(Act { at, ..act })])
    }
}
