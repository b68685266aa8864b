//! The Cholesky factor of a symmetric positive matrix, and the solution of its lower triangle.

/// The lower factor `L` of a matrix of `n` rows, `L L' = A`, row by row; none for a matrix that is not positive.
pub(super) fn factor(mut a: Vec<f64>, n: usize) -> Option<Vec<f64>> {
    for i in 0..n {
        let (above, rest) = a.split_at_mut(i * n);
        let row = &mut rest[..n];
        for j in 0..i {
            let other = &above[j * n..j * n + j];
            let dot: f64 = row[..j].iter().zip(other).map(|(x, y)| x * y).sum();
            row[j] = (row[j] - dot) / above[j * n + j];
        }
        let square = row[i] - row[..i].iter().map(|x| x * x).sum::<f64>();
        if square.is_nan() || square <= 0.0 {
            return None;
        }
        row[i] = square.sqrt();
        row[i + 1..].fill(0.0);
    }
    Some(a)
}

/// The solution `y` of `L y = x`.
pub(super) fn solve(factor: &[f64], x: &[f64]) -> Vec<f64> {
    let n = x.len();
    let mut y = x.to_vec();
    for i in 0..n {
        let row = &factor[i * n..i * n + i];
        let dot: f64 = row.iter().zip(&y).map(|(l, y)| l * y).sum();
        y[i] = (y[i] - dot) / factor[i * n + i];
    }
    y
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_times_itself_is_the_matrix() {
        let a = vec![4.0, 2.0, 2.0, 2.0, 5.0, 3.0, 2.0, 3.0, 6.0];
        let l = factor(a.clone(), 3).unwrap();
        for i in 0..3 {
            for j in 0..3 {
                let product: f64 = (0..3).map(|k| l[3 * i + k] * l[3 * j + k]).sum();
                assert!((product - a[3 * i + j]).abs() < 1e-12);
            }
        }
        let y = solve(&l, &[1.0, 2.0, 3.0]);
        let back: Vec<f64> = (0..3).map(|i| (0..3).map(|k| l[3 * i + k] * y[k]).sum()).collect();
        assert!(back.iter().zip([1.0, 2.0, 3.0]).all(|(a, b)| (a - b).abs() < 1e-12));
        assert_eq!(factor(vec![1.0, 2.0, 2.0, 1.0], 2), None);
    }
}
