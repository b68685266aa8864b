//! Max, average and global average pooling, by libtorch's kernels and their derivatives.

use tch::{Kind, Tensor};
use trepang_api::{Pool, WithPullBack};

use super::{PaddedInput, Torch, is_even, sides, with_one};

/// libtorch's windows pad by the same on opposite sides, and by half a window at most.
fn suits_windows(pool: &Pool) -> bool {
    let (p, [kh, kw]) = (pool.padding, pool.kernel);
    is_even(p) && 2 * p.top <= kh && 2 * p.left <= kw
}

/// The largest of each window; dy to the first maximum in row-major order, which libtorch's kernel remembers.
pub(super) fn max<'a>(pool: &Pool, x: &Tensor) -> Torch<WithPullBack<'a, Tensor>> {
    let (kernel, stride) = (sides(&pool.kernel), sides(&pool.stride));
    let (x, frame) = PaddedInput::pad(x, pool.padding, f64::NEG_INFINITY, suits_windows(pool))?;
    let (y, winners) = x.f_max_pool2d_with_indices(&*kernel, &*stride, frame.rest, [1, 1], false)?;
    Ok(with_one(y, move |dy| {
        let dx = x.f_max_pool2d_with_indices_backward(
            dy,
            &*kernel,
            &*stride,
            frame.rest,
            [1, 1],
            false,
            &winners,
        )?;
        frame.cut(dx)
    }))
}

/// The mean of each window, over its numbers or over its full size; dy over that to each of its numbers.
pub(super) fn average<'a>(pool: &Pool, count_padding: bool, x: &Tensor) -> Torch<WithPullBack<'a, Tensor>> {
    if count_padding || suits_windows(pool) {
        average_by_windows(pool, count_padding, x)
    } else {
        average_by_counts(pool, x)
    }
}

fn average_by_windows<'a>(pool: &Pool, count_padding: bool, x: &Tensor) -> Torch<WithPullBack<'a, Tensor>> {
    let (kernel, stride) = (sides(&pool.kernel), sides(&pool.stride));
    let (x, frame) = PaddedInput::pad(x, pool.padding, 0.0, suits_windows(pool))?;
    let y = x.f_avg_pool2d(&*kernel, &*stride, frame.rest, false, count_padding, None)?;
    Ok(with_one(y, move |dy| {
        let dx = x.f_avg_pool2d_backward(dy, &*kernel, &*stride, frame.rest, false, count_padding, None)?;
        frame.cut(dx)
    }))
}

/// Sums over windows, over how many of their numbers are not padding.
fn average_by_counts<'a>(pool: &Pool, x: &Tensor) -> Torch<WithPullBack<'a, Tensor>> {
    let (kernel, stride) = (sides(&pool.kernel), sides(&pool.stride));
    let sum = |x: &Tensor| x.f_avg_pool2d(&*kernel, &*stride, [0, 0], false, true, 1);
    let (_, _, height, width) = x.size4()?;
    let ones = Tensor::f_ones([1, 1, height, width], (Kind::Float, x.device()))?;
    let counts = sum(&PaddedInput::pad(&ones, pool.padding, 0.0, false)?.0)?;
    let (x, frame) = PaddedInput::pad(x, pool.padding, 0.0, false)?;
    let y = sum(&x)?.f_div(&counts)?;
    Ok(with_one(y, move |dy| {
        let share = dy.f_div(&counts)?;
        frame.cut(x.f_avg_pool2d_backward(&share, &*kernel, &*stride, [0, 0], false, true, 1)?)
    }))
}

/// The mean over height and width, `[N, C, 1, 1]`; dy over the number of positions, everywhere.
pub(super) fn global_average<'a>(x: &Tensor) -> Torch<WithPullBack<'a, Tensor>> {
    let size = x.size();
    let y = x.f_mean_dim([2, 3].as_slice(), true, Kind::Float)?;
    Ok(with_one(y, move |dy| {
        let positions = (size[2] * size[3]) as f64;
        dy.f_div_scalar(positions)?.f_expand(size, false)?.f_contiguous()
    }))
}
