//! The worker and what a run is steered with: another objective or recipe, the way back, and what its picture is worth when
//! it stands still.

use anyhow::Result;
use trepang_api::Model;

use super::Desk;
use crate::app::Status;
use crate::engine::{Objective, Pictures, Recipe};
use crate::panics::guard;

impl Desk {
    /// The run goes on with another objective or recipe; where that does not fit, it goes on as it was.
    pub(super) fn change(&mut self, objective: Objective, recipe: Recipe) {
        let Some(job) = &mut self.job else { return };
        let told =
            format!("from step {} on: {objective} by {}", job.session.ascent().step_count() + 1, recipe.name);
        let changed = job.change(objective, recipe);
        self.snapshot.notice = Some(changed.map_or_else(|error| error.chain(), |()| told).into());
        let status = self.snapshot.status.clone();
        self.publish(status);
    }

    /// Takes the last steps back, and waits there.
    pub(super) fn back(&mut self) {
        let Some(job) = &mut self.job else { return };
        let before = self.snapshot.status.clone();
        let (notice, status) = match job.back(&self.setup.provenance) {
            Ok(true) => {
                (format!("back at step {}; Space goes on", job.session.ascent().step_count()), Status::Paused)
            }
            Ok(false) => ("there is nothing to go back to".to_owned(), before),
            Err(error) => (error.chain(), before),
        };
        self.snapshot.notice = Some(notice.into());
        self.snapshot.predictions = None;
        self.publish(status);
    }

    /// Does a picture stand still whose worth is not known?
    pub(super) fn is_worth_due(&self) -> bool {
        let still = matches!(self.snapshot.status, Status::Paused | Status::Finished);
        still && self.job.as_ref().is_some_and(super::Job::wants_worth)
    }

    /// Looks at some views of the picture; says what it is worth once all have been looked at. Only a panic in the model
    /// is an error.
    pub(super) fn measure(&mut self, model: &mut dyn Model) -> Result<()> {
        let Some(job) = &mut self.job else { return Ok(()) };
        let (run, step, picture) =
            (job.number, job.session.ascent().step_count(), job.session.ascent().picture());
        let known = self.measuring.take().filter(|(number, at, _)| (*number, *at) == (run, step));
        let made = || job.session.evaluator(&picture, &self.setup.network, &Pictures::new());
        let robustness = known.map_or_else(made, |(_, _, robustness)| Ok(robustness));
        let found = guard("the backend", || {
            let Ok(mut robustness) = robustness else { return Ok(None) };
            Ok(match robustness.go_on(&picture, model) {
                Ok(None) => Some((robustness, None)),
                Ok(Some(robust)) => {
                    robustness.clean(&picture, model).ok().map(|clean| (robustness, Some((clean, robust))))
                }
                Err(_) => None,
            })
        })?;
        match found {
            Some((robustness, None)) => self.measuring = Some((run, step, robustness)),
            Some((_, Some(worth))) => {
                job.set_worth(worth);
                let status = self.snapshot.status.clone();
                self.publish(status);
            }
            // It cannot be measured here, and is not tried again.
            None => job.set_worth((f64::NAN, f64::NAN)),
        }
        Ok(())
    }
}
