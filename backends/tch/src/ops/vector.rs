//! The operations that end a classifier: flatten, linear, softmax.

use tch::{Kind, Tensor};
use trepang_api::WithPullBack;

use super::{Torch, with_one};

/// C x H x W to a vector, `[N, C H W, 1, 1]`.
pub(super) fn flatten<'a>(x: &Tensor) -> Torch<WithPullBack<'a, Tensor>> {
    let size = x.size();
    Ok(with_one(x.f_reshape([size[0], -1, 1, 1])?, move |dy| dy.f_reshape(size)))
}

/// y = x w^T + b; dx = dy w.
pub(super) fn linear<'a>(x: &Tensor, [w, b]: [&'a Tensor; 2]) -> Torch<WithPullBack<'a, Tensor>> {
    let size = x.size();
    let y = x.f_flatten(1, 3)?.f_linear(w, Some(b))?.f_reshape([size[0], -1, 1, 1])?;
    Ok(with_one(y, move |dy| dy.f_flatten(1, 3)?.f_matmul(w)?.f_reshape(size)))
}

/// exp(x - max) / sum exp(x - max) over the channels; dx = y (dy - sum of y dy over the channels).
pub(super) fn softmax<'a>(x: &Tensor) -> Torch<WithPullBack<'a, Tensor>> {
    let y = x.f_softmax(1, Kind::Float)?;
    let kept = y.f_alias()?;
    Ok(with_one(y, move |dy| Tensor::f_internal_softmax_backward_data(dy, &kept, 1, Kind::Float)))
}
