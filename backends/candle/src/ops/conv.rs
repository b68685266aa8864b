//! Convolution, and its pull-back by the same: dL/dx is the convolution of dL/dy, spread out by the stride, with the kernel
//! turned round. Either is the product of the kernel with the columns that `own` makes of the image, or candle's `conv2d`. candle's
//! own transposed convolution is not used: on CUDA it is a naive loop. Depthwise convolutions are sums over taps: both
//! ways would run each channel by itself.

use candle_core::{Result, Tensor};
use trepang_api::{Array, Conv2d, Padding, WithPullBack};

use super::grid::{WindowGrid, surround};
use super::launches::launched;
use super::{Candle, with_one};
use crate::own::{MOST_NUMBERS, SlidingWindows, add_bias, columns};

/// y = w * x + b; dx = w^T dy. The kernels are `[O, C / groups, kh, kw]` and what [`turned_round`] makes of it.
pub(super) fn convolve<'a>(
    conv: &'a Conv2d,
    x: &Tensor,
    [w, b, turned]: [&'a Tensor; 3],
    own: bool,
) -> Candle<WithPullBack<'a, Tensor>> {
    let (_, _, height, width) = x.dims4()?;
    if own && !is_depthwise(conv) {
        launched(1);
        let (windows, back) = windows(conv, [height, width]);
        let y = add_bias(&product(conv.groups, x, w, windows)?, b)?;
        return Ok(with_one(y, move |dy| product(conv.groups, dy, turned, back)));
    }
    let b = b.reshape((1, conv.outputs, 1, 1))?;
    if is_depthwise(conv) {
        let grid = WindowGrid::new(conv.kernel, conv.stride, conv.padding, x)?;
        let y = depthwise(grid, x, w)?.broadcast_add(&b)?;
        return Ok(with_one(y, move |dy| depthwise_pull_back(grid, w, dy)));
    }
    let y = correlate(conv, x, w)?.broadcast_add(&b)?;
    Ok(with_one(y, move |dy| pull_back(conv, [height, width], turned, dy)))
}

/// The windows of a convolution over an image of these sides, and those of its pull-back over its output.
fn windows(conv: &Conv2d, input: [usize; 2]) -> (SlidingWindows, SlidingWindows) {
    let Conv2d { kernel, stride, padding: p, .. } = *conv;
    let around = [p.top + p.bottom, p.left + p.right];
    let out = [0, 1].map(|axis| (input[axis] + around[axis] - kernel[axis]) / stride[axis] + 1);
    let padding = [p.top as isize, p.left as isize];
    let first = padding.map(|padding| -padding);
    let forward = SlidingWindows { input, out, kernel, step: stride, first, spread: [1, 1] };
    let first = [0, 1].map(|axis| padding[axis] - (kernel[axis] as isize - 1));
    (forward, SlidingWindows { input: out, out: input, kernel, step: [1, 1], first, spread: stride })
}

/// The convolution of windows with a kernel `[O, C / groups, kh, kw]`: a product with the columns that the windows read. As many
/// images at once as the columns may have numbers.
fn product(groups: usize, x: &Tensor, w: &Tensor, windows: SlidingWindows) -> Result<Tensor> {
    let (n, c, _, _) = x.dims4()?;
    let [rows, across] = windows.out;
    let at_once = at_once(c * w.dim(2)? * w.dim(3)? * rows * across);
    if n > at_once {
        let part = |first| product(groups, &x.narrow(0, first, at_once.min(n - first))?, w, windows);
        return Tensor::cat(&(0..n).step_by(at_once).map(part).collect::<Result<Vec<_>>>()?, 0);
    }
    launched(2);
    let outputs = w.dim(0)?;
    let columns = columns(x, windows)?;
    let (depth, places) = (columns.dim(1)? / groups, rows * across);
    let columns = columns.reshape((n * groups, depth, places))?;
    let w = w.reshape((1, groups, outputs / groups, depth))?.broadcast_as((
        n,
        groups,
        outputs / groups,
        depth,
    ))?;
    let w = if groups == 1 { w.squeeze(1)? } else { w.reshape((n * groups, outputs / groups, depth))? };
    w.matmul(&columns)?.reshape((n, outputs, rows, across))
}

fn is_depthwise(conv: &Conv2d) -> bool {
    conv.groups > 1 && conv.groups == conv.inputs && conv.groups == conv.outputs
}

/// candle's `conv2d` knows one padding and one step for all sides: others are made before and after it.
fn correlate(conv: &Conv2d, x: &Tensor, w: &Tensor) -> Result<Tensor> {
    let (p, [down, right]) = (conv.padding, conv.stride);
    let x = if p == Padding::all(p.top) {
        x.clone()
    } else {
        surround(&surround(x, 2, [p.top, p.bottom], 0.0)?, 3, [p.left, p.right], 0.0)?
    };
    let padding = if p == Padding::all(p.top) { p.top } else { 0 };
    if down == right {
        return conv2d(&x, w, [padding, down, conv.groups]);
    }
    let y = conv2d(&x, w, [padding, 1, conv.groups])?;
    let every = WindowGrid::new([1, 1], conv.stride, Padding::default(), &y)?;
    every.tap(&every.pad(&y, 0.0)?, [0, 0])?.contiguous()
}

/// dx[y] = sum over taps i of w[i] dy[(y + pad - i) / stride], where that is whole.
fn pull_back(conv: &Conv2d, size: [usize; 2], turned: &Tensor, dy: &Tensor) -> Result<Tensor> {
    let mut dy = dy.clone();
    if let Some(padding) = even_padding(conv) {
        return conv2d(&dy.contiguous()?, turned, [padding, 1, conv.groups]);
    }
    for (dim, before) in [(2, conv.padding.top), (3, conv.padding.left)] {
        let axis = dim - 2;
        let (step, reach) = (conv.stride[axis], conv.kernel[axis] - 1);
        let spread = dy.unsqueeze(dim + 1)?.pad_with_zeros(dim + 1, 0, step - 1)?;
        let spread = spread.flatten(dim, dim + 1)?;
        // What the turned kernel must read, so that as much comes out as went in.
        let first = reach as isize - before as isize;
        let last = (size[axis] + reach) as isize - spread.dim(dim)? as isize - first;
        dy = fit(&spread, dim, first, last)?;
    }
    conv2d(&dy.contiguous()?, turned, [0, 1, conv.groups])
}

/// candle's, of as many images at once as its columns may have numbers: candle counts them in 32 bits, and more are wrong in silence.
fn conv2d(x: &Tensor, w: &Tensor, [padding, step, groups]: [usize; 3]) -> Result<Tensor> {
    let (n, c, height, width) = x.dims4()?;
    let (_, _, taps_down, taps_right) = w.dims4()?;
    let places = (height + 2 * padding) * (width + 2 * padding);
    let at_once = at_once(c * taps_down * taps_right * places.div_ceil(step * step));
    if n <= at_once {
        return x.conv2d(w, padding, step, 1, groups);
    }
    let part = |first| x.narrow(0, first, at_once.min(n - first))?.conv2d(w, padding, step, 1, groups);
    Tensor::cat(&(0..n).step_by(at_once).map(part).collect::<Result<Vec<_>>>()?, 0)
}

/// The images of which the columns together may be counted, if one has so many numbers.
fn at_once(numbers: usize) -> usize {
    (MOST_NUMBERS / numbers.max(1)).max(1)
}

/// The padding of the pull-back where it is the same on all sides, which `conv2d` does by itself.
fn even_padding(conv: &Conv2d) -> Option<usize> {
    let reach = [conv.kernel[0] - 1, conv.kernel[1] - 1];
    let is_even =
        conv.stride == [1, 1] && reach[0] == reach[1] && conv.padding == Padding::all(conv.padding.top);
    is_even.then(|| reach[0].checked_sub(conv.padding.top)).flatten()
}

/// Zeros before and after along a side; less than none cuts off.
fn fit(x: &Tensor, dim: usize, before: isize, after: isize) -> Result<Tensor> {
    let cut = |n: isize| n.min(0).unsigned_abs();
    let len = x.dim(dim)? - cut(before) - cut(after);
    let x = x.narrow(dim, cut(before), len)?;
    surround(&x, dim, [before, after].map(|n| n.max(0).unsigned_abs()), 0.0)
}

fn depthwise(grid: WindowGrid, x: &Tensor, w: &Tensor) -> Result<Tensor> {
    let padded = grid.pad(x, 0.0)?;
    let mut y: Option<Tensor> = None;
    for at in grid.taps() {
        let term = grid.tap(&padded, at)?.broadcast_mul(&weight(w, at)?)?;
        y = Some(match y {
            Some(y) => (y + term)?,
            None => term,
        });
    }
    y.ok_or_else(|| candle_core::Error::Msg("a window without taps".into()))
}

fn depthwise_pull_back(grid: WindowGrid, w: &Tensor, dy: &Tensor) -> Result<Tensor> {
    let add = |dx, at| grid.untap(dx, &dy.broadcast_mul(&weight(w, at)?)?, at).map(Some);
    match grid.taps().try_fold(None, add)? {
        Some(dx) => grid.unpad(&dx),
        None => candle_core::bail!("a window without taps"),
    }
}

/// Each channel's weight of one tap, `[1, C, 1, 1]`.
fn weight(w: &Tensor, [i, j]: [usize; 2]) -> Result<Tensor> {
    w.narrow(2, i, 1)?.narrow(3, j, 1)?.transpose(0, 1)
}

/// The kernel of the pull-back, `[C, O / groups, kh, kw]`: channels in and out exchanged within each group, rows and
/// columns reversed.
pub(super) fn turned_round(conv: &Conv2d, kernel: &Array) -> Array {
    let (inputs, outputs) = (conv.inputs / conv.groups, conv.outputs / conv.groups);
    let taps = conv.kernel[0] * conv.kernel[1];
    let mut turned = Array::zeros([conv.inputs, outputs, conv.kernel[0], conv.kernel[1]]);
    for group in 0..conv.groups {
        for (o, c) in (0..outputs).flat_map(|o| (0..inputs).map(move |c| (o, c))) {
            let from = &kernel.item(group * outputs + o)[c * taps..][..taps];
            let into = &mut turned.item_mut(group * inputs + c)[o * taps..][..taps];
            into.iter_mut().zip(from.iter().rev()).for_each(|(into, from)| *into = *from);
        }
    }
    turned
}
