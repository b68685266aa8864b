//! Drives runs to their ends without a screen, until a signal asks to stop.

use std::path::Path;
use std::sync::atomic::Ordering;

use anyhow::{Result, anyhow};
use trepang_api::Model;

use super::signals::{LastWords, note_signals};
use crate::engine::{Ascent, StepReport};
use crate::runs::{self, DriveReport, RunFolder, Session};

/// The end of a run that has nothing to keep.
pub(super) const BEFORE_FIRST_STEP: &str = "interrupted before the first step";

/// Drives the runs as [`runs::drive`] does. A signal that asks to stop is an error that says how to go on with each run. A
/// second one does not wait for the step in progress: what was last saved is there then.
pub(super) fn drive(
    sessions: &mut [Session],
    model: &mut dyn Model,
    mut on_step: impl FnMut(usize, &Ascent, &StepReport) -> Result<()>,
) -> Result<DriveReport> {
    let stop = note_signals(last_words(sessions));
    let go_on = as_last_saved(sessions);
    let mut begun = false;
    let should_stop = || stop.load(Ordering::Relaxed) != 0;
    let report = runs::drive(sessions, model, should_stop, |index, ascent, report| {
        if !std::mem::replace(&mut begun, true) {
            // All of them have taken a step now: their folders stay.
            let go_on = go_on.clone();
            note_signals(Box::new(|| go_on));
        }
        // In this form the error can still be told from others by its type.
        on_step(index, ascent, report)
            .map_err(anyhow::Error::reallocate_into_boxed_dyn_error_without_backtrace)
    })?;
    if report.interrupted { Err(interrupted(sessions, &report)) } else { Ok(report) }
}

/// The words for a signal that ends the process. Folders of new runs that have taken no step are taken away.
pub(super) fn last_words(sessions: &[Session]) -> LastWords {
    let fresh: Vec<RunFolder> = sessions.iter().filter_map(Session::folder_without_step).collect();
    if fresh.is_empty() && !sessions.is_empty() {
        let go_on = as_last_saved(sessions);
        return Box::new(|| go_on);
    }
    Box::new(|| {
        for mut folder in fresh {
            folder.discard();
        }
        BEFORE_FIRST_STEP.into()
    })
}

/// Says how to go on with runs whose step in progress is lost.
fn as_last_saved(sessions: &[Session]) -> String {
    let what = if sessions.len() == 1 { "the run is" } else { "the runs are" };
    let all: Vec<&Session> = sessions.iter().collect();
    format!("interrupted; {what} as last saved, go on with: {}", ways_to_go_on(&all))
}

fn ways_to_go_on(sessions: &[&Session]) -> String {
    let folder = |session: &Session| session.folder().unwrap_or(Path::new("")).display().to_string();
    let ways: Vec<String> = (sessions.iter())
        .map(|session| format!("trepang render --resume {} -o OUT.png", folder(session)))
        .collect();
    ways.join("; ")
}

/// Says how to go on with each run that was going.
fn interrupted(sessions: &[Session], report: &DriveReport) -> anyhow::Error {
    let saved: Vec<&Session> = (sessions.iter().zip(&report.failures))
        .filter(|(_, failure)| failure.is_none())
        .map(|(session, _)| session)
        .collect();
    let (step, steps) = saved.last().map_or((0, 0), |session| {
        let ascent = session.ascent();
        (ascent.step_count(), ascent.plan().steps)
    });
    let what = if saved.len() == 1 { "the run is saved" } else { "the runs are saved" };
    anyhow!("interrupted after step {step} of {steps}; {what}, go on with: {}", ways_to_go_on(&saved))
}
