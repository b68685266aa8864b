//! A convolution: its weights as the kernels want them, and which kernel computes it at a size, forwards and back.
//! Kernels know no network.

mod depthwise;
mod direct;
pub(crate) mod finish;
mod sweep;
mod transforms;
mod winograd;

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use trepang_api::{Array, Conv2d};

use self::depthwise::Depthwise;
use self::direct::Direct;
use self::finish::{Finish, Input, Output};
use self::sweep::Sweep;
use self::winograd::Winograd;
use crate::Algorithm;
use crate::buffer::Buffer;
use crate::grid::BatchShape;
use crate::lanes::Lanes;
use crate::product::{ROWS, balanced};

/// The direction in which a convolution is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// y from x.
    Forward,
    /// dx from dy.
    Back,
}

/// Memory that kernels work in, as large as the largest of them needs.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Written by all threads.
    pub(crate) shared: Buffer,
    pub(crate) own: PerThread,
}

/// A buffer for each thread of the pool.
#[derive(Debug, Default)]
pub(crate) struct PerThread(Vec<Mutex<Buffer>>);

impl Scratch {
    /// Makes it large enough for `[shared, own]` numbers, the latter for each of `threads`.
    pub(crate) fn grow(&mut self, [shared, own]: [usize; 2], threads: usize) {
        self.shared.grow(shared);
        self.own.0.resize_with(threads, Mutex::default);
        for buffer in &mut self.own.0 {
            buffer.get_mut().unwrap_or_else(PoisonError::into_inner).grow(own);
        }
    }
}

impl PerThread {
    /// The buffer of the thread that asks.
    pub(crate) fn mine(&self) -> MutexGuard<'_, Buffer> {
        let index = rayon::current_thread_index().unwrap_or(0) % self.0.len();
        self.0[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sizes of one convolution.
#[derive(Debug, Clone)]
pub(crate) struct Geometry {
    pub(crate) x: BatchShape,
    pub(crate) y: BatchShape,
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    /// Rows above and columns to the left.
    pub(crate) pad: [usize; 2],
}

/// Groups of channels that do not see each other, merged until each fills whole vectors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Groups {
    pub(crate) count: usize,
    /// Channels in of each, as the direction has it.
    pub(crate) reads: usize,
    /// Channels out of each.
    pub(crate) writes: usize,
}

impl Groups {
    /// Merges the fewest that fill whole vectors on both sides, or else all; weights between merged groups are zero.
    fn merged(conv: &Conv2d, lanes: usize) -> Self {
        let (inputs, outputs) = (conv.inputs / conv.groups, conv.outputs / conv.groups);
        let whole = |merged: &usize| {
            conv.groups.is_multiple_of(*merged)
                && (inputs * merged).is_multiple_of(lanes)
                && (outputs * merged).is_multiple_of(lanes)
        };
        let merged = (1..conv.groups).find(whole).unwrap_or(conv.groups);
        Self { count: conv.groups / merged, reads: inputs * merged, writes: outputs * merged }
    }

    fn back(self) -> Self {
        Self { count: self.count, reads: self.writes, writes: self.reads }
    }
}

/// A convolution with its weights.
#[derive(Debug)]
pub(crate) struct Convolution {
    conv: Conv2d,
    weights: Packed,
    /// Zeros up to a whole block.
    bias: Buffer,
    lanes: usize,
}

#[derive(Debug)]
enum Packed {
    /// `[C / L, taps, L]`
    Depthwise(Buffer),
    Dense {
        groups: Groups,
        /// `[groups, O / L, C / L, taps, c: L, o: L]`
        forward: Buffer,
        /// `[groups, C / L, O / L, taps, o: L, c: L]`, made when a kernel first asks for it: Winograd's never does.
        turned: OnceLock<Buffer>,
    },
}

/// The method for one convolution at one size in one direction.
#[derive(Debug, Clone)]
pub(crate) enum ConvKernel {
    Winograd(Winograd),
    Direct(Direct),
    Depthwise(Depthwise),
}

impl ConvKernel {
    /// Numbers of shared memory that it needs, and of each thread's own.
    pub(crate) fn scratch(&self, lanes: usize) -> [usize; 2] {
        match self {
            Self::Winograd(winograd) => winograd.scratch(lanes),
            Self::Direct(direct) => [direct.scratch(lanes), 0],
            Self::Depthwise(depthwise) => [depthwise.scratch(lanes), 0],
        }
    }
}

impl Convolution {
    /// Packs weights `[O, C / groups, kh, kw]` and a bias `[O]` for vectors of `lanes`.
    pub(crate) fn new(
        conv: &Conv2d,
        weights: &Array,
        bias: &Array,
        lanes: usize,
        algorithm: Algorithm,
    ) -> Self {
        let taps = conv.kernel[0] * conv.kernel[1];
        let depthwise = conv.groups == conv.inputs && conv.groups == conv.outputs;
        let weights = if depthwise && algorithm != Algorithm::Direct {
            Packed::Depthwise(pack_depthwise(weights.data(), taps, lanes))
        } else {
            let groups = Groups::merged(conv, lanes);
            let forward = pack(conv, groups, weights.data(), lanes);
            Packed::Dense { groups, forward, turned: OnceLock::new() }
        };
        let mut padded = Buffer::new(conv.outputs.next_multiple_of(lanes));
        padded.numbers_mut()[..conv.outputs].copy_from_slice(bias.data());
        Self { conv: conv.clone(), weights, bias: padded, lanes }
    }

    pub(crate) fn bias(&self) -> &[f32] {
        self.bias.numbers()
    }

    /// The kernel for `x` and `y` of these sizes.
    pub(crate) fn kernel(
        &self,
        direction: Direction,
        x: BatchShape,
        y: BatchShape,
        algorithm: Algorithm,
    ) -> ConvKernel {
        let conv = &self.conv;
        let pad = [conv.padding.top, conv.padding.left];
        let geometry = Geometry { x, y, kernel: conv.kernel, stride: conv.stride, pad };
        let (reads, writes, sweeps) = match direction {
            Direction::Forward => (x, y, Sweep::forward(&geometry)),
            Direction::Back => (y, x, Sweep::back(&geometry)),
        };
        let taps = conv.kernel[0] * conv.kernel[1];
        match &self.weights {
            Packed::Depthwise(_) => ConvKernel::Depthwise(Depthwise::new(reads, writes, sweeps, taps)),
            Packed::Dense { groups, .. } => {
                let groups = if direction == Direction::Forward { *groups } else { groups.back() };
                if self.filters_minimally(direction, reads, writes, algorithm) {
                    let pad = if direction == Direction::Forward { pad } else { pad.map(|pad| 2 - pad) };
                    ConvKernel::Winograd(Winograd::new(reads, writes, pad))
                } else {
                    ConvKernel::Direct(Direct::new(reads, writes, sweeps, groups, taps))
                }
            }
        }
    }

    /// Whether it is a 3x3 convolution with step 1 for which minimal filtering is faster.
    fn filters_minimally(
        &self,
        direction: Direction,
        reads: BatchShape,
        writes: BatchShape,
        algorithm: Algorithm,
    ) -> bool {
        let conv = &self.conv;
        let possible = (conv.kernel, conv.stride, conv.groups) == ([3, 3], [1, 1], 1)
            && conv.padding.top <= 2
            && conv.padding.left <= 2;
        possible
            && match algorithm {
                Algorithm::Direct => false,
                Algorithm::Winograd => true,
                Algorithm::Fastest => {
                    let [reads, writes] = [reads, writes].map(|grid| BatchShape { n: USUAL_BATCH, ..grid });
                    winograd_cost(direction, reads, writes, self.lanes)
                        < direct_cost(reads, writes, self.lanes)
                }
            }
    }

    /// y = activation(w * x + b), or dx = w^T dy, as `kernel` was made for.
    pub(crate) fn run<S: Lanes>(
        &self,
        simd: S,
        (kernel, direction): (&ConvKernel, Direction),
        input: Input,
        output: Output,
        finish: Finish,
        scratch: &mut Scratch,
    ) {
        match (kernel, &self.weights) {
            (ConvKernel::Depthwise(kernel), Packed::Depthwise(weights)) => {
                kernel.run(simd, weights.numbers(), input, output, finish, scratch);
            }
            (ConvKernel::Winograd(kernel), Packed::Dense { forward, .. }) => {
                kernel.run(simd, (forward.numbers(), direction), input, output, finish, scratch);
            }
            (ConvKernel::Direct(kernel), Packed::Dense { groups, forward, turned }) => {
                let weights = match direction {
                    Direction::Forward => forward,
                    Direction::Back => turned.get_or_init(|| turn(&self.conv, *groups, forward, self.lanes)),
                };
                kernel.run(simd, weights.numbers(), input, output, finish, scratch);
            }
            (ConvKernel::Depthwise(_), Packed::Dense { .. })
            | (ConvKernel::Winograd(_) | ConvKernel::Direct(_), Packed::Depthwise(_)) => {
                unreachable!("a convolution makes its own kernels")
            }
        }
    }
}

/// The batch for which the faster kernel is chosen, whatever the batch is: so an image's numbers do not depend on what
/// shares its batch. Only images of 4x4 or fewer are faster alone by another kernel than together.
const USUAL_BATCH: usize = 4;

/// About how many cycles the sums of a direct 3x3 convolution take: two multiply-adds a cycle.
fn direct_cost(reads: BatchShape, writes: BatchShape, lanes: usize) -> usize {
    let pairs = reads.channels * writes.channels.div_ceil(lanes);
    9 * pairs * rows_of_tiles(writes.positions()) / 2
}

/// The same for minimal filtering: its products, and instructions of the transforms at two and a half a cycle. For each
/// vector of weights 150 (twice as many backwards, where they are turned round first), for each vector of a tile 250
/// on the way in and 200 on the way out.
fn winograd_cost(direction: Direction, reads: BatchShape, writes: BatchShape, lanes: usize) -> usize {
    let (inputs, outputs) = (reads.channels.div_ceil(lanes), writes.channels.div_ceil(lanes));
    let tiles = writes.n * writes.height.div_ceil(transforms::OUT) * writes.width.div_ceil(transforms::OUT);
    let pairs = inputs * lanes * outputs;
    let products = transforms::PRODUCTS * pairs * rows_of_tiles(tiles) / 2;
    let weights = if direction == Direction::Forward { 150 } else { 300 };
    products + (pairs * weights + tiles * (inputs * 250 + outputs * 200)) * 2 / 5
}

/// Rows of the product that `rows` cost: fewer than four at a time take as long as four.
fn rows_of_tiles(rows: usize) -> usize {
    balanced(0..rows, ROWS).map(|piece| piece.len().max(4)).sum()
}

fn pack_depthwise(weights: &[f32], taps: usize, lanes: usize) -> Buffer {
    let channels = weights.len() / taps;
    let mut packed = Buffer::new(channels.next_multiple_of(lanes) * taps);
    for (channel, kernel) in weights.chunks(taps).enumerate() {
        for (tap, &weight) in kernel.iter().enumerate() {
            packed.numbers_mut()[(channel / lanes * taps + tap) * lanes + channel % lanes] = weight;
        }
    }
    packed
}

fn pack(conv: &Conv2d, groups: Groups, weights: &[f32], lanes: usize) -> Buffer {
    let taps = conv.kernel[0] * conv.kernel[1];
    let (inputs, outputs) = (conv.inputs / conv.groups, conv.outputs / conv.groups);
    let [reads, writes] = [groups.reads, groups.writes].map(|channels| channels.div_ceil(lanes));
    let mut packed = Buffer::new(groups.count * reads * writes * taps * lanes * lanes);
    let into = packed.numbers_mut();
    for (index, kernel) in weights.chunks(taps).enumerate() {
        let (output, input) = (index / inputs, index % inputs);
        let merged = output / groups.writes;
        let output_in = output % groups.writes;
        let input_in = output / outputs * inputs + input - merged * groups.reads;
        let block = (merged * writes + output_in / lanes) * reads + input_in / lanes;
        for (tap, &weight) in kernel.iter().enumerate() {
            into[((block * taps + tap) * lanes + input_in % lanes) * lanes + output_in % lanes] = weight;
        }
    }
    packed
}

/// The packed weights with inputs and outputs changed round.
fn turn(conv: &Conv2d, groups: Groups, forward: &Buffer, lanes: usize) -> Buffer {
    let taps = conv.kernel[0] * conv.kernel[1];
    let [reads, writes] = [groups.reads, groups.writes].map(|channels| channels.div_ceil(lanes));
    let square = lanes * lanes;
    let mut turned = Buffer::new(groups.count * reads * writes * taps * square);
    let (from, into) = (forward.numbers(), turned.numbers_mut());
    for group in 0..groups.count {
        for write in 0..writes {
            for read in 0..reads {
                for tap in 0..taps {
                    let from =
                        &from[(((group * writes + write) * reads + read) * taps + tap) * square..][..square];
                    let into = &mut into[(((group * reads + read) * writes + write) * taps + tap) * square..]
                        [..square];
                    for (index, into) in into.iter_mut().enumerate() {
                        *into = from[index % lanes * lanes + index / lanes];
                    }
                }
            }
        }
    }
    turned
}
