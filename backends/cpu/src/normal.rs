//! Normalizations over the channels of a position. What a position's channels have in common is computed for some positions
//! at a time, block by block of their channels; what follows for each number is computed block by block of memory, as
//! everywhere.

use std::ops::Range;

use rayon::prelude::*;
use trepang_api::Lrn;

use crate::conv::finish::Finish;
use crate::grid::BatchShape;
use crate::lanes::{Lanes, vectorized};

/// Positions whose sums are computed together.
const TILE: usize = 32;

/// Numbers that a position keeps of a layer norm: the mean, and one over the deviation.
pub(crate) const MOMENTS: usize = 2;

/// The mean and one over the deviation of each position of `x`, into `moments`.
pub(crate) fn moments<S: Lanes>(simd: S, epsilon: f32, grid: BatchShape, x: &[f32], moments: &mut [f32]) {
    let count = grid.channels as f32;
    each_tile(
        simd,
        grid,
        moments,
        MOMENTS,
        #[inline(always)]
        |begin, moments| {
            let (x, len) = (S::as_simd_f32s(x).0, moments.len() / MOMENTS);
            let (mut sums, mut means) = ([simd.splat_f32s(0.0); TILE], [0.0; TILE]);
            each_vector::<S>(
                grid,
                begin..begin + len,
                #[inline(always)]
                |_, at, index| sums[at] = simd.add_f32s(sums[at], x[index]),
            );
            means.iter_mut().zip(sums).for_each(|(mean, sum)| *mean = simd.reduce_sum_f32s(sum) / count);
            let mut squares = [simd.splat_f32s(0.0); TILE];
            each_vector::<S>(
                grid,
                begin..begin + len,
                #[inline(always)]
                |bits, at, index| {
                    let apart = simd.keep(simd.sub_f32s(x[index], simd.splat_f32s(means[at])), bits);
                    squares[at] = simd.fma(apart, apart, squares[at]);
                },
            );
            for ((into, mean), squares) in moments.chunks_exact_mut(MOMENTS).zip(means).zip(squares) {
                let variance = simd.reduce_sum_f32s(squares) / count;
                into.copy_from_slice(&[mean, (variance + epsilon).sqrt().recip()]);
            }
        },
    );
}

/// y = (x - mean) / deviation.
pub(crate) fn layer_norm<S: Lanes>(simd: S, grid: BatchShape, x: &[f32], moments: &[f32], y: &mut [f32]) {
    each_block(
        simd,
        grid,
        y,
        #[inline(always)]
        |block, bits, y| {
            let x = &S::as_simd_f32s(x).0[block * grid.positions()..];
            for ((y, &x), moments) in y.iter_mut().zip(x).zip(moments.chunks_exact(MOMENTS)) {
                let apart = simd.sub_f32s(x, simd.splat_f32s(moments[0]));
                *y = simd.keep(simd.mul_f32s(apart, simd.splat_f32s(moments[1])), bits);
            }
        },
    );
}

/// dx = (dy - mean of dy - y * mean of dy y) / deviation, or dx += that. `means` is memory for two numbers a position.
pub(crate) fn layer_norm_back<S: Lanes>(
    simd: S,
    grid: BatchShape,
    (y, moments): (&[f32], &[f32]),
    (dy, means): (&[f32], &mut [f32]),
    (dx, accumulate): (&mut [f32], bool),
) {
    let count = grid.channels as f32;
    let [y, dy] = [y, dy].map(|numbers| S::as_simd_f32s(numbers).0);
    each_tile(
        simd,
        grid,
        means,
        MOMENTS,
        #[inline(always)]
        |begin, means| {
            let [mut plain, mut along] = [[simd.splat_f32s(0.0); TILE]; 2];
            each_vector::<S>(
                grid,
                begin..begin + means.len() / MOMENTS,
                #[inline(always)]
                |_, at, index| {
                    plain[at] = simd.add_f32s(plain[at], dy[index]);
                    along[at] = simd.fma(dy[index], y[index], along[at]);
                },
            );
            for ((into, plain), along) in means.chunks_exact_mut(MOMENTS).zip(plain).zip(along) {
                let means = [simd.reduce_sum_f32s(plain) / count, simd.reduce_sum_f32s(along) / count];
                into.copy_from_slice(&means);
            }
        },
    );
    let means = &*means;
    each_block(
        simd,
        grid,
        dx,
        #[inline(always)]
        |block, bits, dx| {
            let begin = block * grid.positions();
            let (finish, numbers) = (Finish::plain(accumulate), y[begin..].iter().zip(&dy[begin..]));
            let of_position = means.chunks_exact(MOMENTS).zip(moments.chunks_exact(MOMENTS));
            for ((dx, (&y, &dy)), (means, moments)) in dx.iter_mut().zip(numbers).zip(of_position) {
                let rest = simd.sub_f32s(dy, simd.splat_f32s(means[0]));
                let rest = simd.sub_f32s(rest, simd.mul_f32s(y, simd.splat_f32s(means[1])));
                let rest = simd.keep(simd.mul_f32s(rest, simd.splat_f32s(moments[1])), bits);
                finish.store(simd, rest, simd.splat_f32s(0.0), dx, None);
            }
        },
    );
}

/// The sums of an LRN, `[N, H, W]` times all channels with those that fill up the last block.
pub(crate) fn lrn_sums<S: Lanes>(simd: S, lrn: &Lrn, grid: BatchShape, x: &[f32], sums: &mut [f32]) {
    let factor = f64::from(lrn.alpha) / lrn.size as f64;
    let (x, sums) = (S::as_simd_f32s(x).0, &mut sums[..grid.len(S::F32_LANES)]);
    by_windows(
        simd,
        lrn,
        grid,
        sums,
        #[inline(always)]
        |at| simd.mul_f32s(x[at], x[at]),
    );
    sums.par_chunks_mut(TILE * S::F32_LANES).for_each(|sums| {
        for sum in sums {
            *sum = (f64::from(lrn.bias) + factor * f64::from(*sum)) as f32;
        }
    });
}

/// y = x s^-beta.
pub(crate) fn lrn<S: Lanes>(simd: S, lrn: &Lrn, grid: BatchShape, x: &[f32], sums: &[f32], y: &mut [f32]) {
    let blocks = grid.channels.div_ceil(S::F32_LANES);
    each_block(
        simd,
        grid,
        y,
        #[inline(always)]
        |block, _, y| {
            let x = &S::as_simd_f32s(x).0[block * grid.positions()..];
            let sums = S::as_simd_f32s(sums).0[block..].iter().step_by(blocks);
            for ((y, &x), &sum) in y.iter_mut().zip(x).zip(sums) {
                *y = simd.mul_f32s(x, power(simd, sum, lrn.beta));
            }
        },
    );
}

/// dx[i] = dy[i] s[i]^-beta - 2 beta alpha / size * x[i] * sum of dy[c] x[c] s[c]^(-beta - 1) over the channels c around i, or
/// dx += that. `pulled` is memory as large as `sums`.
pub(crate) fn lrn_back<S: Lanes>(
    simd: S,
    (lrn, grid): (&Lrn, BatchShape),
    (x, sums): (&[f32], &[f32]),
    (dy, pulled): (&[f32], &mut [f32]),
    (dx, accumulate): (&mut [f32], bool),
) {
    let (blocks, positions) = (grid.channels.div_ceil(S::F32_LANES), grid.positions());
    let factor = -2.0 * lrn.beta * lrn.alpha / lrn.size as f32;
    let [x, dy, sums] = [x, dy, sums].map(|numbers| S::as_simd_f32s(numbers).0);
    by_windows(
        simd,
        lrn,
        grid,
        pulled,
        #[inline(always)]
        |at| {
            let sum = sums[at % positions * blocks + at / positions];
            simd.div_f32s(simd.mul_f32s(simd.mul_f32s(dy[at], x[at]), power(simd, sum, lrn.beta)), sum)
        },
    );
    let pulled = S::as_simd_f32s(pulled).0;
    each_block(
        simd,
        grid,
        dx,
        #[inline(always)]
        |block, _, dx| {
            let begin = block * positions;
            let (finish, factor) = (Finish::plain(accumulate), simd.splat_f32s(factor));
            let numbers = x[begin..].iter().zip(&dy[begin..]);
            let of_position =
                sums[block..].iter().step_by(blocks).zip(pulled[block..].iter().step_by(blocks));
            for ((dx, (&x, &dy)), (&sum, &pulled)) in dx.iter_mut().zip(numbers).zip(of_position) {
                let through = simd.mul_f32s(dy, power(simd, sum, lrn.beta));
                let rest = simd.mul_f32s(simd.mul_f32s(factor, x), pulled);
                finish.store(simd, simd.add_f32s(through, rest), simd.splat_f32s(0.0), dx, None);
            }
        },
    );
}

/// s^-beta: by square roots for the exponents that networks have.
#[inline(always)]
fn power<S: Lanes>(simd: S, s: S::f32s, beta: f32) -> S::f32s {
    let one = simd.splat_f32s(1.0);
    if beta == 0.5 {
        return simd.div_f32s(one, simd.sqrt_f32s(s));
    }
    if beta == 0.75 {
        let root = simd.sqrt_f32s(s);
        return simd.div_f32s(one, simd.mul_f32s(root, simd.sqrt_f32s(root)));
    }
    let mut numbers = [0.0; crate::lanes::WIDEST];
    let numbers = &mut numbers[..S::F32_LANES];
    S::as_mut_simd_f32s(numbers).0[0] = s;
    for number in &mut *numbers {
        *number = number.powf(-beta);
    }
    S::as_simd_f32s(numbers).0[0]
}

/// For each channel of each position, the sum over the channels around it of the numbers in the vectors that `of` gives for
/// an index in memory. Written position by position.
fn by_windows<S: Lanes>(
    simd: S,
    lrn: &Lrn,
    grid: BatchShape,
    into: &mut [f32],
    of: impl Fn(usize) -> S::f32s + Sync,
) {
    let (channels, half) = (grid.channels, lrn.size / 2);
    let row = channels.div_ceil(S::F32_LANES) * S::F32_LANES;
    each_tile(
        simd,
        grid,
        into,
        row,
        #[inline(always)]
        |begin, into| {
            for block in 0..row / S::F32_LANES {
                for (at, row) in into.chunks_exact_mut(row).enumerate() {
                    S::as_mut_simd_f32s(row).0[block] = of(block * grid.positions() + begin + at);
                }
            }
            let mut terms = vec![0.0; channels];
            for row in into.chunks_exact_mut(row) {
                terms.copy_from_slice(&row[..channels]);
                // In f64, so that what is added and taken away again leaves nothing behind.
                let mut sum: f64 = terms.iter().take(half).copied().map(f64::from).sum();
                for (c, into) in row[..channels].iter_mut().enumerate() {
                    sum += terms.get(c + half).copied().map_or(0.0, f64::from);
                    *into = sum as f32;
                    sum -= c.checked_sub(half).map_or(0.0, |gone| f64::from(terms[gone]));
                }
            }
        },
    );
}

/// Calls `each` with the first position of every tile, and the numbers of its positions in `numbers`, `count` a position.
fn each_tile<S: Lanes>(
    simd: S,
    grid: BatchShape,
    numbers: &mut [f32],
    count: usize,
    each: impl Fn(usize, &mut [f32]) + Sync,
) {
    let numbers = &mut numbers[..grid.positions() * count];
    let tiles = numbers.par_chunks_mut(TILE * count).enumerate();
    tiles.for_each(|(index, numbers)| vectorized!(simd, each(index * TILE, numbers)));
}

/// Calls `each` with the vectors of some positions, block by block: the lanes that are channels, the place among these
/// positions, the index in memory.
#[inline(always)]
fn each_vector<S: Lanes>(grid: BatchShape, positions: Range<usize>, mut each: impl FnMut(u16, usize, usize)) {
    for block in 0..grid.channels.div_ceil(S::F32_LANES) {
        let bits = grid.channel_bits(S::F32_LANES, block);
        for (at, position) in positions.clone().enumerate() {
            each(bits, at, block * grid.positions() + position);
        }
    }
}

/// Calls `each` with the number of every block of `numbers`, the lanes in it that are channels, and its vectors.
fn each_block<S: Lanes>(
    simd: S,
    grid: BatchShape,
    numbers: &mut [f32],
    each: impl Fn(usize, u16, &mut [S::f32s]) + Sync,
) {
    let lanes = S::F32_LANES;
    let blocks = numbers[..grid.len(lanes)].par_chunks_mut(grid.positions() * lanes).enumerate();
    blocks.for_each(|(block, numbers)| {
        vectorized!(simd, each(block, grid.channel_bits(lanes, block), S::as_mut_simd_f32s(numbers).0));
    });
}
