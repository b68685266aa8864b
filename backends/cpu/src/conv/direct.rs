//! Convolutions of every other shape as the sums they are: 1x1, 7x7, 1x7, with steps, in groups. No window is copied: a
//! tap is an offset into the input, which gets a border of zeros first where there is padding (or a ReLU's gates are
//! applied). A pointwise convolution reads the input where it is.

use std::ops::Range;

use rayon::prelude::*;

use super::finish::{Finish, Input, Output, gate, share, shares};
use super::sweep::{Border, Sweep};
use super::{Groups, Scratch};
use crate::grid::BatchShape;
use crate::lanes::{Lanes, vectorized};
use crate::product::{COLUMNS, ROWS, Tile, product, tiled};

/// Numbers of the input that are used for all blocks of outputs before the next are read: 192 kB, in the second cache
/// level beside the weights.
const BAND: usize = 48 << 10;

/// One direction of a convolution, at one size.
#[derive(Debug, Clone)]
pub(crate) struct Direct {
    reads: BatchShape,
    writes: BatchShape,
    sweeps: Vec<Sweep>,
    border: Border,
    groups: Groups,
    /// Numbers in the kernel.
    taps: usize,
}

impl Direct {
    pub(crate) fn new(
        reads: BatchShape,
        writes: BatchShape,
        sweeps: Vec<Sweep>,
        groups: Groups,
        taps: usize,
    ) -> Self {
        let border = Border::around(reads, &sweeps);
        Self { reads, writes, sweeps, border, groups, taps }
    }

    /// Numbers of shared memory that it may need.
    pub(crate) fn scratch(&self, lanes: usize) -> usize {
        self.reads.channels.div_ceil(lanes) * self.plane() * lanes
    }

    /// Vectors of one block of channels with its border.
    fn plane(&self) -> usize {
        self.reads.n * self.border.plane()
    }

    /// Computes it all. `weights` are packed `[groups, outputs / L, inputs / L, taps, in: L, out: L]`, as this direction
    /// has inputs and outputs.
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
        let a = if self.border.is_nothing(self.reads) && input.gates.is_none() {
            input.data
        } else {
            let shared = &mut scratch.shared.numbers_mut()[..self.scratch(lanes)];
            bordered(simd, self.reads, self.border, input, shared);
            shared
        };
        let blocks = self.writes.channels.div_ceil(lanes);
        let share = share(blocks, rayon::current_num_threads());
        let positions = self.writes.positions();
        let steps: Vec<Vec<(usize, usize)>> =
            self.sweeps.iter().map(|sweep| self.steps(sweep, lanes)).collect();
        shares(output, share, positions, lanes).into_par_iter().enumerate().for_each(
            |(index, (y, gates))| {
                vectorized!(simd, {
                    let mut target = OutputShare { first: index * share, y: S::as_mut_simd_f32s(y).0, gates };
                    for (sweep, steps) in self.sweeps.iter().zip(&steps) {
                        self.sweep(simd, sweep, steps, weights, a, &mut target, finish);
                    }
                });
            },
        );
    }

    /// For each block of inputs and each tap: where it reads, and the vector where its weights begin.
    fn steps(&self, sweep: &Sweep, lanes: usize) -> Vec<(usize, usize)> {
        let offset = |axis: usize, offset: isize| (self.border.before[axis] as isize + offset) as usize;
        let blocks = 0..self.groups.reads.div_ceil(lanes);
        let steps = blocks.flat_map(|block| {
            sweep.taps.iter().map(move |tap| {
                let place = offset(0, tap.offset[0]) * self.border.sides[1] + offset(1, tap.offset[1]);
                ((block * self.plane() + place) * lanes, (block * self.taps + tap.index) * lanes)
            })
        });
        steps.collect()
    }

    /// All places of a sweep for a share of the outputs: a band of the input at a time, and in it the outputs two blocks
    /// at a time, as far as they belong to one group.
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "what a matrix product takes")]
    fn sweep<S: Lanes>(
        &self,
        simd: S,
        sweep: &Sweep,
        steps: &[(usize, usize)],
        weights: &[f32],
        a: &[f32],
        target: &mut OutputShare<S>,
        finish: Finish,
    ) {
        let lanes = S::F32_LANES;
        let positions = self.writes.positions();
        let (in_group, blocks) = (self.groups.writes.div_ceil(lanes), target.y.len() / positions);
        let slab = self.groups.reads.div_ceil(lanes) * self.taps * lanes;
        let weights = S::as_simd_f32s(weights).0;
        let places = self.reads.n * sweep.count[0] * sweep.count[1];
        let per_place = self.groups.reads * sweep.read_step[0] * sweep.read_step[1];
        for band in bands(places, (BAND / per_place).max(16)) {
            let mut done = 0;
            while done < blocks {
                let block = target.first + done;
                let group = block / in_group;
                let columns = COLUMNS.min(blocks - done).min((group + 1) * in_group - block);
                let mut tile = DirectTile {
                    direct: self,
                    sweep,
                    steps,
                    a: &a[group * self.groups.reads.div_ceil(lanes) * self.plane() * lanes..],
                    weights: &weights[block * slab..],
                    slab,
                    depth: self.groups.reads.min(lanes),
                    block,
                    y: &mut target.y[done * positions..],
                    gates: target.gates.get_mut(done * positions..).unwrap_or_default(),
                    finish,
                };
                tiled(simd, band.clone(), columns, &mut tile);
                done += columns;
            }
        }
    }

    /// The index of the number that a place reads, and of the vector that it writes.
    #[inline(always)]
    fn place(&self, sweep: &Sweep, place: usize, lanes: usize) -> (usize, usize) {
        let [down, right] = sweep.count;
        let (image, row, column) = (place / (down * right), place / right % down, place % right);
        let read = (image * self.border.sides[0] + row * sweep.read_step[0]) * self.border.sides[1]
            + column * sweep.read_step[1];
        let write = (image * self.writes.height + row * sweep.write_step[0] + sweep.write_from[0])
            * self.writes.width
            + column * sweep.write_step[1]
            + sweep.write_from[1];
        (read * lanes, write)
    }
}

fn bands(places: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    (0..places).step_by(size).map(move |start| start..(start + size).min(places))
}

/// Copies the input into the middle of zeros, through its gates.
pub(crate) fn bordered<S: Lanes>(simd: S, reads: BatchShape, border: Border, input: Input, into: &mut [f32]) {
    let lanes = S::F32_LANES;
    let BatchShape { n, height, width, .. } = reads;
    let (data, [above, left]) = (S::as_simd_f32s(input.data).0, border.before);
    let images = into.par_chunks_mut(border.plane() * lanes).enumerate();
    images.with_min_len(n.div_ceil(4)).for_each(|(image, into)| {
        vectorized!(simd, {
            for (row, into) in S::as_mut_simd_f32s(into).0.chunks_mut(border.sides[1]).enumerate() {
                into.fill(simd.splat_f32s(0.0));
                let Some(y) = row.checked_sub(above).filter(|&y| y < height) else { continue };
                let start = (image * height + y) * width;
                for (x, into) in into[left..][..width].iter_mut().enumerate() {
                    *into = input.at(simd, data, start + x);
                }
            }
        });
    });
}

/// A thread's blocks of outputs.
struct OutputShare<'a, S: Lanes> {
    first: usize,
    y: &'a mut [S::f32s],
    gates: &'a mut [u16],
}

/// The product of one or two blocks of outputs, in pieces that stay in registers.
struct DirectTile<'a, S: Lanes> {
    direct: &'a Direct,
    sweep: &'a Sweep,
    steps: &'a [(usize, usize)],
    a: &'a [f32],
    weights: &'a [S::f32s],
    /// Vectors of a block's weights.
    slab: usize,
    /// Channels of a block that are there: fewer than lanes for an image.
    depth: usize,
    block: usize,
    y: &'a mut [S::f32s],
    gates: &'a mut [u16],
    finish: Finish<'a>,
}

impl<S: Lanes> Tile<S> for DirectTile<'_, S> {
    #[inline(always)]
    fn run<const R: usize, const V: usize>(&mut self, simd: S, first: usize) {
        let lanes = S::F32_LANES;
        let (mut at, mut to, mut b) = ([0; R], [0; R], [&self.weights[..0]; V]);
        for r in 0..R {
            (at[r], to[r]) = self.direct.place(self.sweep, first + r, lanes);
        }
        for (v, b) in b.iter_mut().enumerate() {
            *b = &self.weights[v * self.slab..][..self.slab];
        }
        let mut sums = [simd.splat_f32s(0.0); ROWS * COLUMNS];
        // A constant depth is a loop of its own, and the usual one.
        if self.depth == lanes {
            product::<S, R, V>(simd, lanes, self.steps, self.a, at, b, &mut sums);
        } else {
            product::<S, R, V>(simd, self.depth, self.steps, self.a, at, b, &mut sums);
        }
        let positions = self.direct.writes.positions();
        for v in 0..V {
            let bias = self.finish.bias(simd, self.block + v);
            for r in 0..R {
                let to = v * positions + to[r];
                self.finish.store(simd, sums[r * COLUMNS + v], bias, &mut self.y[to], gate(self.gates, to));
            }
        }
    }
}
