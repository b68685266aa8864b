//! Element-wise operations: preprocessing, the ReLUs and other curves, sums, products; and channels: joined, or put into
//! another order.

use std::sync::Arc;

use crate::{ActivationCurve, Array, Preprocess, ReluGradient, Result};

/// y[c] = scale[c] * x[c] + shift[c].
pub(super) fn preprocess(p: &Preprocess, x: &Array) -> Result<Array> {
    let (n, shape) = x.dims4()?;
    let area = shape.height * shape.width;
    let mut y = Array::zeros(x.shape());
    for n in 0..n {
        for c in 0..3 {
            let from = &x.item(n)[c * area..][..area];
            for (y, x) in y.item_mut(n)[c * area..][..area].iter_mut().zip(from) {
                *y = p.scale[c] * x + p.shift[c];
            }
        }
    }
    Ok(y)
}

/// dx[c] = scale[c] * dy[c].
pub(super) fn preprocess_backward(p: &Preprocess, dy: &Array) -> Result<Array> {
    let (n, shape) = dy.dims4()?;
    let area = shape.height * shape.width;
    let mut dx = Array::zeros(dy.shape());
    for n in 0..n {
        for c in 0..3 {
            let from = &dy.item(n)[c * area..][..area];
            for (dx, dy) in dx.item_mut(n)[c * area..][..area].iter_mut().zip(from) {
                *dx += p.scale[c] * dy;
            }
        }
    }
    Ok(dx)
}

/// min(max(x, 0), limit): `limit` is infinite for a ReLU and 6 for a ReLU6.
pub(super) fn clamp(x: &Array, limit: f32) -> Array {
    let mut y = x.clone();
    y.data_mut().iter_mut().for_each(|v| *v = v.clamp(0.0, limit));
    y
}

/// dy strictly inside (0, limit), 0 outside and at both ends; if that is 0 in all of an image, redirected there.
pub(super) fn clamp_backward(x: &Array, limit: f32, relu: ReluGradient, dy: &Array) -> Array {
    let mut dx = dy.clone();
    for (dx, &x) in dx.data_mut().iter_mut().zip(x.data()) {
        if !(x > 0.0 && x < limit) {
            *dx = 0.0;
        }
    }
    if relu == ReluGradient::Redirected {
        for n in 0..x.shape()[0] {
            if dx.item(n).iter().all(|&dx| dx == 0.0) {
                redirect(x.item(n), limit, dy.item(n), dx.item_mut(n));
            }
        }
    }
    dx
}

/// The part of dy that moves x towards (0, limit): the positive part below, the negative part above.
fn redirect(x: &[f32], limit: f32, dy: &[f32], dx: &mut [f32]) {
    for ((dx, &x), &dy) in dx.iter_mut().zip(x).zip(dy) {
        if x <= 0.0 {
            *dx = dy.max(0.0);
        } else if x >= limit {
            *dx = dy.min(0.0);
        }
    }
}

/// The sum of equal shapes; its pull-back hands dy to each.
pub(super) fn add(inputs: &[&Array]) -> Array {
    let mut y = inputs[0].clone();
    for input in &inputs[1..] {
        y.data_mut().iter_mut().zip(input.data()).for_each(|(y, x)| *y += x);
    }
    y
}

/// y = a b, where b may have one number for each channel.
pub(super) fn multiply(a: &Array, b: &Array) -> Array {
    let mut y = a.clone();
    let area = a.data().len() / b.data().len();
    y.data_mut().iter_mut().enumerate().for_each(|(i, y)| *y *= b.data()[i / area]);
    y
}

/// da = b dy; db = a dy, summed over the positions that b is one number for.
pub(super) fn multiply_backward(a: &Array, b: &Array, dy: &Array) -> Result<Vec<Array>> {
    let area = a.data().len() / b.data().len();
    let mut sums = vec![0.0_f64; b.data().len()];
    for (i, (&a, &dy)) in a.data().iter().zip(dy.data()).enumerate() {
        sums[i / area] += f64::from(a) * f64::from(dy);
    }
    let db = Array::new(b.shape(), sums.iter().map(|&sum| sum as f32).collect())?;
    Ok(vec![multiply(dy, b), db])
}

/// y = f(x).
pub(super) fn unary(curve: ActivationCurve, x: &Array) -> Array {
    let mut y = x.clone();
    y.data_mut().iter_mut().for_each(|v| *v = curve.value((*v).into()) as f32);
    y
}

/// dx = f'(x) dy.
pub(super) fn unary_backward(curve: ActivationCurve, x: &Array, dy: &Array) -> Array {
    let mut dx = dy.clone();
    for (dx, &x) in dx.data_mut().iter_mut().zip(x.data()) {
        *dx = (f64::from(*dx) * curve.slope(x.into())) as f32;
    }
    dx
}

/// y[c] = x[map[c]].
pub(super) fn channels(map: &[usize], x: &Array) -> Result<Array> {
    let (n, shape) = x.dims4()?;
    let area = shape.height * shape.width;
    let plane = |n: usize, from: usize| x.item(n)[from * area..][..area].iter().copied();
    let data = (0..n).flat_map(|n| map.iter().flat_map(move |&from| plane(n, from)));
    Array::new([n, map.len(), shape.height, shape.width], data.collect())
}

/// dx[k] = the sum of dy[c] over all c with map[c] = k.
pub(super) fn channels_backward(map: &[usize], x: &Array, dy: &Array) -> Result<Array> {
    let (n, shape) = x.dims4()?;
    let area = shape.height * shape.width;
    let mut dx = Array::zeros(x.shape());
    for n in 0..n {
        for (c, &from) in map.iter().enumerate() {
            let dy = &dy.item(n)[c * area..][..area];
            dx.item_mut(n)[from * area..][..area].iter_mut().zip(dy).for_each(|(dx, dy)| *dx += dy);
        }
    }
    Ok(dx)
}

/// The inputs one after the other along the channels.
pub(super) fn concat(inputs: &[Arc<Array>]) -> Result<Array> {
    let (n, mut shape) = inputs[0].dims4()?;
    shape.channels = 0;
    for input in inputs {
        shape.channels += input.dims4()?.1.channels;
    }
    let data = (0..n).flat_map(|n| inputs.iter().flat_map(move |input| input.item(n).iter().copied()));
    Array::new(shape.batch(n), data.collect())
}

/// dy cut into the inputs' channels.
pub(super) fn concat_backward(inputs: &[Arc<Array>], dy: &Array) -> Result<Vec<Array>> {
    let mut start = 0;
    let mut dxs = Vec::with_capacity(inputs.len());
    for input in inputs {
        let (n, shape) = input.dims4()?;
        let data = (0..n).flat_map(|n| dy.item(n)[start..][..shape.len()].iter().copied());
        dxs.push(Array::new(input.shape(), data.collect())?);
        start += shape.len();
    }
    Ok(dxs)
}
