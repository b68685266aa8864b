//! Runs an ascent to its end without a screen, saving it as it goes and when something stops it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag::{register_conditional_shutdown, register_usize};
use trepang_api::Model;

use crate::engine::{Ascent, StepReport};
use crate::runs::{RunFolder, SAVE_EVERY};

/// Takes all remaining steps, calling `on_step` after each; returns the seconds they took. Whatever stops it
/// early, the steps taken so far are saved, and the error says where; a finished run is the caller's to save.
pub(super) fn drive(
    ascent: &mut Ascent,
    model: &mut dyn Model,
    folder: &RunFolder,
    mut on_step: impl FnMut(&StepReport) -> Result<()>,
) -> Result<f64> {
    let stop = stop_signal()?;
    folder.save(ascent)?;
    let (mut computing, mut saved) = (Duration::ZERO, Instant::now());
    while !ascent.is_finished() {
        let begun = Instant::now();
        let step = ascent.step(model);
        computing += begun.elapsed();
        let outcome = step.map_err(Into::into).and_then(|report| on_step(&report));
        let signal = stop.load(Ordering::Relaxed);
        if let Err(error) = outcome {
            return Err(keep(ascent, folder, error));
        }
        if signal != 0 && !ascent.is_finished() {
            return Err(interrupted(ascent, folder));
        }
        if saved.elapsed() > SAVE_EVERY {
            // A disk that is full now may have room at the end; the caller saves then, and tells.
            let _ = folder.save(ascent);
            saved = Instant::now();
        }
    }
    Ok(computing.as_secs_f64())
}

/// Saves what there is after `error`, and says where.
fn keep(ascent: &Ascent, folder: &RunFolder, error: anyhow::Error) -> anyhow::Error {
    match folder.save(ascent) {
        Ok(()) if ascent.step_count() > 0 => error.context(format!(
            "stopped after step {}, saved in {}",
            ascent.step_count(),
            folder.path().display()
        )),
        Ok(()) => error,
        Err(second) => error.context(format!("the run could not be saved either ({second:#})")),
    }
}

fn interrupted(ascent: &Ascent, folder: &RunFolder) -> anyhow::Error {
    let path = folder.path().display();
    match folder.save(ascent) {
        Ok(()) => anyhow!(
            "interrupted after step {} of {}; the run is saved, go on with: trepang render --resume {path} -o OUT.png",
            ascent.step_count(),
            ascent.plan().steps
        ),
        Err(error) => error.context("interrupted, and the run could not be saved"),
    }
}

/// Holds the number of the last signal that asked to stop; a second one ends the program at once.
pub(super) fn stop_signal() -> Result<Arc<AtomicUsize>> {
    let stop = Arc::new(AtomicUsize::new(0));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        let again = Arc::new(std::sync::atomic::AtomicBool::new(false));
        register_conditional_shutdown(signal, 128 + signal, Arc::clone(&again))
            .and_then(|_| signal_hook::flag::register(signal, again))
            .and_then(|_| register_usize(signal, Arc::clone(&stop), signal as usize))
            .context("cannot listen for signals")?;
    }
    Ok(stop)
}
