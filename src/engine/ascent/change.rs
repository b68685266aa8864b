//! Another objective or recipe in the middle of a run. It is part of the plan from then on, so the run can still be made
//! again from its start.

use super::{Ascent, State, check_images, param, view_side};
use crate::engine::param::Backdrop;
use crate::engine::{Change, Error, Objective, Plan, Recipe, Result};

impl Ascent {
    /// From the next step on raises `objective` as `recipe` has it; the picture stays. Fails, and changes nothing, when
    /// they do not fit the network or the run.
    pub fn change(&mut self, objective: Objective, recipe: Recipe) -> Result<()> {
        let (was, how) = self.plan.at(self.step_count());
        if (was, how) == (&objective, &recipe) {
            return Ok(());
        }
        let before = how.clone();
        let change = Change { step: self.step_count(), objective, recipe };
        self.apply(&before, &change)?;
        self.plan.changes.push(change);
        Ok(())
    }

    /// Goes back to where the run was when this plan and state were its own.
    pub fn back(&mut self, plan: Plan, state: State) -> Result<()> {
        *self = Self::resume(plan, &self.network, state, &self.pictures)?;
        Ok(())
    }

    /// Applies what the plan changes after the steps taken so far.
    pub(super) fn apply_changes(&mut self) -> Result<()> {
        let now = self.step_count();
        let earlier = self.plan.changes.iter().rev().find(|change| change.step < now);
        let mut before = earlier.map_or(&self.plan.recipe, |change| &change.recipe).clone();
        let due: Vec<Change> =
            self.plan.changes.iter().filter(|change| change.step == now).cloned().collect();
        for change in due {
            self.apply(&before, &change)?;
            before = change.recipe;
        }
        Ok(())
    }

    fn apply(&mut self, before: &Recipe, change: &Change) -> Result<()> {
        let Change { objective, recipe, .. } = change;
        recipe.check().map_err(Error::Recipe)?;
        check_images(objective, recipe)?;
        if recipe.octaves != before.octaves || recipe.images != before.images {
            return Err(Error::Recipe(
                "octaves and the number of images cannot change during a run: start a new one".into(),
            ));
        }
        if let Some(file) = objective.pictures().into_iter().find(|file| !self.pictures.contains_key(*file)) {
            return Err(Error::Recipe(format!("{file} was not read when the run began")));
        }
        let view = view_side(recipe, &self.network, self.side)?;
        let bound = objective.bind(&self.network, view)?;
        let next = param(recipe, &self.network, self.side);
        if recipe.param != before.param {
            let image = self.param.image(&self.state.x, &Backdrop::Gray)?;
            let levels: Vec<f64> = image.data().iter().map(|v| f64::from(*v) * 255.0).collect();
            self.state.x = next.encode(&levels)?;
        }
        if recipe.param != before.param || recipe.optimizer.kind != before.optimizer.kind {
            self.state.moments = recipe.optimizer.moments(self.state.x.data().len());
        }
        (self.objective, self.param, self.view, self.references) = (bound, next, view, None);
        Ok(())
    }

    /// Where the run was changed: the steps taken by then.
    pub fn changed_at(&self) -> impl Iterator<Item = usize> + '_ {
        self.plan.changes.iter().map(|change| change.step)
    }
}
