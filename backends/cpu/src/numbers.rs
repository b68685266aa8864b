//! Operations whose pull-back needs numbers of the forward run, and channels in another order: what each keeps, and how it
//! runs forwards and back.

use trepang_api::{ActivationCurve, Lrn, Op};

use crate::channels::{self, ChannelMap};
use crate::grid::BatchShape;
use crate::group_norm::GroupNorm;
use crate::kept::Kept;
use crate::lanes::Lanes;
use crate::upsample::UpsampleStep;
use crate::{curve, normal};

/// Such an operation.
#[derive(Debug)]
pub(crate) enum NumberStep {
    Multiply {
        /// The sides of what is multiplied by: those of the output, or one position.
        second: BatchShape,
    },
    Unary(ActivationCurve),
    Lrn(Lrn),
    LayerNorm {
        epsilon: f32,
    },
    GroupNorm(GroupNorm),
    Upsample(UpsampleStep),
    Channels(ChannelMap),
}

/// The gradient that is pulled back to one of the inputs, and memory for it.
pub(crate) struct PulledNumbers<'a> {
    /// The place among the inputs.
    pub(crate) place: usize,
    pub(crate) x: BatchShape,
    /// The output's sides.
    pub(crate) y: BatchShape,
    pub(crate) dy: &'a [f32],
    pub(crate) scratch: &'a mut [f32],
}

impl NumberStep {
    /// The step of an operation on inputs with these sides; none for an operation of another kind.
    pub(crate) fn of(op: &Op, inputs: &[BatchShape]) -> Option<Self> {
        let x = *inputs.first()?;
        match op {
            Op::Multiply => inputs.get(1).map(|&second| Self::Multiply { second }),
            Op::Unary(curve) => Some(Self::Unary(*curve)),
            Op::Lrn(lrn) => Some(Self::Lrn(*lrn)),
            Op::LayerNorm { epsilon } => Some(Self::LayerNorm { epsilon: *epsilon }),
            Op::GroupNorm { groups, epsilon } => {
                Some(Self::GroupNorm(GroupNorm { groups: *groups, epsilon: *epsilon }))
            }
            Op::Upsample(up) => Some(Self::Upsample(UpsampleStep::new(up, x))),
            Op::Channels(map) => Some(Self::Channels(ChannelMap::new(map, x.channels))),
            Op::Preprocess(_)
            | Op::Conv2d(_)
            | Op::Relu
            | Op::Relu6
            | Op::MaxPool(_)
            | Op::AveragePool { .. }
            | Op::GlobalAverage
            | Op::Add
            | Op::Concat
            | Op::Flatten
            | Op::Linear(_)
            | Op::Softmax => None,
        }
    }

    /// The numbers and factors that it keeps. Without a pull-back only what the forward run itself needs.
    pub(crate) fn keeps(&self, x: BatchShape, lanes: usize, pulls_back: bool) -> [usize; 2] {
        let [numbers, factors] = match self {
            Self::Multiply { second } => [x.len(lanes), second.len(lanes)],
            Self::Unary(_) => [x.len(lanes), 0],
            Self::Lrn(_) => [x.len(lanes), x.len(lanes)],
            Self::LayerNorm { .. } => [x.len(lanes), x.positions() * normal::MOMENTS],
            Self::GroupNorm(_) => [x.len(lanes), GroupNorm::moments_len(x, lanes)],
            Self::Upsample(_) | Self::Channels(_) => [0, 0],
        };
        let wants_factors = pulls_back || !matches!(self, Self::Multiply { .. });
        [if pulls_back { numbers } else { 0 }, if wants_factors { factors } else { 0 }]
    }

    /// Numbers of scratch memory that its pull-back needs.
    pub(crate) fn scratch(&self, x: BatchShape, lanes: usize) -> usize {
        match self {
            Self::Lrn(_) => x.len(lanes),
            Self::LayerNorm { .. } => x.positions() * normal::MOMENTS,
            Self::GroupNorm(_) => GroupNorm::moments_len(x, lanes),
            Self::Multiply { .. } | Self::Unary(_) | Self::Upsample(_) | Self::Channels(_) => 0,
        }
    }

    pub(crate) fn forward<S: Lanes>(
        &self,
        simd: S,
        inputs: &[&[f32]],
        (grid, y): (BatchShape, &mut [f32]),
        kept: &mut Kept,
    ) {
        let Some(&x) = inputs.first() else { return };
        let (numbers, factors) = (kept.numbers.numbers_mut(), kept.factors.numbers_mut());
        match self {
            Self::Multiply { second } => {
                let Some(b) = inputs.get(1) else { return };
                channels::multiply(simd, [grid, *second], [x, b], y, false);
                copy(x, numbers);
                copy(b, factors);
            }
            Self::Unary(curve) => curve::unary(simd, *curve, grid, x, y, numbers),
            Self::Lrn(lrn) => {
                normal::lrn_sums(simd, lrn, grid, x, factors);
                normal::lrn(simd, lrn, grid, x, factors, y);
                copy(x, numbers);
            }
            Self::LayerNorm { epsilon } => {
                normal::moments(simd, *epsilon, grid, x, factors);
                normal::layer_norm(simd, grid, x, factors, y);
                copy(y, numbers);
            }
            Self::GroupNorm(norm) => {
                norm.forward(simd, grid, x, factors, y);
                copy(y, numbers);
            }
            Self::Upsample(up) => up.forward(simd, x, y),
            Self::Channels(map) => map.take(S::F32_LANES, grid, x, y),
        }
    }

    /// Into the gradient of an input, or added to it.
    pub(crate) fn back<S: Lanes>(
        &self,
        simd: S,
        kept: &Kept,
        pulled: PulledNumbers,
        (dx, accumulate): (&mut [f32], bool),
    ) {
        let PulledNumbers { place, x, y, dy, scratch } = pulled;
        let (numbers, factors) = (kept.numbers.numbers(), kept.factors.numbers());
        match self {
            Self::Multiply { second } if place == 0 => {
                channels::multiply(simd, [y, *second], [dy, factors], dx, accumulate);
            }
            Self::Multiply { second } if *second == y => {
                channels::multiply(simd, [y, y], [dy, numbers], dx, accumulate);
            }
            Self::Multiply { .. } => channels::multiply_summed(simd, y, [numbers, dy], dx, accumulate),
            Self::Unary(_) => curve::unary_back(simd, numbers, dy, dx, accumulate),
            Self::Lrn(lrn) => {
                normal::lrn_back(simd, (lrn, x), (numbers, factors), (dy, scratch), (dx, accumulate));
            }
            Self::LayerNorm { .. } => {
                normal::layer_norm_back(simd, x, (numbers, factors), (dy, scratch), (dx, accumulate));
            }
            Self::GroupNorm(norm) => {
                norm.back(simd, x, (numbers, factors), (dy, scratch), (dx, accumulate));
            }
            Self::Upsample(up) => up.back(simd, dy, (dx, accumulate)),
            Self::Channels(map) => map.give_back(S::F32_LANES, x, dy, dx, accumulate),
        }
    }
}

/// As much as there is room for.
fn copy(from: &[f32], into: &mut [f32]) {
    into.iter_mut().zip(from).for_each(|(into, &from)| *into = from);
}
