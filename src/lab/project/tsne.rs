//! t-SNE of photographs, as scikit-learn sets it up: from the principal components, perplexity 30, a thousand steps; of few points
//! exactly, and of more by Barnes and Hut. Distances between its clusters, and their sizes, mean nothing; only who is near whom does.

use bhtsne::{Neighbor, SparseAffinities, tSNE};

use super::pca::Pca;
use crate::lab::error::{Error, Result};
use crate::lab::vectors::distance;

/// Steps, and the deviation along the first component that they start from.
const STEPS: usize = 1000;
const START_DEVIATION: f64 = 1e-4;

/// The rate of steps for so few points: the 50 of scikit-learn, times the 4 of the gradient, which bhtsne leaves out.
const EXACT_RATE: f64 = 200.0;

/// So few points take shorter steps: in longer ones they do not come to rest.
const FEW: usize = 100;
const FEW_RATE: f64 = 50.0;

/// The most points that are laid out exactly, which takes a few seconds: the time grows with their square. By Barnes and Hut the
/// divergence is up to a twentieth larger.
const EXACT: usize = 300;

/// The size of a cell of points, over its distance, up to which it counts as one point.
const ANGLE: f64 = 0.5;

/// The nearest of a set of points to each point, the nearest first, with their distances.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbours(pub Vec<Vec<(usize, f64)>>);

/// The places of points in the plane.
#[derive(Debug, Clone, PartialEq)]
pub struct TsneMap {
    /// A place for each point.
    pub places: Vec<[f64; 2]>,
    /// The Kullback-Leibler divergence of the plane's affinities from the points'.
    pub divergence: f64,
}

impl Neighbours {
    /// The `count` nearest of `points` to each of `of`. Where these are the same points, `is_same` leaves each out of its
    /// own.
    pub fn among(points: &[Vec<f64>], of: &[Vec<f64>], count: usize, is_same: bool) -> Self {
        let row = |(own, point): (usize, &Vec<f64>)| {
            let others = points.iter().enumerate().filter(|(at, _)| !is_same || *at != own);
            let mut found: Vec<(usize, f64)> =
                others.map(|(at, other)| (at, distance(point, other))).collect();
            // Of equal distances the first one counts, so that the same points give the same neighbours.
            let nearer = |a: &(usize, f64), b: &(usize, f64)| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0));
            if count < found.len() {
                found.select_nth_unstable_by(count, nearer);
                found.truncate(count);
            }
            found.sort_by(nearer);
            found
        };
        Self(of.iter().enumerate().map(row).collect())
    }
}

impl TsneMap {
    /// Lays `points` out. Fails for fewer than three times the perplexity.
    pub fn of(points: &[Vec<f64>], perplexity: f64) -> Result<Self> {
        let mut map = if points.len() <= EXACT {
            fitted_exactly(points, perplexity)?
        } else {
            fitted(points, perplexity)?.0
        };
        map.centre();
        Ok(map)
    }

    /// The points that a layout with this perplexity needs.
    pub fn needed(perplexity: f64) -> usize {
        (3.0 * perplexity) as usize + 2
    }

    /// Moves the middle of the layout to the origin, as openTSNE does before it places more points.
    fn centre(&mut self) {
        for axis in 0..2 {
            let along = || self.places.iter().map(|place| place[axis]);
            let (low, high) =
                (along().fold(f64::INFINITY, f64::min), along().fold(f64::NEG_INFINITY, f64::max));
            let middle = f64::midpoint(low, high);
            self.places.iter_mut().for_each(|place| place[axis] -= middle);
        }
    }
}

/// Fails for fewer points than a perplexity needs.
fn check(points: &[Vec<f64>], perplexity: f64) -> Result<usize> {
    let (found, needed) = (points.len(), TsneMap::needed(perplexity));
    if found < needed { Err(Error::FewForPerplexity { found, needed, perplexity }) } else { Ok(needed) }
}

/// Computes something in one thread: sums of several threads differ in their last bits, and steps make of those another layout.
fn alone<T: Send>(fit: impl FnOnce() -> T + Send) -> Result<T> {
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    Ok(alone.map_err(|error| Error::NoThread { reason: error.to_string() })?.install(fit))
}

/// The layout by the forces between all pairs.
fn fitted_exactly(points: &[Vec<f64>], perplexity: f64) -> Result<TsneMap> {
    check(points, perplexity)?;
    let (start, rate) = (start(points)?, if points.len() < FEW { FEW_RATE } else { EXACT_RATE });
    let square = |a: &Vec<f64>, b: &Vec<f64>| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
    alone(|| {
        let mut map: tSNE<'_, f64, Vec<f64>, 2> = tSNE::new(points);
        map.perplexity(perplexity).epochs(STEPS).initial_embedding(start).learning_rate(rate).exact(square);
        let places = map.embedding().chunks(2).map(|place| [place[0], place[1]]).collect();
        TsneMap { places, divergence: map.kl_divergence().unwrap_or_default() }
    })
}

/// The layout by Barnes and Hut as it comes out, with the affinities that it is of.
fn fitted(points: &[Vec<f64>], perplexity: f64) -> Result<(TsneMap, Option<SparseAffinities<f64>>)> {
    let needed = check(points, perplexity)?;
    let neighbours = Neighbours::among(points, points, needed - 1, true);
    let neighbours: Vec<Vec<Neighbor<f64>>> = (neighbours.0.into_iter())
        .map(|row| row.into_iter().map(|(index, distance)| Neighbor { index, distance }).collect())
        .collect();
    let start = start(points)?;
    let fit = || {
        let mut map: tSNE<'_, f64, Vec<f64>, 2> = tSNE::new(points);
        map.perplexity(perplexity).epochs(STEPS).initial_embedding(start);
        map.barnes_hut_with_neighbors(ANGLE, &neighbours);
        let places = map.embedding().chunks(2).map(|place| [place[0], place[1]]).collect();
        (places, map.affinities())
    };
    let (places, affinities): (Vec<[f64; 2]>, _) = alone(fit)?;
    let divergence = affinities.as_ref().map_or(0.0, |affinities| divergence(affinities, &places));
    Ok((TsneMap { places, divergence }, affinities))
}

/// The Kullback-Leibler divergence, over all pairs: that of bhtsne 0.7.13 is six times as large.
fn divergence(affinities: &SparseAffinities<f64>, places: &[[f64; 2]]) -> f64 {
    let weight = |a: [f64; 2], b: [f64; 2]| 1.0 / (1.0 + (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2));
    let own = places.len() as f64;
    let all = places.iter().flat_map(|a| places.iter().map(|b| weight(*a, *b))).sum::<f64>() - own;
    let sum: f64 = affinities.values().iter().sum();
    let mut divergence = 0.0;
    for (row, ends) in affinities.rows().windows(2).enumerate() {
        for at in ends[0]..ends[1] {
            let p = affinities.values()[at] / sum;
            let q = weight(places[row], places[affinities.columns()[at] as usize]) / all;
            divergence += if p > 0.0 { p * (p / q).ln() } else { 0.0 };
        }
    }
    divergence
}

/// The principal components, so small that the first steps do not meet them.
fn start(points: &[Vec<f64>]) -> Result<Vec<f64>> {
    let pca = Pca::of(points, 2, &|| false)?;
    let n = points.len() as f64;
    let variance = pca.variances.first().copied().unwrap_or_default() * (n - 1.0) / n;
    let scale = if variance > 0.0 { START_DEVIATION / variance.sqrt() } else { 0.0 };
    let place = |point: &Vec<f64>| {
        let place = pca.place(point);
        [0, 1].map(|axis| scale * place.get(axis).copied().unwrap_or_default())
    };
    Ok(points.iter().flat_map(place).collect())
}

/// The share of neighbourhoods in the plane that are neighbourhoods of the points too (Venna and Kaski 2001): 1 if no
/// point has one of its `count` nearest in the plane that is not among its `count` nearest.
pub fn trustworthiness(points: &[Vec<f64>], places: &[[f64; 2]], count: usize) -> f64 {
    let places: Vec<Vec<f64>> = places.iter().map(|place| place.to_vec()).collect();
    let (n, k) = (points.len() as f64, count as f64);
    let near = Neighbours::among(&places, &places, count, true);
    let mut penalty = 0.0;
    for (own, (point, near)) in points.iter().zip(near.0).enumerate() {
        let distances: Vec<f64> = points.iter().map(|other| distance(point, other)).collect();
        for (at, _) in near {
            let nearer = |other: &usize| {
                let order = distances[*other].total_cmp(&distances[at]).then(other.cmp(&at));
                *other != own && order.is_lt()
            };
            let rank = 1 + (0..points.len()).filter(nearer).count();
            penalty += (rank as f64 - k).max(0.0);
        }
    }
    1.0 - penalty * 2.0 / (n * k * (2.0 * n - 3.0 * k - 1.0))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use trepang_weights::words;

    use super::*;

    /// The divergence by Barnes and Hut may be larger than the exact one by this share: layouts are chaotic, and forces are rounded.
    const DIVERGENCE_TOLERANCE: f64 = 0.1;

    /// Relative: scikit-learn passes squares on in single precision.
    const AFFINITY_TOLERANCE: f64 = 1e-4;

    /// The points of `make_lab_projections.py`.
    fn points() -> Vec<Vec<f64>> {
        let number = |z: u64| f64::from((z >> 40) as f32 * (-23_f32).exp2() - 1.0);
        let drawn: Vec<f64> = words("lab/projections/points").take(180 * 12).map(number).collect();
        let coordinate = |n: usize, i: usize| {
            drawn[12 * n + i] * (i + 1) as f64 / 4.0
                + if i.is_multiple_of(3) { 2.0 * (n % 6) as f64 } else { 0.0 }
        };
        (0..180).map(|n| (0..12).map(|i| coordinate(n, i)).collect()).collect()
    }

    #[test]
    fn barnes_and_huts_affinities_are_scikit_learns() {
        let golden: Value =
            serde_json::from_str(include_str!("../../../tests/golden/lab_projections.json")).unwrap();
        let numbers = |name: &str| golden[name].as_array().unwrap().iter().map(|n| n.as_f64().unwrap());
        let (map, affinities) = fitted(&points(), 15.0).unwrap();
        let (affinities, expected) = (affinities.unwrap(), golden["divergence"].as_f64().unwrap());
        assert!(
            (map.divergence / expected - 1.0).abs() < DIVERGENCE_TOLERANCE,
            "{} {expected}",
            map.divergence
        );
        let row = affinities.rows()[0]..affinities.rows()[1];
        let sum: f64 = affinities.values().iter().sum();
        for (column, expected) in numbers("columns").zip(numbers("affinities")) {
            let found = row.clone().find(|&at| f64::from(affinities.columns()[at]) == column).unwrap();
            let found = affinities.values()[found] / sum;
            assert!((found / expected - 1.0).abs() < AFFINITY_TOLERANCE, "{column}: {found} {expected}");
        }
    }
}
