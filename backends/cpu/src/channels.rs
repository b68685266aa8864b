//! Channels taken in another order, and products of two activations.

use rayon::prelude::*;

use crate::conv::finish::Finish;
use crate::grid::BatchShape;
use crate::lanes::{Lanes, vectorized};

/// The channels that an activation is made of, and for each channel of the input those of the output that are made of it.
#[derive(Debug)]
pub(crate) struct ChannelMap {
    from: Vec<usize>,
    readers: Vec<Vec<usize>>,
}

impl ChannelMap {
    pub(crate) fn new(map: &[usize], inputs: usize) -> Self {
        let mut readers = vec![Vec::new(); inputs];
        for (to, &from) in map.iter().enumerate() {
            readers[from].push(to);
        }
        Self { from: map.to_vec(), readers }
    }

    /// y[c] = x[map[c]].
    pub(crate) fn take(&self, lanes: usize, grid: BatchShape, x: &[f32], y: &mut [f32]) {
        let block = grid.positions() * lanes;
        y.par_chunks_mut(block).enumerate().for_each(|(index, y)| {
            y.fill(0.0);
            for (lane, &from) in self.from[index * lanes..].iter().take(lanes).enumerate() {
                let x = x[from / lanes * block..][..block][from % lanes..].iter().step_by(lanes);
                y[lane..].iter_mut().step_by(lanes).zip(x).for_each(|(y, &x)| *y = x);
            }
        });
    }

    /// dx[k] = the sum of dy[c] over all c with map[c] = k, or dx += that. `grid` is that of dx.
    pub(crate) fn give_back(
        &self,
        lanes: usize,
        grid: BatchShape,
        dy: &[f32],
        dx: &mut [f32],
        accumulate: bool,
    ) {
        let block = grid.positions() * lanes;
        dx.par_chunks_mut(block).enumerate().for_each(|(index, dx)| {
            if !accumulate {
                dx.fill(0.0);
            }
            for (lane, readers) in self.readers[index * lanes..].iter().take(lanes).enumerate() {
                for to in readers {
                    let dy = dy[to / lanes * block..][..block][to % lanes..].iter().step_by(lanes);
                    dx[lane..].iter_mut().step_by(lanes).zip(dy).for_each(|(dx, &dy)| *dx += dy);
                }
            }
        });
    }
}

/// y = a b, or y += that, where b has as many positions as a, or one.
pub(crate) fn multiply<S: Lanes>(
    simd: S,
    [a_grid, b_grid]: [BatchShape; 2],
    [a, b]: [&[f32]; 2],
    y: &mut [f32],
    accumulate: bool,
) {
    let [plane, other] = [a_grid, b_grid].map(|grid| grid.height * grid.width * S::F32_LANES);
    let planes = y[..a_grid.len(S::F32_LANES)].par_chunks_mut(plane).zip(a.par_chunks(plane));
    planes.zip(b.par_chunks(other)).for_each(|((y, a), b)| {
        vectorized!(simd, {
            let (finish, b) = (Finish::plain(accumulate), S::as_simd_f32s(b).0);
            let factors = S::as_simd_f32s(a).0.iter().zip(b.iter().cycle());
            for (y, (&a, &b)) in S::as_mut_simd_f32s(y).0.iter_mut().zip(factors) {
                finish.store(simd, simd.mul_f32s(a, b), simd.splat_f32s(0.0), y, None);
            }
        });
    });
}

/// db = the sum over the positions of a dy, or db += that, where b has one position.
pub(crate) fn multiply_summed<S: Lanes>(
    simd: S,
    grid: BatchShape,
    [a, dy]: [&[f32]; 2],
    db: &mut [f32],
    accumulate: bool,
) {
    let (lanes, plane) = (S::F32_LANES, grid.height * grid.width * S::F32_LANES);
    let planes = db.par_chunks_mut(lanes).zip(a.par_chunks(plane)).zip(dy.par_chunks(plane));
    planes.for_each(|((db, a), dy)| {
        vectorized!(simd, {
            let mut sum = simd.splat_f32s(0.0);
            for (&a, &dy) in S::as_simd_f32s(a).0.iter().zip(S::as_simd_f32s(dy).0) {
                sum = simd.fma(a, dy, sum);
            }
            let into = &mut S::as_mut_simd_f32s(db).0[0];
            Finish::plain(accumulate).store(simd, sum, simd.splat_f32s(0.0), into, None);
        });
    });
}
