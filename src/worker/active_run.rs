//! The run in the worker's hands: its session, where it can go back to, and what is shown of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use trepang_api::Model;

use super::protocol::{Curve, RunView};
use crate::engine::{AscentState, Objective, Pictures, Plan, Recipe, Score, StepReport};
use crate::memory::check_room;
use crate::runs::{Provenance, Result, Session};

/// The weight of the newest step in the moving mean of the seconds a step.
const PACE_WEIGHT: f64 = 0.1;

/// The most that one step may count in that mean, as a multiple of it: the time in which the program was suspended is no
/// step's time.
const MAX_PACE_RATIO: f64 = 10.0;

/// The fewest steps of a run that is saved without being asked to when another takes its place.
const MIN_KEPT_STEPS: usize = 3;

/// Steps between two states that a run can go back to.
const UNDO_INTERVAL: usize = 8;

/// The largest number of states that a run can go back to: 30 MB at 224 pixels.
const UNDO_DEPTH: usize = 16;

/// A run, and what is known about it.
pub(super) struct ActiveRun {
    pub(super) session: Session,
    /// The pictures that it begins with or compares with.
    pub(super) pictures: Pictures,
    /// The run's number, counted from 1 since the worker began.
    pub(super) number: u64,
    curve: Curve,
    last_step: Option<StepReport>,
    /// Seconds a step, as a moving mean.
    pace: Option<f64>,
    /// The states that it can go back to, the newest last.
    undo: VecDeque<(Plan, AscentState)>,
    /// After how many steps the picture was last evaluated, and its score; none where it cannot be measured.
    score: Option<(usize, Option<Score>)>,
    /// The number of changes of the plan when it was last found that a step fits into memory.
    fitted: Option<usize>,
}

impl ActiveRun {
    pub(super) fn new(session: Session, pictures: Pictures, number: u64) -> Self {
        Self {
            session,
            pictures,
            number,
            curve: Curve::default(),
            last_step: None,
            pace: None,
            undo: VecDeque::new(),
            score: None,
            fitted: None,
        }
    }

    /// Fails, with a sentence, if a step takes more memory than the bytes that are `free`, where that is known. The system is
    /// asked for them before the first step and after each change of the plan.
    pub(super) fn check_room(
        &mut self,
        model: &dyn Model,
        free: impl FnOnce() -> Option<u64>,
    ) -> std::result::Result<(), String> {
        let ascent = self.session.ascent();
        let changes = Some(ascent.plan().changes.len());
        if self.fitted != changes {
            let needed = ascent.memory(model).map_err(|error| error.to_string())?;
            check_room(ascent.plan().size, needed, free()).map_err(|error| error.to_string())?;
            self.fitted = changes;
        }
        Ok(())
    }

    /// A saved run as it is, with its score if that was noted.
    pub(super) fn reopened(session: Session, pictures: Pictures, number: u64, score: Option<Score>) -> Self {
        let curve = session.ascent().state().losses.iter().copied().collect();
        let score = score.map(|score| (session.ascent().step_count(), Some(score)));
        Self { curve, score, ..Self::new(session, pictures, number) }
    }

    pub(super) fn note_step(&mut self, report: StepReport, took: Duration) {
        let seconds = took.as_secs_f64();
        let mean = |pace: f64| pace + PACE_WEIGHT * (seconds.min(MAX_PACE_RATIO * pace) - pace);
        self.pace = Some(self.pace.map_or(seconds, mean));
        self.curve.push(report.loss);
        self.last_step = Some(report);
    }

    /// Keeps the state before a step to go back to, every [`UNDO_INTERVAL`] steps.
    pub(super) fn remember(&mut self) {
        let ascent = self.session.ascent();
        let step = ascent.step_count();
        let newest = self.undo.back().map(|(_, state)| state.losses.len());
        if step.is_multiple_of(UNDO_INTERVAL) && newest.is_none_or(|newest| newest < step) {
            if self.undo.len() == UNDO_DEPTH {
                self.undo.pop_front();
            }
            self.undo.push_back((ascent.plan().clone(), ascent.state().clone()));
        }
    }

    /// Goes back to the newest kept state before this one; false if there is none. How many steps the run is meant to
    /// take stays.
    pub(super) fn undo(&mut self, provenance: &Provenance) -> Result<bool> {
        let now = self.session.ascent().step_count();
        while let Some((mut plan, state)) = self.undo.pop_back() {
            if state.losses.len() < now {
                plan.set_steps(self.session.ascent().plan().steps, state.losses.len());
                self.session.rewind(plan, state, provenance)?;
                self.curve = self.session.ascent().state().losses.iter().copied().collect();
                (self.last_step, self.score, self.pace) = (None, None, None);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Maximises another objective, or by another recipe, from the next step on.
    pub(super) fn change(&mut self, objective: Objective, recipe: Recipe) -> Result<()> {
        self.session.change(objective, recipe)?;
        self.score = None;
        Ok(())
    }

    /// Whether the picture has changed since it was last evaluated.
    pub(super) fn wants_score(&self) -> bool {
        let step = self.session.ascent().step_count();
        step > 0 && self.score.is_none_or(|(at, _)| at != step)
    }

    /// Notes the score of the present picture; none if it cannot be measured.
    pub(super) fn set_score(&mut self, score: Option<Score>) {
        self.score = Some((self.session.ascent().step_count(), score));
    }

    /// Notes what computes the run from the next step on.
    pub(super) fn compute_with(&mut self, provenance: &Provenance) {
        self.session.compute_with(provenance);
        self.pace = None;
    }

    /// Whether the run is to be saved when another takes its place. One of a few steps is not, unless it was saved before:
    /// a key held down would leave a folder for each.
    pub(super) fn is_worth_keeping(&self) -> bool {
        self.session.folder().is_some() || self.session.ascent().step_count() >= MIN_KEPT_STEPS
    }

    pub(super) fn view(&self) -> RunView {
        let ascent = self.session.ascent();
        let (picture, step) = (ascent.picture(), ascent.step_count());
        RunView {
            plan: Arc::new(ascent.plan().clone()),
            number: self.number,
            step,
            loss: ascent.state().losses.last().copied(),
            gradient_norm: self.last_step.map(|report| report.gradient_norm),
            dead: self.last_step.is_some_and(|report| report.dead),
            dead_steps: ascent.state().dead_steps,
            saturated: picture.saturated(),
            rate: self.pace.map(|pace| pace.max(f64::MIN_POSITIVE).recip()),
            curve: self.curve.clone(),
            changes: ascent.changed_at().collect(),
            score: self.score.filter(|(at, _)| *at == step).and_then(|(_, score)| score),
            picture: Arc::new(picture),
            folder: self.session.folder().map(Into::into),
        }
    }
}
