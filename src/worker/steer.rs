//! The worker and what a run is steered with: another objective or recipe, the way back, and the evaluation of a picture
//! that stands still.

use trepang_api::Model;

use super::active_run::ActiveRun;
use super::error::{Error, Result};
use super::protocol::{Outcome, Status};
use super::worker_loop::WorkerLoop;
use crate::engine::{Objective, Recipe};
use crate::panics::guard;

impl WorkerLoop {
    /// The run goes on with another objective or recipe; where that does not fit, it goes on as it was.
    pub(super) fn change(&mut self, objective: Objective, recipe: Recipe) -> Outcome {
        let Some(run) = &mut self.run else { return Outcome::Refused("there is no run".into()) };
        self.evaluating = None;
        let step = run.session.ascent().step_count() + 1;
        let notice = format!("from step {step} on: {objective} by {}", recipe.name);
        let outcome = match run.change(objective, recipe) {
            Ok(()) => {
                self.snapshot.notice = Some(notice.into());
                Outcome::Done
            }
            Err(error) => self.refuse(error.chain()),
        };
        self.republish();
        outcome
    }

    /// Takes the last steps back, and pauses there.
    pub(super) fn undo(&mut self) -> Outcome {
        let Some(run) = &mut self.run else { return Outcome::Refused("there is no run".into()) };
        self.evaluating = None;
        let outcome = match run.undo(&self.setup.provenance) {
            Ok(true) => {
                let step = run.session.ascent().step_count();
                self.snapshot.notice = Some(format!("back at step {step}; Space goes on").into());
                self.snapshot.status = Status::Paused;
                Outcome::Done
            }
            Ok(false) => self.refuse("there is nothing to go back to".into()),
            Err(error) => self.refuse(error.chain()),
        };
        self.snapshot.predictions = None;
        self.republish();
        outcome
    }

    /// Whether a picture stands still that has not been evaluated.
    pub(super) fn is_evaluation_due(&self) -> bool {
        let still = matches!(self.snapshot.status, Status::Paused | Status::Finished);
        still && self.run.as_ref().is_some_and(ActiveRun::wants_score)
    }

    /// Looks at some views of the picture; publishes its score once all have been looked at. Only a panic in the model is
    /// an error.
    pub(super) fn evaluate(&mut self, model: &mut dyn Model) -> Result<()> {
        let Some(run) = &mut self.run else { return Ok(()) };
        let ascent = run.session.ascent();
        let (number, step, picture) = (run.number, ascent.step_count(), ascent.picture());
        let known = self.evaluating.take().filter(|(of, at, _)| (*of, *at) == (number, step));
        let made = || run.session.evaluator(&picture, &self.setup.network, &run.pictures);
        let evaluator = known.map_or_else(made, |(_, _, evaluator)| Ok(evaluator));
        let found = guard("the backend", || {
            Ok::<_, Error>(evaluator.and_then(|mut evaluator| {
                let score = evaluator.advance(&picture, model)?;
                Ok((evaluator, score))
            }))
        })?;
        match found {
            Ok((evaluator, None)) => self.evaluating = Some((number, step, evaluator)),
            Ok((_, Some(score))) => {
                run.set_score(Some(score));
                if run.session.is_saved() {
                    // The list of runs shows it. Where it cannot be written, it is measured again another time.
                    let _ = run.session.note_score(score);
                }
                self.republish();
            }
            // It cannot be measured here, and is not tried again.
            Err(_) => run.set_score(None),
        }
        Ok(())
    }
}
