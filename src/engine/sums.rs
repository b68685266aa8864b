//! Sums over runs of numbers, and what they add to a cotangent. Numbers are `f32`, sums are in `f64`.

/// The mean of `values`.
pub(super) fn mean(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64
}

/// The dot product of two runs of one length.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

/// The mean of the squared differences.
pub(super) fn mean_squared_difference(a: &[f32], b: &[f32]) -> f64 {
    let squares = a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2));
    squares.sum::<f64>() / a.len() as f64
}

/// Adds `scale` times the gradient of [`mean`] to `c`.
pub(super) fn add_mean(c: &mut [f32], scale: f64) {
    let share = (scale / c.len() as f64) as f32;
    for c in c {
        *c += share;
    }
}

/// Adds `factor * a` to `c`.
pub(super) fn add_scaled(c: &mut [f32], factor: f64, a: &[f32]) {
    c.iter_mut().zip(a).for_each(|(c, &a)| *c += (factor * f64::from(a)) as f32);
}

/// Adds `factor * (a - b)` to `c`.
pub(super) fn add_scaled_difference(c: &mut [f32], factor: f64, a: &[f32], b: &[f32]) {
    let differences = a.iter().zip(b).map(|(&a, &b)| f64::from(a) - f64::from(b));
    c.iter_mut().zip(differences).for_each(|(c, d)| *c += (factor * d) as f32);
}
