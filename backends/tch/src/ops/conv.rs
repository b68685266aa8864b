//! Convolution by libtorch's own, and its pull-back by the transposed one: on the CPU the same kernel that autograd
//! calls, with the same bits.

use tch::Tensor;
use trepang_api::{Conv2d, WithPullBack};

use super::{PaddedInput, Torch, is_even, sides, with_one};

/// y = w * x + b, shapes `[N, C, H, W]`, `[O, C / groups, kh, kw]`, `[O]`; dx = w^T dy.
pub(super) fn convolve<'a>(
    conv: &'a Conv2d,
    x: &Tensor,
    [w, b]: [&'a Tensor; 2],
) -> Torch<WithPullBack<'a, Tensor>> {
    let (x, frame) = PaddedInput::pad(x, conv.padding, 0.0, is_even(conv.padding))?;
    let y = run(conv, &x, w, Some(b), frame.rest, None)?;
    // Rows and columns at the end that no window reads.
    let unread = [0, 1].map(|side| {
        let windows = x.size()[side + 2] + 2 * frame.rest[side] - conv.kernel[side] as i64;
        windows % conv.stride[side] as i64
    });
    Ok(with_one(y, move |dy| frame.cut(run(conv, dy, w, None, frame.rest, Some(unread))?)))
}

/// `transposed` tells how much more the input had than its windows read.
fn run(
    conv: &Conv2d,
    x: &Tensor,
    w: &Tensor,
    b: Option<&Tensor>,
    padding: [i64; 2],
    transposed: Option<[i64; 2]>,
) -> Torch<Tensor> {
    let (benchmark, deterministic, cudnn, allow_tf32) = (false, true, true, false);
    x.f_internal_convolution(
        w,
        b,
        sides(&conv.stride),
        padding,
        [1, 1],
        transposed.is_some(),
        transposed.unwrap_or_default(),
        conv.groups as i64,
        benchmark,
        deterministic,
        cudnn,
        allow_tf32,
    )
}
