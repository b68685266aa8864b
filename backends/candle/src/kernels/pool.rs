//! Sliding windows over channels: maxima and means, and where their gradients go.

use std::ops::Range;

use rayon::prelude::*;
use trepang_api::Pool;

/// The sizes of one pooling.
#[derive(Debug, Clone)]
pub(crate) struct Windows {
    /// Images times channels.
    planes: [usize; 2],
    size: [usize; 2],
    out: [usize; 2],
    pool: Pool,
}

impl Windows {
    /// The pooling of an input with sides `[N, C, H, W]`.
    pub(crate) fn new(pool: &Pool, (n, c, height, width): (usize, usize, usize, usize)) -> Self {
        let p = pool.padding;
        Self {
            planes: [n, c],
            size: [height, width],
            out: [
                (height + p.top + p.bottom - pool.kernel[0]) / pool.stride[0] + 1,
                (width + p.left + p.right - pool.kernel[1]) / pool.stride[1] + 1,
            ],
            pool: *pool,
        }
    }

    pub(crate) fn input_dims(&self) -> [usize; 4] {
        [self.planes[0], self.planes[1], self.size[0], self.size[1]]
    }

    pub(crate) fn output_dims(&self) -> [usize; 4] {
        [self.planes[0], self.planes[1], self.out[0], self.out[1]]
    }

    /// The input rows and columns of the window at output position `(y, x)`, without the padding.
    fn at(&self, y: usize, x: usize) -> (Range<usize>, Range<usize>) {
        let span = |o: usize, axis: usize, pad: usize| {
            let start = o * self.pool.stride[axis];
            start.saturating_sub(pad)
                ..(start + self.pool.kernel[axis]).saturating_sub(pad).min(self.size[axis])
        };
        (span(y, 0, self.pool.padding.top), span(x, 1, self.pool.padding.left))
    }

    /// Applies `each(input, window)` at every position, plane by plane.
    fn map(&self, x: &[f32], each: impl Fn(&[f32], &Range<usize>, &Range<usize>) -> f32 + Sync) -> Vec<f32> {
        let [height, width] = self.out;
        let mut y = vec![0.0; self.planes[0] * self.planes[1] * height * width];
        let planes = x.par_chunks(self.size[0] * self.size[1]).zip(y.par_chunks_mut(height * width));
        planes.for_each(|(x, y)| {
            for (position, y) in y.iter_mut().enumerate() {
                let (rows, columns) = self.at(position / width, position % width);
                *y = each(x, &rows, &columns);
            }
        });
        y
    }

    /// Lets `each(input, d(input), dy, window)` add at every position, plane by plane.
    fn pull_back(
        &self,
        x: &[f32],
        dy: &[f32],
        each: impl Fn(&[f32], &mut [f32], f32, &Range<usize>, &Range<usize>) + Sync,
    ) -> Vec<f32> {
        let plane = self.size[0] * self.size[1];
        let [height, width] = self.out;
        let mut dx = vec![0.0; x.len()];
        let planes = x.par_chunks(plane).zip(dx.par_chunks_mut(plane)).zip(dy.par_chunks(height * width));
        planes.for_each(|((x, dx), dy)| {
            for (position, &dy) in dy.iter().enumerate() {
                let (rows, columns) = self.at(position / width, position % width);
                each(x, dx, dy, &rows, &columns);
            }
        });
        dx
    }
}

/// The largest of each window.
pub(crate) fn max(w: &Windows, x: &[f32]) -> Vec<f32> {
    w.map(x, |x, rows, columns| x[first_maximum(x, w.size[1], rows, columns)])
}

/// dy to the first maximum of each window.
pub(crate) fn max_backward(w: &Windows, x: &[f32], dy: &[f32]) -> Vec<f32> {
    w.pull_back(x, dy, |x, dx, dy, rows, columns| dx[first_maximum(x, w.size[1], rows, columns)] += dy)
}

fn first_maximum(x: &[f32], width: usize, rows: &Range<usize>, columns: &Range<usize>) -> usize {
    let mut best = rows.start * width + columns.start;
    for row in rows.clone() {
        for i in row * width + columns.start..row * width + columns.end {
            if x[i] > x[best] {
                best = i;
            }
        }
    }
    best
}

/// The mean over each window's numbers.
pub(crate) fn average(w: &Windows, x: &[f32]) -> Vec<f32> {
    w.map(x, |x, rows, columns| sum(x, w.size[1], rows, columns) / (rows.len() * columns.len()) as f32)
}

/// The pull-back of [`average`].
pub(crate) fn average_backward(w: &Windows, x: &[f32], dy: &[f32]) -> Vec<f32> {
    w.pull_back(x, dy, |_, dx, dy, rows, columns| {
        spread(dx, w.size[1], rows, columns, dy / (rows.len() * columns.len()) as f32);
    })
}

/// The mean over each window's full size, padding counted as zeros.
pub(crate) fn average_counting(w: &Windows, x: &[f32]) -> Vec<f32> {
    let full = (w.pool.kernel[0] * w.pool.kernel[1]) as f32;
    w.map(x, |x, rows, columns| sum(x, w.size[1], rows, columns) / full)
}

/// The pull-back of [`average_counting`].
pub(crate) fn average_counting_backward(w: &Windows, x: &[f32], dy: &[f32]) -> Vec<f32> {
    let full = (w.pool.kernel[0] * w.pool.kernel[1]) as f32;
    w.pull_back(x, dy, |_, dx, dy, rows, columns| spread(dx, w.size[1], rows, columns, dy / full))
}

fn sum(x: &[f32], width: usize, rows: &Range<usize>, columns: &Range<usize>) -> f32 {
    rows.clone().map(|row| x[row * width..][columns.clone()].iter().sum::<f32>()).sum()
}

fn spread(dx: &mut [f32], width: usize, rows: &Range<usize>, columns: &Range<usize>, share: f32) {
    for row in rows.clone() {
        dx[row * width..][columns.clone()].iter_mut().for_each(|dx| *dx += share);
    }
}
