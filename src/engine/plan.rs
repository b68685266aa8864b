//! Everything that decides an ascent, given a network and its weights. Serialised, it is what manifests and PNGs carry.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::objective::Objective;
use super::optimizer::Schedule;
use super::recipe::Recipe;
use super::size::PictureSize;
use super::start::Start;
use super::transform::Transform;

/// Everything that decides an ascent, given a network and its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The objective that is raised from the first step on.
    pub objective: Objective,
    /// The recipe that the first step follows.
    pub recipe: Recipe,
    /// The size of the image, in pixels.
    pub size: PictureSize,
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
    /// The lengths that the run was meant to have on the way, in the order of the steps, where a step depends on that and
    /// it was not always `steps`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lengths: Vec<MeantLength>,
}

/// From a step on, another number of steps that the run is meant to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeantLength {
    /// The number of steps taken by then.
    pub step: usize,
    /// The number of steps that the run is meant to take in all.
    pub steps: usize,
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
    pub fn new(objective: Objective, recipe: Recipe, size: impl Into<PictureSize>) -> Self {
        let (steps, size) = (recipe.steps, size.into());
        let (references, changes, lengths) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self { objective, recipe, size, seed: 0, start: Start::Noise, steps, references, changes, lengths }
    }

    /// Checks the numbers of all recipes. Fails with one sentence.
    pub fn check_recipes(&self) -> Result<(), String> {
        let changed = self.changes.iter().map(|change| &change.recipe);
        changed.chain([&self.recipe]).try_for_each(Recipe::check)
    }

    /// The objective and the recipe that hold after so many steps.
    pub fn at(&self, step: usize) -> (&Objective, &Recipe) {
        let last = self.changes.iter().rev().find(|change| change.step <= step);
        last.map_or((&self.objective, &self.recipe), |change| (&change.objective, &change.recipe))
    }

    /// The number of steps that the run was meant to take when it had taken `step`.
    pub fn meant_steps(&self, step: usize) -> usize {
        let last = self.lengths.iter().rev().find(|length| length.step <= step);
        last.map_or(self.steps, |length| length.steps)
    }

    /// Changes the number of steps that the run is meant to take, after it has taken `taken`. The plan stays one that makes
    /// the same picture again.
    pub fn set_steps(&mut self, steps: usize, taken: usize) {
        if self.depends_on_length() && taken > 0 {
            if self.lengths.is_empty() {
                self.lengths.push(MeantLength { step: 0, steps: self.steps });
            }
            self.lengths.retain(|length| length.step < taken);
            if self.lengths.last().is_none_or(|last| last.steps != steps) {
                self.lengths.push(MeantLength { step: taken, steps });
            }
        } else {
            self.lengths.clear();
        }
        self.steps = steps;
        self.drop_needless_lengths();
    }

    /// The plan of the run as far as it has come: what makes the picture after `taken` steps again.
    #[must_use]
    pub fn up_to(&self, taken: usize) -> Self {
        let mut plan = self.clone();
        if plan.depends_on_length() && plan.lengths.is_empty() {
            plan.lengths.push(MeantLength { step: 0, steps: plan.steps });
        }
        plan.lengths.retain(|length| length.step == 0 || length.step < taken);
        plan.steps = taken;
        plan.drop_needless_lengths();
        plan
    }

    /// Whether a step depends on how many there are to be: by the schedule of the step size, crops that grow, or octaves.
    fn depends_on_length(&self) -> bool {
        let recipes = self.changes.iter().map(|change| &change.recipe).chain([&self.recipe]);
        recipes.into_iter().any(|recipe| {
            let scheduled = recipe.optimizer.schedule != Schedule::Constant;
            scheduled || recipe.octaves.is_some() || recipe.transforms.iter().any(Transform::is_crop)
        })
    }

    fn drop_needless_lengths(&mut self) {
        if self.lengths.iter().all(|length| length.steps == self.steps) {
            self.lengths.clear();
        }
    }

    /// The objective that is raised at the end.
    pub fn last_objective(&self) -> &Objective {
        self.at(usize::MAX).0
    }
}
