//! Normalization over all positions of the channels of a group. A plane of a block of channels is summed lane by lane, the
//! lanes of a group are joined, and what a channel needs of its group is again a lane beside the plane's others.

use rayon::prelude::*;

use crate::conv::finish::Finish;
use crate::grid::BatchShape;
use crate::lanes::{Lanes, vectorized};

/// Vectors that a plane keeps: means, and one over deviations.
const MOMENTS: usize = 2;

/// Group norm with its parameters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupNorm {
    pub(crate) groups: usize,
    pub(crate) epsilon: f32,
}

impl GroupNorm {
    /// The number of numbers of the moments of all planes.
    pub(crate) fn moments_len(grid: BatchShape, lanes: usize) -> usize {
        grid.channels.div_ceil(lanes) * grid.n * MOMENTS * lanes
    }

    /// y = (x - mean) / deviation, with the moments of every channel's group kept in `moments`.
    pub(crate) fn forward<S: Lanes>(
        self,
        simd: S,
        grid: BatchShape,
        x: &[f32],
        moments: &mut [f32],
        y: &mut [f32],
    ) {
        let (lanes, vectors) = (S::F32_LANES, S::as_simd_f32s(x).0);
        sum_planes(
            simd,
            (grid, 0),
            moments,
            #[inline(always)]
            |index, _| vectors[index],
        );
        self.join(grid, lanes, (moments, 0), |mean| mean);
        sum_planes(
            simd,
            (grid, 1),
            moments,
            #[inline(always)]
            |index, mean| {
                let apart = simd.sub_f32s(vectors[index], mean);
                simd.mul_f32s(apart, apart)
            },
        );
        self.join(grid, lanes, (moments, 1), |variance| (variance + f64::from(self.epsilon)).sqrt().recip());
        let plane = grid.height * grid.width * lanes;
        let moments = moments[..Self::moments_len(grid, lanes)].par_chunks(MOMENTS * lanes);
        let planes = y[..grid.len(lanes)].par_chunks_mut(plane).zip(x[..grid.len(lanes)].par_chunks(plane));
        planes.zip(moments).for_each(|((y, x), moments)| {
            vectorized!(simd, {
                let moments = S::as_simd_f32s(moments).0;
                for (y, &x) in S::as_mut_simd_f32s(y).0.iter_mut().zip(S::as_simd_f32s(x).0) {
                    *y = simd.mul_f32s(simd.sub_f32s(x, moments[0]), moments[1]);
                }
            });
        });
    }

    /// dx = (dy - mean of dy - y * mean of dy y) / deviation, or dx += that. `means` is memory as large as `moments`.
    pub(crate) fn back<S: Lanes>(
        self,
        simd: S,
        grid: BatchShape,
        (y, moments): (&[f32], &[f32]),
        (dy, means): (&[f32], &mut [f32]),
        (dx, accumulate): (&mut [f32], bool),
    ) {
        let lanes = S::F32_LANES;
        let [y, dy] = [y, dy].map(|numbers| S::as_simd_f32s(numbers).0);
        sum_planes(
            simd,
            (grid, 0),
            means,
            #[inline(always)]
            |index, _| dy[index],
        );
        sum_planes(
            simd,
            (grid, 1),
            means,
            #[inline(always)]
            |index, _| simd.mul_f32s(dy[index], y[index]),
        );
        self.join(grid, lanes, (means, 0), |mean| mean);
        self.join(grid, lanes, (means, 1), |mean| mean);
        let plane = grid.height * grid.width;
        let of_planes = means.par_chunks(MOMENTS * lanes).zip(moments.par_chunks(MOMENTS * lanes));
        let planes = dx[..grid.len(lanes)].par_chunks_mut(plane * lanes).enumerate();
        planes.zip(of_planes).for_each(|((at, dx), (means, moments))| {
            vectorized!(simd, {
                let (means, moments) = (S::as_simd_f32s(means).0, S::as_simd_f32s(moments).0);
                let finish = Finish::plain(accumulate);
                let numbers = y[at * plane..].iter().zip(&dy[at * plane..]);
                for (dx, (&y, &dy)) in S::as_mut_simd_f32s(dx).0.iter_mut().zip(numbers) {
                    let rest = simd.sub_f32s(simd.sub_f32s(dy, means[0]), simd.mul_f32s(y, means[1]));
                    finish.store(simd, simd.mul_f32s(rest, moments[1]), simd.splat_f32s(0.0), dx, None);
                }
            });
        });
    }

    /// Makes of the sums in one place of every channel what `of` makes of the mean of its group. Lanes past the last channel
    /// stay zero.
    fn join(
        self,
        grid: BatchShape,
        lanes: usize,
        (sums, place): (&mut [f32], usize),
        of: impl Fn(f64) -> f64,
    ) {
        let each = grid.channels / self.groups;
        let count = (each * grid.height * grid.width) as f64;
        let at = |n: usize, channel: usize| {
            ((channel / lanes * grid.n + n) * MOMENTS + place) * lanes + channel % lanes
        };
        for n in 0..grid.n {
            for group in 0..self.groups {
                let channels = group * each..(group + 1) * each;
                let sum: f64 = channels.clone().map(|channel| f64::from(sums[at(n, channel)])).sum();
                let joined = of(sum / count) as f32;
                channels.for_each(|channel| sums[at(n, channel)] = joined);
            }
        }
    }
}

/// Sums what `of` gives for the index of each vector of a plane, and for the plane's first vector in `sums`, into the one at
/// `place`: row by row, so that long planes lose no digits.
fn sum_planes<S: Lanes>(
    simd: S,
    (grid, place): (BatchShape, usize),
    sums: &mut [f32],
    of: impl Fn(usize, S::f32s) -> S::f32s + Sync,
) {
    let lanes = S::F32_LANES;
    let sums = sums[..GroupNorm::moments_len(grid, lanes)].par_chunks_mut(MOMENTS * lanes);
    sums.enumerate().for_each(|(plane, sums)| {
        vectorized!(simd, {
            let sums = S::as_mut_simd_f32s(sums).0;
            let (first, mut total) = (sums[0], simd.splat_f32s(0.0));
            for row in plane * grid.height..(plane + 1) * grid.height {
                let row = row * grid.width..(row + 1) * grid.width;
                let sum = row.fold(
                    simd.splat_f32s(0.0),
                    #[inline(always)]
                    |sum, index| simd.add_f32s(sum, of(index, first)),
                );
                total = simd.add_f32s(total, sum);
            }
            sums[place] = total;
        });
    });
}
