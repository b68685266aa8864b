//! A whole network against what another framework computed. Not among [`CHECKS`](super::CHECKS): it needs a file.

use super::decisions::{MAX_DECISIONS, NEAR_TIE, near_ties};
use super::residual::without;
use super::{ACTIVATION_TOLERANCE, GRADIENT_TOLERANCE, relative_difference};
use crate::{Array, Backend, Device, LayerId, Model, Network, ReluGradient, Result, Weights};

/// Activations and gradients of a whole network that another framework computed.
#[derive(Debug)]
pub struct Golden {
    /// The network that the other framework ran.
    pub network: Network,
    /// The weights that it ran with.
    pub weights: Weights,
    /// `[N, 3, H, W]`, RGB in 0..1.
    pub images: Array,
    /// Layer name and what it holds; an array with fewer channels stands for the first ones.
    pub activations: Vec<(String, Array)>,
    /// Layer name, channel, and dL/d(images) of the channel's spatial mean summed over the batch.
    pub gradients: Vec<(String, usize, Array)>,
}

/// An array of a [`Golden`], and how far a backend's own is from it.
#[derive(Debug, Clone, PartialEq)]
pub struct GoldenRow {
    /// The layer, or which gradient.
    pub name: String,
    /// Whether it is within the tolerance.
    pub passes: bool,
    /// The difference of the two.
    pub difference: Difference,
}

/// The distance of two gradients, relative to the largest entry of the expected one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// The largest difference, without what near-ties explain.
    pub worst: f64,
    /// The largest difference as it is.
    pub with_near_ties: f64,
    /// The number of near-ties that were taken into account: none where the difference is small enough without them.
    pub near_ties: usize,
}

/// The distance of a backend from every array of a golden file.
pub fn matches_golden(backend: &dyn Backend, device: &Device, golden: &Golden) -> Result<Vec<GoldenRow>> {
    let mut model = backend.load(&golden.network, &golden.weights, device)?;
    let mut rows = Vec::new();
    for (name, expected) in &golden.activations {
        let layer = golden.network.layer(name)?;
        let activation = model.activations(&golden.images, &[layer])?.swap_remove(0);
        let len = expected.item(0).len();
        let worst = (0..expected.shape()[0])
            .map(|n| relative_difference(&activation.item(n)[..len], expected.item(n)))
            .fold(0.0, f64::max);
        let difference = Difference { worst, with_near_ties: worst, near_ties: 0 };
        rows.push(GoldenRow { name: name.clone(), passes: worst <= ACTIVATION_TOLERANCE, difference });
    }
    for (name, channel, expected) in &golden.gradients {
        let Golden { network, images, .. } = golden;
        let layer = network.layer(name)?;
        let mut mean = |activations: &[Array]| Ok(vec![mean_cotangent(&activations[0], *channel)?]);
        let found = model.pull_back(images, &[layer], ReluGradient::True, &mut mean)?;
        let pulled_back = PulledBack { network, layer, images };
        let difference = pulled_back.apart(&found, expected, GRADIENT_TOLERANCE, model.as_mut())?;
        let name = format!("gradient of {name}:{channel}");
        rows.push(GoldenRow { name, passes: difference.worst <= GRADIENT_TOLERANCE, difference });
    }
    Ok(rows)
}

/// The objective of a gradient.
#[derive(Debug, Clone, Copy)]
pub struct PulledBack<'a> {
    /// The network that ran.
    pub network: &'a Network,
    /// The layer whose cotangent was pulled back.
    pub layer: LayerId,
    /// dL/d(these) is the gradient.
    pub images: &'a Array,
}

impl PulledBack<'_> {
    /// The distance of `found` from `expected`. Where that is more than `tolerance`, the part of the difference is taken
    /// away that lies in the span of `model`'s near-ties: whoever computed `expected` may have decided them the other way.
    pub fn apart(
        &self,
        found: &Array,
        expected: &Array,
        tolerance: f64,
        model: &mut dyn Model,
    ) -> Result<Difference> {
        let with_near_ties = relative_difference(found.data(), expected.data());
        if with_near_ties <= tolerance {
            return Ok(Difference { worst: with_near_ties, with_near_ties, near_ties: 0 });
        }
        let mut near = near_ties(self.network, self.layer, self.images, model, NEAR_TIE)?;
        near.truncate(MAX_DECISIONS);
        let explained = without(found, expected, &near, self.images, model)?;
        let worst = relative_difference(explained.data(), expected.data());
        Ok(Difference { worst, with_near_ties, near_ties: near.len() })
    }
}

/// The cotangent of a channel's spatial mean, summed over the batch: 1 / (H W) on that channel.
fn mean_cotangent(activation: &Array, channel: usize) -> Result<Array> {
    let (n, shape) = activation.dims4()?;
    let area = shape.height * shape.width;
    let mut cotangent = Array::zeros(activation.shape());
    for n in 0..n {
        cotangent.item_mut(n)[channel * area..][..area].fill(1.0 / area as f32);
    }
    Ok(cotangent)
}
