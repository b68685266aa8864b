//! What ends a classifier: flatten, linear, softmax.

use candle_core::Tensor;

use super::Candle;

/// C x H x W to a vector, `[N, C H W, 1, 1]`.
pub(super) fn flatten(x: &Tensor) -> Candle<Tensor> {
    as_vectors(&x.flatten_from(1)?)
}

/// y = x w^T + b.
pub(super) fn linear(x: &Tensor, w: &Tensor, b: &Tensor) -> Candle<Tensor> {
    as_vectors(&x.flatten_from(1)?.matmul(&w.t()?)?.broadcast_add(b)?)
}

/// dx = dy w.
pub(super) fn linear_backward(x: &Tensor, w: &Tensor, dy: &Tensor) -> Candle<Tensor> {
    dy.flatten_from(1)?.matmul(w)?.reshape(x.shape())
}

/// exp(x - max) / sum exp(x - max) over the channels.
pub(super) fn softmax(x: &Tensor) -> Candle<Tensor> {
    candle_nn::ops::softmax(x, 1)
}

/// dx = y (dy - sum of y dy over the channels).
pub(super) fn softmax_backward(y: &Tensor, dy: &Tensor) -> Candle<Tensor> {
    y * dy.broadcast_sub(&(y * dy)?.sum_keepdim(1)?)?
}

fn as_vectors(x: &Tensor) -> Candle<Tensor> {
    let (n, features) = x.dims2()?;
    x.reshape((n, features, 1, 1))
}
