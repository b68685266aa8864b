//! A backend's results for a whole network, kept so that any two backends can be compared: the activation at each
//! layer, and a pull-back. Not for ascents, which are the caller's.

use super::decisions::{MAX_DECISIONS, differing};
use super::residual::without;
use super::{images, noise, relative_difference};
use crate::{Array, LayerId, Model, Network, Precision, ReluGradient, Result};

/// The largest difference of two correct `f32` backends in an activation of a whole network, relative to the layer's largest
/// entry: some fifty layers, each of sums of up to 25,088 products.
const SURVEY_ACTIVATION_TOLERANCE: f64 = 1e-4;

/// The same for dL/d(images), once the decisions that the two took differently are accounted for.
const SURVEY_GRADIENT_TOLERANCE: f64 = 1e-3;

/// The largest differences of two correct backends, in activations and in gradients, where the less exact one has this
/// precision.
pub fn survey_tolerances(precision: Precision) -> [f64; 2] {
    match precision {
        Precision::F32 => [SURVEY_ACTIVATION_TOLERANCE, SURVEY_GRADIENT_TOLERANCE],
    }
}

/// Everything that is compared.
#[derive(Debug, Clone)]
pub struct Survey {
    /// The layers and what they hold for one picture of noise, in the network's order.
    pub activations: Vec<(LayerId, Array)>,
    /// dL/d(images) for a cotangent of noise at `from`.
    pub gradient: Array,
    from: LayerId,
}

/// The distance of two activations.
#[derive(Debug, Clone, PartialEq)]
pub struct ActivationsApart {
    /// The largest difference, relative to the layer's largest entry.
    pub worst: f64,
    /// The layer where it is.
    pub layer: String,
}

/// The distance of two gradients.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientsApart {
    /// The largest difference, relative to the largest entry, without what differing decisions explain.
    pub worst: f64,
    /// The same with it.
    pub with_decisions: f64,
    /// The number of decisions that the two took differently.
    pub decisions: usize,
}

impl Survey {
    /// Runs the network, at its own size, on a picture of noise, and pulls a cotangent of noise back from `from`.
    pub fn of(model: &mut dyn Model, network: &Network, from: LayerId) -> Result<Self> {
        let at: Vec<LayerId> = network.layers().collect();
        let picture = picture(network);
        let activations = model.activations(&picture, &at)?;
        let gradient = model.pull_back(&picture, &[from], ReluGradient::True, &mut |found| {
            Ok(vec![noise(52, found[0].shape())])
        })?;
        Ok(Self { activations: at.into_iter().zip(activations).collect(), gradient, from })
    }

    /// The activation of a layer.
    pub fn activation(&self, layer: LayerId) -> Option<&Array> {
        self.activations.iter().find(|(id, _)| *id == layer).map(|(_, activation)| activation)
    }

    /// The layer at which the two differ most.
    pub fn activations_apart(&self, other: &Self, network: &Network) -> Result<ActivationsApart> {
        let (mut worst, mut layer) = (0.0, self.from);
        for ((id, a), (_, b)) in self.activations.iter().zip(&other.activations) {
            let apart = relative_difference(b.data(), a.data());
            if apart > worst {
                (worst, layer) = (apart, *id);
            }
        }
        Ok(ActivationsApart { worst, layer: network.node(layer)?.name.clone() })
    }

    /// The distance of the two gradients. `model` is the one that `self` was made with: it is asked what each
    /// decision that differs does to the gradient.
    pub fn gradients_apart(
        &self,
        other: &Self,
        network: &Network,
        model: &mut dyn Model,
    ) -> Result<GradientsApart> {
        let with_decisions = relative_difference(other.gradient.data(), self.gradient.data());
        let decisions = differing(network, self.from, [&self.activations, &other.activations])?;
        let worst = if (1..=MAX_DECISIONS).contains(&decisions.len()) {
            let explained = without(&other.gradient, &self.gradient, &decisions, &picture(network), model)?;
            relative_difference(explained.data(), self.gradient.data())
        } else {
            with_decisions
        };
        Ok(GradientsApart { worst, with_decisions, decisions: decisions.len() })
    }
}

fn picture(network: &Network) -> Array {
    let size = network.input().native;
    images(51, 1, [size, size])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{Sample, samples};
    use crate::{Backend, Reference, Weights, find_device};

    fn sample(name: &str) -> Sample {
        let all = samples().unwrap();
        all.into_iter().find(|sample| sample.network.name() == name).unwrap()
    }

    /// The survey with these weights, and the model.
    fn survey(network: &Network, weights: &Weights) -> (Survey, Box<dyn Model>) {
        let cpu = find_device(&Reference, "cpu").unwrap();
        let mut model = Reference.load(network, weights, &cpu).unwrap();
        let from = network.layers().last().unwrap();
        (Survey::of(model.as_mut(), network, from).unwrap(), model)
    }

    fn changed(weights: &Weights, tensor: &str, change: impl Fn(&mut [f32])) -> Weights {
        let mut array = weights.get(tensor).unwrap().clone();
        change(array.data_mut());
        let mut weights = weights.clone();
        weights.insert(tensor, array);
        weights
    }

    #[test]
    fn a_near_tie_that_falls_the_other_way_is_explained() {
        let Sample { network, weights, .. } = sample("relu-between-convs");
        let bias = "conv-3x3-of-0.bias";
        // Moves a channel so that one of its numbers is 1e-5 above zero, or below.
        let (before, _) = survey(&network, &weights);
        let (layer, plane) = &before.activations[0];
        assert_eq!(network.node(*layer).unwrap().name, "conv-3x3-of-0");
        let number = plane.data()[7];
        let (above, mut model) = survey(&network, &changed(&weights, bias, |b| b[0] += 1e-5 - number));
        let (below, _) = survey(&network, &changed(&weights, bias, |b| b[0] -= 1e-5 + number));
        let apart = above.gradients_apart(&below, &network, model.as_mut()).unwrap();
        assert!(apart.with_decisions > 1e-2 && apart.decisions == 1, "{apart:?}");
        assert!(apart.worst < 1e-6, "{apart:?}");
    }

    #[test]
    fn a_wrong_weight_is_not() {
        for name in ["relu-between-convs", "max-pool"] {
            let Sample { network, weights, .. } = sample(name);
            let wrong = changed(&weights, "conv-3x3-of-0.weight", |w| w[0] += 0.05);
            let ((right, mut model), (wrong, _)) = (survey(&network, &weights), survey(&network, &wrong));
            let apart = right.gradients_apart(&wrong, &network, model.as_mut()).unwrap();
            assert!(apart.worst > SURVEY_GRADIENT_TOLERANCE, "{apart:?}");
            let apart = right.activations_apart(&wrong, &network).unwrap();
            assert!(apart.worst > SURVEY_ACTIVATION_TOLERANCE, "{apart:?}");
        }
    }
}
