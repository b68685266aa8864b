//! Mahalanobis distances to classes under one covariance for all of them, shrunk as Ledoit and Wolf (2004) do. A class has
//! fewer photographs than a layer has channels, so that a covariance of its own would say nothing: under a pseudo-inverse every
//! photograph is equally far from its class.

use super::cholesky;
use super::moments::second_moments;
use crate::lab::vectors::difference;

/// The covariance of points around the means of their classes (Lee et al. 2018), shrunk towards a multiple of one.
#[derive(Debug, Clone)]
pub struct TiedCovariance {
    /// The number of coordinates.
    pub dimension: usize,
    /// The share of the multiple of one, in 0..1 (scikit-learn's `shrinkage_`).
    pub shrinkage: f64,
    /// The matrix, row by row.
    pub matrix: Vec<f64>,
    /// The weight of a point in the matrix, as a factor of the product of its distances from the mean.
    weight: f64,
    means: Vec<Vec<f64>>,
    counts: Vec<usize>,
}

/// Points in coordinates in which the covariance is one, so that a distance is a Mahalanobis distance.
#[derive(Debug, Clone)]
pub struct Whitened {
    factor: Vec<f64>,
    weight: f64,
    /// The classes' means.
    means: Vec<Vec<f64>>,
    counts: Vec<usize>,
    /// The points, and the classes that they are of.
    points: Vec<Vec<f64>>,
    classes: Vec<usize>,
}

impl TiedCovariance {
    /// The covariance of points of `classes` classes; each class has at least one point. scikit-learn 1.9's `LedoitWolf`
    /// on the points less the means of their classes.
    pub fn of(points: &[Vec<f64>], class: &[usize], classes: usize) -> Self {
        let p = points.first().map_or(0, Vec::len);
        let (means, counts) = class_means(points, class, classes, p);
        let centred: Vec<Vec<f64>> =
            points.iter().zip(class).map(|(point, &class)| difference(point, &means[class])).collect();
        let n = points.len() as f64;
        let mut matrix = second_moments(&centred, p);
        for entry in &mut matrix {
            *entry /= n;
        }
        let mu = (0..p).map(|i| matrix[i * p + i]).sum::<f64>() / p as f64;
        let squares: f64 = matrix.iter().map(|entry| entry * entry).sum();
        // ||S - mu I||^2 = ||S||^2 - 2 mu tr S + p mu^2, and tr S = p mu.
        let delta = squares / p as f64 - mu * mu;
        let fourth: f64 = centred.iter().map(|point| norm_squared(point).powi(2)).sum();
        let beta = ((fourth / n - squares) / (n * p as f64)).min(delta);
        let shrinkage = if beta == 0.0 { 0.0 } else { beta / delta };
        for entry in &mut matrix {
            *entry *= 1.0 - shrinkage;
        }
        (0..p).for_each(|i| matrix[i * p + i] += shrinkage * mu);
        Self { dimension: p, shrinkage, matrix, weight: (1.0 - shrinkage) / n, means, counts }
    }

    /// The number of directions that the points go into: (sum l)^2 / sum l^2 of the eigenvalues l.
    pub fn effective_dimension(&self) -> f64 {
        let p = self.dimension;
        let trace: f64 = (0..p).map(|i| self.matrix[i * p + i]).sum();
        trace * trace / self.matrix.iter().map(|entry| entry * entry).sum::<f64>()
    }

    /// The points in coordinates in which this covariance is one; none if it has no inverse.
    pub fn whiten(&self, points: &[Vec<f64>], class: &[usize]) -> Option<Whitened> {
        let factor = cholesky::factor(self.matrix.clone(), self.dimension)?;
        let all = |points: &[Vec<f64>]| points.iter().map(|point| cholesky::solve(&factor, point)).collect();
        let (means, points) = (all(&self.means), all(points));
        let (counts, classes) = (self.counts.clone(), class.to_vec());
        Some(Whitened { factor, weight: self.weight, means, counts, points, classes })
    }
}

impl Whitened {
    /// A point in these coordinates.
    pub fn place(&self, point: &[f64]) -> Vec<f64> {
        cholesky::solve(&self.factor, point)
    }

    /// The distance of a point, in these coordinates, from the mean of a class.
    pub fn distance(&self, place: &[f64], class: usize) -> f64 {
        norm_squared(&difference(place, &self.means[class])).sqrt()
    }

    /// The points of a class, in these coordinates.
    pub fn of_class(&self, class: usize) -> Vec<&[f64]> {
        let of = self.points.iter().zip(&self.classes).filter(|(_, of)| **of == class);
        of.map(|(point, _)| point.as_slice()).collect()
    }

    /// The distances of a class's own points from its mean, each as if the point had been left out of the mean and of the
    /// covariance (but for the shrinkage). Of a class with a single point there is none.
    pub fn left_out(&self, class: usize) -> Vec<f64> {
        let count = self.counts[class] as f64;
        if count < 2.0 {
            return Vec::new();
        }
        // Without point i the mean is d / (count - 1) farther away, and the covariance S - w k d d' with k = count /
        // (count - 1), whose inverse is Sherman and Morrison's.
        let k = count / (count - 1.0);
        let distance = |point: &[f64]| {
            let q = norm_squared(&difference(point, &self.means[class]));
            (k * k * q / (1.0 - self.weight * k * q)).sqrt()
        };
        self.of_class(class).into_iter().map(distance).collect()
    }

    /// The distances of all other classes' points from the mean of a class, each as if the point had been left out of the
    /// covariance.
    pub fn of_others(&self, class: usize) -> Vec<f64> {
        let others = self.points.iter().zip(&self.classes).filter(|(_, of)| **of != class);
        let distance = |(point, &of): (&Vec<f64>, &usize)| {
            let (e, d) = (difference(point, &self.means[class]), difference(point, &self.means[of]));
            let count = self.counts[of] as f64;
            if count < 2.0 {
                return norm_squared(&e).sqrt();
            }
            let w = self.weight * count / (count - 1.0);
            let along: f64 = d.iter().zip(&e).map(|(d, e)| d * e).sum();
            (norm_squared(&e) + w * along * along / (1.0 - w * norm_squared(&d))).sqrt()
        };
        others.map(distance).collect()
    }
}

fn class_means(
    points: &[Vec<f64>],
    class: &[usize],
    classes: usize,
    p: usize,
) -> (Vec<Vec<f64>>, Vec<usize>) {
    let (mut means, mut counts) = (vec![vec![0.0; p]; classes], vec![0_usize; classes]);
    for (point, &class) in points.iter().zip(class) {
        counts[class] += 1;
        means[class].iter_mut().zip(point).for_each(|(sum, number)| *sum += number);
    }
    for (mean, &count) in means.iter_mut().zip(&counts) {
        for sum in mean {
            *sum /= count.max(1) as f64;
        }
    }
    (means, counts)
}

fn norm_squared(point: &[f64]) -> f64 {
    point.iter().map(|x| x * x).sum()
}

#[cfg(test)]
mod tests {
    use trepang_api::conformance::noise;

    use super::*;

    /// Points of three classes.
    fn points() -> (Vec<Vec<f64>>, Vec<usize>) {
        let drawn = noise(3, [30 * 6]);
        let point = |n: usize| {
            let own = drawn.data()[6 * n..6 * n + 6].iter().enumerate();
            own.map(|(i, x)| f64::from(*x) * (i + 1) as f64 + (n % 3) as f64).collect()
        };
        ((0..30).map(point).collect(), (0..30).map(|n| n % 3).collect())
    }

    #[test]
    fn a_left_out_point_is_as_far_as_if_it_had_never_been_there() {
        let (points, class) = points();
        let tied = TiedCovariance::of(&points, &class, 3);
        let whitened = tied.whiten(&points, &class).unwrap();
        let (n, left) = (30.0, 4);
        let others: Vec<usize> = (0..30).filter(|&at| at != left).collect();
        let (means, _) = class_means(
            &others.iter().map(|&at| points[at].clone()).collect::<Vec<_>>(),
            &others.iter().map(|&at| class[at]).collect::<Vec<_>>(),
            3,
            6,
        );
        // The covariance without the point, with the same shrinkage: S is divided by n as before.
        let centred: Vec<Vec<f64>> =
            others.iter().map(|&at| difference(&points[at], &means[class[at]])).collect();
        let mut matrix = second_moments(&centred, 6);
        for entry in &mut matrix {
            *entry *= (1.0 - tied.shrinkage) / n;
        }
        let scatter: f64 = (0..6).map(|i| tied.matrix[7 * i]).sum::<f64>() / 6.0;
        (0..6).for_each(|i| matrix[7 * i] += tied.shrinkage * scatter);
        let factor = cholesky::factor(matrix, 6).unwrap();
        let distance = |to: usize| {
            norm_squared(&cholesky::solve(&factor, &difference(&points[left], &means[to]))).sqrt()
        };
        let place = (0..left).filter(|at| class[*at] == class[left]).count();
        assert!((whitened.left_out(class[left])[place] - distance(class[left])).abs() < 1e-10);
        let to = (class[left] + 1) % 3;
        let place = (0..left).filter(|at| class[*at] != to).count();
        assert!((whitened.of_others(to)[place] - distance(to)).abs() < 1e-10);
    }

    #[test]
    fn distances_in_whitened_coordinates_are_mahalanobis_distances() {
        let (points, class) = points();
        let whitened = TiedCovariance::of(&points, &class, 3).whiten(&points, &class).unwrap();
        assert!(whitened.of_class(1).iter().zip(whitened.left_out(1)).all(|(point, left_out)| {
            let inside = whitened.distance(point, 1);
            inside < left_out && inside > 0.0
        }));
        assert_eq!((whitened.left_out(2).len(), whitened.of_others(2).len()), (10, 20));
    }
}
