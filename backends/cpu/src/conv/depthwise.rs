//! Convolutions in which every channel has a kernel of its own: there is nothing to sum over but the window, so what
//! bounds them is reading the input.

use rayon::prelude::*;

use super::Scratch;
use super::direct::bordered;
use super::finish::{Finish, Input, Output, gate, shares};
use super::sweep::{Border, Sweep};
use crate::grid::BatchShape;
use crate::lanes::{Lanes, vectorized};

/// Neighbours that are summed side by side, so that one addition need not wait for the one before.
const ABREAST: usize = 4;

/// One direction of a convolution, at one size.
#[derive(Debug, Clone)]
pub(crate) struct Depthwise {
    reads: BatchShape,
    writes: BatchShape,
    sweeps: Vec<Sweep>,
    border: Border,
    taps: usize,
}

impl Depthwise {
    pub(crate) fn new(reads: BatchShape, writes: BatchShape, sweeps: Vec<Sweep>, taps: usize) -> Self {
        let border = Border::around(reads, &sweeps);
        Self { reads, writes, sweeps, border, taps }
    }

    /// Numbers of shared memory that it needs.
    pub(crate) fn scratch(&self, lanes: usize) -> usize {
        self.reads.channels.div_ceil(lanes) * self.reads.n * self.border.plane() * lanes
    }

    /// Computes it all; `weights` are `[C / L, taps, L]`.
    pub(crate) fn run<S: Lanes>(
        &self,
        simd: S,
        weights: &[f32],
        input: Input,
        output: Output,
        finish: Finish,
        scratch: &mut Scratch,
    ) {
        let lanes = S::F32_LANES;
        let a = &mut scratch.shared.numbers_mut()[..self.scratch(lanes)];
        bordered(simd, self.reads, self.border, input, a);
        let a = &*a;
        let plane = self.reads.n * self.border.plane() * lanes;
        let blocks =
            shares(output, 1, self.writes.positions(), lanes).into_par_iter().zip(a.par_chunks(plane));
        blocks.zip(weights.par_chunks(self.taps * lanes)).enumerate().for_each(
            |(block, (((y, gates), a), w))| {
                vectorized!(simd, {
                    let (a, w) = (S::as_simd_f32s(a).0, S::as_simd_f32s(w).0);
                    let mut block = OutputBlock {
                        y: S::as_mut_simd_f32s(y).0,
                        gates,
                        finish,
                        bias: finish.bias(simd, block),
                    };
                    for sweep in &self.sweeps {
                        self.sweep(simd, sweep, a, w, &mut block);
                    }
                });
            },
        );
    }

    #[inline(always)]
    fn sweep<S: Lanes>(
        &self,
        simd: S,
        sweep: &Sweep,
        a: &[S::f32s],
        w: &[S::f32s],
        block: &mut OutputBlock<S>,
    ) {
        let [down, right] = sweep.count;
        for row in 0..self.reads.n * down {
            let (image, row) = (row / down, row % down);
            let read = (image * self.border.sides[0] + row * sweep.read_step[0]) * self.border.sides[1];
            let write = (image * self.writes.height + row * sweep.write_step[0] + sweep.write_from[0])
                * self.writes.width
                + sweep.write_from[1];
            for first in (0..right).step_by(ABREAST) {
                let (mut places, mut at) = ([0; ABREAST], [0; ABREAST]);
                for i in 0..ABREAST {
                    places[i] = (first + i).min(right - 1);
                    at[i] = read + places[i] * sweep.read_step[1];
                }
                let sums = self.windows(simd, sweep, a, w, at);
                for (&place, &sum) in places.iter().zip(&sums).take(right - first) {
                    block.store(simd, write + place * sweep.write_step[1], sum);
                }
            }
        }
    }

    /// The sums over the windows at a few places.
    #[inline(always)]
    fn windows<S: Lanes>(
        &self,
        simd: S,
        sweep: &Sweep,
        a: &[S::f32s],
        w: &[S::f32s],
        at: [usize; ABREAST],
    ) -> [S::f32s; ABREAST] {
        let mut sums = [simd.splat_f32s(0.0); ABREAST];
        for tap in &sweep.taps {
            let down = (self.border.before[0] as isize + tap.offset[0]) as usize;
            let right = (self.border.before[1] as isize + tap.offset[1]) as usize;
            let (offset, weight) = (down * self.border.sides[1] + right, w[tap.index]);
            for (sum, at) in sums.iter_mut().zip(at) {
                *sum = simd.fma(a[at + offset], weight, *sum);
            }
        }
        sums
    }
}

/// A block of channels to write.
struct OutputBlock<'a, S: Lanes> {
    y: &'a mut [S::f32s],
    gates: &'a mut [u16],
    finish: Finish<'a>,
    bias: S::f32s,
}

impl<S: Lanes> OutputBlock<'_, S> {
    #[inline(always)]
    fn store(&mut self, simd: S, at: usize, sum: S::f32s) {
        self.finish.store(simd, sum, self.bias, &mut self.y[at], gate(self.gates, at));
    }
}
