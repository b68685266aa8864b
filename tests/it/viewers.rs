//! The worker's protocol: several viewers of one worker, requests and replies, and all of it as JSON.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trepang::engine::Recipe;
use trepang::worker::protocol::{Action, Outcome, Reply, Request, Settings, Snapshot, Status};

use crate::worker::{PATIENCE, plan, reply_to, spawn, step, wait};

#[test]
fn two_viewers_share_snapshots_and_one_may_leave_in_mid_run() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), 0);
    let (leaving, staying) = (worker.subscribe(), worker.subscribe());
    assert_eq!(reply_to(&leaving, plan(3, 200)), Outcome::Done);
    let seen = |until: &dyn Fn(&Snapshot) -> bool| {
        let begun = Instant::now();
        while !until(&staying.snapshot()) {
            assert!(begun.elapsed() < PATIENCE);
            std::thread::sleep(Duration::from_millis(2));
        }
        staying.latest().unwrap()
    };
    seen(&|s| step(s) >= 2);
    // Its last request is served although nobody is left to hear the reply.
    leaving.request(Action::ChangeSteps(50));
    drop(leaving);
    let ended = seen(&|s| s.status == Status::Finished);
    assert_eq!((step(&ended), ended.run.as_ref().unwrap().number), (250, 1));
    let latecomer = worker.subscribe();
    assert!(Arc::ptr_eq(&latecomer.snapshot(), &worker.snapshot()), "a snapshot is shared, not copied");
    drop(latecomer);
    assert!(worker.viewer.latest().is_ok(), "the worker ends when it is told to, not when a viewer leaves");
}

#[test]
fn one_viewer_ends_the_worker_and_the_others_see_that_it_ended() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), 0);
    let (ending, other) = (worker.subscribe(), worker.subscribe());
    assert_eq!(reply_to(&ending, plan(3, 100_000)), Outcome::Done);
    wait(&worker, "some steps", |s| step(s) >= 2);
    assert_eq!(reply_to(&ending, Action::Shutdown), Outcome::Done);
    let last = wait(&worker, "the end", |s| s.ended);
    assert_eq!(last.status, Status::Running, "what the worker was doing when it was told to end");
    assert!(last.run.as_ref().unwrap().folder.is_some(), "the run was saved");
    assert!(other.latest().is_err());
}

#[test]
fn predictions_stop_when_no_viewer_wants_them() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), 0);
    let other = worker.subscribe();
    worker.send(plan(3, 2));
    worker.send(Action::ToggleClassifier("second".into()));
    let classified = |s: &Snapshot| s.status == Status::Finished && s.predictions.is_some();
    wait(&worker, "the classes", classified);
    assert_eq!(reply_to(&other, Action::Predict(false)), Outcome::Done);
    assert!(worker.snapshot().predictions.is_some(), "the first viewer still wants them");
    worker.ask(Action::Predict(false));
    assert!(worker.snapshot().predictions.is_none());
    drop(worker.subscribe());
    let newcomer = worker.subscribe();
    wait(&worker, "the newcomer's classes", classified);
    drop(newcomer);
    wait(&worker, "nothing, as the newcomer has gone", |s| s.predictions.is_none());
}

#[test]
fn a_viewer_that_asks_without_end_does_not_stop_the_run() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), 0);
    worker.ask(plan(3, 100_000));
    for _ in 0..20_000 {
        worker.send(Action::Resume); // refused at once, as the run is not paused
    }
    let before = step(&worker.snapshot());
    worker.ask(Action::Resume);
    assert!(step(&worker.snapshot()) >= before + 100);
}

#[test]
fn every_request_is_answered_to_the_viewer_that_made_it() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), 0);
    let other = worker.subscribe();
    let pause = worker.viewer.request(Action::Pause);
    let resume = other.request(Action::Resume);
    let shutdown = worker.viewer.request(Action::Shutdown);
    let begun = Instant::now();
    let (mut own, mut others) = (Vec::new(), Vec::new());
    while own.len() < 2 || others.is_empty() {
        own.extend(worker.viewer.replies());
        others.extend(other.replies());
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(2));
    }
    let refused = |id, reason: &str| Reply { id, outcome: Outcome::Refused(reason.into()) };
    assert_eq!(own, [refused(pause, "nothing is running"), Reply { id: shutdown, outcome: Outcome::Done }]);
    assert_eq!(others, [refused(resume, "nothing is paused")]);
}

#[test]
fn requests_replies_and_snapshots_survive_json() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), 0);
    worker.send(plan(3, 6));
    worker.send(Action::ListNetworks);
    worker.send(Action::ListDevices);
    worker.send(Action::ToggleClassifier("second".into()));
    let snapshot = wait(&worker, "everything that a snapshot holds", |s| {
        let run = s.run.as_ref();
        run.is_some_and(|run| run.score.is_some() && run.folder.is_some()) && s.predictions.is_some()
    });
    assert!(!snapshot.devices.is_empty() && !snapshot.classifiers.is_empty());
    let text = serde_json::to_string(&*snapshot).unwrap();
    assert_eq!(serde_json::from_str::<Snapshot>(&text).unwrap(), *snapshot);
    let short = text.replace("\"width\":32", "\"width\":33");
    assert!(serde_json::from_str::<Snapshot>(&short).is_err(), "a picture that lies about its size");

    let settings = Settings { seed: 3, steps: 7, ..Settings::of(Recipe::named("lucid").unwrap(), 64) };
    let switch = Action::SwitchNetwork { name: "second".into(), settings: Box::new(settings) };
    for action in [plan(3, 6), Action::ChangeSteps(-32), Action::Predict(false), switch] {
        let request = Request { id: 7, action };
        let text = serde_json::to_string(&request).unwrap();
        assert_eq!(serde_json::from_str::<Request>(&text).unwrap(), request);
    }
    let reply = Reply { id: 7, outcome: Outcome::Refused("nothing is running".into()) };
    let text = serde_json::to_string(&reply).unwrap();
    assert_eq!(serde_json::from_str::<Reply>(&text).unwrap(), reply);
}
