//! Normalizations by numbers of the picture itself: over neighbouring channels, all channels of a position, or all positions of
//! some channels. What their output is multiplied by is a map of each channel behind them.

use trepang_api::{Lrn, Op};

use super::super::evaluate::axis;
use super::super::ir::LayerOp;
use super::super::value::{Act, Axis, GraphValue, NCHW};
use super::{Lowering, NotLowered, Reading};

impl Lowering<'_> {
    /// LRN, and layer, group and instance norm.
    pub(super) fn normal(&mut self, node: &Reading) -> Result<Vec<GraphValue>, NotLowered> {
        let act = self.act(node.input(0)?)?;
        if act.channels_last.is_some() {
            return Err("normalizes a flattened activation".into());
        }
        match node.op() {
            "LRN" => self.response_norm(node, act),
            "LayerNormalization" => self.layer_norm(node, act),
            _ => self.group_norm(node, act),
        }
    }

    fn response_norm(&mut self, node: &Reading, act: Act) -> Result<Vec<GraphValue>, NotLowered> {
        let number = |name: &str, default: f32| node.node.float(name).unwrap_or(default);
        let size = node.node.int("size").and_then(|size| usize::try_from(size).ok()).unwrap_or(0);
        let lrn =
            Lrn { size, alpha: number("alpha", 1e-4), beta: number("beta", 0.75), bias: number("bias", 1.0) };
        if act.axes.get(1) != Some(&Axis::C) {
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

    fn layer_norm(&mut self, node: &Reading, act: Act) -> Result<Vec<GraphValue>, NotLowered> {
        let side = axis(node.node.int("axis").unwrap_or(-1), act.axes.len())?;
        let shape = self.layers.shape(act.at);
        let is_vector = act.axes == NCHW && side == 1 && shape.height * shape.width == 1;
        let is_last = side + 1 == act.axes.len() && act.axes[side] == Axis::C;
        if !(is_last || is_vector) {
            return Err("normalizes over other sides than the channels".into());
        }
        let epsilon = node.node.float("epsilon").unwrap_or(1e-5);
        self.scaled(node, act, Op::LayerNorm { epsilon })
    }

    /// Group norm, also as PyTorch's exporters write it: an instance norm of groups whose channels and positions are one side.
    fn group_norm(&mut self, node: &Reading, act: Act) -> Result<Vec<GraphValue>, NotLowered> {
        let epsilon = node.node.float("epsilon").unwrap_or(1e-5);
        let channels = self.layers.shape(act.at).channels;
        let groups = match (node.op(), act.axes.as_slice()) {
            ("GroupNormalization", [Axis::N, Axis::C, Axis::H, Axis::W]) => {
                node.node.int("num_groups").and_then(|groups| usize::try_from(groups).ok()).unwrap_or(0)
            }
            ("InstanceNormalization", [Axis::N, Axis::C, Axis::H, Axis::W]) => channels,
            ("InstanceNormalization", [Axis::N, Axis::Group(groups), Axis::Rest(_)]) => *groups,
            _ => return Err("normalizes over other sides than the positions".into()),
        };
        self.scaled(node, act, Op::GroupNorm { groups, epsilon })
    }

    /// A normalization, and what its output is multiplied by: a number for each channel, or for each group of channels.
    fn scaled(&mut self, node: &Reading, act: Act, norm: Op) -> Result<Vec<GraphValue>, NotLowered> {
        let channels = self.layers.shape(act.at).channels;
        let mut at = self.layers.add(LayerOp::Plain(norm), &[act.at], Some(node.at))?;
        let numbers = |place: usize, default: f32| -> Result<Vec<f32>, NotLowered> {
            let given = node.weights(place)?.map_or_else(|| vec![default; channels], |given| given.floats());
            match channels.checked_div(given.len()) {
                Some(each) if each * given.len() == channels => {
                    Ok(given.into_iter().flat_map(|number| std::iter::repeat_n(number, each)).collect())
                }
                _ => Err("has numbers for another count of channels".into()),
            }
        };
        let (scale, shift) = (numbers(1, 1.0)?, numbers(2, 0.0)?);
        if scale.iter().any(|&scale| scale != 1.0) || shift.iter().any(|&shift| shift != 0.0) {
            at = self.layers.add(LayerOp::Affine { scale, shift }, &[at], Some(node.at))?;
        }
        Ok(vec![GraphValue::Act(Act { at, ..act })])
    }
}
