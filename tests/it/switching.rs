//! The worker's other networks: switching to one, and those that classify the picture.

use std::path::Path;
use std::time::{Duration, Instant};

use trepang::engine::{Objective, Recipe};
use trepang::runs::RunFolder;
use trepang::worker::protocol::{Action, Settings, Snapshot, Status};
use trepang::worker::{Setup, Worker};
use trepang_api::{Backend, Reference, find_device};
use trepang_weights::{Labels, Trained, minivgg};

use crate::models::{Bare, FIRST_LOOK, provenance};
use crate::worker::{Watcher, folders, plan, step, wait};

/// minivgg, with or without its classifier.
fn spawn(runs: &Path, classifier: bool) -> Watcher {
    let Trained { network, weights, labels, .. } = minivgg().unwrap();
    let model = Reference.load(&network, &weights, &find_device(&Reference, "cpu").unwrap());
    let labels = if classifier { labels } else { Labels::default() };
    let setup = Setup { network, labels, provenance: provenance("minivgg"), runs: runs.into(), store: None };
    Watcher::new(Worker::spawn(setup, move || Ok(model?), Box::new(Bare)).unwrap())
}

fn switch(name: &str, steps: usize) -> Action {
    let settings = Settings { seed: 3, steps, ..Settings::of(Recipe::named("pixel").unwrap(), 64) };
    Action::SwitchNetwork { name: name.into(), settings: Box::new(settings) }
}

fn classifiers(snapshot: &Snapshot) -> Vec<&str> {
    let classifications = snapshot.predictions.iter().flat_map(|predictions| &predictions.classifications);
    classifications.map(|classification| &*classification.classifier).collect()
}

#[test]
fn a_switch_saves_the_run_and_begins_one_of_the_new_network() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), true);
    worker.send(plan(3, 100_000));
    wait(&worker, "some steps", |s| step(s) >= 3);
    worker.send(switch("second", 2));
    let ended = wait(&worker, "the second network's run", |s| s.status == Status::Finished);
    let run = ended.run.as_ref().unwrap();
    assert_eq!(run.plan.objective, Objective::channel(FIRST_LOOK.0, FIRST_LOOK.1));
    assert_eq!((run.plan.size, run.plan.seed, run.plan.steps, run.number), (32.into(), 3, 2, 2));
    assert_eq!(ended.network.as_ref().unwrap().info.name, "second");
    let (_, saved) = RunFolder::open(run.folder.as_ref().unwrap()).unwrap();
    assert_eq!(saved.origin.provenance.network, "second");
    worker.finish();
    assert_eq!(folders(runs.path()), 2);
}

#[test]
fn a_switch_that_fails_is_told_and_the_run_before_goes_on() {
    for (name, reason) in [
        ("damaged", "damaged was not loaded: the file is damaged"),
        ("rotten", "rotten was not loaded: the backend panicked: the file is rotten"),
    ] {
        let runs = tempfile::tempdir().unwrap();
        let worker = spawn(runs.path(), true);
        worker.send(plan(3, 100_000));
        wait(&worker, "a step", |s| step(s) >= 1);
        let seen = worker.ask(switch(name, 2));
        assert_eq!((seen.notice.as_deref(), &seen.status), (Some(reason), &Status::Running));
        assert!(seen.network.is_none() && seen.run.as_ref().unwrap().folder.is_some());
        wait(&worker, "more steps", |s| step(s) > step(&seen));
    }
}

#[test]
fn a_paused_run_is_still_paused_after_a_switch_that_failed() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), true);
    worker.send(plan(3, 100_000));
    worker.send(Action::Pause);
    let seen = worker.ask(switch("damaged", 2));
    assert_eq!(seen.status, Status::Paused);
}

#[test]
fn quitting_while_a_network_loads_is_immediate_and_saves() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), true);
    worker.send(plan(3, 100_000));
    wait(&worker, "a step", |s| step(s) >= 1);
    worker.send(switch("slow", 2));
    let loading = wait(&worker, "the loading", |s| s.status == Status::Loading);
    let begun = Instant::now();
    let last = worker.finish();
    assert!(begun.elapsed() < Duration::from_millis(250), "{:?}", begun.elapsed());
    let (_, saved) = RunFolder::open(last.run.as_ref().unwrap().folder.as_ref().unwrap()).unwrap();
    assert_eq!(saved.state.losses.len(), step(&loading));
    assert!(last.notice.as_ref().unwrap().starts_with("saved in "));
}

#[test]
fn the_networks_are_listed_when_somebody_asks() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), true);
    worker.send(Action::ListNetworks);
    let listed = wait(&worker, "the list", |s| !s.networks.is_empty());
    assert_eq!(listed.networks[1].name, "second");
}

#[test]
fn a_finished_run_is_classified_by_its_network_and_the_chosen() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), true);
    worker.send(plan(3, 6));
    let classified = wait(&worker, "a prediction of the last step", |s| {
        s.predictions.as_ref().is_some_and(|predictions| predictions.step == 6)
    });
    assert_eq!((classifiers(&classified), &classified.status), (vec!["minivgg"], &Status::Finished));
    let guesses = &classified.predictions.as_ref().unwrap().classifications[0].guesses;
    assert!(guesses.len() == 5 && guesses.is_sorted_by(|a, b| a.probability >= b.probability), "{guesses:?}");
    // Another network sees it at once, with the same eyes here.
    worker.send(Action::ToggleClassifier("second".into()));
    let both = wait(&worker, "the second network", |s| classifiers(s) == ["minivgg", "second"]);
    let classifications = &both.predictions.as_ref().unwrap().classifications;
    assert_eq!(classifications[0].guesses, classifications[1].guesses);
    assert_eq!(*both.classifiers, ["second"]);
    worker.send(Action::ToggleClassifier("second".into()));
    wait(&worker, "its end", |s| s.classifiers.is_empty() && classifiers(s) == ["minivgg"]);
    worker.send(Action::ToggleClassifier("damaged".into()));
    let seen = wait(&worker, "the failure", |s| s.notice.as_ref().is_some_and(|n| n.contains("damaged was")));
    assert!(seen.classifiers.is_empty());
}

#[test]
fn a_classifier_that_becomes_the_network_classifies_once() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), true);
    worker.send(Action::ToggleClassifier("second".into()));
    worker.send(switch("second", 3));
    let classified =
        wait(&worker, "a classification", |s| s.status == Status::Finished && !classifiers(s).is_empty());
    assert_eq!(classifiers(&classified), ["second"]);
}

#[test]
fn a_new_run_drops_old_predictions_and_predicts_seldom() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), true);
    worker.send(plan(3, 1));
    wait(&worker, "a classification", |s| s.predictions.is_some());
    let begun = Instant::now();
    worker.send(plan(4, 1_000_000));
    wait(&worker, "the next run", |s| {
        s.run.as_ref().is_some_and(|run| run.number == 2) && s.predictions.is_none()
    });
    let seen = wait(&worker, "its classification", |s| s.predictions.is_some());
    assert!(begun.elapsed() > Duration::from_millis(900), "{:?}", begun.elapsed());
    worker.send(Action::Pause);
    let paused = wait(&worker, "the pause", |s| {
        s.status == Status::Paused && s.predictions.as_ref().is_some_and(|p| p.step == step(s))
    });
    assert!(step(&paused) > step(&seen));
    worker.send(Action::Predict(false));
    wait(&worker, "nothing", |s| s.predictions.is_none());
}

#[test]
fn a_network_without_a_classifier_leaves_that_to_others() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), false);
    worker.send(plan(3, 2));
    let ended = wait(&worker, "the end", |s| s.status == Status::Finished);
    assert_eq!(ended.predictions, None);
    worker.send(Action::ToggleClassifier("second".into()));
    wait(&worker, "the classes", |s| classifiers(s) == ["second"]);
}

fn carry(backend: &str) -> Action {
    Action::SwitchDevice { backend: backend.into(), device: "cpu".into() }
}

#[test]
fn on_another_device_the_run_goes_on_from_the_same_picture() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), true);
    worker.send(plan(3, 100_000));
    wait(&worker, "some steps", |s| step(s) >= 3);
    worker.send(Action::Pause);
    let before = wait(&worker, "the pause", |s| s.status == Status::Paused);
    let after = worker.ask(carry("other"));
    assert_eq!(
        (&after.status, after.notice.as_deref()),
        (&Status::Paused, Some("other on cpu computes now"))
    );
    let (was, is) = (before.run.as_ref().unwrap(), after.run.as_ref().unwrap());
    assert_eq!((&was.picture, &was.plan, was.step, was.number), (&is.picture, &is.plan, is.step, is.number));
    worker.send(Action::ChangeSteps(2 + is.step as isize - 100_000));
    worker.send(Action::Resume);
    let ended = wait(&worker, "its end", |s| s.status == Status::Finished);
    let (_, saved) = RunFolder::open(ended.run.as_ref().unwrap().folder.as_ref().unwrap()).unwrap();
    let parts = saved.origin.segments.iter().map(|part| (part.step, part.provenance.backend.as_str()));
    assert_eq!(parts.collect::<Vec<_>>(), [(0, "reference"), (is.step, "other")]);
    assert_eq!(saved.state.losses.len(), is.step + 2);
    assert_eq!(folders(runs.path()), 1);
    // The reference under two names computes what it computes under one.
    let alone = spawn(runs.path(), true);
    alone.send(plan(3, is.step + 2));
    let whole = wait(&alone, "the same run", |s| s.status == Status::Finished);
    assert_eq!(whole.run.as_ref().unwrap().picture, ended.run.as_ref().unwrap().picture);
}

#[test]
fn an_unsaved_run_that_changes_device_keeps_its_provenance() {
    let place = tempfile::tempdir().unwrap();
    let runs = place.path().join("runs");
    std::fs::write(&runs, "a file where the folder should be").unwrap();
    let worker = spawn(&runs, true);
    worker.send(plan(3, 100_000));
    wait(&worker, "some steps", |s| step(s) >= 3);
    let carried = worker.ask(carry("other"));
    wait(&worker, "another step", |s| step(s) > step(&carried));
    std::fs::remove_file(&runs).unwrap();
    worker.send(Action::Save);
    let saved = wait(&worker, "the folder", |s| s.run.as_ref().is_some_and(|run| run.folder.is_some()));
    let (_, saved) = RunFolder::open(saved.run.as_ref().unwrap().folder.as_ref().unwrap()).unwrap();
    let parts: Vec<&str> = saved.origin.segments.iter().map(|part| &*part.provenance.backend).collect();
    assert_eq!(parts, ["reference", "other"]);
}

#[test]
fn a_device_that_does_not_work_leaves_the_run_where_it_is() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), true);
    worker.send(plan(3, 100_000));
    wait(&worker, "a step", |s| step(s) >= 1);
    let seen = worker.ask(carry("rotten"));
    let reason = "rotten on cpu does not compute: the backend panicked: the file is rotten";
    assert_eq!((seen.notice.as_deref(), &seen.status), (Some(reason), &Status::Running));
    wait(&worker, "more steps", |s| step(s) > step(&seen));
    worker.send(Action::ListDevices);
    let listed = wait(&worker, "the list", |s| !s.devices.is_empty());
    assert_eq!(listed.devices[0].backend, "reference");
}

#[test]
fn a_run_that_a_device_stopped_goes_on_elsewhere() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), true);
    worker.send(plan(3, 100_000));
    wait(&worker, "a step", |s| step(s) >= 1);
    worker.send(carry("failing"));
    let stopped = wait(&worker, "the failure", |s| s.status == Status::Stopped);
    assert!(stopped.notice.as_ref().unwrap().contains("out of memory"), "{:?}", stopped.notice);
    assert_eq!(worker.ask(carry("other")).status, Status::Paused);
    worker.send(Action::Resume);
    wait(&worker, "more steps", |s| step(s) > step(&stopped));
}
