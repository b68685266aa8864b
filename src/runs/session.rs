//! The one driver of a run: it prepares an ascent, takes its steps, saves it now and then, keeps what there is when
//! something stops it, and evaluates the picture. Not here: when to step and when to stop, which are the caller's.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use trepang_api::{Model, Network};

use super::error::{Error, Result};
use super::evaluation::{self, PictureEvaluation, evaluate, evaluator};
use super::folder::{RunFolder, SavedRun};
use super::growth::Growth;
use super::manifest::{Origin, Parts, Provenance};
use crate::engine::{
    Ascent, AscentState, Evaluator, Objective, Picture, Pictures, Plan, Recipe, Score, StepReport,
    step_together,
};
use crate::panics::catch;

/// The interval at which a run in progress is saved: the work that a power cut may cost.
pub const SAVE_EVERY: Duration = Duration::from_secs(30);

/// The interval at which the state of a run in progress is put down between two saves: the work that a killed process may
/// cost. Nothing waits for the disk then.
const JOURNAL_EVERY: Duration = Duration::from_secs(1);

/// The least time between two such moments, as a multiple of what one takes: large pictures have large states.
const JOURNAL_SHARE: u32 = 50;

/// An ascent, the folder it is kept in, and how much of it is saved there.
#[derive(Debug)]
pub struct Session {
    ascent: Ascent,
    /// The provenance of the run so far.
    parts: Parts,
    /// The folder that holds all runs.
    runs: PathBuf,
    /// The run's own folder, which is made when the run is first saved.
    folder: Option<RunFolder>,
    /// The steps of the saved run; none while the run differs from what is saved.
    saved_steps: Option<usize>,
    /// The time at which saving was last tried.
    saved_at: Instant,
    journal: Journal,
    /// The pictures that are kept of its growth, if that was asked for.
    growth: Option<Growth>,
}

/// The state's last way to its file between two saves.
#[derive(Debug)]
struct Journal {
    /// The number of steps that the file holds.
    steps: usize,
    at: Instant,
    took: Duration,
}

impl Journal {
    fn new(steps: usize) -> Self {
        Self { steps, at: Instant::now(), took: Duration::ZERO }
    }

    fn is_due(&self, steps: usize) -> bool {
        steps != self.steps && self.at.elapsed() >= JOURNAL_EVERY.max(JOURNAL_SHARE * self.took)
    }
}

impl Session {
    /// Prepares a new run, whose folder will be made in `runs`. `pictures` holds what the plan's files hold. Fails when
    /// the plan does not fit the network; writes nothing.
    pub fn new(
        plan: Plan,
        network: &Network,
        pictures: &Pictures,
        provenance: Provenance,
        runs: &Path,
    ) -> Result<Self> {
        let ascent = Ascent::new(plan, network, pictures)?;
        let (parts, saved_at, journal) = (Parts::new(provenance), Instant::now(), Journal::new(0));
        let runs = runs.into();
        Ok(Self { ascent, parts, runs, folder: None, saved_steps: None, saved_at, journal, growth: None })
    }

    /// Prepares to go on with a saved run, computed from here on as `provenance` says.
    pub fn resume(
        (mut folder, saved): (RunFolder, SavedRun),
        network: &Network,
        pictures: &Pictures,
        provenance: Provenance,
    ) -> Result<Self> {
        let SavedRun { origin, state, .. } = saved;
        let (mut parts, step) = (Parts::of(&origin), state.losses.len());
        folder.go_on(step, provenance.clone());
        parts.go_on(step, provenance);
        let ascent = Ascent::resume(origin.plan, network, state, pictures)?;
        let runs = folder.path().parent().unwrap_or(Path::new("")).into();
        let (saved_at, journal) = (Instant::now(), Journal::new(step));
        let folder = Some(folder);
        Ok(Self { ascent, parts, runs, folder, saved_steps: None, saved_at, journal, growth: None })
    }

    /// Takes a saved run as it is, to be looked at; if it goes on, then computed as `provenance` says. It is not saved again
    /// before it has changed, unless its state is newer than the rest of its folder.
    pub fn reopen(
        (folder, saved): (RunFolder, SavedRun),
        network: &Network,
        pictures: &Pictures,
        provenance: Provenance,
    ) -> Result<Self> {
        let is_ahead = saved.is_ahead;
        let mut session = Self::resume((folder, saved), network, pictures, provenance)?;
        session.saved_steps = (!is_ahead).then(|| session.ascent.step_count());
        Ok(session)
    }

    /// Keeps pictures of the run's growth from here on, with those that its folder has.
    #[must_use]
    pub fn with_growth(mut self) -> Self {
        let of_folder = self.folder().map(|folder| Growth::read(folder, self.ascent.step_count()));
        self.growth = Some(of_folder.unwrap_or_default());
        self
    }

    /// The pictures of the run's growth, as far as they are kept.
    pub fn growth(&self) -> Option<&Growth> {
        self.growth.as_ref()
    }

    /// The ascent as far as it has come.
    pub fn ascent(&self) -> &Ascent {
        &self.ascent
    }

    /// The run's folder, once it has been made.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_ref().map(RunFolder::path)
    }

    /// The plan and the provenance of the run as it is now, for its manifest and its picture.
    pub fn origin(&self) -> Origin {
        self.parts.origin(self.ascent.plan().clone(), self.ascent.step_count())
    }

    /// Sets how many steps the run is meant to take in all.
    pub fn set_steps(&mut self, steps: usize) {
        self.ascent.set_steps(steps);
    }

    /// Maximises another objective, or by another recipe, from the next step on. Fails, and changes nothing, where that
    /// does not fit the run.
    pub fn change(&mut self, objective: Objective, recipe: Recipe) -> Result<()> {
        self.ascent.change(objective, recipe)?;
        self.saved_steps = None;
        Ok(())
    }

    /// Goes back to an earlier state of this run; what was saved since is no longer what there is.
    pub fn rewind(&mut self, plan: Plan, state: AscentState, provenance: &Provenance) -> Result<()> {
        self.ascent.back(plan, state)?;
        if let Some(growth) = &mut self.growth {
            growth.back(self.ascent.step_count());
        }
        self.saved_steps = None;
        self.compute_with(provenance);
        Ok(())
    }

    /// Notes what computes the run from the next step on: another backend, device or number of threads.
    pub fn compute_with(&mut self, provenance: &Provenance) {
        let step = self.ascent.step_count();
        self.parts.go_on(step, provenance.clone());
        if let Some(folder) = &mut self.folder {
            folder.go_on(step, provenance.clone());
        }
    }

    /// Takes one step. [`Error::Panicked`] means that the model cannot be trusted any more; every other error stops
    /// this run only.
    pub fn step(&mut self, model: &mut dyn Model) -> Result<StepReport> {
        if let Some(growth) = self.growth.as_mut().filter(|growth| growth.frames().is_empty()) {
            growth.note(&self.ascent);
        }
        let report = catch("the backend", || self.ascent.step(model))??;
        if let Some(growth) = &mut self.growth {
            growth.note(&self.ascent);
        }
        Ok(report)
    }

    /// Takes one step of each run, in as few calls of the network as they allow. Fails when the model panicked.
    pub(super) fn step_together(
        sessions: &mut [&mut Self],
        model: &mut dyn Model,
    ) -> Result<Vec<Result<StepReport>>> {
        let mut ascents: Vec<&mut Ascent> = sessions.iter_mut().map(|session| &mut session.ascent).collect();
        let steps = catch("the backend", || step_together(&mut ascents, model))?;
        Ok(steps.into_iter().map(|step| Ok(step?)).collect())
    }

    /// Makes the run's folder and saves the run as it is, a step taken or not, so that a place where nothing can be
    /// saved is an error before the work.
    pub fn reserve(&mut self) -> Result<()> {
        let reserved = self.write();
        if reserved.is_err() {
            self.discard();
        }
        reserved
    }

    /// Saves the run if it has changed since it was last saved. A run that has taken no step makes no folder; one that
    /// was taken back to its start replaces what its folder holds.
    pub fn save(&mut self) -> Result<()> {
        let step = self.ascent.step_count();
        let has_begun = step > 0 || self.folder.is_some();
        if !has_begun || self.saved_steps == Some(step) {
            return Ok(());
        }
        self.write()
    }

    /// Saves the run if it was not saved for [`SAVE_EVERY`]; none if it is too early. Then its state alone is put down, about
    /// every second. A disk that is full now may have room the next time.
    pub fn autosave(&mut self) -> Option<Result<()>> {
        if self.saved_at.elapsed() <= SAVE_EVERY {
            self.keep_journal();
            return None;
        }
        self.saved_at = Instant::now();
        Some(self.save())
    }

    /// Puts the state down, if it is time: from there the run goes on if the process is killed. What goes wrong here goes wrong
    /// when the run is saved too, and is told then.
    fn keep_journal(&mut self) {
        let step = self.ascent.step_count();
        if !self.journal.is_due(step) {
            return;
        }
        let begun = Instant::now();
        let _ = match &self.folder {
            Some(folder) => folder.keep_journal(&self.ascent),
            None => self.write(),
        };
        self.journal = Journal { steps: step, at: Instant::now(), took: begun.elapsed() };
    }

    fn write(&mut self) -> Result<()> {
        let folder = match self.folder.take() {
            Some(folder) => folder,
            None => RunFolder::create(&self.runs, &self.origin())?,
        };
        let folder = self.folder.insert(folder);
        folder.save(&self.ascent)?;
        // A run without these pictures is whole: the next save tries again.
        let _ = self.growth.as_ref().map(|growth| growth.write(folder.path()));
        (self.saved_steps, self.saved_at) = (Some(self.ascent.step_count()), Instant::now());
        Ok(())
    }

    /// Takes away the folder of a run that took no step, unless the folder was there before this session.
    pub fn discard(&mut self) {
        if let Some(folder) = &mut self.folder {
            folder.discard();
        }
    }

    /// The folder of a run that has taken no step yet, for who takes it away; none if the folder was there before this session.
    pub fn folder_without_step(&self) -> Option<RunFolder> {
        self.folder.clone().filter(|folder| folder.is_fresh() && self.ascent.step_count() == 0)
    }

    /// Saves what there is after `error` stopped the run; the error then says where, or why that failed too.
    #[must_use]
    pub fn keep(&mut self, error: Error) -> Error {
        let step = self.ascent.step_count();
        if step == 0 {
            self.discard();
            return error;
        }
        let source = Box::new(error);
        match (self.save(), self.folder()) {
            (Ok(()), Some(folder)) => Error::Stopped { step, folder: folder.into(), source },
            (Ok(()), None) => *source,
            (Err(save), _) => Error::NotKept { save: save.chain(), source },
        }
    }

    /// An evaluator of `picture`, a picture of this run, for the run's last objective.
    pub fn evaluator(&self, picture: &Picture, network: &Network, pictures: &Pictures) -> Result<Evaluator> {
        Ok(evaluator(&self.ascent, picture, network, pictures)?)
    }

    /// Evaluates `saved`, the run's picture as it was read back from disk; none if `should_stop` says so on the way.
    pub fn evaluate(
        &self,
        saved: &Picture,
        network: &Network,
        pictures: &Pictures,
        model: &mut dyn Model,
        should_stop: &dyn Fn() -> bool,
    ) -> Result<Option<PictureEvaluation>> {
        let ascents = [(&self.ascent, pictures)];
        let found = catch("the backend", || evaluate(&ascents, saved, network, model, should_stop))?;
        Ok(found?.and_then(|mut found| found.pop()))
    }

    /// Whether the run's folder holds the run as it is.
    pub fn is_saved(&self) -> bool {
        self.saved_steps == Some(self.ascent.step_count())
    }

    /// Notes in the manifest what was measured on the picture that was saved. A run without a folder notes nothing.
    pub fn note_score(&self, score: Score) -> Result<()> {
        self.folder.as_ref().map_or(Ok(()), |folder| folder.note_score(&self.ascent, score))
    }
}

/// Evaluates the picture that each run began with: once, where runs began with the same one. None for a run whose picture
/// was a file that has gone since; none of all if `should_stop` says so on the way.
pub fn evaluate_starts(
    runs: &[(&Session, &Pictures)],
    network: &Network,
    model: &mut dyn Model,
    should_stop: &dyn Fn() -> bool,
) -> Result<Option<Vec<Option<PictureEvaluation>>>> {
    let ascents: Vec<_> = runs.iter().map(|(session, pictures)| (&session.ascent, *pictures)).collect();
    let found = catch("the backend", || evaluation::evaluate_starts(&ascents, network, model, should_stop))?;
    Ok(found?)
}
