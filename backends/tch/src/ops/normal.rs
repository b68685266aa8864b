//! Normalizations over the channels of a position, and over all positions of some channels.

use tch::{Kind, Tensor};
use trepang_api::{Lrn, WithPullBack};

use super::{Torch, with_one};
use crate::failed;

/// y = x s^-beta, s = bias + alpha / size * the sum of x^2 over the channels around; dx = dy s^-beta - 2 beta alpha / size * x
/// * the sum of dy x s^(-beta - 1) over the channels around.
pub(super) fn lrn<'a>(lrn: &'a Lrn, x: &Tensor) -> Torch<WithPullBack<'a, Tensor>> {
    let (beta, factor) = (f64::from(lrn.beta), f64::from(lrn.alpha) / lrn.size as f64);
    let sums = around(lrn, &x.f_square()?)?.f_mul_scalar(factor)?.f_add_scalar(f64::from(lrn.bias))?;
    let scale = sums.f_pow_tensor_scalar(-beta)?;
    let kept = x.f_alias()?;
    Ok(with_one(x.f_mul(&scale)?, move |dy| {
        let through = dy.f_mul(&scale)?;
        let pulled = around(lrn, &through.f_mul(&kept)?.f_div(&sums)?)?;
        through.f_sub(&kept.f_mul(&pulled)?.f_mul_scalar(2.0 * beta * factor)?)
    }))
}

/// The sum over the channels around each, those that are not there being zero.
fn around(lrn: &Lrn, x: &Tensor) -> Torch<Tensor> {
    let (channels, half) = (x.size()[1], (lrn.size / 2) as i64);
    let padded = x.f_pad([0, 0, 0, 0, half, half], "constant", 0.0)?;
    let first = padded.f_narrow(1, 0, channels)?;
    (1..lrn.size as i64).try_fold(first, |sum, k| sum.f_add(&padded.f_narrow(1, k, channels)?))
}

/// y = (x - mean) / deviation; dx = (dy - mean of dy - y * mean of dy y) / deviation.
pub(super) fn layer_norm<'a>(epsilon: f32, x: &Tensor) -> Torch<WithPullBack<'a, Tensor>> {
    let apart = x.f_sub(&mean(x)?)?;
    let deviation = mean(&apart.f_square()?)?.f_add_scalar(f64::from(epsilon))?.f_sqrt()?;
    let y = apart.f_div(&deviation)?;
    let kept = y.f_alias()?;
    Ok(with_one(y, move |dy| {
        let along = mean(&dy.f_mul(&kept)?)?;
        let rest = dy.f_sub(&mean(dy)?)?;
        rest.f_sub(&kept.f_mul(&along)?)?.f_div(&deviation)
    }))
}

/// The same as a layer norm, of all numbers of a group of channels.
pub(super) fn group_norm<'a>(groups: usize, epsilon: f32, x: &Tensor) -> Torch<WithPullBack<'a, Tensor>> {
    let sides = x.size();
    let flat = [sides[0] * groups as i64, -1];
    // A group's numbers as the channels of one position.
    let (y, pull_back) = layer_norm(epsilon, &x.f_reshape(flat)?)?;
    let y = y.f_reshape(&sides)?;
    let pull_back = move |dy: Tensor| {
        let dxs = pull_back(dy.f_reshape(flat).map_err(failed)?)?;
        dxs.into_iter().map(|dx| dx.f_reshape(&sides).map_err(failed)).collect()
    };
    Ok((y, Box::new(pull_back)))
}

/// The mean over the channels.
fn mean(x: &Tensor) -> Torch<Tensor> {
    x.f_mean_dim([1_i64].as_slice(), true, Kind::Float)
}
