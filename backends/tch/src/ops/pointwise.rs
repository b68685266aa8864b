//! Element-wise operations: preprocessing, the ReLUs, sums, products; and channels: joined, or put into another order.

use tch::{Kind, Tensor};
use trepang_api::{ReluGradient, WithPullBack};

use super::{Torch, sides, with_all, with_one};

/// y[c] = scale[c] * x[c] + shift[c]; dx[c] = scale[c] * dy[c].
pub(super) fn preprocess<'a>([scale, shift]: &'a [Tensor; 2], x: &Tensor) -> Torch<WithPullBack<'a, Tensor>> {
    Ok(with_one(x.f_mul(scale)?.f_add(shift)?, move |dy| dy.f_mul(scale)))
}

/// max(x, 0); dy where the output is positive, which it is exactly where the input is.
pub(super) fn relu<'a>(x: &Tensor, relu: ReluGradient) -> Torch<WithPullBack<'a, Tensor>> {
    let y = x.f_relu()?;
    let kept = y.f_alias()?;
    Ok(with_one(y, move |dy| {
        let dx = kept.f_threshold_backward(dy, 0.0)?;
        match relu {
            ReluGradient::True => Ok(dx),
            ReluGradient::Redirected => or_redirected(&dx, &dy.f_clamp_min(0.0)?),
        }
    }))
}

/// min(max(x, 0), 6); dy where the output is strictly between.
pub(super) fn relu6<'a>(x: &Tensor, relu: ReluGradient) -> Torch<WithPullBack<'a, Tensor>> {
    let y = x.f_clamp(0.0, 6.0)?;
    let kept = y.f_alias()?;
    Ok(with_one(y, move |dy| {
        let dx = kept.f_hardtanh_backward(dy, 0.0, 6.0)?;
        match relu {
            ReluGradient::True => Ok(dx),
            ReluGradient::Redirected => {
                let towards = dy.f_clamp_max(0.0)?.f_where_self(&kept.f_ge(6.0)?, &dy.f_clamp_min(0.0)?)?;
                or_redirected(&dx, &towards)
            }
        }
    }))
}

/// `dx` for images of which it is not all zero, `redirected` for the others. Open gates need no thought: where an image
/// is redirected dy is 0 there, and so is each part of it.
fn or_redirected(dx: &Tensor, redirected: &Tensor) -> Torch<Tensor> {
    dx.f_where_self(&dx.f_abs()?.f_amax([1, 2, 3], true)?.f_gt(0.0)?, redirected)
}

/// The sum of equal shapes; dy to each.
pub(super) fn add<'a>(inputs: &[&Tensor]) -> Torch<WithPullBack<'a, Tensor>> {
    let (first, count) = (inputs[0].f_alias()?, inputs.len());
    let y = inputs[1..].iter().try_fold(first, |sum, input| sum.f_add(input))?;
    Ok(with_all(y, move |dy| (0..count).map(|_| dy.f_alias()).collect()))
}

/// y = a b, where b may have one number a channel; da = b dy, db = a dy, summed over the positions if b has none.
pub(super) fn multiply<'a>(a: &Tensor, b: &Tensor) -> Torch<WithPullBack<'a, Tensor>> {
    let (a, b) = (a.f_alias()?, b.f_alias()?);
    Ok(with_all(a.f_mul(&b)?, move |dy| {
        let db = dy.f_mul(&a)?;
        let is_one = a.size() != b.size();
        let db = if is_one { db.f_sum_dim_intlist([2, 3].as_slice(), true, Kind::Float)? } else { db };
        Ok(vec![dy.f_mul(&b)?, db])
    }))
}

/// y[c] = x[map[c]]; dx[k] = the sum of dy[c] over all c with map[c] = k.
pub(super) fn channels<'a>(map: &[usize], x: &Tensor) -> Torch<WithPullBack<'a, Tensor>> {
    let indices = Tensor::f_from_slice(&sides(map))?.f_to(x.device())?;
    let size = x.size();
    Ok(with_one(x.f_index_select(1, &indices)?, move |dy| {
        Tensor::f_zeros(&*size, (Kind::Float, dy.device()))?.f_index_add(1, &indices, dy)
    }))
}

/// The inputs one after the other along the channels; dy cut into the inputs' channels.
pub(super) fn concat<'a>(inputs: &[&Tensor]) -> Torch<WithPullBack<'a, Tensor>> {
    let channels: Vec<i64> = inputs.iter().map(|input| input.size()[1]).collect();
    let y = Tensor::f_cat(inputs, 1)?;
    Ok(with_all(y, move |dy| {
        let mut start = 0;
        let cut = |channels| {
            let dx = dy.f_narrow(1, start, channels)?.f_contiguous();
            start += channels;
            dx
        };
        channels.into_iter().map(cut).collect()
    }))
}
