//! The worker, driven by commands, with a model that can be made to hang or to panic.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use trepang::app::{Command, Snapshot, Status};
use trepang::engine::{Objective, Plan, Recipe, Start};
use trepang::runs::{Provenance, RunFolder};
use trepang::worker::{Setup, Worker};
use trepang_api::{Array, Backend, Cotangents, LayerId, Model, Reference, Result, find_device, networks};

/// Long enough for anything on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The reference on minivgg, which panics at a step of our choice and counts its calls.
#[derive(Debug)]
struct Fragile {
    model: Box<dyn Model>,
    calls: usize,
    breaks_at: usize,
}

impl Model for Fragile {
    fn activations(&mut self, images: &Array, at: &[LayerId]) -> Result<Vec<Array>> {
        self.model.activations(images, at)
    }

    fn pull_back(&mut self, images: &Array, at: &[LayerId], cotangents: &mut Cotangents) -> Result<Array> {
        self.calls += 1;
        assert!(self.calls != self.breaks_at, "the model broke as it was told to");
        self.model.pull_back(images, at, cotangents)
    }
}

fn setup(runs: &Path) -> Setup {
    let text = || "test".to_owned();
    let provenance = Provenance {
        trepang: text(),
        network: "minivgg".into(),
        weights: None,
        weights_sha256: text(),
        backend: "reference".into(),
        device: "cpu".into(),
        threads: 1,
    };
    Setup { network: networks::minivgg().unwrap(), provenance, runs: runs.into() }
}

fn spawn(runs: &Path, breaks_at: usize) -> Worker {
    Worker::spawn(setup(runs), move || {
        let trained = trepang_weights::trained("minivgg", None)?;
        let cpu = find_device(&Reference, "cpu")?;
        let model = Reference.load(&trained.network, &trained.weights, &cpu)?;
        Ok(Box::new(Fragile { model, calls: 0, breaks_at }))
    })
    .unwrap()
}

/// A shallow layer of a small image: quick even for the reference.
fn plan(channel: usize, steps: usize) -> Command {
    let (objective, recipe) = (Objective::channel("block1_conv1", channel), Recipe::pixel());
    Command::Start(Box::new(Plan { objective, recipe, size: 32, seed: 0, start: Start::Noise, steps }))
}

fn wait(worker: &Worker, what: &str, until: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
    let begun = Instant::now();
    loop {
        let snapshot = worker.snapshot();
        if until(&snapshot) {
            return snapshot;
        }
        assert!(begun.elapsed() < PATIENCE, "{what} did not happen: {:?}", snapshot.status);
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn step(snapshot: &Snapshot) -> usize {
    snapshot.run.as_ref().map_or(0, |run| run.step)
}

fn folders(runs: &Path) -> usize {
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
    wait(&worker, "two steps", |s| step(s) >= 2);
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
    worker.send(Command::Pause);
    let paused = wait(&worker, "the pause", |s| s.status == Status::Paused);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(step(&worker.snapshot()), step(&paused));
    worker.send(Command::ChangeSteps(-1_000_000)); // not before its past: it ends where it is
    let ended = wait(&worker, "the end", |s| s.status == Status::Finished);
    assert_eq!(step(&ended), step(&paused));
    worker.send(Command::ChangeSteps(1));
    worker.send(Command::ChangeSteps(1));
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
fn a_panic_in_the_model_is_told_and_the_steps_before_it_are_saved() {
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
fn a_model_that_does_not_load_ends_the_worker_with_its_reason() {
    let runs = tempfile::tempdir().unwrap();
    let worker =
        Worker::spawn(setup(runs.path()), || Err(anyhow::anyhow!("no memory on the device"))).unwrap();
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
    worker.send(Command::Save);
    let told = wait(&worker, "the notice", |s| s.notice.is_some());
    assert!(
        told.notice.as_ref().unwrap().starts_with("the run could not be saved: cannot make the run's folder")
    );
    wait(&worker, "more steps", |s| step(s) > step(&told));
}
