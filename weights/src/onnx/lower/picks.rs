//! Channels that are picked out of others: parts of them, or all in another order.

use trepang_api::{Op, Padding};

use super::super::evaluate::{axis, sliced, slices};
use super::super::ir::LayerOp;
use super::super::value::{Act, Axis, GraphValue, ImageMap, NCHW};
use super::shapes::axes_of;
use super::{Lowering, NotLowered, Reading};

impl Lowering<'_> {
    pub(super) fn pick(&mut self, node: &Reading) -> Result<Vec<GraphValue>, NotLowered> {
        let value = node.input(0)?;
        let (axes, dims) = (axes_of(value)?, self.dims(value));
        let parts = match node.op() {
            "Slice" => vec![self.slice(node, &axes, &dims)?],
            "Split" => split(node, &axes, &dims)?,
            _ => vec![gathered(node, &axes, &dims)?],
        };
        let all: Vec<usize> = (0..self.channels(value)).collect();
        let is_everything = |part: &PickedChannels| {
            part.channels == all && part.axes == axes && part.cut == Padding::default()
        };
        if let (GraphValue::Act(act), [part]) = (value, parts.as_slice())
            && axes == [Axis::C]
            && part.channels == all
            && part.axes == NCHW
        {
            return Ok(vec![GraphValue::Act(Act::new(act.at))]);
        }
        match value {
            _ if parts.iter().all(is_everything) => Ok(vec![value.clone()]),
            GraphValue::Image(_) if parts.iter().any(|part| part.cut != Padding::default()) => {
                Err("takes a part of the picture".into())
            }
            GraphValue::Image(map) => Ok(parts
                .into_iter()
                .map(|part| {
                    let channels = part.channels.iter().map(|&at| map.channels[at]).collect();
                    GraphValue::Image(ImageMap { axes: part.axes, channels })
                })
                .collect()),
            GraphValue::Act(act) if act.channels_last.is_none() => {
                let act = act.clone();
                parts.into_iter().map(|part| self.picked(node, &act, part)).collect()
            }
            GraphValue::Act(_) | GraphValue::Const(_) | GraphValue::Unfilled(_) | GraphValue::Cut(_) => {
                Err("picks among what is no picture and no channels".into())
            }
        }
    }

    /// A layer of some channels of another.
    fn picked(&mut self, node: &Reading, act: &Act, part: PickedChannels) -> Result<GraphValue, NotLowered> {
        if part.axes != act.axes || part.channels.is_empty() {
            return Err("picks a single channel, or none".into());
        }
        let act = self.cropped(node, act.clone(), part.cut)?;
        if part.channels.iter().copied().eq(0..self.layers.shape(act.at).channels) {
            return Ok(GraphValue::Act(act));
        }
        let at = self.layers.add(LayerOp::Plain(Op::Channels(part.channels)), &[act.at], Some(node.at))?;
        Ok(GraphValue::Act(Act::with(at, part.axes)))
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
        let (mut channels, mut cut) = (all_channels(axes, dims), Padding::default());
        for (side, range) in slices(node.node, self.graph.opset, axes.len(), &|at| ints[at].clone())? {
            let taken = sliced(dims[side], range)?;
            let (first, last) = (taken.first().copied().unwrap_or(0), taken.len());
            let ends = [first, dims[side].saturating_sub(first + last)];
            match axes[side] {
                Axis::C => channels = taken,
                Axis::H | Axis::W if !taken.iter().copied().eq(first..first + last) || taken.is_empty() => {
                    return Err("takes some rows or columns of the picture".into());
                }
                Axis::H => [cut.top, cut.bottom] = ends,
                Axis::W => [cut.left, cut.right] = ends,
                Axis::N | Axis::Group(_) | Axis::InGroup(_) | Axis::Rest(_) => {
                    if ends != [0, 0] {
                        return Err("takes a part of the batch, or of groups of channels".into());
                    }
                }
            }
        }
        Ok(PickedChannels { axes: axes.to_vec(), channels, cut })
    }
}

/// Channels that are picked, and the sides that are left.
#[derive(Debug)]
struct PickedChannels {
    axes: Vec<Axis>,
    channels: Vec<usize>,
    /// Rows and columns that are cut off.
    cut: Padding,
}

impl PickedChannels {
    /// Channels of which all positions stay.
    fn whole(axes: Vec<Axis>, channels: Vec<usize>) -> Self {
        Self { axes, channels, cut: Padding::default() }
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
        parts.push(PickedChannels::whole(axes.to_vec(), (start..end).collect()));
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
    if axes == [Axis::C] && indices.shape == [1, channels.len(), 1, 1] {
        return Ok(PickedChannels::whole(NCHW.to_vec(), channels));
    }
    match (is_nd, indices.shape.as_slice()) {
        (false, []) => {
            axes.remove(side);
        }
        (false, [_]) | (true, [_, 1]) => {}
        (_, shape) => return Err(format!("picks with indices {shape:?}").into()),
    }
    Ok(PickedChannels::whole(axes, channels))
}
