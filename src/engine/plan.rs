//! Everything that decides an ascent, given a network and its weights. Serialised, it is what manifests and PNGs carry.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::objective::Objective;
use super::recipe::Recipe;
use super::start::Start;

/// Everything that decides an ascent, given a network and its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The objective that is raised from the first step on.
    pub objective: Objective,
    /// The recipe that the first step follows.
    pub recipe: Recipe,
    /// The side of the square image, in pixels.
    pub size: usize,
    /// The seed of all randomness.
    pub seed: u64,
    /// The image before the first step.
    pub start: Start,
    /// The number of steps that the run is meant to take.
    pub steps: usize,
    /// The pictures that objectives compare with: their files, and the SHA-256 of their pixels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub references: BTreeMap<String, String>,
    /// The changes on the way, in the order of the steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// From a step on, another objective or recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The number of steps taken by then.
    pub step: usize,
    /// The objective that is raised from there on.
    pub objective: Objective,
    /// The recipe that is followed from there on.
    pub recipe: Recipe,
}

impl Plan {
    /// A run from noise.
    pub fn new(objective: Objective, recipe: Recipe, size: usize) -> Self {
        let steps = recipe.steps;
        let (references, changes) = (BTreeMap::new(), Vec::new());
        Self { objective, recipe, size, seed: 0, start: Start::Noise, steps, references, changes }
    }

    /// The objective and the recipe that hold after so many steps.
    pub fn at(&self, step: usize) -> (&Objective, &Recipe) {
        let last = self.changes.iter().rev().find(|change| change.step <= step);
        last.map_or((&self.objective, &self.recipe), |change| (&change.objective, &change.recipe))
    }

    /// The objective that is raised at the end.
    pub fn last_objective(&self) -> &Objective {
        self.at(usize::MAX).0
    }
}
