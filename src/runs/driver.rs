//! Drives one run or several together from where they are to their ends, saving them as they go.

use std::time::{Duration, Instant};

use trepang_api::Model;

use super::error::{BoxedError, Error, Result};
use super::session::Session;
use crate::engine::{Ascent, StepReport};

/// The result of driving runs to their ends.
#[derive(Debug)]
pub struct DriveReport {
    /// The time that the steps took, without what the caller did after each.
    pub computing: Duration,
    /// Whether the caller was asked to stop before all runs were finished. Those in progress are saved then.
    pub interrupted: bool,
    /// Of several runs, by index, why some could not go on; each is saved as far as it had come.
    pub failures: Vec<Option<Error>>,
}

/// Takes all remaining steps of all runs, together where they fit; calls `on_step` with a run's index after each step of
/// it, and looks after each round at `should_stop`. What stops a single run early is an error; of several, the others go
/// on. However it ends, by a panic of the model too, the steps taken so far are saved, and the error says where; finished
/// runs are the caller's to save.
pub fn drive(
    sessions: &mut [Session],
    model: &mut dyn Model,
    should_stop: impl Fn() -> bool,
    mut on_step: impl FnMut(usize, &Ascent, &StepReport) -> Result<(), BoxedError>,
) -> Result<DriveReport> {
    let mut computing = Duration::ZERO;
    let mut failures: Vec<Option<Error>> = sessions.iter().map(|_| None).collect();
    loop {
        let mut going = going(sessions, &failures);
        if going.is_empty() {
            return Ok(DriveReport { computing, interrupted: false, failures });
        }
        let begun = Instant::now();
        let mut together: Vec<&mut Session> = going.iter_mut().map(|(_, session)| &mut **session).collect();
        let steps = Session::step_together(&mut together, model);
        computing += begun.elapsed();
        let indices: Vec<usize> = going.iter().map(|(index, _)| *index).collect();
        let outcome = steps
            .and_then(|steps| take_in(sessions, &mut failures, indices.into_iter().zip(steps), &mut on_step));
        let stop = should_stop();
        if let Err(error) = outcome {
            return Err(keep_all(sessions, &failures, error));
        }
        if stop && !self::going(sessions, &failures).is_empty() {
            save_all(sessions, &failures)?;
            return Ok(DriveReport { computing, interrupted: true, failures });
        }
        for (_, session) in unfailed(sessions, &failures) {
            // The caller saves at the end again, and reports what goes wrong then.
            let _ = session.autosave();
        }
    }
}

/// The runs that no error has stopped, with their indices.
fn unfailed<'a>(
    sessions: &'a mut [Session],
    failures: &'a [Option<Error>],
) -> impl Iterator<Item = (usize, &'a mut Session)> {
    let each = sessions.iter_mut().zip(failures).enumerate();
    each.filter(|(_, (_, failure))| failure.is_none()).map(|(index, (session, _))| (index, session))
}

/// The runs that have steps left to take.
fn going<'a>(sessions: &'a mut [Session], failures: &'a [Option<Error>]) -> Vec<(usize, &'a mut Session)> {
    unfailed(sessions, failures).filter(|(_, session)| !session.ascent().is_finished()).collect()
}

/// Reports every step that was taken. What stops one of several runs is remembered as its failure.
fn take_in(
    sessions: &mut [Session],
    failures: &mut [Option<Error>],
    steps: impl Iterator<Item = (usize, Result<StepReport>)>,
    on_step: &mut impl FnMut(usize, &Ascent, &StepReport) -> Result<(), BoxedError>,
) -> Result<()> {
    let alone = sessions.len() == 1;
    for (index, step) in steps {
        match step {
            Ok(report) => on_step(index, sessions[index].ascent(), &report).map_err(Error::Caller)?,
            Err(error) if alone => return Err(error),
            Err(error) => failures[index] = Some(sessions[index].keep(error)),
        }
    }
    Ok(())
}

/// Saves what there is after `error` stopped all runs; the error then says where.
fn keep_all(sessions: &mut [Session], failures: &[Option<Error>], error: Error) -> Error {
    let mut kept: Vec<&mut Session> = unfailed(sessions, failures).map(|(_, session)| session).collect();
    if let [session] = &mut kept[..] {
        return session.keep(error);
    }
    let (count, mut saved) = (kept.len(), 0);
    for session in &mut kept {
        if session.ascent().step_count() == 0 {
            session.discard();
        } else {
            // The error that stopped all runs is the one to return; the count says how many could be saved.
            saved += usize::from(session.save().is_ok());
        }
    }
    Error::SeveralStopped { saved, count, source: Box::new(error) }
}

fn save_all(sessions: &mut [Session], failures: &[Option<Error>]) -> Result<()> {
    for (_, session) in unfailed(sessions, failures) {
        session.save().map_err(|error| Error::InterruptedUnsaved { source: Box::new(error) })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Objective, Pictures, Plan, Recipe};
    use crate::runs::{Provenance, RunFolder, evaluate_starts};
    use std::cell::Cell;
    use std::path::{Path, PathBuf};
    use trepang_api::{Array, Backend, Cotangents, LayerId, Reference, ReluGradient, find_device};
    use trepang_weights::Trained;

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

        fn activations_from(
            &mut self,
            start: &[(LayerId, Array)],
            at: &[LayerId],
        ) -> trepang_api::Result<Vec<Array>> {
            self.0.activations_from(start, at)
        }

        fn pull_back_from(
            &mut self,
            start: &[(LayerId, Array)],
            at: &[LayerId],
            relu: ReluGradient,
            cotangents: &mut Cotangents,
        ) -> trepang_api::Result<Vec<Array>> {
            self.0.pull_back_from(start, at, relu, cotangents)
        }

        fn memory(&self, images: [usize; 3], at: &[LayerId]) -> trepang_api::Result<u64> {
            self.0.memory(images, at)
        }

        fn pool(&self) -> std::sync::Arc<dyn trepang_api::ComputePool> {
            self.0.pool()
        }
    }

    fn trained() -> Trained {
        trepang_weights::minivgg().unwrap()
    }

    /// The model, which panics at this call.
    fn model(breaks_at: usize) -> Fragile {
        let Trained { network, weights, .. } = trained();
        let cpu = find_device(&Reference, "cpu").unwrap();
        Fragile(Reference.load(&network, &weights, &cpu).unwrap(), breaks_at)
    }

    fn provenance() -> Provenance {
        let cpu = find_device(&Reference, "cpu").unwrap();
        Provenance::new(("minivgg", None, String::new()), (&Reference, &cpu))
    }

    /// A run of ten steps.
    fn prepared(runs: &Path) -> Session {
        let (objective, recipe) = (Objective::channel("block1_conv1", 3), Recipe::named("pixel").unwrap());
        let plan = Plan { steps: 10, ..Plan::new(objective, recipe, 32) };
        Session::new(plan, &trained().network, &Pictures::new(), provenance(), runs).unwrap()
    }

    /// Drives a run with a model that panics at this step; what is said, and the folder if it stayed.
    fn driven(breaks_at: usize, runs: &Path) -> (String, PathBuf) {
        let mut one = [prepared(runs)];
        one[0].reserve().unwrap();
        let error = drive(&mut one, &mut model(breaks_at), || false, |_, _, _| Ok(())).unwrap_err();
        (error.chain(), one[0].folder().unwrap().into())
    }

    #[test]
    fn an_interrupted_run_is_saved_and_resumes_to_the_same_picture() {
        let runs = tempfile::tempdir().unwrap();
        let (network, pictures) = (trained().network, Pictures::new());
        let mut whole = [prepared(runs.path())];
        let report = drive(&mut whole, &mut model(usize::MAX), || false, |_, _, _| Ok(())).unwrap();
        assert!(!report.interrupted && whole[0].folder().is_none(), "nobody asked to save it");
        let steps = Cell::new(0);
        let mut part = [prepared(runs.path())];
        let report = drive(
            &mut part,
            &mut model(usize::MAX),
            || steps.get() == 4,
            |_, _, report| {
                steps.set(report.step);
                Ok(())
            },
        );
        assert!(report.unwrap().interrupted);
        let saved = RunFolder::open(part[0].folder().unwrap()).unwrap();
        assert_eq!(saved.1.state.losses.len(), 4);
        let mut rest = [Session::resume(saved, &network, &pictures, provenance()).unwrap()];
        drive(&mut rest, &mut model(usize::MAX), || false, |_, _, _| Ok(())).unwrap();
        assert_eq!(rest[0].ascent().picture(), whole[0].ascent().picture());
        let picture = whole[0].ascent().picture();
        let go_on = || false;
        let evaluation = |session: &Session| {
            session.evaluate(&picture, &network, &pictures, &mut model(usize::MAX), &go_on).unwrap().unwrap()
        };
        let found = evaluation(&rest[0]);
        assert_eq!(found, evaluation(&whole[0]));
        let both = [(&rest[0], &pictures), (&whole[0], &pictures)];
        let starts =
            |stop: &dyn Fn() -> bool| evaluate_starts(&both, &network, &mut model(usize::MAX), stop).unwrap();
        let [one, other] = starts(&go_on).unwrap()[..] else { panic!("one for each") };
        assert_eq!(one, other);
        assert!(found.score.clean > one.unwrap().score.clean, "{found:?}");
        assert_eq!(starts(&|| true), None);
    }

    #[test]
    fn a_caller_that_fails_after_a_step_stops_and_saves_the_run() {
        let runs = tempfile::tempdir().unwrap();
        let mut one = [prepared(runs.path())];
        let refuse = |_: usize, _: &Ascent, _: &StepReport| Err(BoxedError::from("stdout has gone"));
        let error = drive(&mut one, &mut model(usize::MAX), || false, refuse).unwrap_err();
        let folder = one[0].folder().unwrap();
        let place = folder.display();
        assert_eq!(error.chain(), format!("stopped after step 1, saved in {place}: stdout has gone"));
        assert_eq!(RunFolder::open(folder).unwrap().1.state.losses.len(), 1);
    }

    #[test]
    fn a_panic_in_a_step_saves_the_run_and_says_where() {
        let runs = tempfile::tempdir().unwrap();
        let (said, folder) = driven(4, runs.path());
        let place = folder.display();
        assert_eq!(
            said,
            format!(
                "stopped after step 3, saved in {place}: the backend panicked: the model broke as it was told to"
            )
        );
        assert_eq!(RunFolder::open(&folder).unwrap().1.state.losses.len(), 3);
    }

    #[test]
    fn a_run_that_took_no_step_leaves_no_folder() {
        let runs = tempfile::tempdir().unwrap();
        let (said, folder) = driven(1, runs.path());
        assert_eq!(said, "the backend panicked: the model broke as it was told to");
        assert!(!folder.exists());
    }
}
