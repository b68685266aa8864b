//! The split of a margin over the channels of a layer, by derivatives at the picture and along a path to it.

use serde::Serialize;
use trepang_api::Array;

use super::ablate::{Single, flip_count, singles};
use super::error::Result;
use super::margin::{Margin, rank};
use super::quadrature::gauss_legendre;
use super::removal::Remover;
use super::tail::Tail;

/// Nodes of the path integral: Captum's `n_steps`.
const NODES: usize = 50;

/// A margin that is smaller has no percentages: an error of its last digit would change them.
pub(super) const LEAST_MARGIN: f64 = 1.0;

/// No percentages either where the sizes of the parts add up to more than so many times the margin: most of them cancel.
pub(super) const MOST_CANCELLATION: f64 = 5.0;

/// The part of a margin that one channel carries, by three measures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ChannelShare {
    /// The channel's index.
    pub channel: usize,
    /// Gradient x activation, summed over positions: the channel's part if the tail goes on as it is at the picture.
    pub attribution: f64,
    /// The attribution as a part of the margin; none where percentages would say nothing.
    pub share: Option<f64>,
    /// Integrated gradients from the baseline to the picture, summed over positions.
    pub integrated: f64,
    /// The margin that is lost if the channel is set to zero.
    pub ablation: f64,
    /// The margin that is gained for each unit by which the channel rises at every position: the gradient, summed over
    /// positions. Where a global average and one fully connected layer follow, it is the class's weight less the rival's.
    pub weight: f64,
}

/// The slope of a margin at a picture, channel by channel.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelSlopes {
    /// Gradient x activation, summed over positions.
    pub attributions: Vec<f64>,
    /// The gradient, summed over positions.
    pub weights: Vec<f64>,
}

/// A margin, split over the channels of a layer.
#[derive(Debug, Clone)]
pub struct Attribution {
    /// The class and its rival.
    pub margin: Margin,
    /// The margin for the picture.
    pub value: f64,
    /// The place of the class among all, counted from 1.
    pub rank: usize,
    /// The part that no channel carries: the biases of the tail, and what passes the layer by.
    pub bias: f64,
    /// Every channel, by its attribution, falling.
    pub channels: Vec<ChannelShare>,
    /// The sum of the integrated gradients less what they should add up to.
    pub completeness_error: f64,
    /// The number of channels, by their attribution, without which the class is no longer first; none if it always is.
    pub flip_count: Option<usize>,
    /// The logits with the channel of the largest attribution set to zero.
    pub without_first: Vec<f32>,
}

impl Attribution {
    /// Whether parts of this margin may be given as percentages.
    pub fn has_shares(&self) -> bool {
        self.channels.first().is_some_and(|channel| channel.share.is_some())
    }

    /// The channels in the order of their attribution.
    pub fn order(&self) -> Vec<usize> {
        self.channels.iter().map(|channel| channel.channel).collect()
    }
}

/// Whether attributions of a margin may be given as its percentages.
pub(super) fn allows_shares(margin: f64, attributions: &[f64]) -> bool {
    let sizes: f64 = attributions.iter().map(|part| part.abs()).sum();
    margin.abs() >= LEAST_MARGIN && sizes <= MOST_CANCELLATION * margin.abs()
}

/// Splits a margin over all channels of the tail's layer. `baseline`, `[1, C, H, W]`, is where the path of the integrated
/// gradients begins; `remover` sets channels to zero.
pub fn attribute(
    tail: &mut Tail,
    margin: Margin,
    baseline: &Array,
    remover: &Remover,
) -> Result<Attribution> {
    let value = margin.of(tail.logits());
    let ChannelSlopes { attributions, weights } = slopes(tail, margin)?;
    let (integrated, completeness_error) = integrated(tail, margin, baseline)?;
    let ablations = singles(tail, margin, &[remover])?;
    let shares = allows_shares(value, &attributions);
    let part = |Single { channel, effect, .. }: &Single| {
        let (channel, attribution) = (*channel, attributions[*channel]);
        let share = shares.then(|| attribution / value);
        let (integrated, weight) = (integrated[channel], weights[channel]);
        ChannelShare { channel, attribution, share, integrated, ablation: *effect, weight }
    };
    let mut channels: Vec<ChannelShare> = ablations.iter().map(part).collect();
    channels.sort_by(|a, b| b.attribution.total_cmp(&a.attribution));
    let order: Vec<usize> = channels.iter().map(|channel| channel.channel).collect();
    Ok(Attribution {
        margin,
        value,
        rank: rank(margin.class, tail.logits()),
        bias: value - attributions.iter().sum::<f64>(),
        completeness_error,
        flip_count: flip_count(tail, margin, &[remover], &order)?,
        without_first: remover.logits(tail, &[order[..1].to_vec()])?.swap_remove(0),
        channels,
    })
}

/// Gradient x activation of each channel, summed over positions (Lucid's channel attribution; Captum's
/// `InputXGradient` on the tail).
pub fn gradient_times_activation(tail: &mut Tail, margin: Margin) -> Result<Vec<f64>> {
    Ok(slopes(tail, margin)?.attributions)
}

/// The same with the sums of the gradient itself.
pub fn slopes(tail: &mut Tail, margin: Margin) -> Result<ChannelSlopes> {
    let activation = tail.activation().clone();
    let (_, gradient) = tail.gradients(activation.clone(), margin)?;
    let gradient = gradient.data().iter().copied().map(f64::from);
    let products = gradient.clone().zip(activation.data()).map(|(g, a)| g * f64::from(*a));
    let channels = tail.channels();
    Ok(ChannelSlopes {
        attributions: per_channel(products, channels),
        weights: per_channel(gradient, channels),
    })
}

/// Integrated gradients of each channel on the straight path from `baseline`, `[1, C, H, W]`, to the picture's activation
/// (Sundararajan et al. 2017; Captum's `IntegratedGradients` on the tail), and their completeness error: their sum less
/// the difference of the margins at the two ends. What passes the layer by stays that of the picture.
pub fn integrated(tail: &mut Tail, margin: Margin, baseline: &Array) -> Result<(Vec<f64>, f64)> {
    tail.check_shape("the baseline", baseline)?;
    let activation = tail.activation().clone();
    let path: Vec<f32> = activation.data().iter().zip(baseline.data()).map(|(a, b)| a - b).collect();
    let mut mean = vec![0.0_f64; path.len()];
    for nodes in gauss_legendre(NODES).chunks(tail.batch()) {
        let on_path = |t: f64| {
            baseline
                .data()
                .iter()
                .zip(&path)
                .map(move |(b, step)| (f64::from(*b) + t * f64::from(*step)) as f32)
        };
        let variants = nodes.iter().flat_map(|(t, _)| on_path(*t)).collect();
        let shape: Vec<usize> = [&[nodes.len()], &activation.shape()[1..]].concat();
        let (_, gradients) = tail.gradients(Array::new(shape, variants)?, margin)?;
        for (n, (_, weight)) in nodes.iter().enumerate() {
            mean.iter_mut().zip(gradients.item(n)).for_each(|(sum, g)| *sum += weight * f64::from(*g));
        }
    }
    let parts = per_channel(mean.iter().zip(&path).map(|(g, step)| g * f64::from(*step)), tail.channels());
    let head = tail.head();
    let at_baseline = margin.of(tail.run(baseline.clone(), head)?.data());
    let error = parts.iter().sum::<f64>() - (margin.of(tail.logits()) - at_baseline);
    Ok((parts, error))
}

/// Sums over the positions of each channel, of numbers that are `[C, H, W]`.
fn per_channel(numbers: impl ExactSizeIterator<Item = f64>, channels: usize) -> Vec<f64> {
    let positions = numbers.len() / channels;
    let mut sums = vec![0.0; channels];
    numbers.enumerate().for_each(|(index, number)| sums[index / positions] += number);
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_refused_where_they_would_say_nothing() {
        assert!(allows_shares(2.0, &[1.5, 0.5]) && allows_shares(-2.0, &[-2.5, 0.5]));
        assert!(!allows_shares(0.9, &[0.5, 0.4]), "a small margin");
        assert!(!allows_shares(2.0, &[9.0, -7.0]), "parts that cancel");
    }

    #[test]
    fn a_channels_numbers_are_those_of_its_positions() {
        assert_eq!(per_channel([1.0, 2.0, 3.0, 4.0, 5.0, 6.0].into_iter(), 3), [3.0, 7.0, 11.0]);
    }
}
