//! Measures of a picture that keep an ascent from noise: values and gradients on planes `[C, H, W]` in 0..1.

use super::objective::Penalty;

/// The level that measures count from: gray (lucid's `constant`).
const GRAY: f64 = 0.5;

/// Under the root of L2, so that it has a slope at gray (lucid's `epsilon`).
const EPSILON: f64 = 1e-6;

/// The border is this part of the side: 20 pixels of the 240 that lucid's boundary penalty was written for.
const BORDER: usize = 12;

/// The weight of the difference from gray beside that of the roughness in the border.
const BORDER_GRAY: f64 = 0.8;

/// The measure's number for one picture, planes `x` `[C, H, W]` of `size` `[H, W]`.
pub(super) fn value(of: Penalty, x: &[f32], size: [usize; 2]) -> f64 {
    let from_gray = x.iter().map(|&x| f64::from(x) - GRAY);
    match of {
        Penalty::L1 => from_gray.map(f64::abs).sum(),
        Penalty::L2 => (EPSILON + from_gray.map(|d| d * d).sum::<f64>()).sqrt(),
        Penalty::Tv => neighbours(x.len(), size).map(|(a, b)| f64::from((x[a] - x[b]).abs())).sum(),
        Penalty::Blur => 0.5 * roughness(x, size, 1, 0.5).map(|d| d * d).sum::<f64>(),
        Penalty::Boundary => {
            let rough = roughness(x, size, 2, 1.0).map(|d| d * d);
            let both = rough.zip(from_gray).map(|(rough, d)| rough + BORDER_GRAY * d * d);
            both.enumerate().filter(|(i, _)| is_border(*i, size)).map(|(_, v)| v).sum()
        }
    }
}

/// Adds `scale` times the measure's slope. What lucid holds fixed (the blurred picture) is held fixed: those are not
/// derivatives of the value, but pull towards the neighbours' mean.
pub(super) fn add_gradient(of: Penalty, scale: f64, x: &[f32], size: [usize; 2], into: &mut [f32]) {
    let from_gray = |x: f32| f64::from(x) - GRAY;
    match of {
        Penalty::L1 => {
            let sign = |d: f64| if d == 0.0 { 0.0 } else { d.signum() };
            into.iter_mut().zip(x).for_each(|(g, &x)| *g += (scale * sign(from_gray(x))) as f32);
        }
        Penalty::L2 => {
            let factor = scale / value(of, x, size);
            into.iter_mut().zip(x).for_each(|(g, &x)| *g += (factor * from_gray(x)) as f32);
        }
        Penalty::Tv => {
            for (a, b) in neighbours(x.len(), size) {
                let sign = f32::from(i8::from(x[a] > x[b]) - i8::from(x[a] < x[b]));
                into[a] += scale as f32 * sign;
                into[b] -= scale as f32 * sign;
            }
        }
        Penalty::Blur => {
            into.iter_mut().zip(roughness(x, size, 1, 0.5)).for_each(|(g, d)| *g += (scale * d) as f32);
        }
        Penalty::Boundary => {
            let slopes =
                roughness(x, size, 2, 1.0).zip(x).map(|(d, &x)| 2.0 * (d + BORDER_GRAY * from_gray(x)));
            let inside = into.iter_mut().zip(slopes).enumerate().filter(|(i, _)| is_border(*i, size));
            inside.for_each(|(_, (g, slope))| *g += (scale * slope) as f32);
        }
    }
}

/// All pairs of a value and its neighbour to the right, and of a value and its neighbour below.
fn neighbours(len: usize, [height, width]: [usize; 2]) -> impl Iterator<Item = (usize, usize)> {
    let right = (0..len).filter(move |i| i % width + 1 < width).map(|i| (i, i + 1));
    let below = (0..len).filter(move |i| i / width % height + 1 < height).map(move |i| (i, i + width));
    right.chain(below)
}

/// x minus the mean of its neighbours up to `reach` away: weight 1 in the centre and `around` elsewhere, over the weights
/// that lie inside.
fn roughness(
    x: &[f32],
    [height, width]: [usize; 2],
    reach: usize,
    around: f64,
) -> impl Iterator<Item = f64> + '_ {
    (0..x.len()).map(move |i| {
        let (plane, row, column) = (i / (height * width), i / width % height, i % width);
        let (mut sum, mut weights) = (0.0, 0.0);
        for y in row.saturating_sub(reach)..(row + reach + 1).min(height) {
            for at in column.saturating_sub(reach)..(column + reach + 1).min(width) {
                let weight = if (y, at) == (row, column) { 1.0 } else { around };
                sum += weight * f64::from(x[(plane * height + y) * width + at]);
                weights += weight;
            }
        }
        f64::from(x[i]) - sum / weights
    })
}

fn is_border(i: usize, [height, width]: [usize; 2]) -> bool {
    let (row, column) = (i / width % height, i % width);
    let (rows, columns) = (height.div_ceil(BORDER), width.div_ceil(BORDER));
    row < rows || row + rows >= height || column < columns || column + columns >= width
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The slope of a value in one pixel by a central difference, with the blurred picture held at `held`.
    fn slope(of: Penalty, x: &[f32], size: [usize; 2], i: usize) -> f64 {
        let at = |by: f32| {
            let mut moved = x.to_vec();
            moved[i] += by;
            let d = |j: usize, x: &[f32], reach, around| {
                // The neighbours' mean comes from `x`, the value itself from `moved`.
                roughness(x, size, reach, around).nth(j).unwrap() + f64::from(moved[j] - x[j])
            };
            match of {
                Penalty::Blur => (0..x.len()).map(|j| 0.5 * d(j, x, 1, 0.5).powi(2)).sum::<f64>(),
                Penalty::Boundary => (0..x.len())
                    .filter(|&j| is_border(j, size))
                    .map(|j| d(j, x, 2, 1.0).powi(2) + 0.8 * (f64::from(moved[j]) - 0.5).powi(2))
                    .sum(),
                Penalty::L1 | Penalty::L2 | Penalty::Tv => value(of, &moved, size),
            }
        };
        (at(1.0 / 1024.0) - at(-1.0 / 1024.0)) * 512.0
    }

    #[test]
    fn every_gradient_is_the_slope_of_what_is_not_held_fixed() {
        let (size, len) = ([5, 7], 2 * 35);
        // No two neighbours are equal, and none is gray, where L1 and the total variation have a kink.
        let x: Vec<f32> = (0..len).map(|i| ((i * 37 % 101) as f32 + 0.3) / 101.0).collect();
        for of in [Penalty::L1, Penalty::L2, Penalty::Tv, Penalty::Blur, Penalty::Boundary] {
            let mut gradient = vec![0.0; len];
            add_gradient(of, 2.0, &x, size, &mut gradient);
            for (i, found) in gradient.iter().enumerate() {
                let wanted = 2.0 * slope(of, &x, size, i);
                assert!((f64::from(*found) - wanted).abs() < 2e-3, "{of:?} at {i}: {found} {wanted}");
            }
        }
    }

    #[test]
    fn values_are_what_they_are_called() {
        let x = [0.5, 0.5, 1.0, 0.5];
        assert_eq!(value(Penalty::L1, &x, [2, 2]), 0.5);
        assert!((value(Penalty::L2, &x, [2, 2]) - 0.5).abs() < 1e-5);
        assert_eq!(value(Penalty::Tv, &x, [2, 2]), 1.0);
        assert_eq!(value(Penalty::Blur, &[0.7; 12], [3, 4]), 0.0);
    }
}
