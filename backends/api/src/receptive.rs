//! The part of an image that some positions of some layers can see: the rest need not be computed. Not how it is
//! computed: a model is simply given that part as a smaller image.

use std::ops::RangeInclusive;

use crate::op::Op;
use crate::{LayerId, Network, Result};

/// Positions of a layer: a rectangle of rows and columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// The layer whose positions these are.
    pub layer: LayerId,
    /// First and last row.
    pub rows: RangeInclusive<usize>,
    /// First and last column.
    pub columns: RangeInclusive<usize>,
}

/// A part of an image on which every position asked for has the value it has on the whole image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceptiveField {
    /// Its first row.
    pub top: usize,
    /// Its first column.
    pub left: usize,
    /// The number of its rows.
    pub height: usize,
    /// The number of its columns.
    pub width: usize,
    /// Of each region asked for, its first row and column on this part alone.
    pub origins: Vec<[usize; 2]>,
}

/// An operation's window over its input, along one axis.
struct AxisWindow {
    kernel: usize,
    stride: usize,
    before: usize,
}

impl Network {
    /// The smallest part of `height` x `width` images that the regions depend on, begun at a multiple of every
    /// stride on the way so that windows fall where they fell, and cut off only where the image ends, so that padding
    /// stays where it was. `None` if they see the whole image, or the part is too small for the network.
    pub fn receptive_field(
        &self,
        [height, width]: [usize; 2],
        regions: &[Region],
    ) -> Result<Option<ReceptiveField>> {
        let Some(deepest) = regions.iter().map(|region| region.layer).max() else { return Ok(None) };
        let shapes = self.shapes(height, width, deepest)?;
        let sides: [Vec<usize>; 2] =
            [shapes.iter().map(|s| s.height).collect(), shapes.iter().map(|s| s.width).collect()];
        let wanted = |axis: usize| {
            let range = move |r: &Region| if axis == 0 { r.rows.clone() } else { r.columns.clone() };
            regions.iter().map(|region| (region.layer, range(region))).collect::<Vec<_>>()
        };
        let spans = [0, 1].map(|axis| self.span(axis, &sides[axis], &wanted(axis)));
        let [Some((top, bottom, down)), Some((left, right, across))] = spans else { return Ok(None) };
        let part = [bottom - top, right - left];
        if part == [height, width] || self.shapes(part[0], part[1], deepest).is_err() {
            return Ok(None);
        }
        let origin = |region: &Region| {
            let at = region.layer.index();
            [region.rows.start() - top / down[at], region.columns.start() - left / across[at]]
        };
        let origins = regions.iter().map(origin).collect();
        Ok(Some(ReceptiveField { top, left, height: part[0], width: part[1], origins }))
    }

    /// Along one axis, where in the image the wanted positions begin and end to look, and the distance of neighbouring
    /// positions of each node in pixels. `None` if some operation looks everywhere.
    fn span(
        &self,
        axis: usize,
        sides: &[usize],
        wanted: &[(LayerId, RangeInclusive<usize>)],
    ) -> Option<(usize, usize, Vec<usize>)> {
        let mut seen: Vec<Option<(usize, usize)>> = vec![None; sides.len()];
        for (layer, range) in wanted {
            widen(&mut seen[layer.index()], (*range.start(), *range.end()));
        }
        for index in (1..sides.len()).rev() {
            let Some((first, last)) = seen[index] else { continue };
            let node = &self.nodes()[index];
            let AxisWindow { kernel, stride, before } = walk(&node.op, axis)?;
            // One number for a channel comes from wherever.
            if node.op == Op::Multiply && node.inputs.iter().any(|input| sides[input.index()] != sides[index])
            {
                return None;
            }
            for input in &node.inputs {
                let end = (last * stride + kernel - 1).saturating_sub(before);
                let part = ((first * stride).saturating_sub(before), end.min(sides[input.index()] - 1));
                widen(&mut seen[input.index()], part);
            }
        }
        let (first, last) = seen[0]?;
        let jumps = self.jumps(axis, sides.len());
        // Of two ways with other strides the longer stride is a multiple of the shorter in every network known;
        // where it is not, the least common multiple still is.
        let longest = (0..sides.len()).filter(|&i| seen[i].is_some()).fold(1, |l, i| common(l, jumps[i]));
        Some((first / longest * longest, last + 1, jumps))
    }

    /// The distance of neighbouring positions of each node in pixels of the image; 0 where there is none.
    fn jumps(&self, axis: usize, count: usize) -> Vec<usize> {
        let mut jumps: Vec<usize> = Vec::with_capacity(count);
        for node in &self.nodes()[..count] {
            let before = node.inputs.first().map_or(1, |input| jumps[input.index()]);
            jumps.push(walk(&node.op, axis).map_or(0, |walk| before * walk.stride));
        }
        jumps
    }
}

/// The least range that holds both.
fn widen(seen: &mut Option<(usize, usize)>, (first, last): (usize, usize)) {
    *seen = Some(seen.map_or((first, last), |(a, b)| (a.min(first), b.max(last))));
}

/// The least common multiple of a number and another that may be 0.
fn common(a: usize, b: usize) -> usize {
    let (mut x, mut y) = (a, b.max(1));
    while y > 0 {
        (x, y) = (y, x % y);
    }
    a / x * b.max(1)
}

/// The operation's window along an axis; `None` if it reads every position.
fn walk(op: &Op, axis: usize) -> Option<AxisWindow> {
    let window = |kernel: [usize; 2], stride: [usize; 2], padding: &crate::Padding| AxisWindow {
        kernel: kernel[axis],
        stride: stride[axis],
        before: [padding.top, padding.left][axis],
    };
    match op {
        Op::Conv2d(conv) => Some(window(conv.kernel, conv.stride, &conv.padding)),
        Op::MaxPool(pool) | Op::AveragePool { pool, .. } => {
            Some(window(pool.kernel, pool.stride, &pool.padding))
        }
        Op::Preprocess(_)
        | Op::Relu
        | Op::Relu6
        | Op::Add
        | Op::Multiply
        | Op::Unary(_)
        | Op::Lrn(_)
        | Op::LayerNorm { .. }
        | Op::Channels(_)
        | Op::Concat
        | Op::Softmax => Some(AxisWindow { kernel: 1, stride: 1, before: 0 }),
        // A row of an upsampled input is less than one of its own, which windows here cannot say.
        Op::GlobalAverage | Op::GroupNorm { .. } | Op::Upsample(_) | Op::Flatten | Op::Linear(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Preprocess;
    use crate::networks::vgg19;

    fn field(size: usize, layer: &str, [y, x]: [usize; 2]) -> Option<ReceptiveField> {
        let network = vgg19(Preprocess::caffe(), true).unwrap();
        let layer = network.layer(layer).unwrap();
        let region = Region { layer, rows: y..=y, columns: x..=x };
        network.receptive_field([size, size], &[region]).unwrap()
    }

    #[test]
    fn a_neuron_of_vgg_sees_what_arithmetic_says() {
        let second = field(224, "block1_conv2", [100, 0]).unwrap();
        assert_eq!((second.top, second.height, second.left, second.width), (98, 5, 0, 3));
        assert_eq!(second.origins, [[2, 0]]);
        // Two convolutions, a pooling and two more: 14 pixels, of which the two below the image are padding.
        let deeper = field(224, "block2_conv2", [50, 111]).unwrap();
        assert_eq!((deeper.top, deeper.height, deeper.left, deeper.width), (94, 14, 216, 8));
        assert_eq!(deeper.origins, [[3, 3]]);
    }

    #[test]
    fn what_sees_everything_is_not_cut() {
        assert_eq!(field(224, "block5_conv4", [7, 7]), None);
        assert_eq!(field(224, "predictions", [0, 0]), None);
    }
}
