//! The one thread that owns the model and the ascent. It takes commands, climbs, and publishes the newest
//! snapshot; it never waits for the screen. Not here: what commands mean to the user, and any drawing.

mod job;
mod judges;
mod shelf;
mod steer;
mod switch;

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use trepang_api::{Model, Network};
use trepang_weights::Labels;

use self::job::Job;
use self::judges::Judges;
use crate::app::{Command, Snapshot, Status, UnsavedRun};
use crate::engine::{Ascent, Pictures, Plan, Robustness};
use crate::panics::guard;
use crate::runs::{Provenance, SAVE_EVERY};

pub use self::judges::pause_after;
pub use self::shelf::{Loaded, Shelf};

/// Between two snapshots that only bring another step: no screen shows more, and each costs a picture.
const PUBLISH_EVERY: Duration = Duration::from_millis(33);

/// What the worker needs to know before it starts.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The network that plans are about.
    pub network: Network,
    /// Its classes, if it has a classifier.
    pub labels: Labels,
    /// What manifests say of the computation.
    pub provenance: Provenance,
    /// Where runs are kept.
    pub runs: PathBuf,
}

/// The worker, seen from outside.
#[derive(Debug)]
pub struct Worker {
    commands: Sender<Command>,
    latest: Arc<Mutex<Arc<Snapshot>>>,
    thread: JoinHandle<()>,
}

impl Worker {
    /// Starts the thread, which first loads the model. Fails when the system refuses a thread.
    pub fn spawn(
        setup: Setup,
        load: impl FnOnce() -> Result<Box<dyn Model>> + Send + 'static,
        shelf: Box<dyn Shelf>,
    ) -> Result<Self> {
        let (commands, inbox) = channel();
        let latest = Arc::<Mutex<Arc<Snapshot>>>::default();
        let published = Arc::clone(&latest);
        let thread = thread::Builder::new()
            .name("worker".into())
            .spawn(move || {
                let desk = Desk {
                    setup,
                    shelf,
                    judges: Judges::new(),
                    inbox,
                    latest: published,
                    snapshot: Snapshot::default(),
                    published: Instant::now(),
                    job: None,
                    measuring: None,
                    runs: 0,
                };
                desk.work(load);
            })
            .context("cannot start the worker thread")?;
        Ok(Self { commands, latest, thread })
    }

    /// Hands over a command. A worker that has ended takes none; its last snapshot says why.
    pub fn send(&self, command: Command) {
        let _ = self.commands.send(command);
    }

    /// How things stand now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&lock(&self.latest))
    }

    /// How things stand now. Fails when the worker cannot go on, or has ended without a word.
    pub fn news(&self) -> Result<Arc<Snapshot>> {
        // Asked first: what it published before it ended is then in the snapshot.
        let ended = self.thread.is_finished();
        let snapshot = self.snapshot();
        match &snapshot.status {
            Status::Broken(message) => bail!("{message}"),
            _ if ended => bail!("the worker has ended"),
            _ => Ok(snapshot),
        }
    }

    /// Lets the worker save its run and end; returns its last word. One that is loading a network has saved its run
    /// before, and is not waited for.
    pub fn finish(self) -> Arc<Snapshot> {
        drop(self.commands);
        let last = Arc::clone(&lock(&self.latest));
        if last.status == Status::Loading {
            return last;
        }
        // A panic was caught inside and is in the snapshot.
        let _ = self.thread.join();
        Arc::clone(&lock(&self.latest))
    }
}

/// A snapshot is replaced whole, so a panic elsewhere cannot leave half of one.
fn lock(slot: &Mutex<Arc<Snapshot>>) -> MutexGuard<'_, Arc<Snapshot>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The worker, seen from inside.
struct Desk {
    setup: Setup,
    shelf: Box<dyn Shelf>,
    judges: Judges,
    inbox: Receiver<Command>,
    latest: Arc<Mutex<Arc<Snapshot>>>,
    /// What was last published.
    snapshot: Snapshot,
    published: Instant,
    job: Option<Job>,
    /// A picture that stands still being measured: after how many steps of which run.
    measuring: Option<(u64, usize, Robustness)>,
    /// How many runs have begun.
    runs: u64,
}

impl Desk {
    /// Serves until it is time to go. A panic anywhere in that ends the worker, but not without its run.
    fn work(mut self, load: impl FnOnce() -> Result<Box<dyn Model>>) {
        if let Err(error) = guard("the worker", || self.serve(load)) {
            self.break_down(&error);
        }
    }

    fn serve(&mut self, load: impl FnOnce() -> Result<Box<dyn Model>>) -> Result<()> {
        let mut model = guard("the backend", load)?;
        let Setup { network, labels, provenance, .. } = &self.setup;
        self.judges.set_own(&provenance.network, network, labels);
        self.publish(Status::Idle);
        while self.take_commands(&mut model) {
            if self.snapshot.status == Status::Running {
                self.step(model.as_mut())?;
            }
            if self.is_prediction_due() {
                self.predict(model.as_mut())?;
            } else if self.is_worth_due() {
                self.measure(model.as_mut())?;
            }
        }
        self.judges.dismiss();
        self.keep();
        let status = self.snapshot.status.clone();
        self.publish(status);
        Ok(())
    }

    /// Saves what can be saved, and says that this is the end. What panicked once may do so again: then the last
    /// view of the run stays.
    fn break_down(&mut self, error: &anyhow::Error) {
        let kept = guard("the worker", || {
            self.keep();
            self.snapshot.run = self.job.as_ref().map(Job::view);
            Ok(())
        });
        if let (Err(second), Some(job)) = (kept, &self.job) {
            let number = job.number;
            self.fail(number, format!("the run could not be saved: {second:#}"));
        }
        self.snapshot.version += 1;
        self.snapshot.status = Status::Broken(format!("{error:#}"));
        *lock(&self.latest) = Arc::new(self.snapshot.clone());
    }

    /// Obeys what has come in, waiting for something if there is nothing to do. False when it is time to go.
    fn take_commands(&mut self, model: &mut Box<dyn Model>) -> bool {
        loop {
            let busy =
                self.snapshot.status == Status::Running || self.is_prediction_due() || self.is_worth_due();
            let command = match busy {
                true => match self.inbox.try_recv() {
                    Ok(command) => command,
                    Err(TryRecvError::Empty) => return true,
                    Err(TryRecvError::Disconnected) => return false,
                },
                false => match self.inbox.recv() {
                    Ok(command) => command,
                    Err(_) => return false,
                },
            };
            match command {
                Command::Quit => return false,
                Command::Switch { name, settings } => self.switch(&name, *settings, model),
                Command::Carry { backend, device } => self.carry(&backend, &device, model),
                command => self.obey(command),
            }
        }
    }

    fn obey(&mut self, command: Command) {
        let status = self.snapshot.status.clone();
        match command {
            Command::Start(plan) => self.start(*plan),
            Command::Pause if status == Status::Running => self.publish(Status::Paused),
            Command::Resume if status == Status::Paused => self.publish(Status::Running),
            Command::ChangeSteps(by) => self.change_steps(by),
            Command::Change { objective, recipe } => self.change(objective, *recipe),
            Command::Back => self.back(),
            Command::Save => {
                self.keep();
                self.publish(status);
            }
            Command::ListNetworks => {
                self.snapshot.networks = self.shelf.list().into();
                self.publish(status);
            }
            Command::ListDevices => {
                match guard("a backend", || Ok(self.shelf.devices())) {
                    Ok(devices) => self.snapshot.devices = devices.into(),
                    Err(error) => self.snapshot.notice = Some(format!("{error:#}").into()),
                }
                self.publish(status);
            }
            Command::ToggleJudge(name) => self.toggle_judge(&name),
            Command::Predict(wanted) => {
                self.judges.wanted = wanted;
                self.forget_predictions();
            }
            _ => {}
        }
    }

    /// Begins a run. The one before is put away afterwards, so that the new one is on screen at once.
    fn start(&mut self, plan: Plan) {
        match Ascent::new(plan, &self.setup.network, &Pictures::new()) {
            Ok(ascent) => {
                self.runs += 1;
                let before = self.job.replace(Job::new(ascent, self.runs, &self.setup.provenance));
                self.snapshot.notice = None;
                self.snapshot.predictions = None;
                self.publish(Status::Running);
                if let Some(mut before) = before.filter(Job::is_worth_keeping) {
                    let saved = before.save(&self.setup);
                    self.note(&before, &saved);
                }
            }
            Err(error) => {
                self.snapshot.notice = Some(error.to_string().into());
                let status = self.snapshot.status.clone();
                self.publish(status);
            }
        }
    }

    /// More steps wake a finished run; fewer can finish one.
    fn change_steps(&mut self, by: isize) {
        let Some(job) = &mut self.job else { return };
        let steps = job.ascent.plan().steps.saturating_add_signed(by);
        job.ascent.set_steps(steps.max(job.ascent.step_count()).max(1));
        let finished = job.ascent.is_finished();
        match (self.snapshot.status.clone(), finished) {
            (Status::Finished, false) => self.publish(Status::Running),
            (Status::Running | Status::Paused, true) => self.finish(),
            (status, _) => self.publish(status),
        }
    }

    fn finish(&mut self) {
        self.keep();
        self.publish(Status::Finished);
    }

    /// One step. What stops the run is told; only a panic, after which the model cannot be trusted, is an error.
    fn step(&mut self, model: &mut dyn Model) -> Result<()> {
        let Some(job) = &mut self.job else {
            self.publish(Status::Idle);
            return Ok(());
        };
        job.remember();
        let begun = Instant::now();
        match guard("the backend", || Ok(job.ascent.step(model)))? {
            Ok(report) => {
                job.note(report, begun.elapsed());
                self.after_step();
            }
            Err(error) => {
                self.keep();
                self.snapshot.notice = Some(error.to_string().into());
                self.publish(Status::Stopped);
            }
        }
        Ok(())
    }

    fn after_step(&mut self) {
        let Some(job) = &self.job else { return };
        let autosave = job.saved.elapsed() > SAVE_EVERY;
        if job.ascent.is_finished() {
            return self.finish();
        }
        if autosave {
            self.keep();
        }
        if self.published.elapsed() >= PUBLISH_EVERY {
            self.publish(Status::Running);
        }
    }

    /// Saves the run if it has taken a step since it was last saved, and says where, or what went wrong.
    fn keep(&mut self) {
        let Some(mut job) = self.job.take() else { return };
        let saved = job.save(&self.setup);
        self.note(&job, &saved);
        if let (Ok(()), Some(folder)) = (saved, &job.folder) {
            self.snapshot.notice = Some(format!("saved in {}", folder.path().display()).into());
        }
        self.job = Some(job);
    }

    /// Remembers a run that could not be saved, until it is.
    fn note(&mut self, job: &Job, saved: &Result<()>) {
        match saved {
            Ok(()) => self.snapshot.failures.retain(|failure| failure.run != job.number),
            Err(error) => {
                let objective = &job.ascent.plan().objective;
                self.fail(job.number, format!("the run of {objective} could not be saved: {error:#}"));
            }
        }
    }

    fn fail(&mut self, run: u64, text: String) {
        let text: Arc<str> = text.into();
        self.snapshot.failures.retain(|failure| failure.run != run);
        self.snapshot.failures.push(UnsavedRun { run, text: Arc::clone(&text) });
        self.snapshot.notice = Some(text);
    }

    fn publish(&mut self, status: Status) {
        self.published = Instant::now();
        self.snapshot.version += 1;
        self.snapshot.status = status;
        self.snapshot.run = self.job.as_ref().map(Job::view);
        *lock(&self.latest) = Arc::new(self.snapshot.clone());
    }
}
