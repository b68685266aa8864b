//! More rows and columns by a whole factor.

use tch::Tensor;
use trepang_api::{Upsample, UpsampleMode, WithPullBack};

use super::{Torch, with_one};

/// libtorch's own, both ways.
pub(super) fn upsample<'a>(up: Upsample, x: &Tensor) -> Torch<WithPullBack<'a, Tensor>> {
    let from = x.size();
    let [down, right] = up.factor.map(|factor| factor as i64);
    let to = [from[2] * down, from[3] * right];
    let scales = [Some(down as f64), Some(right as f64)];
    let y = match up.mode {
        UpsampleMode::Nearest => x.f_upsample_nearest2d(to, scales[0], scales[1])?,
        UpsampleMode::Bilinear => x.f_upsample_bilinear2d(to, false, scales[0], scales[1])?,
    };
    Ok(with_one(y, move |dy| match up.mode {
        UpsampleMode::Nearest => Tensor::f_upsample_nearest2d_backward(dy, to, &from, scales[0], scales[1]),
        UpsampleMode::Bilinear => {
            Tensor::f_upsample_bilinear2d_backward(dy, to, &from, false, scales[0], scales[1])
        }
    }))
}
