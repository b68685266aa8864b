//! The operations that end a classifier: flatten, linear, softmax.

use candle_core::Tensor;
use trepang_api::WithPullBack;

use super::{Candle, with_one};

/// C x H x W to a vector, `[N, C H W, 1, 1]`.
pub(super) fn flatten<'a>(x: &Tensor) -> Candle<WithPullBack<'a, Tensor>> {
    let shape = x.shape().clone();
    Ok(with_one(as_vectors(&x.flatten_from(1)?)?, move |dy| dy.reshape(shape)))
}

/// y = x w^T + b; dx = dy w.
pub(super) fn linear<'a>(x: &Tensor, w: &'a Tensor, b: &Tensor) -> Candle<WithPullBack<'a, Tensor>> {
    let shape = x.shape().clone();
    let y = as_vectors(&x.flatten_from(1)?.matmul(&w.t()?)?.broadcast_add(b)?)?;
    Ok(with_one(y, move |dy| dy.flatten_from(1)?.matmul(w)?.reshape(shape)))
}

/// exp(x - max) / sum exp(x - max) over the channels; dx = y (dy - sum of y dy over the channels).
pub(super) fn softmax<'a>(x: &Tensor) -> Candle<WithPullBack<'a, Tensor>> {
    let y = candle_nn::ops::softmax(x, 1)?;
    let kept = y.clone();
    Ok(with_one(y, move |dy| {
        let mean = (&kept * dy)?.sum_keepdim(1)?;
        kept * dy.broadcast_sub(&mean)?
    }))
}

fn as_vectors(x: &Tensor) -> Candle<Tensor> {
    let (n, features) = x.dims2()?;
    x.reshape((n, features, 1, 1))
}
