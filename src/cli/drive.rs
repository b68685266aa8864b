//! Drives runs to their ends without a screen, until a signal asks to stop.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context, Result, anyhow};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ};
use signal_hook::flag::{register_conditional_shutdown, register_usize};
use trepang_api::Model;

use crate::engine::{Ascent, StepReport};
use crate::runs::{self, DriveReport, Session};

/// Drives the runs as [`runs::drive`] does. A signal that asks to stop, whose number is then in `stop`, is an error that
/// says how to go on with each run.
pub(super) fn drive(
    sessions: &mut [Session],
    model: &mut dyn Model,
    stop: &AtomicUsize,
    mut on_step: impl FnMut(usize, &Ascent, &StepReport) -> Result<()>,
) -> Result<DriveReport> {
    let should_stop = || stop.load(Ordering::Relaxed) != 0;
    let report = runs::drive(sessions, model, should_stop, |index, ascent, report| {
        // In this form the error can still be told from others by its type.
        on_step(index, ascent, report)
            .map_err(anyhow::Error::reallocate_into_boxed_dyn_error_without_backtrace)
    })?;
    if report.interrupted { Err(interrupted(sessions, &report)) } else { Ok(report) }
}

/// Says how to go on with each run that was going.
fn interrupted(sessions: &[Session], report: &DriveReport) -> anyhow::Error {
    let saved: Vec<&Session> = (sessions.iter().zip(&report.failures))
        .filter(|(_, failure)| failure.is_none())
        .map(|(session, _)| session)
        .collect();
    let folder = |session: &Session| session.folder().unwrap_or(Path::new("")).display().to_string();
    let ways: Vec<String> = (saved.iter())
        .map(|session| format!("trepang render --resume {} -o OUT.png", folder(session)))
        .collect();
    let (step, steps) = saved.last().map_or((0, 0), |session| {
        let ascent = session.ascent();
        (ascent.step_count(), ascent.plan().steps)
    });
    let what = if ways.len() == 1 { "the run is saved" } else { "the runs are saved" };
    anyhow!("interrupted after step {step} of {steps}; {what}, go on with: {}", ways.join("; "))
}

/// The signals that ask to stop. Batch systems send USR1, USR2 or XCPU before a job's time is over.
const STOP: [i32; 8] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ];

/// Holds the number of the last signal that asked to stop, for who looks often and has a terminal to give back.
pub(super) fn noted_signal() -> Result<Arc<AtomicUsize>> {
    let stop = Arc::new(AtomicUsize::new(0));
    for signal in STOP {
        register_usize(signal, Arc::clone(&stop), signal as usize).context("cannot listen for signals")?;
    }
    Ok(stop)
}

/// The same, but a second signal of the same kind ends the program at once.
pub(super) fn stop_signal() -> Result<Arc<AtomicUsize>> {
    for signal in STOP {
        let again = Arc::new(AtomicBool::new(false));
        register_conditional_shutdown(signal, 1, Arc::clone(&again))
            .and_then(|_| signal_hook::flag::register(signal, again))
            .context("cannot listen for signals")?;
    }
    noted_signal()
}
