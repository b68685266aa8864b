//! What changes no number: other orders of the sides, other shapes, joined channels. On the picture itself, channels can
//! also be picked, which is how preprocessing is exported.

use trepang_api::{Op, Padding};

use super::super::evaluate::{axis, new_places, permutation, resolved};
use super::super::ir::LayerOp;
use super::super::value::{Act, Axis, GraphValue, ImageMap, NCHW};
use super::{Lowering, NotLowered, Reading};

impl Lowering<'_> {
    pub(super) fn shaping(&mut self, node: &Reading) -> Result<Vec<GraphValue>, NotLowered> {
        match node.op() {
            "Identity" | "Cast" | "CastLike" => Ok(vec![node.input(0)?.clone()]),
            "Dropout" => {
                let trains = node.constant(2)?.is_some_and(|is| is.floats().first() == Some(&1.0));
                if trains {
                    return Err(NotLowered::Refuse(
                        "is in training mode: call model.eval() before exporting".into(),
                    ));
                }
                Ok(vec![node.input(0)?.clone()])
            }
            "Transpose" => {
                let value = node.input(0)?;
                let axes = axes_of(value)?;
                let order = permutation(node.node.ints("perm"), axes.len())?;
                with_axes(value, order.into_iter().map(|at| axes[at]).collect())
            }
            "Squeeze" => self.squeeze(node),
            "Unsqueeze" => Self::unsqueeze(node),
            "Flatten" => self.flatten(node),
            "Reshape" => self.reshape(node),
            "Concat" => self.concat(node),
            "Expand" => self.expand(node),
            _ => Err("is none of the operations known here".into()),
        }
    }

    fn squeeze(&self, node: &Reading) -> Result<Vec<GraphValue>, NotLowered> {
        let value = node.input(0)?;
        let (axes, dims) = (axes_of(value)?, self.dims(value));
        let gone = match node.ints("axes", 1)? {
            Some(gone) => gone.iter().map(|&at| axis(at, axes.len())).collect::<Result<Vec<_>, _>>()?,
            None => (0..axes.len()).filter(|&at| dims[at] == 1).collect(),
        };
        if gone.iter().any(|&at| dims[at] != 1 || axes[at] == Axis::N) {
            return Err("squeezes the batch, or a side that is longer than 1".into());
        }
        let kept = (0..axes.len()).filter(|at| !gone.contains(at)).map(|at| axes[at]).collect();
        with_axes(value, kept)
    }

    /// New sides of length 1 are those that are missing, in the usual order.
    fn unsqueeze(node: &Reading) -> Result<Vec<GraphValue>, NotLowered> {
        let value = node.input(0)?;
        let mut axes = axes_of(value)?;
        let new = node.ints("axes", 1)?.ok_or("has no axes")?;
        for place in new_places(axes.len(), &new)? {
            let missing = NCHW.into_iter().find(|axis| !axes.contains(axis));
            axes.insert(place, missing.ok_or("makes more than four sides")?);
        }
        with_axes(value, axes)
    }

    fn flatten(&mut self, node: &Reading) -> Result<Vec<GraphValue>, NotLowered> {
        let value = node.input(0)?;
        let rank = axes_of(value)?.len();
        if axis(node.node.int("axis").unwrap_or(1), rank + 1)? != 1 {
            return Err("flattens other sides than all but the batch".into());
        }
        let act = self.act(value)?;
        self.flat(node, &act)
    }

    /// An activation as a vector of all its numbers.
    fn flat(&mut self, node: &Reading, act: &Act) -> Result<Vec<GraphValue>, NotLowered> {
        let shape = self.layers.shape(act.at);
        let vector = vec![Axis::N, Axis::C];
        if shape.height * shape.width == 1 {
            return Ok(vec![GraphValue::Act(Act { axes: vector, ..act.clone() })]);
        }
        let channels_last = match act.axes.as_slice() {
            [Axis::N, Axis::C, Axis::H, Axis::W] => None,
            [Axis::N, Axis::H, Axis::W, Axis::C] => Some(shape),
            _ => return Err("flattens an activation in an unusual order".into()),
        };
        if self.frame.height != self.frame.width {
            let (height, width) = (self.frame.height, self.frame.width);
            return Err(format!(
                "flattens the positions of pictures of {height}x{width}: pictures are square here"
            )
            .into());
        }
        let at = self.layers.add(LayerOp::Plain(Op::Flatten), &[act.at], Some(node.at))?;
        Ok(vec![GraphValue::Act(Act { channels_last, ..Act::with(at, vector) })])
    }

    fn reshape(&mut self, node: &Reading) -> Result<Vec<GraphValue>, NotLowered> {
        let value = node.input(0)?;
        let dims = self.dims(value);
        let to = node.ints("shape", 1)?.ok_or("has no shape")?;
        let sides = resolved(&dims, &to, node.node.int("allowzero") == Some(1))?;
        if sides == dims {
            return Ok(vec![value.clone()]);
        }
        let act = self.act(value)?;
        let shape = self.layers.shape(act.at);
        let is_vector = shape.height * shape.width == 1;
        let is_grouped = act.axes.iter().any(|axis| matches!(axis, Axis::Group(_)));
        let seen_as = |axes: Vec<Axis>| Ok(vec![GraphValue::Act(Act { axes, ..act.clone() })]);
        match *sides.as_slice() {
            [_, channels, height, width]
                if is_grouped && [channels, height, width] == [shape.channels, shape.height, shape.width] =>
            {
                self.regrouped(node, &act)
            }
            _ if is_grouped => Err(format!("makes {sides:?} of groups of channels").into()),
            // The batch may be fixed in the file: whatever it is, it stays.
            [_, all] if all == shape.len() => self.flat(node, &act),
            [_, channels, 1, 1] if is_vector && channels == shape.channels => seen_as(NCHW.to_vec()),
            // The channels as a row, over which a window slides (ECA).
            [_, 1, all] if is_vector && all == shape.channels => seen_as(vec![Axis::N, Axis::H, Axis::C]),
            [_, groups, all]
                if act.axes == NCHW
                    && groups.checked_mul(all) == Some(shape.len())
                    && shape.channels.is_multiple_of(groups.max(1)) =>
            {
                seen_as(vec![Axis::N, Axis::Group(groups), Axis::Rest(all)])
            }
            [_, 1, 1, channels] if is_vector && channels == shape.channels => {
                seen_as(vec![Axis::N, Axis::H, Axis::W, Axis::C])
            }
            // Of one picture, the batch may be left out for a while.
            [all] if is_vector && all == shape.channels && self.frame.batch == 1 => seen_as(vec![Axis::C]),
            [_, groups, each, height, width]
                if act.axes == NCHW
                    && groups.checked_mul(each) == Some(shape.channels)
                    && [height, width] == [shape.height, shape.width] =>
            {
                seen_as(vec![Axis::N, Axis::Group(groups), Axis::InGroup(each), Axis::H, Axis::W])
            }
            _ => Err(format!("makes {sides:?} of {dims:?}, which is not known here").into()),
        }
    }

    /// An activation whose channels were seen as groups, with its channels as one side again.
    fn regrouped(&mut self, node: &Reading, act: &Act) -> Result<Vec<GraphValue>, NotLowered> {
        let at = match *act.axes.as_slice() {
            [Axis::N, Axis::Group(_), Axis::InGroup(_), Axis::H, Axis::W]
            | [Axis::N, Axis::Group(_), Axis::Rest(_)] => act.at,
            [Axis::N, Axis::InGroup(each), Axis::Group(groups), Axis::H, Axis::W] => {
                let map = (0..each).flat_map(|at| (0..groups).map(move |group| group * each + at));
                self.layers.add(LayerOp::Plain(Op::Channels(map.collect())), &[act.at], Some(node.at))?
            }
            _ => return Err("changes the order of sides by their shape".into()),
        };
        Ok(vec![GraphValue::Act(Act::new(at))])
    }

    /// One number for each channel, repeated at every position. The product that follows does that by itself, and nothing else
    /// takes it for a whole activation.
    fn expand(&mut self, node: &Reading) -> Result<Vec<GraphValue>, NotLowered> {
        let act = self.act(node.input(0)?)?;
        let to = node.ints("", 1)?.ok_or("has no shape")?;
        let shape = self.layers.shape(act.at);
        let is_gate = act.axes == NCHW && shape.height * shape.width == 1;
        if is_gate && matches!(*to.as_slice(), [_, channels, _, _] if channels == shape.channels as i64) {
            return Ok(vec![GraphValue::Act(act)]);
        }
        Err("repeats other numbers than those of channels".into())
    }

    fn concat(&mut self, node: &Reading) -> Result<Vec<GraphValue>, NotLowered> {
        let axes = axes_of(node.input(0)?)?;
        let at = axis(node.node.int("axis").unwrap_or(1), axes.len())?;
        let mut same = true;
        for value in node.inputs.iter().flatten() {
            same &= axes_of(value)? == axes;
        }
        if axes[at] != Axis::C || !same {
            return Err("joins other sides than the channels".into());
        }
        let images: Option<Vec<&ImageMap>> = node.inputs.iter().flatten().map(as_image).collect();
        if let Some(images) = images {
            let channels = images.iter().flat_map(|map| map.channels.clone()).collect();
            return Ok(vec![GraphValue::Image(ImageMap { axes, channels })]);
        }
        let mut inputs = Vec::with_capacity(node.inputs.len());
        for value in node.inputs.iter().flatten() {
            let act = self.act(value)?;
            if act.channels_last.is_some() {
                return Err("joins flattened activations".into());
            }
            inputs.push(act.at);
        }
        let at = match inputs.as_slice() {
            [one] => *one,
            all => self.layers.add(LayerOp::Plain(Op::Concat), all, Some(node.at))?,
        };
        Ok(vec![GraphValue::Act(Act::with(at, axes))])
    }
}

fn as_image(value: &GraphValue) -> Option<&ImageMap> {
    match value {
        GraphValue::Image(map) => Some(map),
        GraphValue::Const(_) | GraphValue::Act(_) | GraphValue::Unfilled(_) | GraphValue::Cut(_) => None,
    }
}

pub(super) fn axes_of(value: &GraphValue) -> Result<Vec<Axis>, NotLowered> {
    match value {
        GraphValue::Image(map) => Ok(map.axes.clone()),
        GraphValue::Act(act) => Ok(act.axes.clone()),
        GraphValue::Const(_) => Err("joins an activation and a constant".into()),
        GraphValue::Unfilled(name) => Err(super::unfilled(name)),
        GraphValue::Cut(cut) => Err(NotLowered::Behind(*cut)),
    }
}

/// A value with other sides, or with the same in another order.
fn with_axes(value: &GraphValue, axes: Vec<Axis>) -> Result<Vec<GraphValue>, NotLowered> {
    match value {
        GraphValue::Image(map) => {
            Ok(vec![GraphValue::Image(ImageMap { axes, channels: map.channels.clone() })])
        }
        GraphValue::Act(act) if act.channels_last.is_some() || act.lowest != Padding::default() => {
            Err("turns a flattened activation, or a padded one".into())
        }
        GraphValue::Act(act) => Ok(vec![GraphValue::Act(Act::with(act.at, axes))]),
        GraphValue::Const(_) | GraphValue::Unfilled(_) | GraphValue::Cut(_) => {
            Err("has no activation".into())
        }
    }
}
