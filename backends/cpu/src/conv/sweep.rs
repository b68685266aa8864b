//! The input that each tap of a convolution reads for each output, forwards and back: one description for both, so that the
//! same loops compute both.

use super::Geometry;
use crate::grid::BatchShape;

/// One number of the kernel and where it reads, relative to the output's place times the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tap {
    /// Rows down and columns right; negative in the padding above and to the left.
    pub(crate) offset: [isize; 2],
    /// Row-major index in the kernel.
    pub(crate) index: usize,
}

/// Outputs that are computed alike: the place `i` on an axis is output `i * write_step + write_from`, and a tap reads
/// input `i * read_step + offset`.
#[derive(Debug, Clone)]
pub(crate) struct Sweep {
    /// Places down and right.
    pub(crate) count: [usize; 2],
    pub(crate) write_step: [usize; 2],
    pub(crate) write_from: [usize; 2],
    pub(crate) read_step: [usize; 2],
    pub(crate) taps: Vec<Tap>,
}

impl Sweep {
    /// y: every output at once, reading `stride` apart.
    pub(crate) fn forward(g: &Geometry) -> Vec<Self> {
        let offset = |axis: usize, k: usize| k as isize - g.pad[axis] as isize;
        vec![Self {
            count: [g.y.height, g.y.width],
            write_step: [1, 1],
            write_from: [0, 0],
            read_step: g.stride,
            taps: taps(g.kernel, |i, j| Some([offset(0, i), offset(1, j)])),
        }]
    }

    /// dx: input `p` was read by output `o` through tap `k` where `p = o stride + k - pad`. Inputs that are a stride apart
    /// use the same taps, so there is a sweep for each remainder.
    pub(crate) fn back(g: &Geometry) -> Vec<Self> {
        let remainders = (0..g.stride[0]).flat_map(|r| (0..g.stride[1]).map(move |s| [r, s]));
        let offset = |axis: usize, from: usize, k: usize| {
            let distance = (from + g.pad[axis]) as isize - k as isize;
            let step = g.stride[axis] as isize;
            (distance % step == 0).then_some(distance / step)
        };
        let sides = [g.x.height, g.x.width];
        let sweeps = remainders.map(|from| Self {
            count: [0, 1].map(|axis| sides[axis].saturating_sub(from[axis]).div_ceil(g.stride[axis])),
            write_step: g.stride,
            write_from: from,
            read_step: [1, 1],
            taps: taps(g.kernel, |i, j| Some([offset(0, from[0], i)?, offset(1, from[1], j)?])),
        });
        sweeps.filter(|sweep| sweep.count[0] * sweep.count[1] > 0).collect()
    }

    /// The first and the last row, or column, that any place reads.
    fn reach(&self, axis: usize) -> Option<[isize; 2]> {
        let offsets = || self.taps.iter().map(|tap| tap.offset[axis]);
        let far = ((self.count[axis] - 1) * self.read_step[axis]) as isize;
        Some([offsets().min()?, offsets().max()? + far])
    }
}

fn taps(kernel: [usize; 2], offset: impl Fn(usize, usize) -> Option<[isize; 2]>) -> Vec<Tap> {
    let all = (0..kernel[0]).flat_map(|i| (0..kernel[1]).map(move |j| (i, j)));
    all.filter_map(|(i, j)| Some(Tap { offset: offset(i, j)?, index: i * kernel[1] + j })).collect()
}

/// Rows and columns of zeros around an input, so that no tap of any sweep reads outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Border {
    /// Above, to the left.
    pub(crate) before: [usize; 2],
    /// Height and width with the border on all sides.
    pub(crate) sides: [usize; 2],
}

impl Border {
    pub(crate) fn around(reads: BatchShape, sweeps: &[Sweep]) -> Self {
        let sides = [reads.height, reads.width];
        let reach = |axis: usize| sweeps.iter().filter_map(move |sweep| sweep.reach(axis));
        let before =
            [0, 1].map(|axis| reach(axis).map(|[first, _]| first).min().unwrap_or(0).min(0).unsigned_abs());
        let last = |axis: usize| reach(axis).map(|[_, last]| last + 1).max().unwrap_or(0);
        let sides = [0, 1].map(|axis| before[axis] + sides[axis].max(last(axis).max(0) as usize));
        Self { before, sides }
    }

    /// Positions of one image.
    pub(crate) fn plane(self) -> usize {
        self.sides[0] * self.sides[1]
    }

    /// Whether there is no padding around it.
    pub(crate) fn is_nothing(self, reads: BatchShape) -> bool {
        self.sides == [reads.height, reads.width]
    }
}
