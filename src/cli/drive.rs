//! Runs an ascent to its end without a screen, saving it as it goes and when something stops it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag::{register_conditional_shutdown, register_usize};
use trepang_api::Model;

use crate::engine::{Ascent, StepReport, step_together};
use crate::panics::guard;
use crate::runs::{RunFolder, SAVE_EVERY};

/// An ascent, the folder it is kept in, and what stopped it if something did.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) ascent: Ascent,
    pub(super) folder: RunFolder,
    pub(super) failure: Option<anyhow::Error>,
}

impl Run {
    pub(super) fn new(ascent: Ascent, folder: RunFolder) -> Self {
        Self { ascent, folder, failure: None }
    }

    fn is_going(&self) -> bool {
        self.failure.is_none() && !self.ascent.is_finished()
    }
}

/// Takes all remaining steps of all runs, together where they fit; calls `on_step` after each step of each; returns the
/// seconds they took. What stops a single run early is an error; of several, a run that cannot go on keeps its `failure`,
/// and the others go on. However it ends, by a panic too, the steps taken so far are saved, and the error says where;
/// finished runs are the caller's to save.
pub(super) fn drive(
    runs: &mut [Run],
    model: &mut dyn Model,
    mut on_step: impl FnMut(usize, &Ascent, &StepReport) -> Result<()>,
) -> Result<f64> {
    let stop = stop_signal()?;
    runs.iter().try_for_each(|run| run.folder.save(&run.ascent)).inspect_err(|_| discard(runs))?;
    let (mut computing, mut saved) = (Duration::ZERO, Instant::now());
    while runs.iter().any(Run::is_going) {
        let begun = Instant::now();
        let going: Vec<usize> = (0..runs.len()).filter(|&i| runs[i].is_going()).collect();
        let steps = guard("the backend", || {
            let mut ascents: Vec<&mut Ascent> =
                runs.iter_mut().filter(|run| run.is_going()).map(|run| &mut run.ascent).collect();
            Ok(step_together(&mut ascents, model))
        });
        computing += begun.elapsed();
        let outcome = steps.and_then(|steps| take_in(runs, going.into_iter().zip(steps), &mut on_step));
        let signal = stop.load(Ordering::Relaxed);
        if let Err(error) = outcome {
            return Err(keep_all(runs, error));
        }
        if signal != 0 && runs.iter().any(Run::is_going) {
            return Err(interrupted(runs));
        }
        if saved.elapsed() > SAVE_EVERY {
            // A disk that is full now may have room at the end; the caller saves then, and tells.
            runs.iter()
                .filter(|run| run.failure.is_none())
                .for_each(|run| drop(run.folder.save(&run.ascent)));
            saved = Instant::now();
        }
    }
    Ok(computing.as_secs_f64())
}

/// Tells of every step that was taken. What stops one of several runs is kept with it.
fn take_in(
    runs: &mut [Run],
    steps: impl Iterator<Item = (usize, crate::engine::Result<StepReport>)>,
    on_step: &mut impl FnMut(usize, &Ascent, &StepReport) -> Result<()>,
) -> Result<()> {
    let alone = runs.len() == 1;
    for (index, step) in steps {
        match step {
            Ok(report) => on_step(index, &runs[index].ascent, &report)?,
            Err(error) if alone => return Err(error.into()),
            Err(error) => {
                let run = &mut runs[index];
                run.failure = Some(keep(&run.ascent, &run.folder, error.into()));
            }
        }
    }
    Ok(())
}

fn discard(runs: &[Run]) {
    for run in runs {
        run.folder.discard();
    }
}

/// Saves what there is after `error` stopped all runs, and says where.
fn keep_all(runs: &[Run], error: anyhow::Error) -> anyhow::Error {
    let going: Vec<&Run> = runs.iter().filter(|run| run.failure.is_none()).collect();
    if let [run] = going[..] {
        return keep(&run.ascent, &run.folder, error);
    }
    let count = going.len();
    for run in going {
        match run.ascent.step_count() {
            0 => run.folder.discard(),
            // What cannot be saved now is lost with a graver error, which is told.
            _ => drop(run.folder.save(&run.ascent)),
        }
    }
    error.context(format!("stopped; {count} runs were saved as far as they had come"))
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

/// Saves the runs that were going, and says how to go on with each.
fn interrupted(runs: &[Run]) -> anyhow::Error {
    let mut ways = Vec::new();
    let mut step = (0, 0);
    for run in runs.iter().filter(|run| run.failure.is_none()) {
        if let Err(error) = run.folder.save(&run.ascent) {
            return error.context("interrupted, and the run could not be saved");
        }
        step = (run.ascent.step_count(), run.ascent.plan().steps);
        ways.push(format!("trepang render --resume {} -o OUT.png", run.folder.path().display()));
    }
    let what = if ways.len() == 1 { "the run is saved" } else { "the runs are saved" };
    anyhow!("interrupted after step {} of {}; {what}, go on with: {}", step.0, step.1, ways.join("; "))
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
    use crate::engine::{Objective, Pictures, Plan, Recipe};
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
        let (objective, recipe) = (Objective::channel("block1_conv1", 3), Recipe::named("pixel").unwrap());
        let plan = Plan { steps: 10, ..Plan::new(objective, recipe, 32) };
        let ascent = Ascent::new(plan.clone(), &trained.network, &Pictures::new()).unwrap();
        let folder = RunFolder::create(runs, &Origin::new(plan, provenance)).unwrap();
        let mut run = [Run::new(ascent, folder.clone())];
        let error = drive(&mut run, &mut Fragile(model, breaks_at), |_, _, _| Ok(())).unwrap_err();
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
