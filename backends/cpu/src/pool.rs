//! Pooling windows over blocks of channels, forwards and back. A max pool keeps which number of each window won, not
//! its input.

use std::ops::Range;

use bytemuck::cast_slice;
use rayon::prelude::*;
use trepang_api::Pool;

use crate::grid::BatchShape;
use crate::lanes::{Lanes, WIDEST, vectorized};

/// A pool's windows at one size of its input.
#[derive(Debug, Clone)]
pub(crate) struct Windows {
    pool: Pool,
    x: BatchShape,
    y: BatchShape,
}

/// A window without its padding: rows and columns of the input, and the window's own number of each place.
struct ClippedWindow {
    rows: Range<usize>,
    columns: Range<usize>,
    /// The number of the window's first place that is not padding.
    first: usize,
}

impl Windows {
    pub(crate) fn new(pool: &Pool, x: BatchShape, y: BatchShape) -> Self {
        Self { pool: *pool, x, y }
    }

    /// Winners of `lanes`-wide vectors.
    pub(crate) fn winners(&self, lanes: usize) -> usize {
        self.y.len(lanes)
    }

    fn window(&self, row: usize, column: usize) -> ClippedWindow {
        let Pool { kernel, stride, padding } = self.pool;
        let span = |o: usize, axis: usize, pad: usize, side: usize| {
            let start = o * stride[axis];
            let inside = start.saturating_sub(pad)..(start + kernel[axis]).saturating_sub(pad).min(side);
            (inside, pad.saturating_sub(start))
        };
        let (rows, above) = span(row, 0, padding.top, self.x.height);
        let (columns, left) = span(column, 1, padding.left, self.x.width);
        ClippedWindow { rows, columns, first: above * kernel[1] + left }
    }

    /// The divisor of a window's sum.
    fn divisor(&self, window: &ClippedWindow, count_padding: bool) -> f32 {
        let [height, width] =
            if count_padding { self.pool.kernel } else { [window.rows.len(), window.columns.len()] };
        (height * width) as f32
    }

    /// Calls `each` with every window's place among a plane's outputs.
    #[inline(always)]
    fn each(&self, mut each: impl FnMut(usize, &ClippedWindow)) {
        for row in 0..self.y.height {
            for column in 0..self.y.width {
                each(row * self.y.width + column, &self.window(row, column));
            }
        }
    }

    /// Each number of a window: its place in the input's plane, and its number in the window.
    #[inline(always)]
    fn places(&self, window: &ClippedWindow, mut each: impl FnMut(usize, u16)) {
        for (i, row) in window.rows.clone().enumerate() {
            for (j, column) in window.columns.clone().enumerate() {
                let number = window.first + i * self.pool.kernel[1] + j;
                each(row * self.x.width + column, number as u16);
            }
        }
    }

    fn plane(grid: BatchShape, lanes: usize) -> usize {
        grid.height * grid.width * lanes
    }

    /// The largest of each window, and which it was: the first among equals.
    pub(crate) fn max<S: Lanes>(&self, simd: S, x: &[f32], y: &mut [f32], winners: &mut [u16]) {
        let lanes = S::F32_LANES;
        let [from, to] = [self.x, self.y].map(|grid| Self::plane(grid, lanes));
        let planes =
            x[..self.x.len(lanes)].par_chunks(from).zip(y.par_chunks_mut(to)).zip(winners.par_chunks_mut(to));
        planes.for_each(|((x, y), winners)| {
            vectorized!(
                simd,
                self.max_of_plane(simd, S::as_simd_f32s(x).0, S::as_mut_simd_f32s(y).0, winners)
            );
        });
    }

    #[inline(always)]
    fn max_of_plane<S: Lanes>(&self, simd: S, x: &[S::f32s], y: &mut [S::f32s], winners: &mut [u16]) {
        self.each(
            #[inline(always)]
            |to, window| {
                let mut best = x[window.rows.start * self.x.width + window.columns.start];
                let mut winner = simd.splat_u32s(window.first as u32);
                self.places(
                    window,
                    #[inline(always)]
                    |from, number| {
                        let larger = simd.greater_than_f32s(x[from], best);
                        best = simd.select_f32s(larger, x[from], best);
                        winner = simd.select_u32s(larger, simd.splat_u32s(number.into()), winner);
                    },
                );
                y[to] = best;
                let winner: &[u32] = cast_slice(std::slice::from_ref(&winner));
                let into = &mut winners[to * winner.len()..][..winner.len()];
                into.iter_mut().zip(winner).for_each(|(into, &winner)| *into = winner as u16);
            },
        );
    }

    /// dx += dy where the winner was, after `clear`, if it is wanted.
    pub(crate) fn max_back<S: Lanes>(
        &self,
        simd: S,
        dy: &[f32],
        winners: &[u16],
        dx: &mut [f32],
        clear: bool,
    ) {
        let lanes = S::F32_LANES;
        let [to, from] = [self.x, self.y].map(|grid| Self::plane(grid, lanes));
        let planes =
            dx[..self.x.len(lanes)].par_chunks_mut(to).zip(dy.par_chunks(from)).zip(winners.par_chunks(from));
        planes.for_each(|((dx, dy), winners)| {
            vectorized!(simd, {
                let (dx, dy) = (S::as_mut_simd_f32s(dx).0, S::as_simd_f32s(dy).0);
                let zero = simd.splat_f32s(0.0);
                if clear {
                    dx.fill(zero);
                }
                self.each(
                    #[inline(always)]
                    |from, window| {
                        let mut wide = [0_u32; WIDEST];
                        let narrow = &winners[from * lanes..][..lanes];
                        wide.iter_mut().zip(narrow).for_each(|(wide, &narrow)| *wide = narrow.into());
                        let winner = S::as_simd_u32s(&wide).0[0];
                        self.places(
                            window,
                            #[inline(always)]
                            |to, number| {
                                let won = simd.equal_u32s(winner, simd.splat_u32s(number.into()));
                                dx[to] = simd.add_f32s(dx[to], simd.select_f32s(won, dy[from], zero));
                            },
                        );
                    },
                );
            });
        });
    }

    /// The mean of each window; padding counts as zeros, or not at all.
    pub(crate) fn average<S: Lanes>(&self, simd: S, count_padding: bool, x: &[f32], y: &mut [f32]) {
        let lanes = S::F32_LANES;
        let [from, to] = [self.x, self.y].map(|grid| Self::plane(grid, lanes));
        x[..self.x.len(lanes)].par_chunks(from).zip(y.par_chunks_mut(to)).for_each(|(x, y)| {
            vectorized!(simd, {
                let (x, y) = (S::as_simd_f32s(x).0, S::as_mut_simd_f32s(y).0);
                self.each(
                    #[inline(always)]
                    |to, window| {
                        let mut sum = simd.splat_f32s(0.0);
                        self.places(
                            window,
                            #[inline(always)]
                            |from, _| sum = simd.add_f32s(sum, x[from]),
                        );
                        y[to] = simd.div_f32s(sum, simd.splat_f32s(self.divisor(window, count_padding)));
                    },
                );
            });
        });
    }

    /// The pull-back of [`average`](Self::average), added after `clear`, if it is wanted.
    pub(crate) fn average_back<S: Lanes>(
        &self,
        simd: S,
        count_padding: bool,
        dy: &[f32],
        dx: &mut [f32],
        clear: bool,
    ) {
        let lanes = S::F32_LANES;
        let [to, from] = [self.x, self.y].map(|grid| Self::plane(grid, lanes));
        dx[..self.x.len(lanes)].par_chunks_mut(to).zip(dy.par_chunks(from)).for_each(|(dx, dy)| {
            vectorized!(simd, {
                let (dx, dy) = (S::as_mut_simd_f32s(dx).0, S::as_simd_f32s(dy).0);
                if clear {
                    dx.fill(simd.splat_f32s(0.0));
                }
                self.each(
                    #[inline(always)]
                    |from, window| {
                        let divisor = simd.splat_f32s(self.divisor(window, count_padding));
                        let each = simd.div_f32s(dy[from], divisor);
                        self.places(
                            window,
                            #[inline(always)]
                            |to, _| dx[to] = simd.add_f32s(dx[to], each),
                        );
                    },
                );
            });
        });
    }
}
