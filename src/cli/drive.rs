//! Runs an ascent to its end without a screen, saving it as it goes and when something stops it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag::{register_conditional_shutdown, register_usize};
use trepang_api::Model;

use crate::engine::{Ascent, StepReport};
use crate::panics::guard;
use crate::runs::{RunFolder, SAVE_EVERY};

/// Takes all remaining steps, calling `on_step` after each; returns the seconds they took. Whatever stops it
/// early, a panic too, the steps taken so far are saved, and the error says where; a finished run is the caller's to save.
pub(super) fn drive(
    ascent: &mut Ascent,
    model: &mut dyn Model,
    folder: &RunFolder,
    mut on_step: impl FnMut(&StepReport) -> Result<()>,
) -> Result<f64> {
    let stop = stop_signal()?;
    folder.save(ascent).inspect_err(|_| folder.discard())?;
    let (mut computing, mut saved) = (Duration::ZERO, Instant::now());
    while !ascent.is_finished() {
        let begun = Instant::now();
        let step = guard("the backend", || Ok(ascent.step(model)?));
        computing += begun.elapsed();
        let outcome = step.and_then(|report| on_step(&report));
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
    if ascent.step_count() == 0 {
        folder.discard();
        return error;
    }
    match folder.save(ascent) {
        Ok(()) => error.context(format!(
            "stopped after step {}, saved in {}",
            ascent.step_count(),
            folder.path().display()
        )),
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

/// The signals that ask to stop.
const STOP: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Objective, Plan, Recipe, Start};
    use crate::runs::{Origin, Provenance};
    use trepang_api::{Array, Backend, Cotangents, LayerId, Reference, ReluGradient, find_device};

    /// The reference on minivgg, which panics at one of its calls.
    #[derive(Debug)]
    struct Fragile(Box<dyn Model>, usize);

    impl Model for Fragile {
        fn activations(&mut self, images: &Array, at: &[LayerId]) -> trepang_api::Result<Vec<Array>> {
            self.0.activations(images, at)
        }

        fn pull_back(
            &mut self,
            images: &Array,
            at: &[LayerId],
            relu: ReluGradient,
            cotangents: &mut Cotangents,
        ) -> trepang_api::Result<Array> {
            self.1 -= 1;
            assert!(self.1 > 0, "the model broke as it was told to");
            self.0.pull_back(images, at, relu, cotangents)
        }
    }

    /// Drives a run of ten steps with a model that panics at this one; what is said, and the folder if it stayed.
    fn driven(breaks_at: usize, runs: &std::path::Path) -> (String, RunFolder) {
        let trained = trepang_weights::minivgg().unwrap();
        let cpu = find_device(&Reference, "cpu").unwrap();
        let model = Reference.load(&trained.network, &trained.weights, &cpu).unwrap();
        let text = || "test".to_owned();
        let provenance = Provenance {
            trepang: text(),
            network: text(),
            weights: None,
            weights_sha256: text(),
            backend: text(),
            device: text(),
            threads: 1,
        };
        let (objective, recipe) = (Objective::channel("block1_conv1", 3), Recipe::pixel());
        let plan = Plan { objective, recipe, size: 32, seed: 0, start: Start::Noise, steps: 10 };
        let mut ascent = Ascent::new(plan.clone(), &trained.network, None).unwrap();
        let folder = RunFolder::create(runs, &Origin::new(plan, provenance)).unwrap();
        let error = drive(&mut ascent, &mut Fragile(model, breaks_at), &folder, |_| Ok(())).unwrap_err();
        (format!("{error:#}"), folder)
    }

    #[test]
    fn a_panic_in_a_step_saves_the_run_and_says_where() {
        let runs = tempfile::tempdir().unwrap();
        let (said, folder) = driven(4, runs.path());
        let place = folder.path().display();
        assert_eq!(
            said,
            format!(
                "stopped after step 3, saved in {place}: the backend panicked: the model broke as it was told to"
            )
        );
        assert_eq!(RunFolder::open(folder.path()).unwrap().1.state.losses.len(), 3);
    }

    #[test]
    fn a_run_that_took_no_step_leaves_no_folder() {
        let runs = tempfile::tempdir().unwrap();
        let (said, folder) = driven(1, runs.path());
        assert_eq!(said, "the backend panicked: the model broke as it was told to");
        assert!(!folder.path().exists());
    }
}
