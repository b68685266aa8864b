//! Another objective or recipe in the middle of a run. It is part of the plan from then on, so the run can still be made
//! again from its start.

use trepang_api::{Array, CallingThread};

use super::{Ascent, AscentState, Stage, Transition, check_images, check_pictures, param};
use crate::engine::error::{Error, Result};
use crate::engine::fitting::view_size;
use crate::engine::objective::Objective;
use crate::engine::optimizer::Moments;
use crate::engine::param::Backdrop;
use crate::engine::plan::{Change, Plan};
use crate::engine::recipe::Recipe;

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
        let next = self.changed(&self.stage, &self.state.x, &self.state.moments, &before, &change)?;
        self.begin(next);
        self.plan.changes.push(change);
        Ok(())
    }

    /// Goes back to where the run was when this plan and state were its own.
    pub fn back(&mut self, plan: Plan, state: AscentState) -> Result<()> {
        *self = Self::resume(plan, &self.network, state, &self.pictures)?;
        Ok(())
    }

    /// Begins with what the plan changes before the first step.
    pub(super) fn begin_changed(&mut self) -> Result<()> {
        if let Some(next) = self.changes_at(0, &self.stage, &self.state.x, &self.state.moments)? {
            self.begin(next);
        }
        Ok(())
    }

    pub(super) fn begin(&mut self, next: Transition) {
        let Transition { stage, x, moments } = next;
        (self.stage, self.state.x, self.state.moments) = (stage, x, moments);
    }

    /// The change that the plan has after `step` steps, from these parameters on; `None` if it has none there.
    pub(super) fn changes_at(
        &self,
        step: usize,
        stage: &Stage,
        x: &Array,
        moments: &Moments,
    ) -> Result<Option<Transition>> {
        let earlier = self.plan.changes.iter().rev().find(|change| change.step < step);
        let mut before = earlier.map_or(&self.plan.recipe, |change| &change.recipe);
        let mut next: Option<Transition> = None;
        for change in self.plan.changes.iter().filter(|change| change.step == step) {
            next = Some(match &next {
                None => self.changed(stage, x, moments, before, change)?,
                Some(last) => self.changed(&last.stage, &last.x, &last.moments, before, change)?,
            });
            before = &change.recipe;
        }
        Ok(next)
    }

    /// The stage after a change. Fails when the change does not fit the network or the run.
    fn changed(
        &self,
        stage: &Stage,
        x: &Array,
        moments: &Moments,
        before: &Recipe,
        change: &Change,
    ) -> Result<Transition> {
        let Change { objective, recipe, .. } = change;
        recipe.check().map_err(Error::Recipe)?;
        check_images(objective, recipe)?;
        if recipe.octaves != before.octaves || recipe.images != before.images {
            return Err(Error::Recipe(
                "octaves and the number of images cannot change during a run: start a new one".into(),
            ));
        }
        check_pictures(objective, &self.pictures)?;
        let (size, view) = (stage.size, view_size(recipe, &self.network, stage.size)?);
        let bound = objective.bind(&self.network, view)?;
        let next = param(recipe, &self.network, size);
        let (mut x, mut moments) = (x.clone(), moments.clone());
        if recipe.param != before.param {
            let image = stage.param.image(&x, &Backdrop::Gray, &CallingThread);
            let levels: Vec<f64> = image.data().iter().map(|v| f64::from(*v) * 255.0).collect();
            x = next.encode(&levels)?;
        }
        if recipe.param != before.param || recipe.optimizer.kind != before.optimizer.kind {
            moments = recipe.optimizer.moments(x.data().len());
        }
        let stage = Stage { objective: bound, param: next, size, view, references: None };
        Ok(Transition { stage, x, moments })
    }

    /// The steps after which the run was changed.
    pub fn changed_at(&self) -> impl Iterator<Item = usize> + '_ {
        self.plan.changes.iter().map(|change| change.step)
    }
}
