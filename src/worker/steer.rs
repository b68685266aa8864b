//! The worker and what a run is steered with: another objective or recipe, the way back, and the score of its picture when it
//! stands still.

use anyhow::Result;
use trepang_api::Model;

use super::Desk;
use crate::app::Status;
use crate::engine::{Evaluator, Objective, Pictures, Recipe};
use crate::panics::guard;

impl Desk {
    /// The run goes on with another objective or recipe; where that does not fit, it goes on as it was.
    pub(super) fn change(&mut self, objective: Objective, recipe: Recipe) {
        let Some(job) = &mut self.job else { return };
        let told = format!("from step {} on: {objective} by {}", job.ascent.step_count() + 1, recipe.name);
        let changed = job.change(objective, recipe);
        self.snapshot.notice = Some(changed.map_or_else(|error| format!("{error:#}"), |()| told).into());
        let status = self.snapshot.status.clone();
        self.publish(status);
    }

    /// Takes the last steps back, and waits there.
    pub(super) fn back(&mut self) {
        let Some(job) = &mut self.job else { return };
        let before = self.snapshot.status.clone();
        let (notice, status) = match job.back(&self.setup.provenance) {
            Ok(true) => (format!("back at step {}; Space goes on", job.ascent.step_count()), Status::Paused),
            Ok(false) => ("there is nothing to go back to".to_owned(), before),
            Err(error) => (format!("{error:#}"), before),
        };
        self.snapshot.notice = Some(notice.into());
        self.snapshot.predictions = None;
        self.publish(status);
    }

    /// Does a picture stand still whose score is not known?
    pub(super) fn is_score_due(&self) -> bool {
        let still = matches!(self.snapshot.status, Status::Paused | Status::Finished);
        still && self.job.as_ref().is_some_and(super::Job::wants_score)
    }

    /// Evaluates some views of the picture; publishes its score once all have been evaluated. Only a panic in the model is
    /// an error.
    pub(super) fn measure(&mut self, model: &mut dyn Model) -> Result<()> {
        let Some(job) = &mut self.job else { return Ok(()) };
        let (run, step, picture) = (job.number, job.ascent.step_count(), job.ascent.picture());
        let objective = job.ascent.plan().at(step).0.clone();
        let known = self.measuring.take().filter(|(number, at, _)| (*number, *at) == (run, step));
        let made = || {
            let sizes = [picture.height, job.ascent.recipe().images];
            Evaluator::new(&objective, &self.setup.network, sizes, &Pictures::new())
        };
        let evaluator = known.map_or_else(made, |(_, _, evaluator)| Ok(evaluator));
        let found = guard("the backend", || {
            Ok(evaluator.and_then(|mut evaluator| {
                let score = evaluator.advance(&picture, model)?;
                Ok((evaluator, score))
            }))
        })?;
        match found {
            Ok((evaluator, None)) => self.measuring = Some((run, step, evaluator)),
            Ok((_, Some(score))) => {
                job.set_score(Some(score));
                let status = self.snapshot.status.clone();
                self.publish(status);
            }
            Err(_) => job.set_score(None),
        }
        Ok(())
    }
}
