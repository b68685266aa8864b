//! The operations that end a classifier: flatten, linear, softmax. They work on row-major numbers, `[N, features]` or
//! `[N, C, H, W]`, and are small: their inputs are unpacked first and their outputs packed.

use rayon::prelude::*;
use trepang_api::Array;

use crate::grid::BatchShape;
use crate::lanes::{Lanes, vectorized};

/// A fully connected layer: `[out, in]`, `[out]`.
#[derive(Debug)]
pub(crate) struct LinearWeights {
    pub(crate) weights: Array,
    pub(crate) bias: Array,
}

impl LinearWeights {
    fn sides(&self) -> [usize; 2] {
        [self.weights.shape()[0], self.weights.shape()[1]]
    }

    /// y = x w^T + b. An image's sums do not depend on the others of its batch.
    pub(crate) fn forward<S: Lanes>(&self, simd: S, n: usize, x: &[f32], y: &mut [f32]) {
        let [outputs, inputs] = self.sides();
        let mut columns = vec![0.0; outputs * n];
        let rows = columns.par_chunks_mut(n).zip(self.weights.data().par_chunks(inputs));
        rows.zip(self.bias.data()).for_each(|((sums, weights), bias)| {
            for (sum, x) in sums.iter_mut().zip(x.chunks(inputs)) {
                *sum = bias + vectorized!(simd, dot(simd, weights, x));
            }
        });
        for (image, y) in y.chunks_mut(outputs).enumerate().take(n) {
            y.iter_mut().zip(columns[image..].iter().step_by(n)).for_each(|(y, sum)| *y = *sum);
        }
    }

    /// dx = dy w.
    pub(crate) fn back<S: Lanes>(&self, simd: S, n: usize, dy: &[f32], dx: &mut [f32]) {
        let [outputs, inputs] = self.sides();
        // Stretches of columns, all images of each together.
        let mut stretches = vec![0.0; inputs * n];
        stretches.par_chunks_mut(STRETCH * n).enumerate().for_each(|(index, sums)| {
            let len = sums.len() / n;
            for (output, weights) in self.weights.data().chunks(inputs).enumerate() {
                let weights = &weights[index * STRETCH..][..len];
                for (sums, dy) in sums.chunks_mut(len).zip(dy[output..].iter().step_by(outputs)) {
                    // The gradient of a logit is zero in all others.
                    if *dy != 0.0 {
                        vectorized!(simd, add_scaled(simd, sums, *dy, weights));
                    }
                }
            }
        });
        for (index, sums) in stretches.chunks(STRETCH * n).enumerate() {
            let len = sums.len() / n;
            for (dx, sums) in dx.chunks_mut(inputs).zip(sums.chunks(len)) {
                dx[index * STRETCH..][..len].copy_from_slice(sums);
            }
        }
    }
}

/// The columns of weights that are worked on at once.
const STRETCH: usize = 1 << 10;

/// The vectors that are summed side by side, so that no sum waits for the one before.
const SUMS: usize = 4;

/// The dot product of two runs of one length.
#[inline(always)]
fn dot<S: Lanes>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    let ((a, rest_a), (b, rest_b)) = (S::as_simd_f32s(a), S::as_simd_f32s(b));
    let mut sums = [simd.splat_f32s(0.0); SUMS];
    let (a, last_a) = a.as_chunks::<SUMS>();
    let (b, last_b) = b.as_chunks::<SUMS>();
    for (a, b) in a.iter().zip(b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum = simd.fma(*a, *b, *sum);
        }
    }
    for (a, b) in last_a.iter().zip(last_b) {
        sums[0] = simd.fma(*a, *b, sums[0]);
    }
    let sum = simd.add_f32s(simd.add_f32s(sums[0], sums[1]), simd.add_f32s(sums[2], sums[3]));
    rest_a.iter().zip(rest_b).fold(simd.reduce_sum_f32s(sum), |sum, (a, b)| sum + a * b)
}

/// Adds `factor * a` to `sums`.
#[inline(always)]
fn add_scaled<S: Lanes>(simd: S, sums: &mut [f32], factor: f32, a: &[f32]) {
    let ((sums, rest), (a, rest_a)) = (S::as_mut_simd_f32s(sums), S::as_simd_f32s(a));
    let factors = simd.splat_f32s(factor);
    for (sum, a) in sums.iter_mut().zip(a) {
        *sum = simd.fma(factors, *a, *sum);
    }
    rest.iter_mut().zip(rest_a).for_each(|(sum, a)| *sum += factor * a);
}

/// exp(x - max) / sum exp(x - max) over the channels of each position, in place.
pub(crate) fn softmax(grid: BatchShape, x: &mut [f32]) {
    each_position(grid, |at| {
        let largest = at.clone().map(|i| x[i]).fold(f32::NEG_INFINITY, f32::max);
        at.clone().for_each(|i| x[i] = (x[i] - largest).exp());
        let sum: f32 = at.clone().map(|i| x[i]).sum();
        at.for_each(|i| x[i] /= sum);
    });
}

/// dx = y (dy - sum of y dy over the channels), in place of dy.
pub(crate) fn softmax_back(grid: BatchShape, y: &[f32], dy: &mut [f32]) {
    each_position(grid, |at| {
        let mean: f32 = at.clone().map(|i| y[i] * dy[i]).sum();
        at.for_each(|i| dy[i] = y[i] * (dy[i] - mean));
    });
}

/// The indices of one position's channels, for each position.
fn each_position(grid: BatchShape, mut each: impl FnMut(std::iter::StepBy<std::ops::Range<usize>>)) {
    let plane = grid.height * grid.width;
    for n in 0..grid.n {
        for position in 0..plane {
            let begin = n * grid.channels * plane + position;
            each((begin..(n + 1) * grid.channels * plane).step_by(plane));
        }
    }
}
