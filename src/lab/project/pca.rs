//! Principal components: the directions in which points differ most, the most first.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::lab::error::{Error, Result};
use crate::lab::stats::second_moments;
use crate::lab::vectors::{difference, distance, dot, length};

/// Points whose moments are summed up at once, between two looks at whether to stop.
const AT_ONCE: usize = 256;

/// Directions that are iterated besides those that are asked for: the more, the faster the first ones settle.
const BESIDES: usize = 14;

/// The iterations at most. Equal variances never settle, and then any direction among them is as good.
const ITERATIONS: usize = 500;

/// The part of the largest variance that the residual of a direction may have.
const SETTLED: f64 = 1e-13;

/// Sweeps of Jacobi's rotations at most; a matrix of 16 rows takes six or so.
const SWEEPS: usize = 50;

/// Principal components of points.
#[derive(Debug, Clone, PartialEq)]
pub struct Pca {
    /// The mean of the points.
    pub mean: Vec<f64>,
    /// The directions, each of length 1, its entry of the largest size above 0 (scikit-learn's sign).
    pub axes: Vec<Vec<f64>>,
    /// The variance along each of them, by n - 1.
    pub variances: Vec<f64>,
    /// The variance in all directions together.
    pub total: f64,
}

impl Pca {
    /// The first `axes` components of at least two points, or as many as they have coordinates. A thousand coordinates take a second
    /// or more, so `stop` is asked on the way; once it is true, this fails with [`Error::Stopped`].
    pub fn of(points: &[Vec<f64>], axes: usize, stop: &dyn Fn() -> bool) -> Result<Self> {
        let p = points.first().map_or(0, Vec::len);
        let mut mean = vec![0.0; p];
        for point in points {
            mean.iter_mut().zip(point).for_each(|(sum, x)| *sum += x / points.len() as f64);
        }
        let centred: Vec<Vec<f64>> = points.iter().map(|point| difference(point, &mean)).collect();
        let mut matrix = vec![0.0; p * p];
        for points in centred.chunks(AT_ONCE) {
            go_on(stop)?;
            matrix.iter_mut().zip(second_moments(points, p)).for_each(|(sum, moment)| *sum += moment);
        }
        for entry in &mut matrix {
            *entry /= (points.len().max(2) - 1) as f64;
        }
        let total = (0..p).map(|i| matrix[i * p + i]).sum();
        let (variances, axes) = largest(&matrix, p, axes.min(p), stop)?;
        Ok(Self { mean, axes: axes.into_iter().map(signed).collect(), variances, total })
    }

    /// The coordinates of a point along the directions.
    pub fn place(&self, point: &[f64]) -> Vec<f64> {
        let centred = difference(point, &self.mean);
        self.axes.iter().map(|axis| dot(axis, &centred)).collect()
    }

    /// The distance of a point from the plane of the directions: what a figure of them does not show.
    pub fn beside(&self, point: &[f64]) -> f64 {
        let mut rest = difference(point, &self.mean);
        for (axis, along) in self.axes.iter().zip(self.place(point)) {
            rest.iter_mut().zip(axis).for_each(|(x, axis)| *x -= along * axis);
        }
        length(&rest)
    }

    /// The share of all variance along each direction; none where there is no variance.
    pub fn shares(&self) -> Option<Vec<f64>> {
        (self.total > 0.0).then(|| self.variances.iter().map(|variance| variance / self.total).collect())
    }
}

fn go_on(stop: &dyn Fn() -> bool) -> Result<()> {
    if stop() { Err(Error::Stopped) } else { Ok(()) }
}

fn signed(axis: Vec<f64>) -> Vec<f64> {
    let largest = axis.iter().fold(0.0_f64, |largest, x| if x.abs() > largest.abs() { *x } else { largest });
    if largest < 0.0 { axis.into_iter().map(|x| -x).collect() } else { axis }
}

/// The largest eigenvalues of a symmetric matrix that has none below 0, and their vectors: subspace iteration with
/// Rayleigh and Ritz. Of a thousand rows only the first few are wanted, and a whole decomposition takes minutes.
fn largest(
    matrix: &[f64],
    p: usize,
    wanted: usize,
    stop: &dyn Fn() -> bool,
) -> Result<(Vec<f64>, Vec<Vec<f64>>)> {
    let block = p.min(wanted + BESIDES);
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut number = || (rng.next_u64() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0;
    let mut basis: Vec<Vec<f64>> = (0..block).map(|_| (0..p).map(|_| number()).collect()).collect();
    orthonormalise(&mut basis);
    let mut found = (vec![0.0; wanted], basis[..wanted].to_vec());
    for _ in 0..ITERATIONS {
        go_on(stop)?;
        let images: Vec<Vec<f64>> =
            basis.iter().map(|q| matrix.chunks(p).map(|row| dot(row, q)).collect()).collect();
        let small: Vec<f64> = basis.iter().flat_map(|q| images.iter().map(|image| dot(q, image))).collect();
        let (values, rotation) = jacobi(small, block);
        let rotated = |vectors: &[Vec<f64>]| combine(vectors, &rotation, &values);
        let (ritz, turned) = (rotated(&basis), rotated(&images));
        let mut sorted = values.clone();
        sorted.sort_by(|a, b| b.total_cmp(a));
        found = (sorted[..wanted].iter().map(|value| value.max(0.0)).collect(), ritz[..wanted].to_vec());
        let residual = |at: usize| {
            let scaled: Vec<f64> = ritz[at].iter().map(|x| x * sorted[at]).collect();
            distance(&turned[at], &scaled)
        };
        let largest = sorted.first().copied().unwrap_or_default();
        if (0..wanted).all(|at| residual(at) <= SETTLED * largest) {
            break;
        }
        basis = turned;
        orthonormalise(&mut basis);
    }
    Ok(found)
}

/// The vectors' combinations by the columns of `rotation`, in the order of falling `values`.
fn combine(vectors: &[Vec<f64>], rotation: &[f64], values: &[f64]) -> Vec<Vec<f64>> {
    let n = values.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    let column = |column: usize| {
        let mut sum = vec![0.0; vectors[0].len()];
        for (row, vector) in vectors.iter().enumerate() {
            let factor = rotation[row * n + column];
            sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += factor * x);
        }
        sum
    };
    order.into_iter().map(column).collect()
}

/// Gram and Schmidt, each vector twice, so that rounding does not add up. Vectors that are combinations of those before
/// become zero.
fn orthonormalise(vectors: &mut [Vec<f64>]) {
    for at in 0..vectors.len() {
        let (before, rest) = vectors.split_at_mut(at);
        let own = &mut rest[0];
        let was = length(own);
        for _ in 0..2 {
            for other in before.iter() {
                let along = dot(other, own);
                own.iter_mut().zip(other).for_each(|(x, other)| *x -= along * other);
            }
        }
        let left = length(own);
        let scale = if left > 1e-12 * was { 1.0 / left } else { 0.0 };
        for x in own.iter_mut() {
            *x *= scale;
        }
    }
}

/// The eigenvalues of a small symmetric matrix of `n` rows, and the matrix with their vectors as columns.
fn jacobi(mut a: Vec<f64>, n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut vectors = vec![0.0; n * n];
    (0..n).for_each(|i| vectors[i * n + i] = 1.0);
    for _ in 0..SWEEPS {
        let mut is_diagonal = true;
        for i in 0..n {
            for j in i + 1..n {
                let off = a[i * n + j];
                if off.abs() <= f64::EPSILON * (a[i * n + i] * a[j * n + j]).abs().sqrt() {
                    continue;
                }
                is_diagonal = false;
                let theta = (a[j * n + j] - a[i * n + i]) / (2.0 * off);
                let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
                rotate(&mut a, &mut vectors, n, (i, j), t);
            }
        }
        if is_diagonal {
            break;
        }
    }
    ((0..n).map(|i| a[i * n + i]).collect(), vectors)
}

/// Turns two rows and columns of `a`, and two columns of `vectors`, by the angle of tangent `t`.
fn rotate(a: &mut [f64], vectors: &mut [f64], n: usize, (i, j): (usize, usize), t: f64) {
    let c = 1.0 / t.hypot(1.0);
    let s = t * c;
    let turn = |m: &mut [f64], x: usize, y: usize| (m[x], m[y]) = (c * m[x] - s * m[y], s * m[x] + c * m[y]);
    for k in 0..n {
        turn(a, k * n + i, k * n + j);
    }
    for k in 0..n {
        turn(a, i * n + k, j * n + k);
        turn(vectors, k * n + i, k * n + j);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_on_a_line_have_one_direction() {
        let points: Vec<Vec<f64>> = (0..5).map(|n| vec![1.0 - f64::from(n), 2.0 * f64::from(n)]).collect();
        let pca = Pca::of(&points, 2, &|| false).unwrap();
        assert!((pca.variances[0] - 12.5).abs() < 1e-12 && pca.variances[1].abs() < 1e-12, "{pca:?}");
        assert!((pca.total - 12.5).abs() < 1e-12);
        let root = 5.0_f64.sqrt();
        assert!(distance(&pca.axes[0], &[-1.0 / root, 2.0 / root]) < 1e-12);
        assert!(distance(&pca.place(&points[4]), &[2.0 * root, 0.0]) < 1e-12);
    }

    #[test]
    fn a_point_is_beside_the_plane_by_what_the_plane_lacks() {
        let points = [[2.0, 0.0, 0.0], [-2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, -1.0, 0.0]].map(Vec::from);
        let pca = Pca::of(&points, 2, &|| false).unwrap();
        assert!((pca.beside(&[7.0, 3.0, -0.5]) - 0.5).abs() < 1e-12);
        assert!((pca.shares().unwrap()[0] - 0.8).abs() < 1e-12);
        let equal = Pca::of(&[vec![1.0], vec![1.0]], 1, &|| false).unwrap();
        assert_eq!(equal.shares(), None);
        assert!(matches!(Pca::of(&points, 2, &|| true), Err(Error::Stopped)));
    }

    #[test]
    fn a_matrix_of_one_row_is_its_own_eigenvalue() {
        assert_eq!(jacobi(vec![3.0], 1), (vec![3.0], vec![1.0]));
        let (mut values, _) = jacobi(vec![0.0, 1.0, 1.0, 0.0], 2);
        values.sort_by(f64::total_cmp);
        assert!(distance(&values, &[-1.0, 1.0]) < 1e-15);
    }
}
