//! The values of a graph as far as they are known: a constant, the picture with what was done to its channels, a layer's
//! output, or nothing because of a node that cannot be computed.

use std::rc::Rc;

use trepang_api::{Padding, Shape};

use super::tensor::OnnxTensor;

/// A side of an activation. A value of the graph has them in some order, and may lack those of one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    N,
    C,
    H,
    W,
    /// The channels as groups: how many there are.
    Group(usize),
    /// The channels of one group: how many there are.
    InGroup(usize),
    /// The channels of one group with all their positions: how many numbers.
    Rest(usize),
}

/// All sides in the order of PyTorch, which every layer here has.
pub(super) const NCHW: [Axis; 4] = [Axis::N, Axis::C, Axis::H, Axis::W];

/// The output of a layer, as a value of the graph has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Act {
    /// The position of the layer in the intermediate network.
    pub at: usize,
    /// The sides of the graph's value.
    pub axes: Vec<Axis>,
    /// The sides that were flattened with the channels last, and have to be put into order by what reads them.
    pub channels_last: Option<Shape>,
    /// Cells around it that hold the lowest of numbers, which only a maximum may read.
    pub lowest: Padding,
}

impl Act {
    pub(super) fn new(at: usize) -> Self {
        Self::with(at, NCHW.to_vec())
    }

    pub(super) fn with(at: usize, axes: Vec<Axis>) -> Self {
        Self { at, axes, channels_last: None, lowest: Padding::default() }
    }
}

/// A channel that is a channel of the picture, times `scale`, plus `shift`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mapped {
    pub source: usize,
    pub scale: f64,
    pub shift: f64,
}

/// The picture, with its channels as they have been mapped since it came in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ImageMap {
    pub axes: Vec<Axis>,
    pub channels: Vec<Mapped>,
}

impl ImageMap {
    /// The picture as it comes in.
    pub(super) fn new(axes: Vec<Axis>, channels: usize) -> Self {
        let mapped = |source| Mapped { source, scale: 1.0, shift: 0.0 };
        Self { axes, channels: (0..channels).map(mapped).collect() }
    }
}

/// A value of the graph.
#[derive(Debug, Clone)]
pub(super) enum GraphValue {
    Const(Rc<OnnxTensor>),
    Image(ImageMap),
    Act(Act),
    /// An input of the graph that is no picture and has no numbers; by its name.
    Unfilled(String),
    /// Behind a node that cannot be computed: its position among the cuts.
    Cut(usize),
}

/// The lengths of sides, for an image's shape and a batch.
pub(super) fn dims(axes: &[Axis], shape: Shape, batch: usize) -> Vec<usize> {
    let side = |axis: &Axis| match axis {
        Axis::N => batch,
        Axis::C => shape.channels,
        Axis::H => shape.height,
        Axis::W => shape.width,
        Axis::Group(count) | Axis::InGroup(count) | Axis::Rest(count) => *count,
    };
    axes.iter().map(side).collect()
}

/// The numbers of a constant for each of `channels` channels, where it is broadcast against a value with these sides.
/// None if it varies along another side, or not as the channels do.
pub(super) fn per_channel(constant: &OnnxTensor, axes: &[Axis], channels: usize) -> Option<Vec<f32>> {
    let numbers = constant.floats();
    if let [number] = *numbers {
        return (constant.shape.len() <= axes.len()).then(|| vec![number; channels]);
    }
    let behind = axes.len().checked_sub(constant.shape.len())?;
    let varies_right = constant
        .shape
        .iter()
        .zip(&axes[behind..])
        .all(|(&side, &axis)| side == 1 || (axis == Axis::C && side == channels));
    (varies_right && numbers.len() == channels).then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::super::tensor::TensorNumbers;
    use super::*;

    #[test]
    fn constants_vary_by_channel_in_either_layout() {
        let constant = |shape: &[usize]| {
            let len = shape.iter().product::<usize>();
            OnnxTensor {
                shape: shape.to_vec(),
                numbers: TensorNumbers::Floats((0..len).map(|n| n as f32).collect()),
            }
        };
        let nhwc = [Axis::N, Axis::H, Axis::W, Axis::C];
        let expected = Some(vec![0.0, 1.0, 2.0]);
        assert_eq!(per_channel(&constant(&[3, 1, 1]), &NCHW, 3), expected);
        assert_eq!(per_channel(&constant(&[1, 3, 1, 1]), &NCHW, 3), expected);
        assert_eq!(per_channel(&constant(&[3]), &nhwc, 3), expected);
        assert_eq!(per_channel(&constant(&[]), &NCHW, 3), Some(vec![0.0; 3]));
        assert_eq!(per_channel(&constant(&[3]), &NCHW, 3), None, "that varies along the columns");
        assert_eq!(per_channel(&constant(&[3, 1, 1]), &nhwc, 3), None);
        assert_eq!(per_channel(&constant(&[1, 1, 1, 3]), &[Axis::N, Axis::C], 3), None);
    }
}
