//! One run in the worker's hands: its ascent, its folder, and what is shown of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::app::{Curve, RunView};
use crate::engine::{Objective, Plan, Recipe, State, StepReport};
use crate::runs::{Provenance, Result, Session};

/// How much the newest step counts in the steps a second.
const RATE_WEIGHT: f64 = 0.1;

/// The fewest steps of a run that is saved without being asked to when another takes its place.
const WORTH_KEEPING: usize = 3;

/// Between two places that a run can go back to, so many steps.
const BACK_EVERY: usize = 8;

/// So many of them are kept: 30 MB at 224 pixels.
const BACKS: usize = 16;

/// A run, and what is known about it.
pub(super) struct Job {
    pub(super) session: Session,
    pub(super) number: u64,
    curve: Curve,
    last: Option<StepReport>,
    /// Seconds a step, lately.
    pace: Option<f64>,
    /// Where it can go back to, the newest last.
    past: VecDeque<(Plan, State)>,
    /// After how many steps what was found about the picture, and what.
    worth: Option<(usize, (f64, f64))>,
}

impl Job {
    pub(super) fn new(session: Session, number: u64) -> Self {
        Self {
            session,
            number,
            curve: Curve::default(),
            last: None,
            pace: None,
            past: VecDeque::new(),
            worth: None,
        }
    }

    pub(super) fn note(&mut self, report: StepReport, took: Duration) {
        let seconds = took.as_secs_f64();
        self.pace = Some(self.pace.map_or(seconds, |pace| pace + RATE_WEIGHT * (seconds - pace)));
        self.curve.push(report.loss);
        self.last = Some(report);
    }

    /// Keeps what it is before a step, now and then, to go back to.
    pub(super) fn remember(&mut self) {
        let step = self.session.ascent().step_count();
        let newest = self.past.back().map(|(_, state)| state.losses.len());
        if step.is_multiple_of(BACK_EVERY) && newest.is_none_or(|newest| newest < step) {
            if self.past.len() == BACKS {
                self.past.pop_front();
            }
            self.past
                .push_back((self.session.ascent().plan().clone(), self.session.ascent().state().clone()));
        }
    }

    /// Goes back to the newest place before this one; false if there is none. The steps that are wanted stay.
    pub(super) fn back(&mut self, provenance: &Provenance) -> Result<bool> {
        let now = self.session.ascent().step_count();
        while let Some((mut plan, state)) = self.past.pop_back() {
            if state.losses.len() < now {
                plan.steps = self.session.ascent().plan().steps;
                self.session.rewind(plan, state, provenance)?;
                self.curve = self.session.ascent().state().losses.iter().copied().collect();
                (self.last, self.worth, self.pace) = (None, None, None);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// From the next step on raises something else, or by another recipe.
    pub(super) fn change(&mut self, objective: Objective, recipe: Recipe) -> Result<()> {
        self.session.change(objective, recipe)?;
        self.worth = None;
        Ok(())
    }

    /// Is not yet known what the picture is worth?
    pub(super) fn wants_worth(&self) -> bool {
        let step = self.session.ascent().step_count();
        step > 0 && self.worth.is_none_or(|(at, _)| at != step)
    }

    pub(super) fn set_worth(&mut self, worth: (f64, f64)) {
        self.worth = Some((self.session.ascent().step_count(), worth));
    }

    /// Another computation goes on with it.
    pub(super) fn go_on(&mut self, provenance: &Provenance) {
        self.session.compute_with(provenance);
        self.pace = None;
    }

    /// Is it to be saved when another takes its place? A run of a few steps is not, unless it was saved before:
    /// a key held down would leave a folder for each.
    pub(super) fn is_worth_keeping(&self) -> bool {
        self.session.folder().is_some() || self.session.ascent().step_count() >= WORTH_KEEPING
    }

    pub(super) fn view(&self) -> RunView {
        let picture = self.session.ascent().picture();
        RunView {
            plan: Arc::new(self.session.ascent().plan().clone()),
            number: self.number,
            step: self.session.ascent().step_count(),
            loss: self.last.map(|report| report.loss),
            gradient_norm: self.last.map(|report| report.gradient_norm),
            dead: self.last.is_some_and(|report| report.dead),
            dead_steps: self.session.ascent().state().dead_steps,
            saturated: picture.saturated(),
            rate: self.pace.map(|pace| pace.max(f64::MIN_POSITIVE).recip()),
            curve: self.curve.clone(),
            changes: self.session.ascent().changed_at().collect(),
            worth: self
                .worth
                .filter(|(at, _)| *at == self.session.ascent().step_count())
                .map(|(_, worth)| worth),
            picture: Arc::new(picture),
            folder: self.session.folder().map(Into::into),
        }
    }
}
