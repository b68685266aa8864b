//! Convolution as a matrix product: windows laid out as columns (im2col), times the kernel. The pull-back is
//! the transposed product, its columns added back where they came from (col2im).
//!
//! Letters: C and O channels in and out of one group, K = C kh kw, P positions of a block of output rows.
//! Blocks keep the columns within [`BLOCK`], so they stay in cache and memory does not grow with the image.

use std::cell::Cell;
use std::ops::Range;

use gemm::Parallelism;
use rayon::prelude::*;
use trepang_api::Conv2d;

use super::matmul::{Matrix, MatrixMut, product};

/// Numbers in a block of columns: 2 MB, about a core's share of the last cache level.
const BLOCK: usize = 1 << 19;

/// Below this many numbers a copy is done before a second thread has woken up.
const WORTH_SHARING: usize = 1 << 14;

/// The sizes of one convolution.
#[derive(Debug, Clone)]
pub(crate) struct Geometry {
    batch: usize,
    groups: usize,
    /// C: channels in, per group.
    inputs: usize,
    /// O: channels out, per group.
    outputs: usize,
    /// Height and width in.
    size: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    /// Rows above and columns to the left.
    pad: [usize; 2],
    /// Height and width out.
    out: [usize; 2],
}

impl Geometry {
    /// The convolution of an input with sides `[N, C, H, W]`.
    pub(crate) fn new(conv: &Conv2d, (batch, _, height, width): (usize, usize, usize, usize)) -> Self {
        let p = conv.padding;
        Self {
            batch,
            groups: conv.groups,
            inputs: conv.inputs / conv.groups,
            outputs: conv.outputs / conv.groups,
            size: [height, width],
            kernel: conv.kernel,
            stride: conv.stride,
            pad: [p.top, p.left],
            out: [
                (height + p.top + p.bottom - conv.kernel[0]) / conv.stride[0] + 1,
                (width + p.left + p.right - conv.kernel[1]) / conv.stride[1] + 1,
            ],
        }
    }

    pub(crate) fn input_dims(&self) -> [usize; 4] {
        [self.batch, self.groups * self.inputs, self.size[0], self.size[1]]
    }

    pub(crate) fn output_dims(&self) -> [usize; 4] {
        [self.batch, self.groups * self.outputs, self.out[0], self.out[1]]
    }

    /// K.
    fn taps(&self) -> usize {
        self.inputs * self.kernel[0] * self.kernel[1]
    }

    /// Numbers in one group of one image, in and out.
    fn plane_in(&self) -> usize {
        self.inputs * self.size[0] * self.size[1]
    }

    fn plane_out(&self) -> usize {
        self.outputs * self.out[0] * self.out[1]
    }

    /// Output rows, cut so that a block's columns fit [`BLOCK`].
    fn row_blocks(&self) -> impl Iterator<Item = Range<usize>> {
        let rows = self.out[0];
        let step = (BLOCK / (self.taps() * self.out[1])).clamp(1, rows);
        (0..rows).step_by(step).map(move |start| start..(start + step).min(rows))
    }

    /// A 1x1 kernel with step 1 and no padding: the columns are the input itself.
    fn is_pointwise(&self) -> bool {
        (self.kernel, self.stride, self.pad, self.out) == ([1, 1], [1, 1], [0, 0], self.size)
    }

    /// The output columns whose window's tap `j` lies inside a row of the input, and the input column of the
    /// first of them.
    fn inside(&self, j: usize) -> (Range<usize>, usize) {
        let (step, pad, width) = (self.stride[1], self.pad[1], self.size[1]);
        let first = pad.saturating_sub(j).div_ceil(step).min(self.out[1]);
        let end = (width + pad).saturating_sub(j).div_ceil(step).clamp(first, self.out[1]);
        (first..end, (first * step + j).saturating_sub(pad))
    }

    /// The input row under tap `i` of output row `y`, if it is not padding.
    fn row(&self, y: usize, i: usize) -> Option<usize> {
        (y * self.stride[0] + i).checked_sub(self.pad[0]).filter(|&row| row < self.size[0])
    }
}

/// y = w x + b for the whole batch.
pub(crate) fn convolve(g: &Geometry, x: &[f32], w: &[f32], b: &[f32]) -> Vec<f32> {
    let mut y = vec![0.0; g.batch * g.groups * g.plane_out()];
    let one = |(index, y): (usize, &mut [f32]), parallelism| {
        let group = index % g.groups;
        let x = &x[index * g.plane_in()..][..g.plane_in()];
        let w = &w[group * g.outputs * g.taps()..][..g.outputs * g.taps()];
        convolve_group(g, x, w, &b[group * g.outputs..][..g.outputs], y, parallelism);
    };
    each_group(g.batch * g.groups, &mut y, g.plane_out(), one);
    y
}

fn convolve_group(g: &Geometry, x: &[f32], w: &[f32], b: &[f32], y: &mut [f32], parallelism: Parallelism) {
    let area = g.out[0] * g.out[1];
    for (row, &b) in y.chunks_mut(area).zip(b) {
        row.fill(b);
    }
    let w = Matrix::new(w, g.outputs, g.taps(), g.taps());
    with_scratch(|scratch| {
        for rows in g.row_blocks() {
            let (start, positions) = (rows.start * g.out[1], rows.len() * g.out[1]);
            let columns = if g.is_pointwise() {
                Matrix::new(&x[start..], g.taps(), positions, area)
            } else {
                scratch.resize(g.taps() * positions, 0.0);
                image_to_columns(g, x, &rows, scratch, parallelism);
                Matrix::new(scratch, g.taps(), positions, positions)
            };
            let mut into = MatrixMut::new(&mut y[start..], g.outputs, positions, area);
            product(&mut into, true, w, columns, parallelism);
        }
    });
}

/// dx = w^T dy for the whole batch.
pub(crate) fn pull_back(g: &Geometry, dy: &[f32], w: &[f32]) -> Vec<f32> {
    let mut dx = vec![0.0; g.batch * g.groups * g.plane_in()];
    let one = |(index, dx): (usize, &mut [f32]), parallelism| {
        let group = index % g.groups;
        let dy = &dy[index * g.plane_out()..][..g.plane_out()];
        let w = &w[group * g.outputs * g.taps()..][..g.outputs * g.taps()];
        pull_back_group(g, dy, w, dx, parallelism);
    };
    each_group(g.batch * g.groups, &mut dx, g.plane_in(), one);
    dx
}

fn pull_back_group(g: &Geometry, dy: &[f32], w: &[f32], dx: &mut [f32], parallelism: Parallelism) {
    let area = g.out[0] * g.out[1];
    let w = Matrix::new(w, g.outputs, g.taps(), g.taps()).transposed();
    with_scratch(|scratch| {
        for rows in g.row_blocks() {
            let (start, positions) = (rows.start * g.out[1], rows.len() * g.out[1]);
            let dy = Matrix::new(&dy[start..], g.outputs, positions, area);
            if g.is_pointwise() {
                product(
                    &mut MatrixMut::new(&mut dx[start..], g.taps(), positions, area),
                    false,
                    w,
                    dy,
                    parallelism,
                );
            } else {
                scratch.resize(g.taps() * positions, 0.0);
                let mut columns = MatrixMut::new(scratch, g.taps(), positions, positions);
                product(&mut columns, false, w, dy, parallelism);
                columns_to_image(g, scratch, &rows, dx, parallelism);
            }
        }
    });
}

/// Runs `one` on each group of each image: side by side where there are enough of them for every thread, one
/// after the other with the threads inside where there are not.
fn each_group(
    groups: usize,
    into: &mut [f32],
    len: usize,
    one: impl Fn((usize, &mut [f32]), Parallelism) + Sync,
) {
    let threads = rayon::current_num_threads();
    if threads == 1 {
        into.chunks_mut(len).enumerate().for_each(|group| one(group, Parallelism::None));
    } else if groups >= threads {
        into.par_chunks_mut(len).enumerate().for_each(|group| one(group, Parallelism::None));
    } else {
        into.chunks_mut(len).enumerate().for_each(|group| one(group, Parallelism::Rayon(threads)));
    }
}

/// columns[(c, i, j), (y, x)] = x[c, y s + i - p, x s + j - p], zero in the padding.
fn image_to_columns(
    g: &Geometry,
    x: &[f32],
    rows: &Range<usize>,
    columns: &mut [f32],
    parallelism: Parallelism,
) {
    let [kh, kw] = g.kernel;
    let positions = rows.len() * g.out[1];
    let channel = |(channel, columns): (&[f32], &mut [f32])| {
        for (tap, line) in columns.chunks_mut(positions).enumerate() {
            let (i, j) = (tap / kw, tap % kw);
            let (inside, from) = g.inside(j);
            for (y, line) in rows.clone().zip(line.chunks_mut(g.out[1])) {
                let Some(row) = g.row(y, i) else {
                    line.fill(0.0);
                    continue;
                };
                line[..inside.start].fill(0.0);
                line[inside.end..].fill(0.0);
                if !inside.is_empty() {
                    let row = &channel[row * g.size[1]..][..g.size[1]][from..];
                    gather(&mut line[inside.clone()], row, g.stride[1]);
                }
            }
        }
    };
    let plane = g.size[0] * g.size[1];
    if shares(parallelism, columns.len()) {
        x.par_chunks(plane).zip(columns.par_chunks_mut(kh * kw * positions)).for_each(channel);
    } else {
        x.chunks(plane).zip(columns.chunks_mut(kh * kw * positions)).for_each(channel);
    }
}

/// The transpose of [`image_to_columns`]: every number of the columns is added where it was read.
fn columns_to_image(
    g: &Geometry,
    columns: &[f32],
    rows: &Range<usize>,
    dx: &mut [f32],
    parallelism: Parallelism,
) {
    let [kh, kw] = g.kernel;
    let positions = rows.len() * g.out[1];
    let channel = |(channel, columns): (&mut [f32], &[f32])| {
        for (tap, line) in columns.chunks(positions).enumerate() {
            let (i, j) = (tap / kw, tap % kw);
            let (inside, from) = g.inside(j);
            if inside.is_empty() {
                continue;
            }
            for (y, line) in rows.clone().zip(line.chunks(g.out[1])) {
                if let Some(row) = g.row(y, i) {
                    let row = &mut channel[row * g.size[1]..][..g.size[1]][from..];
                    scatter(&line[inside.clone()], row, g.stride[1]);
                }
            }
        }
    };
    let plane = g.size[0] * g.size[1];
    if shares(parallelism, columns.len()) {
        dx.par_chunks_mut(plane).zip(columns.par_chunks(kh * kw * positions)).for_each(channel);
    } else {
        dx.chunks_mut(plane).zip(columns.chunks(kh * kw * positions)).for_each(channel);
    }
}

fn gather(line: &mut [f32], row: &[f32], step: usize) {
    match step {
        1 => line.copy_from_slice(&row[..line.len()]),
        _ => line.iter_mut().zip(row.iter().step_by(step)).for_each(|(to, from)| *to = *from),
    }
}

fn scatter(line: &[f32], row: &mut [f32], step: usize) {
    match step {
        1 => row.iter_mut().zip(line).for_each(|(to, from)| *to += from),
        _ => row.iter_mut().step_by(step).zip(line).for_each(|(to, from)| *to += from),
    }
}

fn shares(parallelism: Parallelism, len: usize) -> bool {
    matches!(parallelism, Parallelism::Rayon(_)) && len >= WORTH_SHARING
}

thread_local! {
    /// Columns of the last convolution on this thread, kept so that the next need not allocate.
    static SCRATCH: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

/// Lends this thread's buffer. It is taken, not borrowed: a thread that waits for its share of a product may
/// pick up another image's convolution meanwhile, which then finds no buffer and makes one.
fn with_scratch(work: impl FnOnce(&mut Vec<f32>)) {
    let mut scratch = SCRATCH.take();
    work(&mut scratch);
    SCRATCH.set(scratch);
}
