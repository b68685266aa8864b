//! Drives runs to their ends without a screen, until a signal asks to stop.

use std::path::Path;
use std::sync::atomic::Ordering;

use anyhow::{Result, anyhow};
use trepang_api::Model;

use super::signals::{Undo, note_signals, replace_undo};
use crate::engine::{Ascent, StepReport};
use crate::runs::{self, DriveReport, Session};

/// Drives the runs as [`runs::drive`] does. A signal that asks to stop is an error that says how to go on with each run. A
/// second one does not wait for the step in progress: what was last saved is there then.
pub(super) fn drive(
    sessions: &mut [Session],
    model: &mut dyn Model,
    mut on_step: impl FnMut(usize, &Ascent, &StepReport) -> Result<()>,
) -> Result<DriveReport> {
    let all: Vec<&Session> = sessions.iter().collect();
    let go_on = ways_to_go_on(&all);
    let what = if all.len() == 1 { "the run is" } else { "the runs are" };
    let sentence = format!("interrupted within a step; {what} as last saved, go on with: {go_on}");
    let stop = note_signals(sentence, Some(undo(sessions)));
    let mut begun = false;
    let should_stop = || stop.load(Ordering::Relaxed) != 0;
    let report = runs::drive(sessions, model, should_stop, |index, ascent, report| {
        if !std::mem::replace(&mut begun, true) {
            // All of them have taken a step now: their folders stay.
            replace_undo(None);
        }
        // In this form the error can still be told from others by its type.
        on_step(index, ascent, report)
            .map_err(anyhow::Error::reallocate_into_boxed_dyn_error_without_backtrace)
    })?;
    if report.interrupted { Err(interrupted(sessions, &report)) } else { Ok(report) }
}

/// Takes away the folders of runs that have taken no step.
pub(super) fn undo(sessions: &[Session]) -> Undo {
    let folders: Vec<_> = sessions.iter().filter_map(Session::folder_without_step).collect();
    Box::new(move || folders.into_iter().for_each(|mut folder| folder.discard()))
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
