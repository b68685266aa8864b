//! Gauss and Legendre's rule for integrals over 0..1.

use std::f64::consts::PI;

/// The relative size of Newton's last steps.
const CLOSE_ENOUGH: f64 = 1e-15;

/// Newton's steps at most; from this start, four are enough.
const MOST_STEPS: usize = 50;

/// The `count` nodes in 0..1, rising, and their weights, which add up to 1: the roots of the Legendre polynomial of that
/// degree, moved from -1..1. Polynomials of degree 2 `count` - 1 are integrated exactly.
pub(super) fn gauss_legendre(count: usize) -> Vec<(f64, f64)> {
    let node = |index: usize| {
        let mut x = -(PI * (index as f64 + 0.75) / (count as f64 + 0.5)).cos();
        for _ in 0..MOST_STEPS {
            let (value, slope) = legendre(count, x);
            x -= value / slope;
            if (value / slope).abs() < CLOSE_ENOUGH {
                break;
            }
        }
        let slope = legendre(count, x).1;
        (f64::midpoint(1.0, x), 1.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..count).map(node).collect()
}

/// The Legendre polynomial of a degree and its derivative at x, by Bonnet's recursion.
fn legendre(degree: usize, x: f64) -> (f64, f64) {
    let (mut before, mut value) = (0.0, 1.0);
    for k in 0..degree {
        let k = k as f64;
        (before, value) = (value, ((2.0 * k + 1.0) * x * value - k * before) / (k + 1.0));
    }
    (value, degree as f64 * (x * value - before) / (x * x - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_are_integrated_exactly() {
        for count in [1, 2, 5, 50] {
            let nodes = gauss_legendre(count);
            assert!(
                nodes.is_sorted_by(|a, b| a.0 < b.0) && nodes.iter().all(|(x, _)| (0.0..1.0).contains(x))
            );
            for power in 0..2 * count {
                let found: f64 = nodes.iter().map(|(x, weight)| weight * x.powi(power as i32)).sum();
                let expected = 1.0 / (power as f64 + 1.0);
                assert!((found - expected).abs() < 1e-13, "{count} nodes, x^{power}: {found}");
            }
        }
    }

    #[test]
    fn two_nodes_are_where_the_textbook_has_them() {
        let [(a, weight), (b, _)] = gauss_legendre(2)[..] else { panic!("not two") };
        assert!(
            (a - (0.5 - 0.5 / 3_f64.sqrt())).abs() < 1e-15 && (b - (0.5 + 0.5 / 3_f64.sqrt())).abs() < 1e-15
        );
        assert!((weight - 0.5).abs() < 1e-15);
    }
}
