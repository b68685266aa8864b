//! More rows and columns by a whole factor, as two matrix products: what each row and column of the output is made of.

use candle_core::{Device, Tensor};
use trepang_api::{Upsample, WithPullBack};

use super::{Candle, with_one};

/// y = R x C^T; dx = R^T dy C, where a row of R has the shares of a row of the output.
pub(super) fn upsample<'a>(up: &Upsample, x: &Tensor) -> Candle<WithPullBack<'a, Tensor>> {
    let (_, _, height, width) = x.dims4()?;
    let rows = shares(up, 0, height, x.device())?;
    let columns = shares(up, 1, width, x.device())?;
    let y = product(&rows, x, &columns.t()?)?;
    Ok(with_one(y, move |dy| product(&rows.t()?, dy, &columns)))
}

/// A product of matrices with the planes of `x` between them.
fn product(left: &Tensor, x: &Tensor, right: &Tensor) -> Candle<Tensor> {
    let (n, channels, height, width) = x.dims4()?;
    let (rows, columns) = (left.dim(0)?, right.dim(1)?);
    let wide = x.reshape((n * channels * height, width))?.matmul(&right.contiguous()?)?;
    // The planes side by side, so that one product serves them all.
    let turned = wide.reshape((n * channels, height, columns))?.transpose(0, 1)?.contiguous()?;
    let tall = left.contiguous()?.matmul(&turned.reshape((height, n * channels * columns))?)?;
    let planes = tall.reshape((rows, n * channels, columns))?.transpose(0, 1)?.contiguous()?;
    planes.reshape((n, channels, rows, columns))
}

/// For each row of the output the shares of the input's rows, or the same of columns.
fn shares(up: &Upsample, axis: usize, side: usize, device: &Device) -> Candle<Tensor> {
    let taps = up.taps(axis, side);
    let mut matrix = vec![0.0_f32; taps.len() * side];
    for (row, tap) in matrix.chunks_exact_mut(side).zip(&taps) {
        row[tap.first] += 1.0 - tap.share;
        row[tap.second] += tap.share;
    }
    Tensor::from_vec(matrix, (taps.len(), side), device)
}
