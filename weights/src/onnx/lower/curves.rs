//! Activation functions that are no ReLU, and products of two activations.

use trepang_api::{ActivationCurve, Op};

use super::super::ir::LayerOp;
use super::super::proto::NodeProto;
use super::super::value::{Act, GraphValue};
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
}
