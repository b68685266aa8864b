//! A start that is equal to a finished run opens that run.

use trepang::engine::Plan;
use trepang::worker::protocol::{Action, Snapshot, Status};

use crate::worker::{folders, plan, spawn, step, wait};

#[test]
fn a_run_that_was_made_before_is_opened_and_not_computed() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), 0);
    worker.send(plan(3, 6));
    let has_score = |snapshot: &Snapshot| snapshot.run.as_ref().is_some_and(|run| run.score.is_some());
    let made = wait(&worker, "the score", |s| s.status == Status::Finished && has_score(s));
    let made = made.run.clone().unwrap();
    // On the screen it stays, as the same run.
    let again = worker.ask(plan(3, 6));
    assert_eq!((&again.status, again.run.as_ref().unwrap().number), (&Status::Finished, made.number));
    assert!(again.notice.as_ref().unwrap().contains("finished already"), "{:?}", again.notice);
    worker.send(plan(4, 1));
    wait(&worker, "the other run", |s| s.status == Status::Finished && step(s) == 1);
    let opened = worker.ask(plan(3, 6));
    let folder = made.folder.clone().unwrap();
    let notice = opened.notice.as_ref().unwrap();
    assert!(notice.contains("not computed again") && notice.contains(folder.to_str().unwrap()), "{notice}");
    let shown = opened.run.as_ref().unwrap();
    assert_eq!(
        (&shown.picture, shown.curve.whole(), shown.score, shown.loss, &shown.folder),
        (&made.picture, made.curve.whole(), made.score, made.loss, &made.folder)
    );
    assert_eq!((&opened.status, folders(runs.path())), (&Status::Finished, 2));
    // Another worker, whose model breaks at the first step, opens it too, and leaves its files as they are.
    worker.finish();
    let manifest = || std::fs::read(folder.join("manifest.json")).unwrap();
    let before = manifest();
    let fresh = spawn(runs.path(), 1);
    let opened = fresh.ask(plan(3, 6));
    assert_eq!((&opened.status, opened.run.as_ref().unwrap().score), (&Status::Finished, made.score));
    fresh.finish();
    assert_eq!((manifest(), folders(runs.path())), (before, 2));
}

#[test]
fn what_differs_from_a_finished_run_is_computed() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), 0);
    worker.send(plan(3, 2));
    wait(&worker, "the end", |s| s.status == Status::Finished);
    let Action::Start(made) = plan(3, 2) else { unreachable!() };
    let mut recipe = made.recipe.clone();
    recipe.dead = trepang::engine::DeadChannel::Stop;
    let others = [
        Plan { seed: 1, ..(*made).clone() },
        Plan { size: 48.into(), ..(*made).clone() },
        Plan { steps: 3, ..(*made).clone() },
        Plan { start: trepang::engine::Start::Gray, ..(*made).clone() },
        Plan { recipe, ..(*made).clone() },
    ];
    for (count, other) in (2..).zip(others) {
        worker.ask(Action::Start(Box::new(other.clone())));
        wait(&worker, "the end of another", |s| {
            s.status == Status::Finished && s.run.as_ref().is_some_and(|run| *run.plan == other)
        });
        assert_eq!(folders(runs.path()), count, "{other:?}");
    }
}
