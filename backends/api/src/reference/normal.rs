//! Normalizations over the channels of a position, and over all positions of some channels.

use std::ops::RangeInclusive;

use crate::{Array, Lrn, Result};

/// y[c] = x[c] / s[c]^beta, s[c] = bias + alpha / size * sum of x[k]^2 over the channels k around c.
pub(super) fn lrn(lrn: &Lrn, x: &Array) -> Result<Array> {
    let beta = f64::from(lrn.beta);
    each_position(x, x, |x, _, y| {
        for (c, s) in sums(lrn, x).into_iter().enumerate() {
            y[c] = x[c] * s.powf(-beta);
        }
    })
}

/// dx[i] = dy[i] s[i]^-beta - 2 beta alpha / size * x[i] * sum of dy[c] x[c] s[c]^(-beta - 1) over the channels c around i.
pub(super) fn lrn_backward(lrn: &Lrn, x: &Array, dy: &Array) -> Result<Array> {
    let (beta, factor) = (f64::from(lrn.beta), f64::from(lrn.alpha) / lrn.size as f64);
    each_position(x, dy, |x, dy, dx| {
        let sums = sums(lrn, x);
        for i in 0..x.len() {
            let around = window(lrn, i, x.len());
            let pulled: f64 = around.map(|c| dy[c] * x[c] * sums[c].powf(-beta - 1.0)).sum();
            dx[i] = dy[i] * sums[i].powf(-beta) - 2.0 * beta * factor * x[i] * pulled;
        }
    })
}

fn sums(lrn: &Lrn, x: &[f64]) -> Vec<f64> {
    let factor = f64::from(lrn.alpha) / lrn.size as f64;
    let square = |c: usize| window(lrn, c, x.len()).map(|k| x[k] * x[k]).sum::<f64>();
    (0..x.len()).map(|c| f64::from(lrn.bias) + factor * square(c)).collect()
}

/// The channels around `c` that are there.
fn window(lrn: &Lrn, c: usize, channels: usize) -> RangeInclusive<usize> {
    let half = lrn.size / 2;
    c.saturating_sub(half)..=(c + half).min(channels - 1)
}

/// y = (x - mean) / sqrt(variance + epsilon).
pub(super) fn layer_norm(epsilon: f32, x: &Array) -> Result<Array> {
    each_position(x, x, |x, _, y| normalize(epsilon, x, y))
}

fn normalize(epsilon: f32, x: &[f64], y: &mut [f64]) {
    let [mean, deviation] = moments(epsilon, x);
    y.iter_mut().zip(x).for_each(|(y, x)| *y = (x - mean) / deviation);
}

/// dx = (dy - mean of dy - y * mean of dy y) / deviation.
pub(super) fn layer_norm_backward(epsilon: f32, x: &Array, dy: &Array) -> Result<Array> {
    each_position(x, dy, |x, dy, dx| normalize_backward(epsilon, x, dy, dx))
}

fn normalize_backward(epsilon: f32, x: &[f64], dy: &[f64], dx: &mut [f64]) {
    let [mean, deviation] = moments(epsilon, x);
    let count = x.len() as f64;
    let y = |c: usize| (x[c] - mean) / deviation;
    let plain = dy.iter().sum::<f64>() / count;
    let along = (0..x.len()).map(|c| dy[c] * y(c)).sum::<f64>() / count;
    for c in 0..x.len() {
        dx[c] = (dy[c] - plain - y(c) * along) / deviation;
    }
}

/// The same as a layer norm, of all numbers of a group of channels.
pub(super) fn group_norm(groups: usize, epsilon: f32, x: &Array) -> Result<Array> {
    each_group(groups, x, x, |x, _, y| normalize(epsilon, x, y))
}

/// The same as a layer norm's, of all numbers of a group of channels.
pub(super) fn group_norm_backward(groups: usize, epsilon: f32, x: &Array, dy: &Array) -> Result<Array> {
    each_group(groups, x, dy, |x, dy, dx| normalize_backward(epsilon, x, dy, dx))
}

/// Calls `each` with the numbers of every group of channels of two arrays of one shape, and those of the result.
fn each_group(
    groups: usize,
    a: &Array,
    b: &Array,
    each: impl Fn(&[f64], &[f64], &mut [f64]),
) -> Result<Array> {
    let (n, shape) = a.dims4()?;
    let count = shape.len() / groups;
    let wide = |numbers: &[f32]| numbers.iter().copied().map(f64::from).collect::<Vec<f64>>();
    let (mut result, mut found) = (Vec::with_capacity(a.data().len()), vec![0.0; count]);
    for (a, b) in a.data().chunks(count).zip(b.data().chunks(count)).take(n * groups) {
        each(&wide(a), &wide(b), &mut found);
        result.extend(found.iter().map(|&found| found as f32));
    }
    Array::new(a.shape(), result)
}

/// The mean, and the square root of the variance and epsilon.
fn moments(epsilon: f32, x: &[f64]) -> [f64; 2] {
    let count = x.len() as f64;
    let mean = x.iter().sum::<f64>() / count;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    [mean, (variance + f64::from(epsilon)).sqrt()]
}

/// Calls `each` with the channels of every position of two arrays of one shape, and those of the result.
fn each_position(a: &Array, b: &Array, each: impl Fn(&[f64], &[f64], &mut [f64])) -> Result<Array> {
    let (n, shape) = a.dims4()?;
    let area = shape.height * shape.width;
    let mut result = Array::zeros(a.shape());
    let mut found = vec![0.0; shape.channels];
    for n in 0..n {
        for position in 0..area {
            let of = |array: &Array| -> Vec<f64> {
                array.item(n)[position..].iter().step_by(area).copied().map(f64::from).collect()
            };
            each(&of(a), &of(b), &mut found);
            let into = result.item_mut(n)[position..].iter_mut().step_by(area);
            into.zip(&found).for_each(|(into, &found)| *into = found as f32);
        }
    }
    Ok(result)
}
