//! One run in the worker's hands: its ascent, its folder, and what is shown of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::Setup;
use crate::app::{Curve, RunView};
use crate::engine::{Ascent, AscentState, Objective, Plan, Recipe, Score, StepReport};
use crate::runs::{Parts, Provenance, RunFolder};

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
    pub(super) ascent: Ascent,
    /// What computed it so far.
    parts: Parts,
    pub(super) folder: Option<RunFolder>,
    /// Steps taken when it was last saved.
    saved_at: usize,
    pub(super) saved: Instant,
    pub(super) number: u64,
    curve: Curve,
    last: Option<StepReport>,
    /// Seconds a step, lately.
    pace: Option<f64>,
    /// Where it can go back to, the newest last.
    past: VecDeque<(Plan, AscentState)>,
    /// After how many steps the picture was evaluated, and its score; no score where it cannot be evaluated.
    score: Option<(usize, Option<Score>)>,
}

impl Job {
    pub(super) fn new(ascent: Ascent, number: u64, provenance: &Provenance) -> Self {
        let curve = Curve::default();
        Self {
            parts: Parts::new(provenance.clone()),
            ascent,
            folder: None,
            saved_at: 0,
            saved: Instant::now(),
            number,
            curve,
            last: None,
            pace: None,
            past: VecDeque::new(),
            score: None,
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
        let step = self.ascent.step_count();
        let newest = self.past.back().map(|(_, state)| state.losses.len());
        if step.is_multiple_of(BACK_EVERY) && newest.is_none_or(|newest| newest < step) {
            if self.past.len() == BACKS {
                self.past.pop_front();
            }
            self.past.push_back((self.ascent.plan().clone(), self.ascent.state().clone()));
        }
    }

    /// Goes back to the newest place before this one; false if there is none. The steps that are wanted stay.
    pub(super) fn back(&mut self, provenance: &Provenance) -> Result<bool> {
        let now = self.ascent.step_count();
        while let Some((mut plan, state)) = self.past.pop_back() {
            if state.losses.len() < now {
                plan.steps = self.ascent.plan().steps;
                self.ascent.back(plan, state)?;
                self.curve = self.ascent.state().losses.iter().copied().collect();
                (self.last, self.score) = (None, None);
                self.saved_at = 0; // what was saved is no longer what there is
                self.go_on(provenance);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// From the next step on raises something else, or by another recipe.
    pub(super) fn change(&mut self, objective: Objective, recipe: Recipe) -> Result<()> {
        self.ascent.change(objective, recipe)?;
        (self.saved_at, self.score) = (0, None);
        Ok(())
    }

    /// Is the picture still to be evaluated?
    pub(super) fn wants_score(&self) -> bool {
        let step = self.ascent.step_count();
        step > 0 && self.score.is_none_or(|(at, _)| at != step)
    }

    /// Takes down the picture's score; `None` says that it cannot be evaluated, and is not tried again.
    pub(super) fn set_score(&mut self, score: Option<Score>) {
        self.score = Some((self.ascent.step_count(), score));
    }

    /// Another computation goes on with it.
    pub(super) fn go_on(&mut self, provenance: &Provenance) {
        let step = self.ascent.step_count();
        self.parts.go_on(step, provenance.clone());
        if let Some(folder) = &mut self.folder {
            folder.go_on(step, provenance.clone());
        }
        self.pace = None;
    }

    /// Is it to be saved when another takes its place? A run of a few steps is not, unless it was saved before:
    /// a key held down would leave a folder for each.
    pub(super) fn is_worth_keeping(&self) -> bool {
        self.folder.is_some() || self.ascent.step_count() >= WORTH_KEEPING
    }

    /// A run that has taken no step leaves nothing behind.
    pub(super) fn save(&mut self, setup: &Setup) -> Result<()> {
        let step = self.ascent.step_count();
        if step == 0 || step == self.saved_at {
            return Ok(());
        }
        let folder = match self.folder.take() {
            Some(folder) => folder,
            None => {
                let origin = self.parts.origin(self.ascent.plan().clone(), step);
                RunFolder::create(&setup.runs, &origin)?
            }
        };
        let folder = self.folder.insert(folder);
        folder.save(&self.ascent)?;
        self.saved_at = step;
        self.saved = Instant::now();
        Ok(())
    }

    pub(super) fn view(&self) -> RunView {
        let picture = self.ascent.picture();
        RunView {
            plan: Arc::new(self.ascent.plan().clone()),
            number: self.number,
            step: self.ascent.step_count(),
            loss: self.last.map(|report| report.loss),
            gradient_norm: self.last.map(|report| report.gradient_norm),
            dead: self.last.is_some_and(|report| report.dead),
            dead_steps: self.ascent.state().dead_steps,
            saturated: picture.saturated(),
            rate: self.pace.map(|pace| pace.max(f64::MIN_POSITIVE).recip()),
            curve: self.curve.clone(),
            changes: self.ascent.changed_at().collect(),
            score: self.score.filter(|(at, _)| *at == self.ascent.step_count()).and_then(|(_, score)| score),
            picture: Arc::new(picture),
            folder: self.folder.as_ref().map(|folder| folder.path().into()),
        }
    }
}
