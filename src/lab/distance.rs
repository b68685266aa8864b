//! How far a picture's activations are from those of each class's photographs, by several measures, and which of them say that
//! it lies among them.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use trepang_api::Array;

use super::error::{Error, Result};
use super::index::{IndexManifest, IndexedLayer, ShardFile};
use super::points::picture_points;
use super::stats::{
    Bins, Interval, TiedCovariance, Whitened, bins, empirical_rank, interval, mean_and_deviation,
};
use super::vectors::{direction, directions, distance, dot, length};

/// Neighbours that vote.
const NEIGHBOURS: usize = 10;

/// Photographs of an index as points: the means of a layer's channels.
#[derive(Debug)]
pub struct PhotographPoints {
    /// The labels, in order.
    pub labels: Vec<String>,
    /// The channel means of each photograph with a label.
    points: Vec<Vec<f64>>,
    /// The place of each photograph's label.
    classes: Vec<usize>,
    counts: Vec<usize>,
    /// The points over their lengths.
    directions: Vec<Vec<f64>>,
    tied: TiedCovariance,
    whitened: Whitened,
    /// All photographs as if of one class.
    pooled: Whitened,
}

/// The measures of a picture and the photographs of one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassDistance {
    /// The data set's label.
    pub label: String,
    /// The number of its photographs.
    pub photographs: usize,
    /// The mean distance from them over all values of the layer; none without whole activations in the index.
    pub l2: Option<f64>,
    /// The mean distance of channel means.
    pub l2_means: f64,
    /// The cosine of the picture's channel means and the class's.
    pub cosine: f64,
    /// The Mahalanobis distance of directions, by the covariance of all classes.
    pub mahalanobis: f64,
    /// The square of that less the square of the distance from all photographs' mean, by their own covariance (Ren et al. 2021):
    /// what all classes have in common does not count.
    pub relative: f64,
    /// The mean Mahalanobis distance of the class's own photographs, each left out; none of a single one.
    pub own_mean: Option<f64>,
    /// The standard deviations of those by which the picture is farther away.
    pub z: Option<f64>,
    /// The share of the class's own photographs, the picture counted among them, that are as far away.
    pub rank: f64,
}

/// A label's share of the nearest photographs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Vote {
    /// The data set's label.
    pub label: String,
    /// The share, in 0..1.
    pub share: f64,
}

/// The measures of a picture among photographs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Distances {
    /// The photographs with a label.
    pub photographs: usize,
    /// The length of the picture's channel means, over the mean of the photographs'.
    pub length_ratio: f64,
    /// The share of a multiple of one in the covariance.
    pub shrinkage: f64,
    /// The number of directions that the photographs go into.
    pub effective_dimension: f64,
    /// Every class, the nearest first.
    pub classes: Vec<ClassDistance>,
    /// The distance by which the second class is farther than the first: 95 % of 1,000 resamplings of their photographs; none of one class.
    pub lead: Option<Interval>,
    /// The nearest class's own photographs and all others, by their distances from its mean.
    pub histogram: Bins,
    /// The labels of the ten nearest photographs, by cosine.
    pub votes: Vec<Vote>,
    /// The share that the nearest class would have by chance.
    pub chance: f64,
}

impl PhotographPoints {
    /// The labelled photographs of a layer of an index. Fails where there are fewer than ten, or none without zeros.
    pub fn read(folder: &Path, manifest: &IndexManifest, layer: &IndexedLayer) -> Result<Self> {
        let labelled = picture_points(folder, manifest, layer)?.into_iter();
        let (points, labels): (Vec<Vec<f64>>, Vec<String>) =
            labelled.filter_map(|point| Some((point.means, point.label?))).unzip();
        Self::of(points, &labels)
    }

    /// Points with their labels.
    pub fn of(points: Vec<Vec<f64>>, of: &[String]) -> Result<Self> {
        let few = || Error::FewPhotographs { found: points.len(), needed: NEIGHBOURS };
        if points.len() < NEIGHBOURS {
            return Err(few());
        }
        let places: BTreeMap<&String, usize> = of.iter().map(|label| (label, 0)).collect();
        let labels: Vec<String> = places.into_keys().cloned().collect();
        let classes: Vec<usize> = of.iter().filter_map(|label| labels.binary_search(label).ok()).collect();
        let mut counts = vec![0; labels.len()];
        for &class in &classes {
            counts[class] += 1;
        }
        let directions = directions(&points);
        let tied = TiedCovariance::of(&directions, &classes, labels.len());
        let whitened = tied.whiten(&directions, &classes).ok_or(Error::NoSpread)?;
        let one = vec![0; points.len()];
        let pooled =
            TiedCovariance::of(&directions, &one, 1).whiten(&directions, &one).ok_or(Error::NoSpread)?;
        Ok(Self { labels, points, classes, counts, directions, tied, whitened, pooled })
    }

    /// The photographs of a class, as places among the points.
    fn of_class(&self, class: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.points.len()).filter(move |&at| self.classes[at] == class)
    }

    /// Measures a picture's channel means. `tensors` has the mean distance over all values from each class's photographs, if
    /// that is known.
    pub fn measure(&self, means: &[f64], tensors: Option<&[f64]>, seed: u64) -> Distances {
        let place = self.whitened.place(&direction(means));
        let from_all = self.pooled.distance(&self.pooled.place(&direction(means)), 0).powi(2);
        let mut classes: Vec<(usize, ClassDistance)> = (0..self.labels.len())
            .map(|class| (class, self.class_distance(class, means, (&place, from_all), tensors)))
            .collect();
        classes.sort_by(|(_, a), (_, b)| a.mahalanobis.total_cmp(&b.mahalanobis));
        let nearest = classes[0].0;
        let lead = classes.get(1).map(|second| self.lead(&place, [nearest, second.0], seed));
        let lengths: Vec<f64> = self.points.iter().map(|point| length(point)).collect();
        let mean_length = lengths.iter().sum::<f64>() / lengths.len() as f64;
        let (own, others) = (self.whitened.left_out(nearest), self.whitened.of_others(nearest));
        Distances {
            photographs: self.points.len(),
            length_ratio: length(means) / mean_length,
            shrinkage: self.tied.shrinkage,
            effective_dimension: self.tied.effective_dimension(),
            classes: classes.into_iter().map(|(_, class)| class).collect(),
            lead,
            histogram: bins(&own, &others),
            votes: self.votes(means),
            chance: self.counts[nearest] as f64 / self.points.len() as f64,
        }
    }

    fn class_distance(
        &self,
        class: usize,
        means: &[f64],
        (place, from_all): (&[f64], f64),
        tensors: Option<&[f64]>,
    ) -> ClassDistance {
        let count = self.counts[class] as f64;
        let mut centre = vec![0.0; means.len()];
        let mut l2 = 0.0;
        for at in self.of_class(class) {
            l2 += distance(means, &self.points[at]) / count;
            centre.iter_mut().zip(&self.points[at]).for_each(|(sum, x)| *sum += x / count);
        }
        let mahalanobis = self.whitened.distance(place, class);
        let own = self.whitened.left_out(class);
        let spread = mean_and_deviation(&own);
        ClassDistance {
            label: self.labels[class].clone(),
            photographs: self.counts[class],
            l2: tensors.map(|tensors| tensors[class]),
            l2_means: l2,
            cosine: dot(&direction(means), &direction(&centre)),
            mahalanobis,
            relative: mahalanobis.powi(2) - from_all,
            own_mean: spread.map(|(mean, _)| mean),
            z: spread
                .filter(|(_, deviation)| *deviation > 0.0)
                .map(|(mean, deviation)| (mahalanobis - mean) / deviation),
            rank: empirical_rank(mahalanobis, &own),
        }
    }

    /// The distance by which the second class is farther away than the first, as an interval.
    fn lead(&self, place: &[f64], classes: [usize; 2], seed: u64) -> Interval {
        let photographs = classes.map(|class| self.whitened.of_class(class));
        let counts = classes.map(|class| self.counts[class]);
        interval(&counts, seed, |sample| {
            let [first, second] = [0, 1].map(|group| {
                let mut centre = vec![0.0; place.len()];
                for &at in &sample[group] {
                    let photograph = photographs[group][at];
                    centre.iter_mut().zip(photograph).for_each(|(sum, x)| *sum += x / counts[group] as f64);
                }
                distance(place, &centre)
            });
            second - first
        })
    }

    /// The places of the nearest photographs by cosine, the nearest first.
    pub fn neighbours(&self, means: &[f64]) -> Vec<usize> {
        let own = direction(means);
        let cosines: Vec<f64> = self.directions.iter().map(|other| dot(&own, other)).collect();
        let mut order: Vec<usize> = (0..cosines.len()).collect();
        order.sort_by(|&a, &b| cosines[b].total_cmp(&cosines[a]));
        order.truncate(NEIGHBOURS);
        order
    }

    fn votes(&self, means: &[f64]) -> Vec<Vote> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for at in self.neighbours(means) {
            *counts.entry(&self.labels[self.classes[at]]).or_default() += 1;
        }
        let vote = |(label, count): (&str, usize)| Vote {
            label: label.into(),
            share: count as f64 / NEIGHBOURS as f64,
        };
        let mut votes: Vec<Vote> = counts.into_iter().map(vote).collect();
        votes.sort_by(|a, b| b.share.total_cmp(&a.share));
        votes
    }

    /// The mean distance of an activation, `[1, C, H, W]`, from each class's photographs, over all values; none where the
    /// index has no whole activations.
    pub fn tensor_distances(
        &self,
        (folder, manifest, layer): (&Path, &IndexManifest, &IndexedLayer),
        activation: &Array,
    ) -> Result<Option<Vec<f64>>> {
        if !layer.full {
            return Ok(None);
        }
        let mut sums = vec![0.0; self.labels.len()];
        for path in manifest.shards(folder, layer) {
            let shard = ShardFile::open(&path)?;
            let rows = shard.labelled_rows()?;
            for (row, values) in rows.iter().zip(shard.activations()?) {
                let class = row.label.label.as_ref().and_then(|label| self.labels.binary_search(label).ok());
                let Some(class) = class else { continue };
                let squares = activation
                    .data()
                    .iter()
                    .zip(&values)
                    .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
                sums[class] += squares.sum::<f64>().sqrt();
            }
        }
        Ok(Some(sums.iter().zip(&self.counts).map(|(sum, &count)| sum / count as f64).collect()))
    }
}
