//! The worker, driven by commands, with a model that can be made to hang or to panic.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use trepang::engine::{Objective, Plan, Recipe};
use trepang::runs::RunFolder;
use trepang::sweep::UnitStore;
use trepang::worker::protocol::{Action, Outcome, Snapshot, Status};
use trepang::worker::{Setup, Viewer, Worker};
use trepang_api::{
    Array, Backend, Cotangents, LayerId, Model, Reference, ReluGradient, Result, find_device, networks,
};

use trepang_weights::Trained;

use crate::forwarding::forward;
use crate::models::{Bare, provenance};

/// Long enough for anything on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The reference on minivgg, which panics at a step of our choice and counts its calls.
#[derive(Debug)]
struct Fragile {
    model: Box<dyn Model>,
    calls: usize,
    breaks_at: usize,
}

/// Panics when it is let go of, as a framework may: outside any step.
#[derive(Debug)]
struct Clinging(Fragile);

/// A model that says of itself that a step takes more memory than any machine has.
#[derive(Debug)]
struct Vast(Fragile);

impl Model for Vast {
    forward!(0: activations pull_back activations_from pull_back_from pool);

    fn memory(&self, _: [usize; 3], _: &[LayerId]) -> Result<u64> {
        Ok(1 << 50)
    }
}

impl Model for Clinging {
    forward!(0: activations pull_back activations_from pull_back_from memory pool);
}

impl Drop for Clinging {
    fn drop(&mut self) {
        panic!("the model does not let go");
    }
}

impl Model for Fragile {
    forward!(model: activations activations_from pull_back_from memory pool);

    fn pull_back(
        &mut self,
        images: &Array,
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> Result<Array> {
        self.calls += 1;
        assert!(self.calls != self.breaks_at, "the model broke as it was told to");
        self.model.pull_back(images, at, relu, cotangents)
    }
}

/// A worker and its only viewer.
pub(crate) struct Watcher {
    worker: Worker,
    pub(crate) viewer: Viewer,
}

impl Watcher {
    pub(crate) fn new(worker: Worker) -> Self {
        Self { viewer: worker.subscribe(), worker }
    }

    pub(crate) fn send(&self, action: Action) {
        self.viewer.request(action);
    }

    /// Makes a request and waits for its reply; returns the snapshot that is the newest then.
    pub(crate) fn ask(&self, action: Action) -> Arc<Snapshot> {
        reply_to(&self.viewer, action);
        self.viewer.snapshot()
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.viewer.snapshot()
    }

    pub(crate) fn subscribe(&self) -> Viewer {
        self.worker.subscribe()
    }

    pub(crate) fn finish(self) -> Arc<Snapshot> {
        self.worker.finish()
    }
}

/// Makes a viewer's request and waits for its reply.
pub(crate) fn reply_to(viewer: &Viewer, action: Action) -> Outcome {
    let (id, begun) = (viewer.request(action), Instant::now());
    loop {
        if let Some(reply) = viewer.replies().into_iter().find(|reply| reply.id == id) {
            return reply.outcome;
        }
        assert!(begun.elapsed() < PATIENCE, "no reply");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn setup(runs: &Path) -> Setup {
    let labels = trepang_weights::Labels::default();
    Setup {
        network: networks::minivgg().unwrap(),
        labels,
        provenance: provenance("minivgg"),
        runs: runs.into(),
        store: None,
    }
}

/// A worker that keeps drafts in `store`, and computes with this network's weights.
pub(crate) fn spawn_with_store(runs: &Path, store: &Path, trained: Trained) -> Watcher {
    spawn_of(Setup { store: Some(UnitStore::new(store)), ..setup(runs) }, trained)
}

/// The same, and the network classifies pictures.
pub(crate) fn spawn_classifying(runs: &Path, store: &Path, trained: Trained) -> Watcher {
    let (store, labels) = (Some(UnitStore::new(store)), trained.labels.clone());
    spawn_of(Setup { store, labels, ..setup(runs) }, trained)
}

fn spawn_of(setup: Setup, trained: Trained) -> Watcher {
    let load = move || {
        let cpu = find_device(&Reference, "cpu")?;
        Ok(Reference.load(&trained.network, &trained.weights, &cpu)?)
    };
    Watcher::new(Worker::spawn(setup, load, Box::new(Bare)).unwrap())
}

pub(crate) fn spawn(runs: &Path, breaks_at: usize) -> Watcher {
    Watcher::new(
        Worker::spawn(setup(runs), move || Ok(Box::new(fragile(breaks_at)?)), Box::new(Bare)).unwrap(),
    )
}

fn fragile(breaks_at: usize) -> anyhow::Result<Fragile> {
    let trained = trepang_weights::minivgg()?;
    let cpu = find_device(&Reference, "cpu")?;
    let model = Reference.load(&trained.network, &trained.weights, &cpu)?;
    Ok(Fragile { model, calls: 0, breaks_at })
}

/// A shallow layer of a small image: quick even for the reference.
pub(crate) fn plan(channel: usize, steps: usize) -> Action {
    let (objective, recipe) = (Objective::channel("block1_conv1", channel), Recipe::named("pixel").unwrap());
    Action::Start(Box::new(Plan { steps, ..Plan::new(objective, recipe, 32) }))
}

pub(crate) fn wait(worker: &Watcher, what: &str, until: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
    let begun = Instant::now();
    loop {
        let snapshot = worker.snapshot();
        if until(&snapshot) {
            return snapshot;
        }
        let (status, notice) = (&snapshot.status, &snapshot.notice);
        assert!(begun.elapsed() < PATIENCE, "{what} did not happen: {status:?}, {notice:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub(crate) fn step(snapshot: &Snapshot) -> usize {
    snapshot.run.as_ref().map_or(0, |run| run.step)
}

pub(crate) fn folders(runs: &Path) -> usize {
    std::fs::read_dir(runs).map_or(0, Iterator::count)
}

#[test]
fn a_run_takes_its_steps_rises_and_is_saved() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), 0);
    worker.send(plan(3, 6));
    let snapshot = wait(&worker, "the end", |s| s.status == Status::Finished);
    let run = snapshot.run.as_ref().unwrap();
    let losses: Vec<f64> = run.curve.whole().iter().map(|point| point.1).collect();
    assert_eq!(losses.len(), 6);
    assert!(losses[5] > losses[0], "{losses:?}");
    let (_, saved) = RunFolder::open(run.folder.as_ref().unwrap()).unwrap();
    assert_eq!(saved.state.losses, losses);
    assert!(snapshot.notice.as_ref().unwrap().starts_with("saved in "));
}

#[test]
fn another_start_replaces_the_run_and_keeps_what_it_had() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), 0);
    worker.send(plan(3, 100_000));
    wait(&worker, "some steps", |s| step(s) >= 3);
    worker.send(plan(4, 2));
    wait(&worker, "the second run", |s| s.status == Status::Finished);
    assert_eq!(folders(runs.path()), 2);
}

#[test]
fn paused_it_stands_still_and_more_steps_wake_a_finished_run() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), 0);
    worker.send(plan(3, 100_000));
    wait(&worker, "a step", |s| step(s) >= 1);
    worker.send(Action::Pause);
    let paused = wait(&worker, "the pause", |s| s.status == Status::Paused);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(step(&worker.snapshot()), step(&paused));
    worker.send(Action::ChangeSteps(-1_000_000)); // not before its past: it ends where it is
    let ended = wait(&worker, "the end", |s| s.status == Status::Finished);
    assert_eq!(step(&ended), step(&paused));
    worker.send(Action::ChangeSteps(1));
    worker.send(Action::ChangeSteps(1));
    wait(&worker, "two more", |s| s.status == Status::Finished && step(s) == step(&paused) + 2);
}

#[test]
fn when_the_dashboard_goes_the_run_is_saved_and_can_go_on() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), 0);
    worker.send(plan(3, 100_000));
    wait(&worker, "a step", |s| step(s) >= 1);
    let last = worker.finish();
    let (_, saved) = RunFolder::open(last.run.as_ref().unwrap().folder.as_ref().unwrap()).unwrap();
    assert_eq!(saved.state.losses.len(), step(&last));
}

#[test]
fn a_run_without_a_step_leaves_nothing_behind() {
    let runs = tempfile::tempdir().unwrap();
    spawn(runs.path(), 0).finish();
    assert_eq!(folders(runs.path()), 0);
}

#[test]
fn a_panic_in_the_model_is_reported_and_the_run_is_saved() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), 4);
    worker.send(plan(3, 100));
    let snapshot = wait(&worker, "the panic", |s| matches!(s.status, Status::Broken(_)));
    let Status::Broken(message) = &snapshot.status else { unreachable!() };
    assert_eq!(message, "the backend panicked: the model broke as it was told to");
    let last = worker.finish();
    let (_, saved) = RunFolder::open(last.run.as_ref().unwrap().folder.as_ref().unwrap()).unwrap();
    assert_eq!(saved.state.losses.len(), 3);
}

#[test]
fn a_plan_that_does_not_fit_is_told_and_the_run_before_goes_on() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), 0);
    worker.send(plan(3, 100_000));
    wait(&worker, "a step", |s| step(s) >= 1);
    worker.send(plan(99, 5));
    let told = wait(&worker, "the notice", |s| s.notice.is_some());
    assert_eq!(told.notice.as_deref(), Some("block1_conv1 has 32 channels, 0 to 31; there is no channel 99"));
    let at = step(&told);
    wait(&worker, "more steps", |s| step(s) > at);
}

#[test]
fn a_step_that_memory_does_not_suffice_for_is_not_begun() {
    let runs = tempfile::tempdir().unwrap();
    let load = || Ok(Box::new(Vast(fragile(0)?)) as Box<dyn Model>);
    let worker = Watcher::new(Worker::spawn(setup(runs.path()), load, Box::new(Bare)).unwrap());
    worker.send(plan(3, 5));
    let told = wait(&worker, "the refusal", |s| s.status == Status::Stopped);
    assert!(
        told.notice.as_deref().unwrap().contains("a picture of 32 px takes about 11258999"),
        "{:?}",
        told.notice
    );
    assert_eq!(step(&told), 0);
    assert_eq!(std::fs::read_dir(runs.path()).unwrap().count(), 0, "nothing is saved of it");
}

#[test]
fn a_model_that_does_not_load_ends_the_worker_with_its_reason() {
    let runs = tempfile::tempdir().unwrap();
    let load = || Err("no memory on the device".into());
    let worker = Watcher::new(Worker::spawn(setup(runs.path()), load, Box::new(Bare)).unwrap());
    let snapshot = wait(&worker, "the failure", |s| matches!(s.status, Status::Broken(_)));
    assert_eq!(snapshot.status, Status::Broken("no memory on the device".into()));
}

#[test]
fn runs_that_cannot_be_saved_are_told_and_go_on() {
    let runs = tempfile::tempdir().unwrap();
    let blocked = runs.path().join("file");
    std::fs::write(&blocked, b"not a folder").unwrap();
    let worker = spawn(&blocked, 0);
    worker.send(plan(3, 100_000));
    wait(&worker, "a step", |s| step(s) >= 1);
    worker.send(Action::Save);
    let told = wait(&worker, "the notice", |s| s.notice.is_some());
    assert!(
        told.notice.as_ref().unwrap().starts_with(
            "the run of channel(block1_conv1, 3) could not be saved: cannot make the run's folder"
        )
    );
    wait(&worker, "more steps", |s| step(s) > step(&told));
}

#[test]
fn a_panic_outside_the_steps_is_told_too_and_the_run_is_saved() {
    let runs = tempfile::tempdir().unwrap();
    let load = move || Ok(Box::new(Clinging(fragile(0)?)) as Box<dyn Model>);
    let worker = Watcher::new(Worker::spawn(setup(runs.path()), load, Box::new(Bare)).unwrap());
    worker.send(plan(3, 100_000));
    wait(&worker, "a step", |s| step(s) >= 1);
    let last = worker.finish();
    assert_eq!(last.status, Status::Broken("the worker panicked: the model does not let go".into()));
    let (_, saved) = RunFolder::open(last.run.as_ref().unwrap().folder.as_ref().unwrap()).unwrap();
    assert_eq!(saved.state.losses.len(), step(&last));
}

#[test]
fn a_worker_that_has_ended_is_noticed() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), 0);
    worker.send(plan(3, 100_000));
    wait(&worker, "a step", |s| step(s) >= 1);
    assert!(worker.viewer.latest().is_ok());
    worker.send(Action::Shutdown);
    let begun = Instant::now();
    while worker.viewer.latest().is_ok() {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(worker.viewer.latest().unwrap_err().to_string(), "the worker has ended");

    let worker = spawn(runs.path(), 2);
    worker.send(plan(3, 100));
    wait(&worker, "the panic", |s| matches!(s.status, Status::Broken(_)));
    assert!(worker.viewer.latest().unwrap_err().to_string().starts_with("the backend panicked"));
}

#[test]
fn a_run_that_could_not_be_saved_is_told_until_the_end() {
    let runs = tempfile::tempdir().unwrap();
    let place = runs.path().join("runs");
    std::fs::write(&place, b"not a folder").unwrap();
    let worker = spawn(&place, 0);
    worker.send(plan(3, 100_000));
    wait(&worker, "some steps", |s| step(s) >= 3);
    worker.send(plan(4, 100_000));
    wait(&worker, "the failure", |s| !s.unsaved.is_empty());
    // There is room again: the next run is saved, and told last. The one before is lost all the same.
    std::fs::remove_file(&place).unwrap();
    worker.send(Action::Save);
    wait(&worker, "the save", |s| s.notice.as_ref().is_some_and(|notice| notice.starts_with("saved in ")));
    let last = worker.finish();
    let [failure] = &last.unsaved[..] else { panic!("{:?}", last.unsaved) };
    assert_eq!(failure.number, 1);
    assert!(failure.text.starts_with("the run of channel(block1_conv1, 3) could not be saved"));
}

#[test]
fn a_failure_that_was_made_good_is_forgotten() {
    let runs = tempfile::tempdir().unwrap();
    let place = runs.path().join("runs");
    std::fs::write(&place, b"not a folder").unwrap();
    let worker = spawn(&place, 0);
    worker.send(plan(3, 100_000));
    wait(&worker, "a step", |s| step(s) >= 1);
    worker.send(Action::Save);
    wait(&worker, "the failure", |s| s.unsaved.len() == 1);
    std::fs::remove_file(&place).unwrap();
    assert_eq!(worker.finish().unsaved, []);
}

#[test]
fn a_short_run_that_is_replaced_is_kept_only_if_it_was_saved() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), 0);
    // As a key held down does: no run gets far. The last one is kept, however short.
    for channel in 0..20 {
        worker.send(plan(channel, 100_000));
    }
    wait(&worker, "the last run", |s| s.run.as_ref().is_some_and(|run| run.number == 20) && step(s) >= 1);
    worker.send(Action::Save);
    wait(&worker, "the save", |s| s.notice.is_some());
    worker.send(plan(21, 100_000));
    wait(&worker, "another", |s| s.run.as_ref().is_some_and(|run| run.number == 21) && step(s) >= 1);
    worker.finish();
    assert_eq!(folders(runs.path()), 2);
}

#[test]
fn a_run_taken_back_to_its_start_is_saved_as_such() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), 0);
    worker.send(plan(3, 5));
    let saved = wait(&worker, "the end", |s| {
        s.status == Status::Finished && s.run.as_ref().unwrap().folder.is_some()
    });
    assert_eq!(step(&worker.ask(Action::Undo)), 0);
    worker.ask(Action::Save);
    let (_, kept) = RunFolder::open(saved.run.as_ref().unwrap().folder.as_ref().unwrap()).unwrap();
    assert_eq!(kept.state.losses.len(), 0);
}
