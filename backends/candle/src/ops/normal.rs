//! Normalizations over the channels of a position, and over all positions of some channels.

use candle_core::Tensor;
use trepang_api::{Lrn, WithPullBack};

use super::{Candle, with_one};
use crate::failed;

/// y = x s^-beta, s = bias + alpha / size * the sum of x^2 over the channels around; dx = dy s^-beta - 2 beta alpha / size * x
/// * the sum of dy x s^(-beta - 1) over the channels around.
pub(super) fn lrn<'a>(lrn: &'a Lrn, x: &Tensor) -> Candle<WithPullBack<'a, Tensor>> {
    let (beta, factor) = (f64::from(lrn.beta), f64::from(lrn.alpha) / lrn.size as f64);
    let sums = around(lrn, &x.sqr()?)?.affine(factor, lrn.bias.into())?;
    let scale = (sums.log()? * -beta)?.exp()?;
    let kept = x.clone();
    Ok(with_one((x * &scale)?, move |dy| {
        let through = (dy * scale)?;
        let pulled = around(lrn, &((&through * &kept)? / sums)?)?;
        through - ((kept * pulled)? * (2.0 * beta * factor))?
    }))
}

/// The sum over the channels around each, those that are not there being zero.
fn around(lrn: &Lrn, x: &Tensor) -> Candle<Tensor> {
    let (channels, half) = (x.dim(1)?, lrn.size / 2);
    let padded = x.pad_with_zeros(1, half, half)?;
    let first = padded.narrow(1, 0, channels)?;
    (1..lrn.size).try_fold(first, |sum, k| sum + padded.narrow(1, k, channels)?)?.contiguous()
}

/// y = (x - mean) / deviation; dx = (dy - mean of dy - y * mean of dy y) / deviation.
pub(super) fn layer_norm<'a>(epsilon: f32, x: &Tensor) -> Candle<WithPullBack<'a, Tensor>> {
    let apart = x.broadcast_sub(&x.mean_keepdim(1)?)?;
    let deviation = (apart.sqr()?.mean_keepdim(1)? + f64::from(epsilon))?.sqrt()?;
    let y = apart.broadcast_div(&deviation)?;
    let kept = y.clone();
    Ok(with_one(y, move |dy| {
        let along = (dy * &kept)?.mean_keepdim(1)?;
        let rest = dy.broadcast_sub(&dy.mean_keepdim(1)?)?;
        (rest - kept.broadcast_mul(&along)?)?.broadcast_div(&deviation)
    }))
}

/// The same as a layer norm, of all numbers of a group of channels.
pub(super) fn group_norm<'a>(groups: usize, epsilon: f32, x: &Tensor) -> Candle<WithPullBack<'a, Tensor>> {
    let sides = x.dims4()?;
    // A group's numbers as the channels of one position.
    let (y, pull_back) = layer_norm(epsilon, &x.reshape((sides.0 * groups, ()))?)?;
    let y = y.reshape(sides)?;
    let pull_back = move |dy: Tensor| {
        let flat = dy.reshape((sides.0 * groups, ())).map_err(failed)?;
        pull_back(flat)?.into_iter().map(|dx| dx.reshape(sides).map_err(failed)).collect()
    };
    Ok((y, Box::new(pull_back)))
}
