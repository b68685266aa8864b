//! Sums over points.

/// The sum of all points' products of coordinates, row by row.
pub(in crate::lab) fn second_moments(points: &[Vec<f64>], p: usize) -> Vec<f64> {
    let mut matrix = vec![0.0; p * p];
    for point in points {
        for (i, &x) in point.iter().enumerate().filter(|(_, x)| **x != 0.0) {
            let row = &mut matrix[i * p..][..=i];
            row.iter_mut().zip(point).for_each(|(entry, y)| *entry += x * y);
        }
    }
    for i in 0..p {
        for j in 0..i {
            matrix[j * p + i] = matrix[i * p + j];
        }
    }
    matrix
}
