//! More rows and columns by a whole factor.

use rayon::prelude::*;
use trepang_api::{Upsample, UpsampleTap};

use crate::grid::BatchShape;
use crate::lanes::{Lanes, vectorized};

/// The operation on an input of these sides: what each row and column of the output is made of.
#[derive(Debug)]
pub(crate) struct UpsampleStep {
    x: BatchShape,
    rows: Vec<UpsampleTap>,
    columns: Vec<UpsampleTap>,
}

impl UpsampleStep {
    pub(crate) fn new(up: &Upsample, x: BatchShape) -> Self {
        Self { x, rows: up.taps(0, x.height), columns: up.taps(1, x.width) }
    }

    pub(crate) fn forward<S: Lanes>(&self, simd: S, x: &[f32], y: &mut [f32]) {
        let (lanes, width) = (S::F32_LANES, self.x.width);
        let planes = y.par_chunks_mut(self.rows.len() * self.columns.len() * lanes);
        planes.zip(x.par_chunks(self.x.height * width * lanes)).for_each(|(y, x)| {
            vectorized!(simd, {
                let (x, y) = (S::as_simd_f32s(x).0, S::as_mut_simd_f32s(y).0);
                for (y, row) in y.chunks_exact_mut(self.columns.len()).zip(&self.rows) {
                    let (first, second) = (&x[row.first * width..], &x[row.second * width..]);
                    for (y, column) in y.iter_mut().zip(&self.columns) {
                        let above = between(simd, first[column.first], first[column.second], column.share);
                        let below = between(simd, second[column.first], second[column.second], column.share);
                        *y = between(simd, above, below, row.share);
                    }
                }
            });
        });
    }

    /// Into the gradient of the input, or added to it.
    pub(crate) fn back<S: Lanes>(&self, simd: S, dy: &[f32], (dx, accumulate): (&mut [f32], bool)) {
        let (lanes, width) = (S::F32_LANES, self.x.width);
        let planes = dx[..self.x.len(lanes)].par_chunks_mut(self.x.height * width * lanes);
        let of_output = dy.par_chunks(self.rows.len() * self.columns.len() * lanes);
        planes.zip(of_output).for_each(|(dx, dy)| {
            vectorized!(simd, {
                if !accumulate {
                    dx.fill(0.0);
                }
                let (dx, dy) = (S::as_mut_simd_f32s(dx).0, S::as_simd_f32s(dy).0);
                for (dy, row) in dy.chunks_exact(self.columns.len()).zip(&self.rows) {
                    for (&dy, column) in dy.iter().zip(&self.columns) {
                        for (r, of_row) in [(row.first, 1.0 - row.share), (row.second, row.share)] {
                            let columns = [(column.first, 1.0 - column.share), (column.second, column.share)];
                            for (c, of_column) in columns {
                                let dx = &mut dx[r * width + c];
                                *dx = simd.fma(dy, simd.splat_f32s(of_row * of_column), *dx);
                            }
                        }
                    }
                }
            });
        });
    }
}

/// The number between two others, of which the second has this share.
#[inline(always)]
fn between<S: Lanes>(simd: S, first: S::f32s, second: S::f32s, share: f32) -> S::f32s {
    simd.fma(simd.sub_f32s(second, first), simd.splat_f32s(share), first)
}
