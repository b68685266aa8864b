//! Max and average pooling, tap by tap.

use candle_core::{Result, Tensor};
use trepang_api::{Pool, WithPullBack};

use super::grid::WindowGrid;
use super::launches::launched;
use super::{Candle, with_one};
use crate::own::{SlidingWindows, max_pool, max_pool_back};

/// The largest of each window; dy to the first maximum in row-major order.
pub(super) fn max<'a>(pool: &Pool, x: &Tensor, own: bool) -> Candle<WithPullBack<'a, Tensor>> {
    let grid = WindowGrid::new(pool.kernel, pool.stride, pool.padding, x)?;
    if own {
        launched(1);
        let (_, _, height, width) = x.dims4()?;
        let first = [-(pool.padding.top as isize), -(pool.padding.left as isize)];
        let (input, out, spread) = ([height, width], grid.out(), [1, 1]);
        let windows = SlidingWindows { input, out, kernel: pool.kernel, step: pool.stride, first, spread };
        let (x, y) = (x.clone(), max_pool(x, windows)?);
        let kept = y.clone();
        return Ok(with_one(y, move |dy| {
            launched(1);
            max_pool_back(&x, &kept, dy, windows)
        }));
    }
    let padded = grid.pad(x, f32::NEG_INFINITY)?;
    let mut y: Option<Tensor> = None;
    for at in grid.taps() {
        let tap = grid.tap(&padded, at)?;
        y = Some(match y {
            Some(y) => y.maximum(&tap)?,
            None => tap.contiguous()?,
        });
    }
    let Some(y) = y else { candle_core::bail!("a window without taps") };
    let kept = y.clone();
    Ok(with_one(y, move |dy| max_pull_back(grid, &padded, &kept, dy)))
}

fn max_pull_back(grid: WindowGrid, padded: &Tensor, y: &Tensor, dy: &Tensor) -> Result<Tensor> {
    let nothing = dy.zeros_like()?;
    let mut taken = y.zeros_like()?.gt(0_f32)?;
    let mut dx = None;
    for at in grid.taps() {
        let wins = grid.tap(padded, at)?.eq(y)?.gt(&taken)?;
        taken = taken.maximum(&wins)?;
        dx = Some(grid.untap(dx, &wins.where_cond(dy, &nothing)?, at)?);
    }
    sum_of(grid, dx)
}

/// The mean of each window, over its numbers or over its full size; dy over that to each of its numbers.
pub(super) fn average<'a>(pool: &Pool, count_padding: bool, x: &Tensor) -> Candle<WithPullBack<'a, Tensor>> {
    let grid = WindowGrid::new(pool.kernel, pool.stride, pool.padding, x)?;
    let ones = x.narrow(0, 0, 1)?.narrow(1, 0, 1)?.ones_like()?;
    let counts = sum_of_taps(grid, &grid.pad(&ones, if count_padding { 1.0 } else { 0.0 })?)?;
    let sums = sum_of_taps(grid, &grid.pad(x, 0.0)?)?;
    Ok(with_one(sums.broadcast_div(&counts)?, move |dy| {
        let share = dy.broadcast_div(&counts)?;
        sum_of(grid, grid.taps().try_fold(None, |dx, at| grid.untap(dx, &share, at).map(Some))?)
    }))
}

fn sum_of_taps(grid: WindowGrid, padded: &Tensor) -> Result<Tensor> {
    let [height, width] = grid.out();
    let zeros =
        Tensor::zeros((padded.dim(0)?, padded.dim(1)?, height, width), padded.dtype(), padded.device())?;
    grid.taps().try_fold(zeros, |sum, at| sum + grid.tap(padded, at)?)
}

fn sum_of(grid: WindowGrid, dx: Option<Tensor>) -> Result<Tensor> {
    match dx {
        Some(dx) => grid.unpad(&dx),
        None => candle_core::bail!("a window without taps"),
    }
}
/// The mean over height and width, `[N, C, 1, 1]`; dy over the number of positions, everywhere.
pub(super) fn global_average<'a>(x: &Tensor) -> Candle<WithPullBack<'a, Tensor>> {
    let shape = x.shape().clone();
    let (_, _, h, w) = x.dims4()?;
    Ok(with_one(x.mean_keepdim((2, 3))?, move |dy| {
        dy.affine(1.0 / (h * w) as f64, 0.0)?.broadcast_as(shape)?.contiguous()
    }))
}
