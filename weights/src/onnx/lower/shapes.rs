//! What changes no number: other orders of the sides, other shapes, joined channels. On the picture itself, channels can
//! also be picked, which is how preprocessing is exported.

use trepang_api::Op;

use super::super::evaluate::{axis, new_places, permutation, resolved, sliced, slices};
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
            "Gather" | "GatherND" | "Slice" | "Split" => self.pick(node),
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
        Ok(vec![GraphValue::Act(Act { at, axes: vector, channels_last })])
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
        match *sides.as_slice() {
            // The batch may be fixed in the file: whatever it is, it stays.
            [_, all] if all == shape.len() => self.flat(node, &act),
            [_, channels, 1, 1] if is_vector && channels == shape.channels => {
                Ok(vec![GraphValue::Act(Act { axes: NCHW.to_vec(), ..act })])
            }
            _ => Err(format!("makes {sides:?} of {dims:?}, which is not known here").into()),
        }
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

    /// Channels of the picture; of an activation, all of it.
    fn pick(&self, node: &Reading) -> Result<Vec<GraphValue>, NotLowered> {
        let value = node.input(0)?;
        let (axes, dims) = (axes_of(value)?, self.dims(value));
        let parts = match node.op() {
            "Slice" => vec![self.slice(node, &axes, &dims)?],
            "Split" => split(node, &axes, &dims)?,
            _ => vec![gathered(node, &axes, &dims)?],
        };
        let all: Vec<usize> = (0..self.channels(value)).collect();
        let is_everything = |part: &PickedChannels| part.channels == all && part.axes == axes;
        match value {
            _ if parts.iter().all(is_everything) => Ok(vec![value.clone()]),
            GraphValue::Image(map) => Ok(parts
                .into_iter()
                .map(|part| {
                    let channels = part.channels.iter().map(|&at| map.channels[at]).collect();
                    GraphValue::Image(ImageMap { axes: part.axes, channels })
                })
                .collect()),
            GraphValue::Act(_) | GraphValue::Const(_) | GraphValue::Unfilled(_) | GraphValue::Cut(_) => {
                Err("picks some of the channels, which is not known here".into())
            }
        }
    }

    fn channels(&self, value: &GraphValue) -> usize {
        match value {
            GraphValue::Image(map) => map.channels.len(),
            GraphValue::Act(act) => self.layers.shape(act.at).channels,
            GraphValue::Const(_) | GraphValue::Unfilled(_) | GraphValue::Cut(_) => 0,
        }
    }

    fn slice(&self, node: &Reading, axes: &[Axis], dims: &[usize]) -> Result<PickedChannels, NotLowered> {
        let mut ints = Vec::with_capacity(5);
        for at in 0..5 {
            ints.push(if at == 0 { None } else { node.ints("", at)? });
        }
        let mut channels = all_channels(axes, dims);
        for (side, range) in slices(node.node, self.graph.opset, axes.len(), &|at| ints[at].clone())? {
            let taken = sliced(dims[side], range)?;
            if axes[side] == Axis::C {
                channels = taken;
            } else if !taken.iter().copied().eq(0..dims[side]) {
                return Err("takes a part of the picture".into());
            }
        }
        Ok(PickedChannels { axes: axes.to_vec(), channels })
    }
}

/// Channels that are picked, and the sides that are left.
#[derive(Debug)]
struct PickedChannels {
    axes: Vec<Axis>,
    channels: Vec<usize>,
}

fn as_image(value: &GraphValue) -> Option<&ImageMap> {
    match value {
        GraphValue::Image(map) => Some(map),
        GraphValue::Const(_) | GraphValue::Act(_) | GraphValue::Unfilled(_) | GraphValue::Cut(_) => None,
    }
}

fn axes_of(value: &GraphValue) -> Result<Vec<Axis>, NotLowered> {
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
        GraphValue::Act(act) if act.channels_last.is_some() => Err("turns a flattened activation".into()),
        GraphValue::Act(act) => Ok(vec![GraphValue::Act(Act::with(act.at, axes))]),
        GraphValue::Const(_) | GraphValue::Unfilled(_) | GraphValue::Cut(_) => {
            Err("has no activation".into())
        }
    }
}

fn all_channels(axes: &[Axis], dims: &[usize]) -> Vec<usize> {
    let at = axes.iter().position(|&axis| axis == Axis::C);
    (0..at.map_or(1, |at| dims[at])).collect()
}

fn split(node: &Reading, axes: &[Axis], dims: &[usize]) -> Result<Vec<PickedChannels>, NotLowered> {
    let side = axis(node.node.int("axis").unwrap_or(0), axes.len())?;
    if axes[side] != Axis::C {
        return Err("splits another side than the channels".into());
    }
    let count = node.node.output.len().max(1);
    let even = dims[side].div_ceil(count);
    let lengths = match node.ints("split", 1)? {
        Some(lengths) => {
            lengths.iter().map(|&length| usize::try_from(length).unwrap_or(usize::MAX)).collect()
        }
        None => vec![even; count],
    };
    let (mut parts, mut start) = (Vec::with_capacity(lengths.len()), 0_usize);
    for length in lengths {
        let end = start.saturating_add(length).min(dims[side]);
        parts.push(PickedChannels { axes: axes.to_vec(), channels: (start..end).collect() });
        start = end;
    }
    Ok(parts)
}

/// Gather along the channels, or `GatherND` along the first side, which the channels were turned to.
fn gathered(node: &Reading, axes: &[Axis], dims: &[usize]) -> Result<PickedChannels, NotLowered> {
    let is_nd = node.op() == "GatherND";
    let side = if is_nd { 0 } else { axis(node.node.int("axis").unwrap_or(0), axes.len())? };
    let indices = node.constant(1)?.ok_or("has no indices")?;
    let ints = indices.as_ints().ok_or("has indices that are no integers")?;
    if axes[side] != Axis::C || node.node.int("batch_dims").unwrap_or(0) != 0 {
        return Err("picks other things than channels".into());
    }
    let channels = ints.iter().map(|&at| axis(at, dims[side])).collect::<Result<Vec<_>, _>>()?;
    let mut axes = axes.to_vec();
    match (is_nd, indices.shape.as_slice()) {
        (false, []) => {
            axes.remove(side);
        }
        (false, [_]) | (true, [_, 1]) => {}
        (_, shape) => return Err(format!("picks with indices {shape:?}").into()),
    }
    Ok(PickedChannels { axes, channels })
}
