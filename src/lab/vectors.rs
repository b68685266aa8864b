//! Arithmetic on points, one coordinate a channel, in f64.

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn length(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// A point over its length: lengths of optimised pictures are many times those of photographs, and would be all that is
/// measured.
pub(super) fn direction(a: &[f64]) -> Vec<f64> {
    let length = length(a);
    a.iter().map(|x| if length > 0.0 { x / length } else { 0.0 }).collect()
}

/// Each point over its length.
pub fn directions(points: &[Vec<f64>]) -> Vec<Vec<f64>> {
    points.iter().map(|point| direction(point)).collect()
}

/// The places of the `count` nearest of `points` to each of `of` by cosine, the nearest first, with the cosines.
pub fn nearest_by_cosine(points: &[Vec<f64>], of: &[Vec<f64>], count: usize) -> Vec<Vec<(usize, f64)>> {
    let points = directions(points);
    let nearest = |own: &Vec<f64>| {
        let own = direction(own);
        let mut found: Vec<(usize, f64)> = points.iter().map(|point| dot(point, &own)).enumerate().collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found.truncate(count);
        found
    };
    of.iter().map(nearest).collect()
}

pub(super) fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

pub(super) fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}
