//! Max, average and global average pooling.

use std::ops::Range;

use crate::{Array, Pool, Result, Shape};

/// One window of one channel: the position of its output and the part of the input it covers.
struct PoolWindow {
    /// Index of the output number.
    y: usize,
    /// Index of the channel's first input number.
    plane: usize,
    rows: Range<usize>,
    columns: Range<usize>,
    width: usize,
}

impl PoolWindow {
    /// Indices of the input numbers it covers, row-major; padding is not among them.
    fn indices(&self) -> impl Iterator<Item = usize> + '_ {
        self.rows
            .clone()
            .flat_map(move |row| self.columns.clone().map(move |c| self.plane + row * self.width + c))
    }
}

/// The largest number of each window. The first in row-major order wins a tie.
pub(super) fn max(pool: &Pool, x: &Array) -> Result<Array> {
    let (n, output) = output_shape(pool, x)?;
    let y = winners(pool, x)?.into_iter().map(|winner| x.data()[winner]);
    Array::new(output.batch(n), y.collect())
}

/// The whole of dy goes to the number that was the maximum.
pub(super) fn max_backward(pool: &Pool, x: &Array, dy: &Array) -> Result<Array> {
    let mut dx = Array::zeros(x.shape());
    for (winner, dy) in winners(pool, x)?.into_iter().zip(dy.data()) {
        dx.data_mut()[winner] += dy;
    }
    Ok(dx)
}

/// For each number that [`max`] gives, the index of the number in `x` that it is.
pub(crate) fn winners(pool: &Pool, x: &Array) -> Result<Vec<usize>> {
    Ok(windows(pool, x)?.map(|window| argmax(&window, x)).collect())
}

/// The winner of a window and another of its numbers, for every one that is at most `margin` below it.
#[cfg(feature = "conformance")]
pub(crate) fn near_winners(pool: &Pool, x: &Array, margin: f32) -> Result<Vec<(usize, usize)>> {
    let mut near = Vec::new();
    for window in windows(pool, x)? {
        let winner = argmax(&window, x);
        let is_near = |&i: &usize| i != winner && x.data()[winner] - x.data()[i] <= margin;
        near.extend(window.indices().filter(is_near).map(|rival| (winner, rival)));
    }
    Ok(near)
}

fn argmax(window: &PoolWindow, x: &Array) -> usize {
    let first = window.plane + window.rows.start * window.width + window.columns.start;
    window.indices().fold(first, |best, i| if x.data()[i] > x.data()[best] { i } else { best })
}

/// The mean of each window: over its numbers, or over its full size with zeros for padding.
pub(super) fn average(pool: &Pool, count_padding: bool, x: &Array) -> Result<Array> {
    let (n, output) = output_shape(pool, x)?;
    let mut y = Array::zeros(output.batch(n));
    for window in windows(pool, x)? {
        let sum: f64 = window.indices().map(|i| f64::from(x.data()[i])).sum();
        y.data_mut()[window.y] = (sum / divisor(pool, count_padding, &window)) as f32;
    }
    Ok(y)
}

/// Each number of the window gets dy over the divisor of [`average`].
pub(super) fn average_backward(pool: &Pool, count_padding: bool, x: &Array, dy: &Array) -> Result<Array> {
    let mut dx = Array::zeros(x.shape());
    for window in windows(pool, x)? {
        let share = f64::from(dy.data()[window.y]) / divisor(pool, count_padding, &window);
        for i in window.indices() {
            dx.data_mut()[i] += share as f32;
        }
    }
    Ok(dx)
}

fn divisor(pool: &Pool, count_padding: bool, window: &PoolWindow) -> f64 {
    let [height, width] = if count_padding { pool.kernel } else { [window.rows.len(), window.columns.len()] };
    (height * width) as f64
}

/// The mean over height and width.
pub(super) fn global_average(x: &Array) -> Result<Array> {
    let (n, shape) = x.dims4()?;
    let area = shape.height * shape.width;
    let mean = |plane: &[f32]| (plane.iter().map(|&v| f64::from(v)).sum::<f64>() / area as f64) as f32;
    Array::new([n, shape.channels, 1, 1], x.data().chunks(area).map(mean).collect())
}

/// Every position gets dy over their number.
pub(super) fn global_average_backward(x: &Array, dy: &Array) -> Result<Array> {
    let (_, shape) = x.dims4()?;
    let area = shape.height * shape.width;
    let dx = dy.data().iter().flat_map(|&d| std::iter::repeat_n(d / area as f32, area));
    Array::new(x.shape(), dx.collect())
}

fn output_shape(pool: &Pool, x: &Array) -> Result<(usize, Shape)> {
    let (n, input) = x.dims4()?;
    let p = pool.padding;
    let height = (input.height + p.top + p.bottom - pool.kernel[0]) / pool.stride[0] + 1;
    let width = (input.width + p.left + p.right - pool.kernel[1]) / pool.stride[1] + 1;
    Ok((n, Shape { height, width, ..input }))
}

/// Every window of every channel of every image, in the order of the outputs.
fn windows(pool: &Pool, x: &Array) -> Result<impl Iterator<Item = PoolWindow>> {
    let (n, output) = output_shape(pool, x)?;
    let (_, input) = x.dims4()?;
    let pool = *pool;
    let area = output.height * output.width;
    Ok((0..n * output.len()).map(move |y| {
        let (row, column) = (y % area / output.width, y % output.width);
        PoolWindow {
            y,
            plane: y / area * input.height * input.width,
            rows: clip(row * pool.stride[0], pool.kernel[0], pool.padding.top, input.height),
            columns: clip(column * pool.stride[1], pool.kernel[1], pool.padding.left, input.width),
            width: input.width,
        }
    }))
}

/// The part of `start..start + len`, counted from the padding's edge, that lies inside `0..side`.
fn clip(start: usize, len: usize, pad: usize, side: usize) -> Range<usize> {
    start.saturating_sub(pad)..(start + len).saturating_sub(pad).min(side)
}
