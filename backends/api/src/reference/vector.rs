//! The operations that end a classifier: flatten, linear, softmax.

use crate::{Array, Linear, Result};

/// C x H x W to a vector.
pub(super) fn flatten(x: &Array) -> Result<Array> {
    let (n, shape) = x.dims4()?;
    Array::new([n, shape.len(), 1, 1], x.data().to_vec())
}

/// y[o] = b[o] + sum over i of w[o,i] * x[i].
pub(super) fn linear(linear: &Linear, x: &Array, w: &Array, b: &Array) -> Result<Array> {
    let (n, _) = x.dims4()?;
    let mut y = Vec::with_capacity(n * linear.outputs);
    for n in 0..n {
        for (row, &b) in w.data().chunks(linear.inputs).zip(b.data()) {
            let sum: f64 = row.iter().zip(x.item(n)).map(|(&w, &x)| f64::from(w) * f64::from(x)).sum();
            y.push((sum + f64::from(b)) as f32);
        }
    }
    Array::new([n, linear.outputs, 1, 1], y)
}

/// dx[i] = sum over o of w[o,i] * dy[o].
pub(super) fn linear_backward(linear: &Linear, x: &Array, w: &Array, dy: &Array) -> Result<Array> {
    let (n, _) = x.dims4()?;
    let mut dx = Vec::with_capacity(n * linear.inputs);
    for n in 0..n {
        let mut sums = vec![0.0_f64; linear.inputs];
        for (row, &d) in w.data().chunks(linear.inputs).zip(dy.item(n)) {
            sums.iter_mut().zip(row).for_each(|(sum, &w)| *sum += f64::from(w) * f64::from(d));
        }
        dx.extend(sums.iter().map(|&sum| sum as f32));
    }
    Array::new(x.shape(), dx)
}

/// y[c] = exp(x[c] - m) / sum exp(x - m) at each position, m their maximum.
pub(super) fn softmax(x: &Array) -> Result<Array> {
    let (n, shape) = x.dims4()?;
    let area = shape.height * shape.width;
    let mut y = x.clone();
    for n in 0..n {
        let item = y.item_mut(n);
        for p in 0..area {
            let at = || (p..shape.len()).step_by(area);
            let max = at().map(|i| item[i]).fold(f32::NEG_INFINITY, f32::max);
            let sum: f64 = at().map(|i| f64::from(item[i] - max).exp()).sum();
            for i in at() {
                item[i] = (f64::from(item[i] - max).exp() / sum) as f32;
            }
        }
    }
    Ok(y)
}

/// dx[c] = y[c] * (dy[c] - sum over k of y[k] * dy[k]).
pub(super) fn softmax_backward(y: &Array, dy: &Array) -> Result<Array> {
    let (n, shape) = y.dims4()?;
    let area = shape.height * shape.width;
    let mut dx = Array::zeros(y.shape());
    for n in 0..n {
        let (y, dy) = (y.item(n), dy.item(n));
        for p in 0..area {
            let at = || (p..shape.len()).step_by(area);
            let dot: f64 = at().map(|i| f64::from(y[i]) * f64::from(dy[i])).sum();
            for i in at() {
                dx.item_mut(n)[i] = (f64::from(y[i]) * (f64::from(dy[i]) - dot)) as f32;
            }
        }
    }
    Ok(dx)
}
