//! A unit of work: neighbouring channels of a layer by one recipe. Its key is made of the request alone, so whoever asks for
//! the same finds what there is.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use trepang_weights::sha256;

use crate::engine::{Objective, PictureSize, Plan, Recipe, Start};
use crate::runs::Provenance;

/// The channels of a unit, but for the last of a layer, which may have fewer.
pub const UNIT_CHANNELS: usize = 32;

/// The version of the key and of what is kept under it.
const FORMAT: u32 = 1;

/// Neighbouring channels of a layer by one recipe. The number of steps is not part of it: what has taken a few steps goes
/// on to more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// The version of the key; another one is another unit.
    pub format: u32,
    /// The name of the network.
    pub network: String,
    /// SHA-256 of its weights.
    pub weights_sha256: String,
    /// The set of weights in their file, if that has several.
    pub pick: Option<String>,
    /// The preprocessing, if it is not the network's own.
    pub input: Option<String>,
    /// The layer, in the form meant.
    pub layer: String,
    /// The first of its channels.
    pub first: usize,
    /// The recipe that all of them follow.
    pub recipe: Recipe,
    /// The size of the pictures.
    pub size: PictureSize,
    /// The random seed of each.
    pub seed: u64,
    /// The image before the first step. Of a picture, its hash decides, and not the name of its file.
    pub start: Start,
}

impl Unit {
    /// The unit that a channel's picture belongs to; none for a plan that raises something else than a channel, or that was
    /// changed on the way.
    pub fn of(plan: &Plan, provenance: &Provenance) -> Option<(Self, usize)> {
        let Objective::Channel { layer, channel } = &plan.objective else { return None };
        if !plan.changes.is_empty() || !plan.references.is_empty() {
            return None;
        }
        let unit = Self {
            format: FORMAT,
            network: provenance.network.clone(),
            weights_sha256: provenance.weights_sha256.clone(),
            pick: provenance.pick.clone(),
            input: provenance.input.clone(),
            layer: layer.clone(),
            first: channel / UNIT_CHANNELS * UNIT_CHANNELS,
            recipe: plan.recipe.clone(),
            size: plan.size,
            seed: plan.seed,
            start: match &plan.start {
                Start::Picture { sha256, .. } => {
                    Start::Picture { file: String::new(), sha256: sha256.clone() }
                }
                other => other.clone(),
            },
        };
        Some((unit, *channel))
    }

    /// Whether the unit's pictures are of the network, the weights and the preprocessing of a provenance.
    pub fn is_of(&self, provenance: &Provenance) -> bool {
        self.network == provenance.network
            && self.weights_sha256 == provenance.weights_sha256
            && self.pick == provenance.pick
            && self.input == provenance.input
    }

    /// The channels that belong to the unit.
    pub fn channels(&self) -> Range<usize> {
        self.first..self.first + UNIT_CHANNELS
    }

    /// The unit's name in a store: 64 hexadecimal digits.
    pub fn key(&self) -> String {
        // A unit is strings, numbers and a recipe, which are all JSON can hold.
        sha256(&serde_json::to_vec(self).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provenance() -> Provenance {
        Provenance {
            trepang: "0.1.0".into(),
            network: "minivgg".into(),
            weights: None,
            weights_sha256: "ab".into(),
            pick: None,
            input: None,
            backend: "cpu".into(),
            device: "cpu".into(),
            precision: "f32".into(),
            threads: 2,
            vectors: None,
        }
    }

    fn plan(channel: usize) -> Plan {
        Plan::new(Objective::channel("block5_conv2", channel), Recipe::named("lucid").unwrap(), 64)
    }

    fn key(plan: &Plan, provenance: &Provenance) -> String {
        Unit::of(plan, provenance).unwrap().0.key()
    }

    #[test]
    fn a_key_is_of_the_request_and_not_of_its_length() {
        let (first, same) = (plan(3), plan(31));
        assert_eq!(key(&first, &provenance()), key(&same, &provenance()), "one unit holds both channels");
        assert_eq!(key(&first, &provenance()), key(&Plan { steps: 9, ..plan(3) }, &provenance()));
        let elsewhere = Provenance { backend: "tch".into(), threads: 64, ..provenance() };
        assert_eq!(key(&first, &provenance()), key(&first, &elsewhere), "the request names no device");
        let pixel = Plan { recipe: Recipe::named("pixel").unwrap(), ..plan(3) };
        let others = [
            key(&plan(32), &provenance()),
            key(&Plan { seed: 1, ..plan(3) }, &provenance()),
            key(&Plan { size: 96.into(), ..plan(3) }, &provenance()),
            key(&Plan { size: PictureSize { width: 96, height: 64 }, ..plan(3) }, &provenance()),
            key(&Plan { size: PictureSize { width: 64, height: 96 }, ..plan(3) }, &provenance()),
            key(&Plan { start: Start::Gray, ..plan(3) }, &provenance()),
            key(&pixel, &provenance()),
            key(&first, &Provenance { weights_sha256: "cd".into(), ..provenance() }),
            key(&first, &Provenance { input: Some("unit".into()), ..provenance() }),
        ];
        assert!(others.iter().all(|other| *other != key(&first, &provenance())));
        assert_eq!(others.iter().collect::<std::collections::HashSet<_>>().len(), others.len());
    }

    #[test]
    fn a_start_picture_counts_by_its_pixels() {
        let from = |file: &str, hash: &str| Plan {
            start: Start::Picture { file: file.into(), sha256: hash.into() },
            ..plan(3)
        };
        assert_eq!(key(&from("a.png", "1"), &provenance()), key(&from("b.png", "1"), &provenance()));
        assert_ne!(key(&from("a.png", "1"), &provenance()), key(&from("a.png", "2"), &provenance()));
    }

    #[test]
    fn only_a_channel_belongs_to_a_unit() {
        let objective = Objective::read("channel(block5_conv2, 1) - channel(block5_conv2, 2)", &|_| Ok(0));
        let plan = Plan { objective: objective.unwrap(), ..plan(0) };
        assert!(Unit::of(&plan, &provenance()).is_none());
    }
}
