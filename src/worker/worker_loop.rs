//! The worker's loop: it serves requests, steps, classifies and evaluates, one thing after the other.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use trepang_api::{Model, Network};
use trepang_weights::Labels;

use super::active_run::ActiveRun;
use super::class_searcher::ClassSearcher;
use super::classifiers::Classifiers;
use super::drafts::Drafts;
use super::error::{Error, Result};
use super::examined::Examining;
use super::inbox::Inbox;
use super::lab_questions::LabQuestions;
use super::models::ModelProvider;
use super::pictures::complete_path;
use super::protocol::{Action, ChannelQueue, Outcome, Reply, Request, Snapshot, Status, UnsavedRun};
use super::viewer::{Board, Mail, ViewerId};
use crate::engine::{AskedSize, Evaluator};
use crate::panics::guard;
use crate::runs::{self, BoxedError, Provenance, Trash, never_woken};
use crate::sweep::UnitStore;

/// Between two snapshots that only bring another step: no screen shows more, and each costs a picture.
const MIN_PUBLISH_INTERVAL: Duration = Duration::from_millis(33);

/// The most requests that are served between two steps, so that a viewer that asks without end does not stop the run.
const MAX_REQUESTS_PER_STEP: usize = 64;

/// The worker's input at its start.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The network that plans are about.
    pub network: Network,
    /// The names of the network's classes, if it has a classifier.
    pub labels: Labels,
    /// The provenance for manifests.
    pub provenance: Provenance,
    /// The folder in which runs are kept.
    pub runs: PathBuf,
    /// The store in which drafts are kept; none if there is no folder for it.
    pub store: Option<UnitStore>,
}

/// The worker, seen from inside.
pub(super) struct WorkerLoop {
    pub(super) setup: Setup,
    pub(super) models: Box<dyn ModelProvider>,
    pub(super) classifiers: Classifiers,
    pub(super) inbox: Inbox,
    board: Arc<Board>,
    /// Those who look on, and whether each of them wants predictions.
    viewers: BTreeMap<ViewerId, bool>,
    /// The snapshot that was published last, or will be next.
    pub(super) snapshot: Snapshot,
    published_at: Instant,
    pub(super) run: Option<ActiveRun>,
    /// The evaluation of a picture that stands still, in progress: of which run, after how many steps.
    pub(super) evaluating: Option<(u64, usize, Evaluator)>,
    pub(super) drafts: Drafts,
    pub(super) examining: Examining,
    pub(super) labs: LabQuestions,
    pub(super) class_searcher: ClassSearcher,
    /// The channels that are maximised one after the other.
    pub(super) queue: Option<ChannelQueue>,
    /// The number of runs that have begun.
    pub(super) run_count: u64,
    /// The runs that were deleted since the worker began.
    pub(super) trash: Trash,
    /// Whether the worker is to end: its owner or a viewer asked for it.
    ending: bool,
}

impl WorkerLoop {
    pub(super) fn new(
        setup: Setup,
        models: Box<dyn ModelProvider>,
        inbox: Receiver<Mail>,
        board: Arc<Board>,
    ) -> Self {
        let (drafts, trash) = (Drafts::new(setup.store.clone()), Trash::new(&setup.runs));
        Self {
            setup,
            models,
            classifiers: Classifiers::new(),
            inbox: Inbox::new(inbox),
            board,
            viewers: BTreeMap::new(),
            snapshot: Snapshot::default(),
            published_at: Instant::now(),
            run: None,
            evaluating: None,
            drafts,
            examining: Examining::default(),
            labs: LabQuestions::default(),
            class_searcher: ClassSearcher::default(),
            queue: None,
            run_count: 0,
            trash,
            ending: false,
        }
    }

    /// Serves until it is told to end. A panic anywhere in that ends the worker, but not without its run.
    pub(super) fn work(mut self, load: impl FnOnce() -> Result<Box<dyn Model>, BoxedError>) {
        if let Err(error) = guard("the worker", || self.serve(load)) {
            self.break_down(&error);
        }
    }

    fn serve(&mut self, load: impl FnOnce() -> Result<Box<dyn Model>, BoxedError>) -> Result<()> {
        let mut model = guard("the backend", || load().map_err(Error::Load))?;
        let Setup { network, labels, provenance, .. } = &self.setup;
        self.classifiers.set_own(&provenance.network, &provenance.weights_sha256, network, labels);
        self.bring_back();
        self.publish(Status::Idle);
        while self.take_requests(&mut model) {
            let drafts_first = self.is_draft_due() && !self.drafts.owed.is_zero();
            if self.snapshot.status == Status::Running && !drafts_first {
                self.step(model.as_mut())?;
            }
            if self.is_examination_due() {
                self.examine(model.as_mut())?;
            } else if self.labs.are_due() {
                self.work_in_lab(model.as_mut())?;
            } else if self.class_searcher.is_due() {
                self.find_classes(model.as_mut())?;
            } else if self.is_draft_due() {
                self.step_drafts(model.as_mut())?;
            } else if self.is_prediction_due() {
                self.predict(model.as_mut())?;
            } else if self.is_evaluation_due() {
                self.evaluate(model.as_mut())?;
            } else if self.is_patient_draft_due() {
                self.step_drafts(model.as_mut())?;
            }
        }
        self.keep_classes();
        self.classifiers.clear();
        self.put_drafts_away();
        self.save();
        self.trash.empty();
        self.snapshot.queue_left = self.queue.clone();
        self.snapshot.ended = true;
        self.republish();
        Ok(())
    }

    /// Saves what can be saved, and publishes that this is the end. What panicked once may do so again: then the last
    /// view of the run stays.
    fn break_down(&mut self, error: &Error) {
        let saved = guard("the worker", || {
            self.save();
            self.snapshot.run = self.run.as_ref().map(ActiveRun::view);
            Ok::<(), Error>(())
        });
        if let (Err(second), Some(run)) = (saved, &self.run) {
            let number = run.number;
            self.note_unsaved(number, format!("the run could not be saved: {}", second.chain()));
        }
        self.snapshot.version += 1;
        self.snapshot.ended = true;
        self.snapshot.status = Status::Broken(error.chain());
        self.board.publish(Arc::new(self.snapshot.clone()));
    }

    /// Serves the requests that have come in, waiting for one if there is nothing else to do. False when it is time to
    /// end.
    fn take_requests(&mut self, model: &mut Box<dyn Model>) -> bool {
        for _ in 0..MAX_REQUESTS_PER_STEP {
            if self.ending {
                return false;
            }
            let received = if self.is_busy() {
                self.inbox.try_take()
            } else {
                self.inbox.take().map_err(|_| TryRecvError::Disconnected)
            };
            match received {
                Ok(mail) => self.open(mail, model),
                Err(TryRecvError::Empty) => return true,
                // The owner tells the worker to end before it drops its sender.
                Err(TryRecvError::Disconnected) => return false,
            }
        }
        !self.ending
    }

    fn open(&mut self, mail: Mail, model: &mut Box<dyn Model>) {
        match mail {
            Mail::Joined(viewer) => self.set_wish(viewer, Some(true)),
            Mail::Left(viewer) => {
                self.set_wish(viewer, None);
                self.look_at_drafts(viewer, None);
                self.look_closer(viewer, None);
                self.ask_lab(viewer, None);
                self.want_classes(viewer, false);
            }
            Mail::Request { viewer, request: Request { id, action }, replies } => {
                let outcome = self.handle(viewer, action, model);
                // The viewer may have gone; then its reply is dropped.
                let _ = replies.send(Reply { id, outcome });
            }
            Mail::End => self.ending = true,
        }
    }

    /// Notes whether a viewer wants predictions; none for a viewer that has gone. Pictures are classified as long as
    /// there is one that does.
    fn set_wish(&mut self, viewer: ViewerId, wish: Option<bool>) {
        match wish {
            Some(wish) => self.viewers.insert(viewer, wish),
            None => self.viewers.remove(&viewer),
        };
        let wanted = self.viewers.values().any(|wish| *wish);
        if wanted != self.classifiers.wanted {
            self.classifiers.wanted = wanted;
            self.forget_predictions();
        }
    }

    fn is_busy(&self) -> bool {
        let running = self.snapshot.status == Status::Running;
        let measures = self.is_prediction_due() || self.is_evaluation_due() || self.is_examination_due();
        let asked = self.labs.are_due() || self.class_searcher.is_due();
        running || measures || asked || self.is_draft_due() || self.is_patient_draft_due()
    }

    /// Carries out a request. Whatever it changes is published before this returns.
    fn handle(&mut self, viewer: ViewerId, action: Action, model: &mut Box<dyn Model>) -> Outcome {
        match action {
            Action::Start(plan) => self.start(*plan, None),
            Action::StartInShape(plan) => {
                let asked = AskedSize::Longer(plan.size.longer());
                self.start(*plan, Some(asked))
            }
            Action::Pause => self.go_from(&Status::Running, Status::Paused, "nothing is running"),
            Action::Resume => self.go_from(&Status::Paused, Status::Running, "nothing is paused"),
            Action::ChangeSteps(by) => self.change_steps(by),
            Action::Change { objective, recipe } => self.change(objective, *recipe),
            Action::Undo => self.undo(),
            Action::Save => {
                let saved = self.save();
                self.republish();
                saved
            }
            Action::DescribeCommand => self.describe_command(),
            Action::ListNetworks => {
                self.snapshot.networks = self.models.networks().into();
                self.republish();
                Outcome::Done
            }
            Action::ListRuns => self.list_runs(),
            Action::OfSavedRun(action) => self.act_on_saved(action, model),
            Action::ListDevices => self.list_devices(),
            Action::SwitchNetwork { name, settings } => self.switch_network(&name, *settings, model),
            Action::SwitchDevice { backend, device } => self.switch_device(&backend, &device, model),
            Action::ToggleClassifier(name) => self.toggle_classifier(&name),
            Action::CompletePath(path) => {
                let (path, choices) = complete_path(&path, std::env::home_dir());
                Outcome::Completed { path, choices }
            }
            Action::Draft(page) => self.look_at_drafts(viewer, page.as_deref()),
            Action::Examine(wish) => self.look_closer(viewer, wish),
            Action::Lab(subject) => self.ask_lab(viewer, subject.map(|subject| *subject)),
            Action::FindClasses(wanted) => self.want_classes(viewer, wanted),
            Action::Queue(queue) => self.set_queue(queue.map(|queue| *queue)),
            Action::Predict(wanted) => {
                self.set_wish(viewer, Some(wanted));
                Outcome::Done
            }
            Action::Shutdown => {
                self.ending = true;
                Outcome::Done
            }
        }
    }

    fn go_from(&mut self, from: &Status, to: Status, otherwise: &str) -> Outcome {
        if self.snapshot.status != *from {
            return Outcome::Refused(otherwise.into());
        }
        self.publish(to);
        Outcome::Done
    }

    fn list_devices(&mut self) -> Outcome {
        let devices = guard("a backend", || Ok::<_, Error>(self.models.devices()));
        let outcome = match devices {
            Ok(devices) => {
                self.snapshot.devices = devices.into();
                Outcome::Done
            }
            Err(error) => self.refuse(error.chain()),
        };
        self.republish();
        outcome
    }

    /// More steps wake a finished run; fewer can finish one.
    fn change_steps(&mut self, by: isize) -> Outcome {
        let Some(run) = &mut self.run else { return Outcome::Refused("there is no run".into()) };
        let ascent = run.session.ascent();
        let (taken, steps) = (ascent.step_count(), ascent.plan().steps.saturating_add_signed(by));
        run.session.set_steps(steps.max(taken).max(1));
        let finished = run.session.ascent().is_finished();
        match (self.snapshot.status.clone(), finished) {
            (Status::Finished, false) => self.publish(Status::Running),
            (Status::Running | Status::Paused, true) => self.finish(),
            (status, _) => self.publish(status),
        }
        Outcome::Done
    }

    fn finish(&mut self) {
        self.save();
        let ascent = self.run.as_ref().map(|run| run.session.ascent());
        if let Some(ascent) = ascent.filter(|ascent| ascent.state().is_dead()) {
            let nothing = never_woken(ascent.plan().last_objective(), ascent.step_count());
            let saved = self.snapshot.notice.take().map_or(String::new(), |notice| format!("; {notice}"));
            self.snapshot.notice = Some(format!("{nothing}; the picture shows nothing{saved}").into());
        }
        self.publish(Status::Finished);
        self.start_next();
    }

    /// Takes one step. What stops the run is published; only a panic, after which the model cannot be trusted, is an
    /// error.
    fn step(&mut self, model: &mut dyn Model) -> Result<()> {
        let Some(run) = &mut self.run else {
            self.publish(Status::Idle);
            return Ok(());
        };
        if let Err(reason) = run.check_room(model, || self.models.memory()) {
            self.stop(reason);
            return Ok(());
        }
        run.remember();
        let begun = Instant::now();
        let stepped = run.session.step(model);
        let took = begun.elapsed();
        self.drafts.let_run(took);
        match stepped {
            Ok(report) => {
                run.note_step(report, took);
                self.after_step();
            }
            Err(error @ runs::Error::Panicked(_)) => return Err(error.into()),
            Err(error) => self.stop(error.chain()),
        }
        Ok(())
    }

    /// Saves the run, which cannot go on for this reason, and goes on with the queue.
    fn stop(&mut self, reason: String) {
        self.save();
        self.snapshot.notice = Some(reason.into());
        self.publish(Status::Stopped);
        self.start_next();
    }

    fn after_step(&mut self) {
        let hopeless = self.is_hopeless();
        let Some(run) = &mut self.run else { return };
        if run.session.ascent().is_finished() || hopeless {
            return self.finish();
        }
        if let Some(saved) = run.session.autosave() {
            self.announce_saved(saved);
        }
        if self.published_at.elapsed() >= MIN_PUBLISH_INTERVAL {
            self.publish(Status::Running);
        }
    }

    /// Saves the run if it has changed since it was last saved, and publishes where, or what went wrong.
    pub(super) fn save(&mut self) -> Outcome {
        match &mut self.run {
            Some(run) => {
                let saved = run.session.save();
                self.announce_saved(saved)
            }
            None => Outcome::Done,
        }
    }

    fn announce_saved(&mut self, saved: runs::Result<()>) -> Outcome {
        let Some(run) = self.run.take() else { return Outcome::Done };
        let outcome = self.note_saved(&run, &saved);
        if let (Ok(()), Some(folder)) = (saved, run.session.folder()) {
            self.snapshot.notice = Some(format!("saved in {}", folder.display()).into());
        }
        self.run = Some(run);
        outcome
    }

    /// Remembers a run that could not be saved, until it is.
    pub(super) fn note_saved(&mut self, run: &ActiveRun, saved: &runs::Result<()>) -> Outcome {
        match saved {
            Ok(()) => {
                self.snapshot.unsaved.retain(|unsaved| unsaved.number != run.number);
                Outcome::Done
            }
            Err(error) => {
                let objective = &run.session.ascent().plan().objective;
                let text = format!("the run of {objective} could not be saved: {}", error.chain());
                self.note_unsaved(run.number, text.clone());
                Outcome::Refused(text)
            }
        }
    }

    fn note_unsaved(&mut self, number: u64, text: String) {
        let text: Arc<str> = text.into();
        self.snapshot.unsaved.retain(|unsaved| unsaved.number != number);
        self.snapshot.unsaved.push(UnsavedRun { number, text: Arc::clone(&text) });
        self.snapshot.notice = Some(text);
    }

    /// Says to all viewers why a request was not carried out, with the next snapshot.
    pub(super) fn refuse(&mut self, reason: String) -> Outcome {
        self.snapshot.notice = Some(reason.as_str().into());
        Outcome::Refused(reason)
    }

    /// Publishes with the status that there is.
    pub(super) fn republish(&mut self) {
        self.publish(self.snapshot.status.clone());
    }

    pub(super) fn publish(&mut self, status: Status) {
        self.published_at = Instant::now();
        self.snapshot.version += 1;
        self.snapshot.status = status;
        self.snapshot.run = self.run.as_ref().map(ActiveRun::view);
        self.snapshot.queue = self.queue_view();
        self.board.publish(Arc::new(self.snapshot.clone()));
    }
}
