//! Maps over a picture: which parts of it speak for a class, or for a channel. Those of a layer are computed at its positions
//! and enlarged; those of pixels have the picture's size.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use trepang_api::{Array, LayerId, Model, Network, ReluGradient};

use super::baselines::normal;
use super::error::{Error, Result};
use super::tail::Tail;

/// Noisy copies of `smooth_grad`, and their deviation as a share of the range of pixels, 0..1.
const COPIES: usize = 50;
const NOISE: f64 = 0.15;

/// The patch of an occlusion: a seventh of the side, moved by half of itself (32 and 16 of 224 pixels).
const PATCH: usize = 7;

/// Pictures of a batch.
const BATCH: usize = 10;

/// The number that pytorch-grad-cam adds to the largest value before it divides by it.
const LEAST: f64 = 1e-7;

/// A number for each position, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// The number of rows.
    pub height: usize,
    /// The number of columns.
    pub width: usize,
    /// The numbers, row after row.
    pub values: Vec<f64>,
}

impl Map {
    /// The map between 0 and 1 as pytorch-grad-cam scales it: nothing below 0, less the smallest, over the largest.
    #[must_use]
    pub fn scaled(&self) -> Self {
        let positive: Vec<f64> = self.values.iter().map(|value| value.max(0.0)).collect();
        let least = positive.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = positive.iter().map(|value| value - least).fold(0.0, f64::max);
        let values = positive.iter().map(|value| (value - least) / (LEAST + largest)).collect();
        Self { values, ..*self }
    }

    /// The map at another size: bilinear between the middles of positions, as `cv2.resize` and torchvision do.
    #[must_use]
    pub fn enlarged(&self, height: usize, width: usize) -> Self {
        let taps = |from: usize, to: usize| -> Vec<(usize, usize, f64)> {
            let place = |at: usize| {
                let place = ((at as f64 + 0.5) * from as f64 / to as f64 - 0.5).clamp(0.0, (from - 1) as f64);
                (place as usize, (place as usize + 1).min(from - 1), place.fract())
            };
            (0..to).map(place).collect()
        };
        let (rows, columns) = (taps(self.height, height), taps(self.width, width));
        let mut values = Vec::with_capacity(height * width);
        for &(top, bottom, down) in &rows {
            for &(left, right, across) in &columns {
                let at = |y: usize, x: usize| self.values[y * self.width + x];
                let above = at(top, left) + across * (at(top, right) - at(top, left));
                let below = at(bottom, left) + across * (at(bottom, right) - at(bottom, left));
                values.push(above + down * (below - above));
            }
        }
        Self { height, width, values }
    }
}

/// The positions of a layer by gradient times activation of a class's logit, summed over channels: `HiResCAM` (Draelos and Carin
/// 2020). It is the attribution of channels before positions are summed.
pub fn hires_cam(tail: &mut Tail, class: usize) -> Result<Map> {
    let gradient = tail.logit_gradient(class)?;
    let activation = tail.activation().clone();
    let mut map = empty(&activation)?;
    let positions = map.values.len();
    for (at, (slope, value)) in gradient.data().iter().zip(activation.data()).enumerate() {
        map.values[at % positions] += f64::from(*slope) * f64::from(*value);
    }
    Ok(map)
}

/// The positions of a layer by activations, each channel weighted by the mean of its gradient: Grad-CAM (Selvaraju et al. 2017).
pub fn grad_cam(tail: &mut Tail, class: usize) -> Result<Map> {
    let gradient = tail.logit_gradient(class)?;
    let activation = tail.activation().clone();
    let mut map = empty(&activation)?;
    let positions = map.values.len();
    for (slopes, values) in gradient.data().chunks(positions).zip(activation.data().chunks(positions)) {
        let weight = slopes.iter().copied().map(f64::from).sum::<f64>() / positions as f64;
        map.values.iter_mut().zip(values).for_each(|(sum, value)| *sum += weight * f64::from(*value));
    }
    Ok(map)
}

/// A channel of a layer, `[1, C, H, W]`. Fails for a channel that it does not have.
pub fn channel_map(activation: &Array, channel: usize) -> Result<Map> {
    let mut map = empty(activation)?;
    let positions = map.values.len();
    let plane = activation.data().chunks(positions).nth(channel).ok_or(Error::NoValues)?;
    map.values = plane.iter().copied().map(f64::from).collect();
    Ok(map)
}

/// The largest slope of a class's logit with respect to the three colours of each pixel (Simonyan et al. 2013).
pub fn saliency(model: &mut dyn Model, network: &Network, picture: &Array, class: usize) -> Result<Map> {
    let gradient = pixel_gradient(model, network, picture, class)?;
    largest_colour(&gradient, 0)
}

/// The mean of [`saliency`] over 50 copies of the picture with noise by the seed (Smilkov et al. 2017): of each pixel's
/// gradient, before the largest colour is taken.
pub fn smooth_grad(
    model: &mut dyn Model,
    network: &Network,
    picture: &Array,
    (class, seed): (usize, u64),
) -> Result<Map> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut sum = Array::zeros(picture.shape());
    for _ in 0..COPIES.div_ceil(BATCH) {
        let copies: Vec<f32> = (0..BATCH)
            .flat_map(|_| {
                picture
                    .data()
                    .iter()
                    .map(|value| value + (NOISE * normal(&mut rng)) as f32)
                    .collect::<Vec<_>>()
            })
            .collect();
        let shape: Vec<usize> = [&[BATCH], &picture.shape()[1..]].concat();
        let gradient = pixel_gradient(model, network, &Array::new(shape, copies)?, class)?;
        for n in 0..BATCH {
            sum.data_mut().iter_mut().zip(gradient.item(n)).for_each(|(sum, slope)| *sum += slope);
        }
    }
    let copies = (COPIES.div_ceil(BATCH) * BATCH) as f32;
    sum.data_mut().iter_mut().for_each(|sum| *sum /= copies);
    largest_colour(&sum, 0)
}

/// The part of a class's logit that is lost when a patch of the picture's mean colour covers a pixel, as the mean over the
/// patches that do (Zeiler and Fergus 2013).
pub fn occlusion(model: &mut dyn Model, network: &Network, picture: &Array, class: usize) -> Result<Map> {
    let (_, shape) = picture.dims4()?;
    let (height, width) = (shape.height, shape.width);
    let side = (height.min(width) / PATCH).max(2);
    let starts = |all: usize| (0..all - side / 2).step_by(side / 2);
    let places: Vec<(usize, usize)> =
        starts(height).flat_map(|y| starts(width).map(move |x| (y, x))).collect();
    let whole = logits(model, network, picture, class)?[0];
    let (mut sums, mut counts) = (vec![0.0; height * width], vec![0_usize; height * width]);
    let mean =
        picture.data().chunks(height * width).map(|plane| plane.iter().sum::<f32>() / plane.len() as f32);
    let mean: Vec<f32> = mean.collect();
    for batch in places.chunks(BATCH) {
        let mut data = picture.data().repeat(batch.len());
        for (copy, &(y, x)) in data.chunks_mut(picture.data().len()).zip(batch) {
            for (plane, mean) in copy.chunks_mut(height * width).zip(&mean) {
                patch((y, x), side, (height, width)).for_each(|at| plane[at] = *mean);
            }
        }
        let copies = Array::new([batch.len(), 3, height, width], data)?;
        for (logit, &place) in logits(model, network, &copies, class)?.into_iter().zip(batch) {
            for at in patch(place, side, (height, width)) {
                sums[at] += whole - logit;
                counts[at] += 1;
            }
        }
    }
    let values = sums.into_iter().zip(counts).map(|(sum, count)| sum / count.max(1) as f64).collect();
    Ok(Map { height, width, values })
}

/// The pixels of a patch that begins at a place.
fn patch(
    (y, x): (usize, usize),
    side: usize,
    (height, width): (usize, usize),
) -> impl Iterator<Item = usize> {
    (y..(y + side).min(height)).flat_map(move |y| (x..(x + side).min(width)).map(move |x| y * width + x))
}

fn empty(activation: &Array) -> Result<Map> {
    let (_, shape) = activation.dims4()?;
    Ok(Map { height: shape.height, width: shape.width, values: vec![0.0; shape.height * shape.width] })
}

fn head(network: &Network) -> Result<LayerId> {
    network.logits().ok_or_else(|| Error::NoClassifier { network: network.name().into() })
}

/// A class's logit for each picture.
fn logits(model: &mut dyn Model, network: &Network, pictures: &Array, class: usize) -> Result<Vec<f64>> {
    let found = model.activations(pictures, &[head(network)?])?.pop().ok_or(Error::NoValues)?;
    (0..found.shape()[0])
        .map(|n| found.item(n).get(class).copied().map(f64::from).ok_or(Error::NoValues))
        .collect()
}

/// The slopes of a class's logit with respect to pixels, of each picture.
fn pixel_gradient(model: &mut dyn Model, network: &Network, pictures: &Array, class: usize) -> Result<Array> {
    let mut cotangents = |found: &[Array]| {
        let mut one = Array::zeros(found[0].shape());
        for n in 0..found[0].shape()[0] {
            if let Some(slope) = one.item_mut(n).get_mut(class) {
                *slope = 1.0;
            }
        }
        Ok(vec![one])
    };
    let gradient = model.pull_back(pictures, &[head(network)?], ReluGradient::True, &mut cotangents)?;
    if gradient.data().iter().any(|slope| !slope.is_finite()) {
        return Err(Error::NotFinite { network: network.name().into(), what: "gradients" });
    }
    Ok(gradient)
}

fn largest_colour(gradient: &Array, n: usize) -> Result<Map> {
    let mut map = empty(gradient)?;
    for plane in gradient.item(n).chunks(map.values.len()) {
        map.values
            .iter_mut()
            .zip(plane)
            .for_each(|(largest, slope)| *largest = largest.max(f64::from(slope.abs())));
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scaled_map_is_between_0_and_1() {
        let map = Map { height: 1, width: 4, values: vec![-3.0, 1.0, 2.0, 5.0] };
        let scaled = map.scaled();
        assert!(
            scaled.values.iter().zip([0.0, 0.2, 0.4, 1.0]).all(|(a, b)| (a - b).abs() < 1e-6),
            "{scaled:?}"
        );
        assert_eq!(Map { values: vec![-1.0; 4], ..map }.scaled().values, [0.0; 4]);
    }

    #[test]
    fn a_map_is_enlarged_between_the_middles_of_positions() {
        let map = Map { height: 1, width: 2, values: vec![0.0, 1.0] };
        assert_eq!(map.enlarged(1, 4).values, [0.0, 0.25, 0.75, 1.0]);
        assert_eq!(map.enlarged(2, 2).values, [0.0, 1.0, 0.0, 1.0]);
    }

    #[test]
    fn patches_end_at_the_edges() {
        assert_eq!(patch((1, 2), 2, (2, 3)).collect::<Vec<_>>(), [5]);
        assert_eq!(patch((0, 0), 2, (2, 3)).collect::<Vec<_>>(), [0, 1, 3, 4]);
    }
}
