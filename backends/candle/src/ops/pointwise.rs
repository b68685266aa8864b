//! Element-wise operations: preprocessing, the ReLUs, sums, products; and channels: joined, or put into another order.

use candle_core::Tensor;
use trepang_api::{ReluGradient, WithPullBack};

use super::launches::launched;
use super::{Candle, with_all, with_one};
use crate::own::gate;

/// y[c] = scale[c] * x[c] + shift[c]; dx[c] = scale[c] * dy[c].
pub(super) fn preprocess<'a>(
    [scale, shift]: &'a [Tensor; 2],
    x: &Tensor,
) -> Candle<WithPullBack<'a, Tensor>> {
    launched(2);
    let y = x.broadcast_mul(scale)?.broadcast_add(shift)?;
    Ok(with_one(y, move |dy| {
        launched(1);
        dy.broadcast_mul(scale)
    }))
}

/// max(x, 0); dy where the output is positive, which it is exactly where the input is.
pub(super) fn relu<'a>(x: &Tensor, relu: ReluGradient, own: bool) -> Candle<WithPullBack<'a, Tensor>> {
    launched(1);
    let y = x.relu()?;
    let kept = y.clone();
    Ok(with_one(y, move |dy| {
        launched(1);
        let dx = if own { gate(&kept, dy)? } else { kept.gt(0_f32)?.where_cond(dy, &dy.zeros_like()?)? };
        match relu {
            ReluGradient::True => Ok(dx),
            ReluGradient::Redirected => or_redirected(&dx, &dy.relu()?),
        }
    }))
}

/// min(max(x, 0), 6); dy where the output is strictly between.
pub(super) fn relu6<'a>(x: &Tensor, relu: ReluGradient) -> Candle<WithPullBack<'a, Tensor>> {
    let y = x.clamp(0_f32, 6_f32)?;
    let kept = y.clone();
    Ok(with_one(y, move |dy| {
        let inside = (kept.gt(0_f32)? * kept.lt(6_f32)?)?;
        let dx = inside.where_cond(dy, &dy.zeros_like()?)?;
        match relu {
            ReluGradient::True => Ok(dx),
            ReluGradient::Redirected => {
                let towards = kept.ge(6_f32)?.where_cond(&dy.minimum(0_f32)?, &dy.relu()?)?;
                or_redirected(&dx, &towards)
            }
        }
    }))
}

/// `dx` for images of which it is not all zero, `redirected` for the others. Open gates need no thought: where an image
/// is redirected dy is 0 there, and so is each part of it.
fn or_redirected(dx: &Tensor, redirected: &Tensor) -> Candle<Tensor> {
    let largest = dx.abs()?.flatten_from(1)?.max_keepdim(1)?.reshape(((), 1, 1, 1))?;
    largest.broadcast_as(dx.shape())?.gt(0_f32)?.where_cond(dx, redirected)
}

/// The sum of equal shapes; dy to each.
pub(super) fn add<'a>(inputs: &[&Tensor]) -> Candle<WithPullBack<'a, Tensor>> {
    let (first, count) = (inputs[0].clone(), inputs.len());
    let y = inputs[1..].iter().try_fold(first, |sum, input| sum + *input)?;
    Ok(with_all(y, move |dy| Ok(vec![dy.clone(); count])))
}

/// y = a b, where b may have one number a channel; da = b dy, db = a dy, summed over the positions if b has none.
pub(super) fn multiply<'a>(a: &Tensor, b: &Tensor) -> Candle<WithPullBack<'a, Tensor>> {
    let (a, b) = (a.clone(), b.clone());
    Ok(with_all(a.broadcast_mul(&b)?, move |dy| {
        let db = (dy * &a)?;
        let db = if a.dims() == b.dims() { db } else { db.sum_keepdim((2, 3))? };
        Ok(vec![dy.broadcast_mul(&b)?, db])
    }))
}

/// y[c] = x[map[c]]; dx[k] = the sum of dy[c] over all c with map[c] = k.
pub(super) fn channels<'a>(map: &[usize], x: &Tensor) -> Candle<WithPullBack<'a, Tensor>> {
    let indices: Vec<u32> = map.iter().map(|&from| from as u32).collect();
    let indices = Tensor::new(indices, x.device())?;
    let shape = x.shape().clone();
    Ok(with_one(x.contiguous()?.index_select(&indices, 1)?, move |dy| {
        Tensor::zeros(shape, dy.dtype(), dy.device())?.index_add(&indices, &dy.contiguous()?, 1)
    }))
}

/// The inputs one after the other along the channels; dy cut into the inputs' channels.
pub(super) fn concat<'a>(inputs: &[&Tensor]) -> Candle<WithPullBack<'a, Tensor>> {
    let channels = inputs.iter().map(|input| input.dim(1)).collect::<Candle<Vec<usize>>>()?;
    Ok(with_all(Tensor::cat(inputs, 1)?, move |dy| {
        let mut start = 0;
        let mut dxs = Vec::with_capacity(channels.len());
        for channels in channels {
            dxs.push(dy.narrow(1, start, channels)?.contiguous()?);
            start += channels;
        }
        Ok(dxs)
    }))
}
