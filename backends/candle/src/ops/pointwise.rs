//! What treats every number by itself: preprocessing, the ReLUs' pull-backs, sums; and concatenation's.

use candle_core::Tensor;
use trepang_api::Preprocess;

use super::Candle;

/// y[c] = scale[c] * x[c] + shift[c].
pub(super) fn preprocess(p: &Preprocess, x: &Tensor) -> Candle<Tensor> {
    x.broadcast_mul(&per_channel(p.scale, x)?)?.broadcast_add(&per_channel(p.shift, x)?)
}

/// dx[c] = scale[c] * dy[c].
pub(super) fn preprocess_backward(p: &Preprocess, dy: &Tensor) -> Candle<Tensor> {
    dy.broadcast_mul(&per_channel(p.scale, dy)?)
}

fn per_channel(values: [f32; 3], like: &Tensor) -> Candle<Tensor> {
    Tensor::new(&values, like.device())?.reshape((1, 3, 1, 1))
}

/// dy where the output is positive. The output serves as well as the input: y > 0 exactly where x > 0.
pub(super) fn relu_backward(y: &Tensor, dy: &Tensor) -> Candle<Tensor> {
    y.gt(0_f32)?.where_cond(dy, &dy.zeros_like()?)
}

/// dy where the output is strictly between 0 and 6.
pub(super) fn relu6_backward(y: &Tensor, dy: &Tensor) -> Candle<Tensor> {
    let inside = (y.gt(0_f32)? * y.lt(6_f32)?)?;
    inside.where_cond(dy, &dy.zeros_like()?)
}

/// The sum of equal shapes; its pull-back hands dy to each.
pub(super) fn add(inputs: &[&Tensor]) -> Candle<Tensor> {
    let first = inputs[0].clone();
    inputs[1..].iter().try_fold(first, |sum, input| sum + *input)
}

/// dy cut into the inputs' channels.
pub(super) fn concat_backward(inputs: &[&Tensor], dy: &Tensor) -> Candle<Vec<Tensor>> {
    let mut start = 0;
    let mut dxs = Vec::with_capacity(inputs.len());
    for input in inputs {
        let channels = input.dim(1)?;
        dxs.push(dy.narrow(1, start, channels)?.contiguous()?);
        start += channels;
    }
    Ok(dxs)
}
