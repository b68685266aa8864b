//! Scrubbing: the pictures of a run's growth, one after the other, in the place of the run's own picture.

use std::sync::Arc;

use super::actions::NOTHING;
use super::scrub::Scrub;
use super::state::{Effect, State};
use crate::engine::Picture;
use crate::worker::protocol::{Action, GrownPicture, SavedRunAction};

/// Shows the picture before the one that is shown; at first, the last of those that are kept.
pub(super) fn back(state: &mut State) -> Vec<Effect> {
    if state.snapshot.run.is_none() {
        let key = state.keys.shown("start");
        state.remark = Some(format!("there is no run to look back on: {key} starts an ascent"));
        return NOTHING;
    }
    state.sought = None;
    let Some(scrub) = &mut state.scrub else {
        return vec![Effect::Ask(Action::OfSavedRun(SavedRunAction::Growth))];
    };
    scrub.at = scrub.at.saturating_sub(1);
    state.tell_step();
    NOTHING
}

/// Shows the picture after the one that is shown; after the last comes the run's own again.
pub(super) fn forward(state: &mut State) -> Vec<Effect> {
    match &mut state.scrub {
        Some(scrub) if scrub.at + 1 < scrub.pictures.len() => {
            scrub.at += 1;
            state.tell_step();
        }
        Some(_) => return forward_to_end(state),
        None => state.remark = Some("there is nothing after this picture yet".into()),
    }
    NOTHING
}

/// Shows the picture that is nearest to a step, among those of the run's growth and its own.
pub(super) fn seek(state: &mut State, step: usize) -> Vec<Effect> {
    let Some(run) = &state.snapshot.run else { return NOTHING };
    match &mut state.scrub {
        Some(scrub) => {
            let place = nearest(&scrub.pictures, step, run.step);
            scrub.at = place.unwrap_or(scrub.at);
            if place.is_none() {
                return forward_to_end(state);
            }
            state.tell_step();
            NOTHING
        }
        // The newest step that was asked for counts, once the pictures are there.
        None if state.sought.replace(step).is_some() => NOTHING,
        None => vec![Effect::Ask(Action::OfSavedRun(SavedRunAction::Growth))],
    }
}

/// The index of the picture that is nearest to a step; none if that is the run's own, which has taken `taken` steps.
fn nearest(pictures: &[GrownPicture], step: usize, taken: usize) -> Option<usize> {
    let far = |grown: &GrownPicture| grown.step.abs_diff(step);
    let (at, closest) = pictures.iter().enumerate().min_by_key(|(_, grown)| far(grown))?;
    (closest.step < taken && far(closest) < taken.abs_diff(step)).then_some(at)
}

/// Shows the run's own picture again.
fn forward_to_end(state: &mut State) -> Vec<Effect> {
    state.scrub = None;
    state.remark = Some("this is the picture as it is now".into());
    NOTHING
}

impl State {
    /// The picture that is looked back on, and the steps that it had taken; none while the run's own is shown.
    pub fn looked_back_on(&self) -> Option<(usize, &Arc<Picture>)> {
        let Scrub { run, pictures, at } = self.scrub.as_ref()?;
        let shown = self.snapshot.run.as_ref().is_some_and(|shown| shown.number == *run);
        pictures.get(*at).filter(|_| shown).map(|grown| (grown.step, &grown.picture))
    }

    /// Begins to look back, with the picture of the step that is sought, or else the last one that is not on the screen.
    pub(super) fn take_growth(&mut self, run: u64, pictures: Vec<GrownPicture>) {
        let Some(shown) = self.snapshot.run.as_ref().filter(|shown| shown.number == run) else { return };
        let sought = self.sought.take();
        let before = pictures.iter().filter(|grown| grown.step < shown.step).count();
        if before == 0 {
            let text = if pictures.is_empty() {
                "no pictures are kept of this run's growth: only the dashboard keeps them, from its first step on"
            } else {
                "there is no earlier picture"
            };
            self.remark = Some(text.into());
            return;
        }
        let at = match sought {
            Some(step) => nearest(&pictures, step, shown.step),
            None => Some(before - 1),
        };
        match at {
            Some(at) => {
                self.scrub = Some(Scrub { run, pictures: pictures.into(), at });
                self.tell_step();
            }
            None => drop(forward_to_end(self)),
        }
    }

    /// Says which picture is shown.
    fn tell_step(&mut self) {
        if let (Some((step, _)), Some(scrub)) = (self.looked_back_on(), &self.scrub) {
            let (back, forward) = (self.keys.shown("scrub-back"), self.keys.shown("scrub-forward"));
            let place = format!("picture {} of {}", scrub.at + 1, scrub.pictures.len());
            self.remark = Some(format!("after step {step} ({place} of its growth); {back} {forward} go on"));
        }
    }
}
