//! Element-wise operations: sums with their ReLU, and channels one after the other. And means over a whole
//! plane.

use rayon::prelude::*;

use crate::conv::finish::{Activation, Finish, Input, Output, gate, shares};
use crate::grid::BatchShape;
use crate::lanes::{Lanes, vectorized};

/// activation(the sum of all inputs).
pub(crate) fn sum<S: Lanes>(
    simd: S,
    grid: BatchShape,
    inputs: &[&[f32]],
    activation: Activation,
    output: Output,
) {
    let vectors = grid.positions();
    let finish = Finish { bias: None, activation, accumulate: false };
    shares(output, 1, vectors, S::F32_LANES).into_par_iter().enumerate().for_each(|(block, (y, gates))| {
        let begin = block * vectors * S::F32_LANES;
        vectorized!(simd, {
            let zero = simd.splat_f32s(0.0);
            for (index, y) in S::as_mut_simd_f32s(y).0.iter_mut().enumerate() {
                let mut sum = zero;
                for input in inputs {
                    sum = simd.add_f32s(sum, S::as_simd_f32s(&input[begin..]).0[index]);
                }
                finish.store(simd, sum, zero, y, gate(gates, index));
            }
        });
    });
}

/// dx = dy through its gates, or dx += that.
pub(crate) fn pass_back<S: Lanes>(simd: S, grid: BatchShape, dy: Input, dx: &mut [f32], accumulate: bool) {
    let lanes = S::F32_LANES;
    let vectors = grid.positions();
    dx[..grid.len(lanes)].par_chunks_mut(vectors * lanes).enumerate().for_each(|(block, dx)| {
        vectorized!(simd, {
            let (from, finish) = (S::as_simd_f32s(dy.data).0, Finish::plain(accumulate));
            for (index, dx) in S::as_mut_simd_f32s(dx).0.iter_mut().enumerate() {
                let dy = dy.at(simd, from, block * vectors + index);
                finish.store(simd, dy, simd.splat_f32s(0.0), dx, None);
            }
        });
    });
}

/// Copies the channels of `part` to where they begin in the channels of `whole`, or back from there (adding them, if it is
/// wanted).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Joint {
    pub(crate) part: BatchShape,
    pub(crate) first: usize,
}

impl Joint {
    pub(crate) fn join(self, lanes: usize, part: &[f32], whole: &mut [f32]) {
        self.each(lanes, |part_at, whole_at, count| {
            self.copy(&part[part_at..], &mut whole[whole_at..], count, lanes, |to, from| *to = from);
        });
    }

    pub(crate) fn part_back(self, lanes: usize, whole: &[f32], part: &mut [f32], accumulate: bool) {
        if !accumulate {
            part[..self.part.len(lanes)].fill(0.0);
        }
        self.each(lanes, |part_at, whole_at, count| {
            self.copy(&whole[whole_at..], &mut part[part_at..], count, lanes, |to, from| *to += from);
        });
    }

    /// Stretches of lanes that lie side by side in both: where they begin in the part and in the whole, and how many
    /// they are.
    fn each(self, lanes: usize, mut each: impl FnMut(usize, usize, usize)) {
        let block = self.part.positions() * lanes;
        let mut channel = 0;
        while channel < self.part.channels {
            let target = self.first + channel;
            let count =
                (lanes - channel % lanes).min(lanes - target % lanes).min(self.part.channels - channel);
            each(channel / lanes * block + channel % lanes, target / lanes * block + target % lanes, count);
            channel += count;
        }
    }

    /// `count` lanes of every position of a block.
    fn copy(self, from: &[f32], to: &mut [f32], count: usize, lanes: usize, put: impl Fn(&mut f32, f32)) {
        for (to, from) in to.chunks_mut(lanes).zip(from.chunks(lanes)).take(self.part.positions()) {
            to[..count].iter_mut().zip(&from[..count]).for_each(|(to, &from)| put(to, from));
        }
    }
}

/// The mean of each plane, `[N, C, 1, 1]`.
pub(crate) fn global_average<S: Lanes>(simd: S, grid: BatchShape, x: &[f32], y: &mut [f32]) {
    let lanes = S::F32_LANES;
    let plane = grid.height * grid.width;
    let planes = x[..grid.len(lanes)].par_chunks(plane * lanes).zip(y.par_chunks_mut(lanes));
    planes.for_each(|(x, y)| {
        let zero = simd.splat_f32s(0.0);
        let sum = S::as_simd_f32s(x).0.iter().fold(zero, |sum, &x| simd.add_f32s(sum, x));
        S::as_mut_simd_f32s(y).0[0] = simd.div_f32s(sum, simd.splat_f32s(plane as f32));
    });
}

/// dy over the number of positions, everywhere.
pub(crate) fn global_average_back<S: Lanes>(
    simd: S,
    grid: BatchShape,
    dy: &[f32],
    dx: &mut [f32],
    accumulate: bool,
) {
    let lanes = S::F32_LANES;
    let plane = grid.height * grid.width;
    let planes = dx[..grid.len(lanes)].par_chunks_mut(plane * lanes).zip(dy.par_chunks(lanes));
    planes.for_each(|(dx, dy)| {
        let each = simd.div_f32s(S::as_simd_f32s(dy).0[0], simd.splat_f32s(plane as f32));
        let finish = Finish::plain(accumulate);
        for dx in S::as_mut_simd_f32s(dx).0 {
            finish.store(simd, each, simd.splat_f32s(0.0), dx, None);
        }
    });
}
