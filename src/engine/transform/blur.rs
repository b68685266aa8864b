//! A Gaussian blur of planes, and its adjoint. Beyond the edge the edge goes on.

/// The deviations to each side that are summed; what is left out is below 0.3 %.
const REACH: f64 = 3.0;

/// Blurs a plane of so many columns in place.
pub(super) fn blur(plane: &mut [f32], width: usize, sigma: f64) {
    pass(plane, width, sigma, false);
}

/// Puts the adjoint of [`blur`] on a gradient in its place.
pub(super) fn add_blur_adjoint(plane: &mut [f32], width: usize, sigma: f64) {
    pass(plane, width, sigma, true);
}

/// Rows, then columns; they commute, and so do their adjoints.
fn pass(plane: &mut [f32], width: usize, sigma: f64, adjoint: bool) {
    let (kernel, height) = (kernel(sigma), plane.len() / width);
    let mut line = vec![0.0; width];
    for row in plane.chunks_exact_mut(width) {
        along(row, &mut line, &kernel, adjoint);
        row.copy_from_slice(&line);
    }
    let (mut column, mut line) = (vec![0.0; height], vec![0.0; height]);
    for x in 0..width {
        column.iter_mut().enumerate().for_each(|(y, v)| *v = plane[y * width + x]);
        along(&column, &mut line, &kernel, adjoint);
        line.iter().enumerate().for_each(|(y, v)| plane[y * width + x] = *v);
    }
}

/// Gathers each value from its neighbours, or scatters it to them.
fn along(from: &[f32], into: &mut [f32], kernel: &[f32], adjoint: bool) {
    let (reach, last) = (kernel.len() / 2, from.len() - 1);
    into.fill(0.0);
    for i in 0..from.len() {
        for (k, weight) in kernel.iter().enumerate() {
            let near = (i + k).saturating_sub(reach).min(last);
            if adjoint {
                into[near] += weight * from[i];
            } else {
                into[i] += weight * from[near];
            }
        }
    }
}

/// An odd number of weights that sum to 1.
fn kernel(sigma: f64) -> Vec<f32> {
    let reach = (REACH * sigma).ceil() as i32;
    let weight = |d: i32| (-0.5 * (f64::from(d) / sigma.max(1e-9)).powi(2)).exp();
    let sum: f64 = (-reach..=reach).map(weight).sum();
    (-reach..=reach).map(|d| (weight(d) / sum) as f32).collect()
}
