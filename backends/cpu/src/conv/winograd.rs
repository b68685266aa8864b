//! 3x3 convolutions with step 1 by minimal filtering: `transforms` has the formulas. One product of matrices for each of a
//! tile's 36 entries, over all channels in.
//!
//! First all threads write the transformed tiles, panel by panel, into shared memory; then each takes blocks of outputs,
//! transforms their weights as it goes (which takes less time than reading 36 transformed weights for 9 from memory
//! would, and no memory), multiplies, and transforms back. Letters: T tiles, K blocks of channels in.

use std::ops::Range;

use rayon::prelude::*;

use super::finish::{Finish, Input, Output, gate, share, shares};
use super::transforms::{IN, KERNEL, OUT, PRODUCTS, of_input, of_kernel, to_output};
use super::{Direction, Scratch};
use crate::grid::BatchShape;
use crate::lanes::{Lanes, vectorized};
use crate::product::{COLUMNS, ROWS, Tile, balanced, product, tiled};

/// Numbers of transformed tiles kept at a time: 4 MB, a core's share of the last cache level or more.
const SHARED: usize = 1 << 20;

/// Channels in whose transformed weights are kept at a time: 295 kB, within the second cache level.
const DEPTH: usize = 128;

/// Panels of tiles whose products are kept at a time: 124 kB with eight lanes.
const GROUP: usize = 9;

/// The gap between two rows of a table whose rows would otherwise begin in the same cache set: a cache line.
fn skew(lanes: usize) -> usize {
    (16 / lanes).max(1)
}

/// One direction of a convolution, at one size.
#[derive(Debug, Clone)]
pub(crate) struct Winograd {
    reads: BatchShape,
    writes: BatchShape,
    /// Rows above and columns to the left.
    pad: [usize; 2],
    /// Down and right, in one image.
    tiles: [usize; 2],
}

/// The weights, packed `[O / L, C / L, 3, 3, c: L, o: L]`, as vectors.
#[derive(Clone, Copy)]
struct PackedWeights<'a, V> {
    data: &'a [V],
    direction: Direction,
    reads: usize,
    writes: usize,
}

impl Winograd {
    /// `pad` as the direction has it: turned round, a 3x3 kernel has 2 - pad.
    pub(crate) fn new(reads: BatchShape, writes: BatchShape, pad: [usize; 2]) -> Self {
        Self { reads, writes, pad, tiles: [writes.height.div_ceil(OUT), writes.width.div_ceil(OUT)] }
    }

    fn count(&self) -> usize {
        self.reads.n * self.tiles[0] * self.tiles[1]
    }

    /// Numbers of a panel of transformed tiles.
    fn panel(&self, lanes: usize) -> usize {
        PRODUCTS * self.row(lanes) * lanes
    }

    /// Vectors from one of a panel's entries to the next.
    fn row(&self, lanes: usize) -> usize {
        self.reads.channels.div_ceil(lanes) * ROWS + skew(lanes)
    }

    /// Panels that are transformed before anything is multiplied.
    fn at_once(&self, lanes: usize) -> usize {
        (SHARED / self.panel(lanes)).max(GROUP).min(self.count().div_ceil(ROWS))
    }

    /// Numbers of shared memory that it needs, and of each thread's own.
    pub(crate) fn scratch(&self, lanes: usize) -> [usize; 2] {
        let own = tables(lanes).iter().sum::<usize>() * lanes;
        [self.at_once(lanes) * self.panel(lanes), own]
    }

    /// Computes it all.
    pub(crate) fn run<S: Lanes>(
        &self,
        simd: S,
        (weights, direction): (&[f32], Direction),
        input: Input,
        mut output: Output,
        finish: Finish,
        scratch: &mut Scratch,
    ) {
        let lanes = S::F32_LANES;
        let (reads, writes) = (self.reads.channels.div_ceil(lanes), self.writes.channels.div_ceil(lanes));
        let weights = PackedWeights { data: S::as_simd_f32s(weights).0, direction, reads, writes };
        let Scratch { shared, own } = scratch;
        let panels: Vec<Range<usize>> = balanced(0..self.count(), ROWS).collect();
        let share = share(writes, rayon::current_num_threads());
        for panels in panels.chunks(self.at_once(lanes)) {
            let shared = &mut shared.numbers_mut()[..panels.len() * self.panel(lanes)];
            shared.par_chunks_mut(self.panel(lanes)).zip(panels).for_each(|(into, tiles)| {
                vectorized!(simd, self.transform(simd, tiles, input, into));
            });
            let shared = &*shared;
            let output = Output { data: output.data, gates: output.gates.as_deref_mut() };
            let positions = self.writes.positions();
            shares(output, share, positions, lanes).into_par_iter().enumerate().for_each(
                |(index, (y, gates))| {
                    let mut own = own.mine();
                    let mut own = ThreadTables::<S>::new(own.numbers_mut());
                    for (pair, (y, gates)) in
                        shares(Output::of(y, gates), COLUMNS, positions, lanes).into_iter().enumerate()
                    {
                        let block = index * share + pair * COLUMNS;
                        let target = OutputBlocks { block, y: S::as_mut_simd_f32s(y).0, gates };
                        vectorized!(
                            simd,
                            self.blocks(simd, &weights, panels, shared, target, finish, &mut own)
                        );
                    }
                },
            );
        }
    }

    /// A panel of transformed tiles, `[36, K, ROWS]` vectors.
    #[inline(always)]
    fn transform<S: Lanes>(&self, simd: S, tiles: &Range<usize>, input: Input, into: &mut [f32]) {
        let (data, into) = (S::as_simd_f32s(input.data).0, S::as_mut_simd_f32s(into).0);
        let row = self.row(S::F32_LANES);
        for block in 0..self.reads.channels.div_ceil(S::F32_LANES) {
            for (r, tile) in tiles.clone().enumerate() {
                let v = of_input(simd, &self.patch(simd, block, tile, input, data));
                for (entry, &v) in v.as_flattened().iter().enumerate() {
                    into[entry * row + block * ROWS + r] = v;
                }
            }
        }
    }

    /// The 6x6 inputs under a tile, zero where there are none.
    #[inline(always)]
    fn patch<S: Lanes>(
        &self,
        simd: S,
        block: usize,
        tile: usize,
        input: Input,
        data: &[S::f32s],
    ) -> [[S::f32s; IN]; IN] {
        let BatchShape { n, height, width, .. } = self.reads;
        let (image, [top, left]) = self.corner(tile);
        let plane = (block * n + image) * height * width;
        let [pad_top, pad_left] = self.pad;
        let inside = top >= pad_top
            && left >= pad_left
            && top + IN <= height + pad_top
            && left + IN <= width + pad_left;
        let mut patch = [[simd.splat_f32s(0.0); IN]; IN];
        if inside {
            let corner = plane + (top - pad_top) * width + left - pad_left;
            for (i, patch) in patch.iter_mut().enumerate() {
                for (j, patch) in patch.iter_mut().enumerate() {
                    *patch = input.at(simd, data, corner + i * width + j);
                }
            }
            return patch;
        }
        for (i, patch) in patch.iter_mut().enumerate() {
            let Some(y) = (top + i).checked_sub(pad_top).filter(|&y| y < height) else { continue };
            for (j, patch) in patch.iter_mut().enumerate() {
                let Some(x) = (left + j).checked_sub(pad_left).filter(|&x| x < width) else { continue };
                *patch = input.at(simd, data, plane + y * width + x);
            }
        }
        patch
    }

    /// A tile's image, and where its outputs begin.
    #[inline(always)]
    fn corner(&self, tile: usize) -> (usize, [usize; 2]) {
        let [down, right] = self.tiles;
        (tile / (down * right), [tile / right % down * OUT, tile % right * OUT])
    }

    /// One or two blocks of outputs for all tiles of `shared`.
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "what a matrix product takes")]
    fn blocks<S: Lanes>(
        &self,
        simd: S,
        weights: &PackedWeights<S::f32s>,
        panels: &[Range<usize>],
        shared: &[f32],
        mut target: OutputBlocks<S>,
        finish: Finish,
        own: &mut ThreadTables<S>,
    ) {
        let columns = target.y.len() / self.writes.positions();
        let chunk = DEPTH / S::F32_LANES;
        let chunks = balanced(0..weights.reads, chunk);
        let alone = weights.reads <= chunk;
        for (index, group) in panels.chunks(GROUP).enumerate() {
            for depth in chunks.clone() {
                if index == 0 || !alone {
                    own.transform(simd, weights, target.block, columns, depth.clone());
                }
                let begin = index * GROUP * self.panel(S::F32_LANES);
                self.multiply(simd, group, &shared[begin..], columns, depth, own);
            }
            let first = group[0].start;
            for tile in group[0].start..group[group.len() - 1].end {
                self.finish(simd, tile, tile - first, columns, &mut target, finish, own);
            }
        }
    }

    /// Adds the products of a stretch of channels to those of a group of panels.
    #[inline(always)]
    fn multiply<S: Lanes>(
        &self,
        simd: S,
        group: &[Range<usize>],
        shared: &[f32],
        columns: usize,
        depth: Range<usize>,
        own: &mut ThreadTables<S>,
    ) {
        let lanes = S::F32_LANES;
        let first = group[0].start;
        let mut steps = [(0, 0); DEPTH];
        for (k, step) in steps.iter_mut().enumerate().take(depth.len()) {
            *step = (k * ROWS * lanes, k * lanes);
        }
        for entry in 0..PRODUCTS {
            for (panel, tiles) in group.iter().enumerate() {
                let mut tile = WinogradTile {
                    a: &shared[panel * self.panel(lanes)
                        + (entry * self.row(lanes) + depth.start * ROWS) * lanes..],
                    weights: own.weights,
                    entry,
                    steps: &steps[..depth.len()],
                    begins: depth.start == 0,
                    into: &mut own.products
                        [entry * products_row(S::F32_LANES) + (tiles.start - first) * COLUMNS..],
                };
                tiled(simd, 0..tiles.len(), columns, &mut tile);
            }
        }
    }

    /// Transforms a tile's products back and writes those that lie inside the image.
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "where a tile comes from and where it goes")]
    fn finish<S: Lanes>(
        &self,
        simd: S,
        tile: usize,
        at: usize,
        columns: usize,
        target: &mut OutputBlocks<S>,
        finish: Finish,
        own: &ThreadTables<S>,
    ) {
        let BatchShape { height, width, .. } = self.writes;
        let (image, [top, left]) = self.corner(tile);
        for column in 0..columns {
            let mut m = [[simd.splat_f32s(0.0); IN]; IN];
            for (entry, m) in m.as_flattened_mut().iter_mut().enumerate() {
                *m = own.products[entry * products_row(S::F32_LANES) + at * COLUMNS + column];
            }
            let y = to_output(simd, &m);
            let bias = finish.bias(simd, target.block + column);
            let plane = column * self.writes.positions() + image * height * width;
            for (i, y) in y.iter().enumerate().take(height - top) {
                let start = plane + (top + i) * width + left;
                for (j, &y) in y.iter().enumerate().take(width - left) {
                    finish.store(simd, y, bias, &mut target.y[start + j], gate(target.gates, start + j));
                }
            }
        }
    }
}

/// Blocks of outputs to write.
struct OutputBlocks<'a, S: Lanes> {
    block: usize,
    y: &'a mut [S::f32s],
    gates: &'a mut [u16],
}

/// A thread's own tables.
struct ThreadTables<'a, S: Lanes> {
    /// `[COLUMNS, 36, DEPTH]` transformed weights.
    weights: &'a mut [S::f32s],
    /// `[36, tiles, COLUMNS]`.
    products: &'a mut [S::f32s],
    /// A block of weights with its channels changed round: `[9, L]`.
    turned: &'a mut [S::f32s],
}

impl<'a, S: Lanes> ThreadTables<'a, S> {
    fn new(numbers: &'a mut [f32]) -> Self {
        let [weights, products, turned] = tables(S::F32_LANES);
        let (weights, rest) = S::as_mut_simd_f32s(numbers).0.split_at_mut(weights);
        let (products, rest) = rest.split_at_mut(products);
        Self { weights, products, turned: &mut rest[..turned] }
    }

    /// G g G^T of one or two blocks of outputs and a stretch of blocks of inputs.
    #[inline(always)]
    fn transform(
        &mut self,
        simd: S,
        weights: &PackedWeights<S::f32s>,
        block: usize,
        columns: usize,
        depth: Range<usize>,
    ) {
        let lanes = S::F32_LANES;
        for column in 0..columns {
            for (k, read) in depth.clone().enumerate() {
                for lane in 0..lanes {
                    let from = match weights.direction {
                        Direction::Forward => {
                            let block = (block + column) * weights.reads + read;
                            &weights.data[block * KERNEL * KERNEL * lanes..]
                        }
                        Direction::Back => {
                            if lane == 0 {
                                weights.turn::<S>(read * weights.writes + block + column, self.turned);
                            }
                            &*self.turned
                        }
                    };
                    let mut g = [[simd.splat_f32s(0.0); KERNEL]; KERNEL];
                    for (tap, g) in g.as_flattened_mut().iter_mut().enumerate() {
                        *g = from[tap * lanes + lane];
                    }
                    let u = of_kernel(simd, &g);
                    let begin = column * PRODUCTS * weights_row(lanes) + k * lanes + lane;
                    for (entry, &u) in u.as_flattened().iter().enumerate() {
                        self.weights[begin + entry * weights_row(lanes)] = u;
                    }
                }
            }
        }
    }
}

/// Vectors from one entry's transformed weights to the next.
fn weights_row(lanes: usize) -> usize {
    DEPTH + skew(lanes)
}

/// Vectors from one entry's products to the next.
fn products_row(lanes: usize) -> usize {
    GROUP * ROWS * COLUMNS + skew(lanes)
}

/// The number of vectors of each of a thread's own tables.
fn tables(lanes: usize) -> [usize; 3] {
    [COLUMNS * PRODUCTS * weights_row(lanes), PRODUCTS * products_row(lanes), KERNEL * KERNEL * lanes]
}

impl<V: bytemuck::Pod> PackedWeights<'_, V> {
    /// A block's weights seen from the other side: kernel turned by half a turn, channels in and out changed round.
    #[inline(always)]
    fn turn<S: Lanes<f32s = V>>(&self, block: usize, into: &mut [V]) {
        let lanes = S::F32_LANES;
        let taps = KERNEL * KERNEL;
        let from: &[f32] = bytemuck::cast_slice(&self.data[block * taps * lanes..][..taps * lanes]);
        let into: &mut [f32] = bytemuck::cast_slice_mut(&mut into[..taps * lanes]);
        for tap in 0..taps {
            let from = &from[tap * lanes * lanes..][..lanes * lanes];
            let into = &mut into[(taps - 1 - tap) * lanes * lanes..][..lanes * lanes];
            for row in (0..lanes).step_by(4) {
                for column in (0..lanes).step_by(4) {
                    turn_four(&from[row * lanes + column..], &mut into[column * lanes + row..], lanes);
                }
            }
        }
    }
}

/// Four rows of four as four columns: a shape that the compiler has shuffles for.
#[inline(always)]
fn turn_four(from: &[f32], into: &mut [f32], stride: usize) {
    let (from, into) = (&from[..3 * stride + 4], &mut into[..3 * stride + 4]);
    let mut rows = [[0.0; 4]; 4];
    for (i, row) in rows.iter_mut().enumerate() {
        row.copy_from_slice(&from[i * stride..][..4]);
    }
    for i in 0..4 {
        into[i * stride..][..4].copy_from_slice(&[rows[0][i], rows[1][i], rows[2][i], rows[3][i]]);
    }
}

/// The products of one entry of a panel of tiles.
struct WinogradTile<'a, S: Lanes> {
    /// `[K, ROWS]` vectors.
    a: &'a [f32],
    weights: &'a [S::f32s],
    entry: usize,
    /// The first index of each block of inputs, among the tiles and among the weights.
    steps: &'a [(usize, usize)],
    /// Whether these are the first products of their sums.
    begins: bool,
    into: &'a mut [S::f32s],
}

impl<S: Lanes> Tile<S> for WinogradTile<'_, S> {
    #[inline(always)]
    fn run<const R: usize, const V: usize>(&mut self, simd: S, first: usize) {
        let lanes = S::F32_LANES;
        let row = weights_row(lanes);
        let (mut at, mut b) = ([0; R], [&self.weights[..0]; V]);
        for (r, at) in at.iter_mut().enumerate() {
            *at = (first + r) * lanes;
        }
        for (v, b) in b.iter_mut().enumerate() {
            *b = &self.weights[(v * PRODUCTS + self.entry) * row..][..row];
        }
        let mut sums = [simd.splat_f32s(0.0); ROWS * COLUMNS];
        product::<S, R, V>(simd, lanes, self.steps, self.a, at, b, &mut sums);
        let into = &mut self.into[first * COLUMNS..][..R * COLUMNS];
        for (into, &sum) in into.iter_mut().zip(&sums) {
            *into = if self.begins { sum } else { simd.add_f32s(*into, sum) };
        }
    }
}
