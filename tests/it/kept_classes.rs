//! `/class:` among kept pictures: a classifier looks at the store's drafts and at saved runs, and what it saw is kept.

use std::fs;
use std::sync::Arc;

use trepang::engine::Picture;
use trepang::worker::protocol::{Action, ClassSearch, Outcome, Snapshot, Status};
use trepang::worker::{Classifier, Framing};
use trepang_api::{Backend, Reference, find_device};
use trepang_weights::minivgg;

use crate::drafts::{Folders, drafts, files, have, look, page};
use crate::worker::{Watcher, plan, reply_to, spawn_classifying, wait};

/// A worker whose network classifies pictures.
fn worker(folders: &Folders) -> Watcher {
    spawn_classifying(&folders.0.path().join("runs"), &folders.store(), minivgg().unwrap())
}

/// The first class of a picture, by a classifier of the test's own.
fn first_class(picture: &Picture) -> String {
    let trained = minivgg().unwrap();
    let cpu = find_device(&Reference, "cpu").unwrap();
    let model = Reference.load(&trained.network, &trained.weights, &cpu).unwrap();
    let mut classifier = Classifier::new(trained.network, trained.labels, model).unwrap();
    classifier.classify(picture, Framing::Fitting, 1).unwrap().remove(0).label
}

fn ended(snapshot: &Snapshot) -> bool {
    snapshot.class_search.as_ref().is_some_and(|search| search.looked_at == search.pictures)
}

/// All that the classifier sees in kept pictures.
fn search(worker: &Watcher) -> Arc<ClassSearch> {
    assert_eq!(reply_to(&worker.viewer, Action::FindClasses(true)), Outcome::Done);
    let found = wait(worker, "the search's end", ended).class_search.clone().unwrap();
    assert_eq!(reply_to(&worker.viewer, Action::FindClasses(false)), Outcome::Done);
    found
}

fn labels(search: &ClassSearch) -> Vec<(&str, usize, &str)> {
    let mut found: Vec<(&str, usize, &str)> =
        search.found.iter().map(|found| (&*found.layer, found.channel, &*found.label)).collect();
    found.sort_unstable();
    found
}

#[test]
fn kept_drafts_and_runs_are_taken_for_classes() {
    let folders = Folders::new();
    let first = worker(&folders);
    assert_eq!(search(&first).pictures, 0);
    first.send(look(&page(4, 2)));
    let seen = wait(&first, "the drafts", |snapshot| have(snapshot, &[2, 3, 4, 5, 6, 7], 16));
    first.ask(Action::Draft(None));
    first.send(plan(9, 3));
    let run = wait(&first, "the run", |snapshot| snapshot.status == Status::Finished).run.clone().unwrap();
    let mut expected: Vec<(usize, String)> =
        drafts(&seen).iter().map(|draft| (draft.channel, first_class(&draft.picture))).collect();
    expected.push((9, first_class(&run.picture)));
    let found = search(&first);
    assert_eq!((found.classifier.as_deref(), found.pictures), (Some("minivgg"), 7));
    let found: Vec<(usize, String)> =
        labels(&found).into_iter().map(|(_, channel, label)| (channel, label.into())).collect();
    // The page's own drafts may have gone on since.
    let stable = |(channel, _): &&(usize, String)| ![4, 5].contains(channel);
    assert_eq!(
        found.iter().filter(stable).collect::<Vec<_>>(),
        expected.iter().filter(stable).collect::<Vec<_>>()
    );
}

#[test]
fn what_was_seen_is_kept_until_the_picture_is_another() {
    let folders = Folders::new();
    let first = worker(&folders);
    first.send(look(&page(0, 2)));
    wait(&first, "the drafts", |snapshot| have(snapshot, &[0, 1], 64) && have(snapshot, &[2, 3], 16));
    first.ask(Action::Draft(None));
    let before = search(&first);
    first.finish();
    let kept: Vec<_> = files(&folders.store().join("classes"));
    let [file] = &kept[..] else { panic!("{kept:?}") };
    // Another word in the file shows that the pictures are not looked at again.
    let text = fs::read_to_string(file).unwrap();
    let (_, _, label) = labels(&before)[0];
    fs::write(file, text.replace(&format!("\"{label}\""), "\"a kept word\"")).unwrap();
    let second = worker(&folders);
    let again = search(&second);
    assert_eq!(labels(&again)[0].2, "a kept word");
    // Drafts that went on are looked at anew.
    second.send(look(&page(2, 2)));
    wait(&second, "the drafts", |snapshot| have(snapshot, &[2, 3], 64));
    second.ask(Action::Draft(None));
    let further = search(&second);
    let of = |search: &ClassSearch, channel| {
        labels(search).iter().find(|found| found.1 == channel).map(|found| found.2.to_owned())
    };
    assert_ne!(of(&further, 2).as_deref(), Some("a kept word"));
    assert_eq!(of(&further, 0).as_deref(), Some("a kept word"));
    second.finish();
    fs::write(file, "{").unwrap();
    assert_eq!(of(&search(&worker(&folders)), 0), of(&before, 0), "a damaged file is made anew");
}

#[test]
fn without_a_classifier_the_search_says_so() {
    let folders = Folders::new();
    let runs = folders.0.path().join("runs");
    let worker = crate::worker::spawn_with_store(&runs, &folders.store(), minivgg().unwrap());
    worker.send(plan(9, 3));
    wait(&worker, "the run", |snapshot| snapshot.status == Status::Finished);
    let none = search(&worker);
    assert_eq!((none.classifier.as_deref(), none.pictures, none.found.len()), (None, 1, 0));
    // A network that was chosen for runs looks at kept pictures too.
    assert_eq!(reply_to(&worker.viewer, Action::ToggleClassifier("second".into())), Outcome::Done);
    let found = search(&worker);
    assert_eq!((found.classifier.as_deref(), found.found.len()), (Some("second"), 1));
}
