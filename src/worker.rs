//! The one thread that owns the model and the ascent. It takes commands, climbs, and publishes the newest
//! snapshot; it never waits for the screen. Not here: what commands mean to the user, and any drawing.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use trepang_api::{Model, Network};

use crate::app::{Command, Curve, RunView, Snapshot, Status};
use crate::engine::{Ascent, Plan, StepReport};
use crate::panics::panicked;
use crate::runs::{Origin, Provenance, RunFolder, SAVE_EVERY};

/// How much the newest step counts in the steps a second.
const RATE_WEIGHT: f64 = 0.1;

/// Between two snapshots that only bring another step: no screen shows more, and each costs a picture.
const PUBLISH_EVERY: Duration = Duration::from_millis(15);

/// What the worker needs to know before it starts.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The network that plans are about.
    pub network: Network,
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
    ) -> Result<Self> {
        let (commands, inbox) = channel();
        let latest = Arc::<Mutex<Arc<Snapshot>>>::default();
        let published = Arc::clone(&latest);
        let thread = thread::Builder::new()
            .name("worker".into())
            .spawn(move || {
                let desk = Desk {
                    setup,
                    inbox,
                    latest: published,
                    snapshot: Snapshot::default(),
                    published: Instant::now(),
                    job: None,
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

    /// Lets the worker save its run and end; returns its last word.
    pub fn finish(self) -> Arc<Snapshot> {
        drop(self.commands);
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
    inbox: Receiver<Command>,
    latest: Arc<Mutex<Arc<Snapshot>>>,
    /// What was last published.
    snapshot: Snapshot,
    published: Instant,
    job: Option<Job>,
    /// How many runs have begun.
    runs: u64,
}

/// A run, and what is known about it.
struct Job {
    ascent: Ascent,
    folder: Option<RunFolder>,
    /// Steps taken when it was last saved.
    saved_at: usize,
    saved: Instant,
    number: u64,
    curve: Curve,
    last: Option<StepReport>,
    /// Seconds a step, lately.
    pace: Option<f64>,
}

impl Desk {
    fn work(mut self, load: impl FnOnce() -> Result<Box<dyn Model>>) {
        let loaded = catch_unwind(AssertUnwindSafe(load))
            .unwrap_or_else(|panic| Err(panicked("the backend", &*panic)));
        let mut model = match loaded {
            Ok(model) => model,
            Err(error) => return self.publish(Status::Broken(format!("{error:#}"))),
        };
        self.publish(Status::Idle);
        while self.take_commands() {
            if self.snapshot.status == Status::Running {
                self.step(model.as_mut());
            }
        }
        self.keep();
        let status = self.snapshot.status.clone();
        self.publish(status);
    }

    /// Obeys what has come in, waiting for something if there is nothing to climb. False when it is time to go.
    fn take_commands(&mut self) -> bool {
        loop {
            let command = match self.snapshot.status {
                Status::Running => match self.inbox.try_recv() {
                    Ok(command) => command,
                    Err(TryRecvError::Empty) => return true,
                    Err(TryRecvError::Disconnected) => return false,
                },
                Status::Broken(_) => return false,
                _ => match self.inbox.recv() {
                    Ok(command) => command,
                    Err(_) => return false,
                },
            };
            if command == Command::Quit {
                return false;
            }
            self.obey(command);
        }
    }

    fn obey(&mut self, command: Command) {
        let status = self.snapshot.status.clone();
        match command {
            Command::Start(plan) => self.start(*plan),
            Command::Pause if status == Status::Running => self.publish(Status::Paused),
            Command::Resume if status == Status::Paused => self.publish(Status::Running),
            Command::ChangeSteps(by) => self.change_steps(by),
            Command::Save => {
                self.keep();
                self.publish(status);
            }
            _ => {}
        }
    }

    /// Begins a run. The one before is put away afterwards, so that the new one is on screen at once.
    fn start(&mut self, plan: Plan) {
        match Ascent::new(plan, &self.setup.network, None) {
            Ok(ascent) => {
                self.runs += 1;
                let before = self.job.replace(Job::new(ascent, self.runs));
                self.snapshot.notice = None;
                self.publish(Status::Running);
                if let Some(mut job) = before
                    && let Err(error) = job.save(&self.setup)
                {
                    self.snapshot.notice =
                        Some(format!("the run before could not be saved: {error:#}").into());
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

    fn step(&mut self, model: &mut dyn Model) {
        let Some(job) = &mut self.job else { return self.publish(Status::Idle) };
        let begun = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| job.ascent.step(model)));
        match outcome {
            Ok(Ok(report)) => {
                job.note(report, begun.elapsed());
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
            Ok(Err(error)) => {
                self.keep();
                self.snapshot.notice = Some(error.to_string().into());
                self.publish(Status::Stopped);
            }
            Err(panic) => {
                self.keep();
                self.publish(Status::Broken(panicked("the backend", &*panic).to_string()));
            }
        }
    }

    /// Saves the run if it has taken a step since it was last saved, and says where, or what went wrong.
    fn keep(&mut self) {
        let Some(job) = &mut self.job else { return };
        self.snapshot.notice = match job.save(&self.setup) {
            Ok(()) => {
                job.folder.as_ref().map(|folder| format!("saved in {}", folder.path().display()).into())
            }
            Err(error) => Some(format!("the run could not be saved: {error:#}").into()),
        };
    }

    fn publish(&mut self, status: Status) {
        self.published = Instant::now();
        self.snapshot.version += 1;
        self.snapshot.status = status;
        self.snapshot.run = self.job.as_ref().map(Job::view);
        *lock(&self.latest) = Arc::new(self.snapshot.clone());
    }
}

impl Job {
    fn new(ascent: Ascent, number: u64) -> Self {
        let curve = Curve::default();
        Self {
            ascent,
            folder: None,
            saved_at: 0,
            saved: Instant::now(),
            number,
            curve,
            last: None,
            pace: None,
        }
    }

    fn note(&mut self, report: StepReport, took: Duration) {
        let seconds = took.as_secs_f64();
        self.pace = Some(self.pace.map_or(seconds, |pace| pace + RATE_WEIGHT * (seconds - pace)));
        self.curve.push(report.loss);
        self.last = Some(report);
    }

    /// A run that has taken no step leaves nothing behind.
    fn save(&mut self, setup: &Setup) -> Result<()> {
        let step = self.ascent.step_count();
        if step == 0 || step == self.saved_at {
            return Ok(());
        }
        let folder = match self.folder.take() {
            Some(folder) => folder,
            None => {
                let plan = self.ascent.plan().clone();
                RunFolder::create(&setup.runs, &Origin { plan, provenance: setup.provenance.clone() })?
            }
        };
        let folder = self.folder.insert(folder);
        folder.save(&self.ascent)?;
        self.saved_at = step;
        self.saved = Instant::now();
        Ok(())
    }

    fn view(&self) -> RunView {
        let picture = self.ascent.picture();
        RunView {
            plan: Arc::new(self.ascent.plan().clone()),
            number: self.number,
            step: self.ascent.step_count(),
            loss: self.last.map(|report| report.loss),
            gradient_norm: self.last.map(|report| report.gradient_norm),
            dead: self.last.is_some_and(|report| report.dead),
            dead_steps: self.ascent.state().dead_steps,
            saturated: picture.saturated(),
            rate: self.pace.map(|pace| pace.max(f64::MIN_POSITIVE).recip()),
            curve: self.curve.clone(),
            picture: Arc::new(picture),
            folder: self.folder.as_ref().map(|folder| folder.path().into()),
        }
    }
}
