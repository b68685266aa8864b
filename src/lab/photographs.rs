//! Numbers over many photographs, one at a time: they need not be in memory together.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::Serialize;
use trepang_api::Array;

use super::attribute::ChannelSlopes;
use super::error::Result;

/// Photographs of which a channel's values are taken in turn when it is resampled, at most.
const RESAMPLED: usize = 16;

/// The attributions of a margin on photographs of its class, as means.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct OnPhotographs {
    /// The number of photographs.
    pub count: usize,
    /// The mean margin.
    pub margin: f64,
    /// The mean attribution of each channel, in the channels' order.
    pub attributions: Vec<f64>,
    /// The mean weight of each channel: the slope of the margin in it.
    pub weights: Vec<f64>,
}

impl OnPhotographs {
    /// Takes in one more photograph: its margin, and the slope of that in each channel.
    pub fn add(&mut self, margin: f64, slopes: &ChannelSlopes) {
        self.count += 1;
        self.attributions.resize(slopes.attributions.len(), 0.0);
        self.weights.resize(slopes.weights.len(), 0.0);
        let share = 1.0 / self.count as f64;
        let means = self.attributions.iter_mut().chain(&mut self.weights).chain([&mut self.margin]);
        let new = slopes.attributions.iter().chain(&slopes.weights).chain([&margin]);
        means.zip(new).for_each(|(mean, new)| *mean += share * (new - *mean));
    }
}

/// The mean of each channel of a layer over all positions of photographs.
#[derive(Debug, Clone, Default)]
pub struct ChannelMeans {
    sums: Vec<f64>,
    positions: usize,
}

impl ChannelMeans {
    /// Takes in the activation of one more photograph, `[1, C, H, W]`.
    pub fn add(&mut self, activation: &Array) -> Result<()> {
        let (_, shape) = activation.dims4()?;
        let positions = shape.height * shape.width;
        self.sums.resize(shape.channels, 0.0);
        for (sum, plane) in self.sums.iter_mut().zip(activation.data().chunks(positions)) {
            *sum += plane.iter().copied().map(f64::from).sum::<f64>();
        }
        self.positions += positions;
        Ok(())
    }

    /// An activation of this shape, `[1, C, H, W]`, with each channel at its mean everywhere; zero without photographs.
    pub fn activation(&self, shape: &[usize]) -> Result<Array> {
        let positions: usize = shape[2..].iter().product();
        let mean = |channel: usize| {
            self.sums.get(channel).map_or(0.0, |sum| (sum / self.positions.max(1) as f64) as f32)
        };
        let data = (0..shape[1]).flat_map(|channel| std::iter::repeat_n(mean(channel), positions)).collect();
        Ok(Array::new(shape, data)?)
    }
}

/// The photographs, of `count`, whose channels stand in turn for those that are taken out: at most 16, each once.
pub fn draw(count: usize, seed: u64) -> Vec<usize> {
    let mut order = shuffled(count, seed);
    order.truncate(RESAMPLED);
    order
}

/// The numbers below `count` in a random order. What it begins with does not depend on what follows.
pub fn shuffled(count: usize, seed: u64) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..count).collect();
    // Fisher and Yates.
    for place in 0..count {
        let left = (count - place) as u64;
        order.swap(place, place + (rng.next_u64() % left) as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_over_photographs_and_positions() {
        let mut means = ChannelMeans::default();
        for n in 0..3_u8 {
            let data = (0..6).map(|number| f32::from(10 * n + number)).collect();
            means.add(&Array::new([1, 3, 1, 2], data).unwrap()).unwrap();
        }
        assert_eq!(means.activation(&[1, 3, 1, 2]).unwrap().data(), [10.5, 10.5, 12.5, 12.5, 14.5, 14.5]);
    }

    #[test]
    fn photographs_are_drawn_once_each_and_by_the_seed() {
        let mut first = draw(40, 1);
        assert_eq!((first.len(), &first), (RESAMPLED, &draw(40, 1)));
        assert_ne!(first, draw(40, 2));
        first.sort_unstable();
        first.dedup();
        assert_eq!((first.len(), draw(3, 1).len(), draw(0, 1).len()), (RESAMPLED, 3, 0));
    }

    #[test]
    fn attributions_are_means_over_photographs() {
        let mut found = OnPhotographs::default();
        let slopes = |attributions: [f64; 2], weights: [f64; 2]| ChannelSlopes {
            attributions: attributions.to_vec(),
            weights: weights.to_vec(),
        };
        found.add(1.0, &slopes([2.0, 4.0], [1.0, 0.5]));
        found.add(4.0, &slopes([4.0, -4.0], [2.0, -0.5]));
        let (attributions, weights) = (vec![3.0, 0.0], vec![1.5, 0.0]);
        assert_eq!(found, OnPhotographs { count: 2, margin: 2.5, attributions, weights });
    }
}
