//! The list of saved runs: what its keys ask for, how it looks, and what becomes of the runs.

use std::fs;
use std::path::Path;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use trepang::dashboard::{Effect, Key, Mode, OpenQuestion, Prompt, State};
use trepang::runs::{bring_back, read_origin, read_picture};
use trepang::ui::{View, render};
use trepang::worker::protocol::{Action, Outcome, SavedRunAction, SavedRunPresence, Snapshot, Status};

use crate::stage::{press, saved_run, see, see_run, state};
use crate::worker::{Watcher, plan, reply_to, spawn, step, wait};

const NAME: &str = "minivgg-channel-block1_conv1-3-pixel-seed0";

fn ask(action: SavedRunAction) -> Action {
    Action::OfSavedRun(action)
}

fn open(name: &str, goes_on: bool) -> Action {
    ask(SavedRunAction::Open { name: name.into(), goes_on })
}

/// A state with the list open: a run of this network, one of another, and one that cannot be opened.
fn with_list() -> State {
    let mut state = state();
    see_run(&mut state, Status::Paused, 57);
    see(&mut state, |snapshot| {
        let mut dead = saved_run("tinynet-channel-conv2-7-pixel-seed0", "tinynet", "conv2", 7);
        (dead.dead, dead.step, dead.presence) = (true, 12, SavedRunPresence::Stopped);
        let mut lost = saved_run("lost", "tinynet", "conv1", 1);
        (lost.activation, lost.presence, lost.age) = (None, SavedRunPresence::Stateless, 200_000);
        let long = "vgg16-trunk-channel-block5_conv3-130-lucid-seed18446744073709551615";
        snapshot.runs =
            [saved_run("tinynet-channel-conv2-pre-30-lucid-seed1", "tinynet", "conv2:pre", 30), dead, lost]
                .into_iter()
                .chain([saved_run(long, "vgg16-trunk", "block5_conv3", 130)])
                .collect();
    });
    assert_eq!(press(&mut state, &[Key::Char('o')]), [Effect::Ask(Action::ListRuns)]);
    state
}

fn screen(state: &State, (width, height): (u16, u16)) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| render(frame, state, &View::default())).unwrap();
    terminal.backend().to_string()
}

#[test]
fn the_list_of_runs_at_every_size() {
    for (width, height) in [(60, 20), (80, 24), (120, 40), (200, 60)] {
        let mut state = with_list();
        state.full = width >= 72;
        press(&mut state, &[Key::Down]);
        insta::assert_snapshot!(format!("runs_{width}x{height}"), screen(&state, (width, height)));
    }
    // A question is asked below the list, and on the smallest screens there is the name of the run.
    let mut state = with_list();
    press(&mut state, &[Key::Char('x')]);
    insta::assert_snapshot!("runs_question", screen(&state, (80, 24)));
    let tiny = screen(&with_list(), (28, 6));
    assert!(tiny.contains("tinynet-channel-conv2-pre-3"), "{tiny}");
}

#[test]
fn enter_opens_a_run_and_space_goes_on_with_it() {
    let mut state = with_list();
    let first = "tinynet-channel-conv2-pre-30-lucid-seed1";
    assert_eq!(press(&mut state, &[Key::Enter]), [Effect::Ask(open(first, false))]);
    assert_eq!((state.layer_name(), state.channel, &state.mode), ("conv2:pre".into(), 30, &Mode::Browse));
    let mut state = with_list();
    let sent = press(&mut state, &[Key::Char('j'), Key::Char(' ')]);
    assert_eq!(sent, [Effect::Ask(open("tinynet-channel-conv2-7-pixel-seed0", true))]);
    // Of a run without a state there is nothing to open.
    let mut state = with_list();
    assert_eq!(press(&mut state, &[Key::Down, Key::Down, Key::Enter]), []);
    assert!(state.remark.as_ref().unwrap().contains("no state"), "{:?}", state.remark);
    // One of another network waits for it, and nothing starts meanwhile.
    let sent = press(&mut state, &[Key::End, Key::Enter]);
    assert!(matches!(&sent[..], [Effect::Ask(Action::OfSavedRun(SavedRunAction::Open { .. }))]));
    assert_eq!(state.switching.as_ref().map(|(name, _)| &**name), Some("vgg16-trunk"));
    assert_eq!(press(&mut state, &[Key::Enter]), []);
}

#[test]
fn a_run_is_deleted_by_y_and_by_no_other_key() {
    for delete in [Key::Delete, Key::Char('x')] {
        let mut state = with_list();
        press(&mut state, &[Key::Down, delete]);
        assert!(
            matches!(&state.mode, Mode::Question(OpenQuestion::Delete { cursor: 1, .. })),
            "{:?}",
            state.mode
        );
        for other in [Key::Enter, Key::Char('n'), Key::Escape, delete] {
            let mut state = state.clone();
            assert_eq!((press(&mut state, &[other]), &state.mode), (vec![], &Mode::Runs(1)));
        }
        let name = "tinynet-channel-conv2-7-pixel-seed0".to_owned();
        let sent = press(&mut state, &[Key::Char('y')]);
        assert_eq!(sent, [Effect::Ask(ask(SavedRunAction::Delete(name)))]);
        assert_eq!(press(&mut state, &[Key::Char('u')]), [Effect::Ask(ask(SavedRunAction::Undelete))]);
        assert_eq!(state.mode, Mode::Runs(1));
    }
}

#[test]
fn a_picture_is_exported_to_the_path_that_is_typed() {
    let mut state = with_list();
    press(&mut state, &[Key::Char('e')]);
    let Mode::Prompt(Prompt::Export, line) = &state.mode else { panic!("{:?}", state.mode) };
    assert_eq!(line.text(), "tinynet-channel-conv2-pre-30-lucid-seed1.png");
    press(&mut state, &[Key::Ctrl('u'), Key::Char('a')]);
    assert_eq!(press(&mut state, &[Key::Tab]), [Effect::Ask(Action::CompletePath("a".into()))]);
    let (name, path) = (Some("tinynet-channel-conv2-pre-30-lucid-seed1".into()), "a".into());
    let sent = press(&mut state, &[Key::Enter]);
    assert_eq!(sent, [Effect::Ask(ask(SavedRunAction::Export { name, path }))]);
    assert_eq!(state.mode, Mode::Runs(0));
    // While browsing, it is the picture on the screen.
    press(&mut state, &[Key::Escape, Key::Char('e'), Key::Ctrl('u'), Key::Char('b')]);
    let sent = press(&mut state, &[Key::Enter]);
    assert_eq!(sent, [Effect::Ask(ask(SavedRunAction::Export { name: None, path: "b".into() }))]);
    assert_eq!(state.mode, Mode::Browse);
}

/// A worker with a finished run of channel 3 and one of channel 5 that was paused.
fn with_runs(runs: &Path) -> Watcher {
    let worker = spawn(runs, 0);
    worker.send(plan(3, 4));
    wait(&worker, "the end", |s| s.status == Status::Finished && step(s) == 4);
    worker.send(plan(5, 1_000_000));
    wait(&worker, "some steps", |s| s.status == Status::Running && step(s) > 3);
    worker.send(Action::Pause);
    worker.ask(Action::Save);
    worker
}

fn listed(snapshot: &Snapshot) -> Vec<(&str, SavedRunPresence)> {
    let mut runs: Vec<_> = snapshot.runs.iter().map(|run| (run.name.as_str(), run.presence)).collect();
    runs.sort_by_key(|run| run.0);
    runs
}

#[test]
fn a_saved_run_is_opened_as_it_was_and_goes_on() {
    let runs = tempfile::tempdir().unwrap();
    let worker = with_runs(runs.path());
    let other = "minivgg-channel-block1_conv1-5-pixel-seed0";
    let snapshot = worker.ask(Action::ListRuns);
    assert_eq!(listed(&snapshot), [(NAME, SavedRunPresence::Finished), (other, SavedRunPresence::Open)]);
    let paused = snapshot.run.clone().unwrap();

    let opened = worker.ask(open(NAME, true));
    assert_eq!((opened.status.clone(), step(&opened)), (Status::Finished, 4), "{:?}", opened.notice);
    let image = runs.path().join(NAME).join("image.png");
    assert_eq!(*opened.run.as_ref().unwrap().picture, read_picture(&image).unwrap());

    let back = worker.ask(open(other, false));
    assert_eq!((back.status.clone(), back.run.as_ref().unwrap().step), (Status::Paused, paused.step));
    assert_eq!(back.run.as_ref().unwrap().picture, paused.picture);
    assert!(back.notice.as_ref().unwrap().contains(&format!("step {} of 1000000", paused.step)));
    worker.ask(open(NAME, false));
    worker.ask(open(other, true));
    wait(&worker, "more steps", |s| step(s) > paused.step + 2);
    worker.finish();
}

#[test]
fn a_deleted_run_comes_back_until_the_worker_ends() {
    let runs = tempfile::tempdir().unwrap();
    let worker = with_runs(runs.path());
    let delete = |name: &str| ask(SavedRunAction::Delete(name.into()));
    let other = "minivgg-channel-block1_conv1-5-pixel-seed0";
    worker.ask(Action::Resume);
    let refused = reply_to(&worker.viewer, delete(other));
    assert!(matches!(&refused, Outcome::Refused(reason) if reason.contains("takes steps")), "{refused:?}");
    worker.ask(Action::Pause);
    let taken = step(&worker.snapshot());

    assert_eq!(listed(&worker.ask(delete(NAME))), [(other, SavedRunPresence::Open)]);
    let none = worker.ask(delete(other));
    assert_eq!((none.runs.len(), &none.run, &none.status), (0, &None, &Status::Idle));
    assert!(!runs.path().join(other).exists());
    assert_eq!(listed(&worker.ask(ask(SavedRunAction::Undelete))), [(other, SavedRunPresence::Stopped)]);
    assert_eq!(step(&worker.ask(open(other, false))), taken);
    for name in ["../elsewhere", "..", "absent"] {
        assert!(matches!(reply_to(&worker.viewer, delete(name)), Outcome::Refused(_)), "{name}");
    }
    worker.finish();
    let mut left: Vec<_> = fs::read_dir(runs.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, [other]);
    assert!(bring_back(runs.path()).is_empty());
}

#[test]
fn an_exported_picture_says_how_it_was_made() {
    let runs = tempfile::tempdir().unwrap();
    let places = tempfile::tempdir().unwrap();
    let worker = with_runs(runs.path());
    let export = |name: Option<&str>, path: &Path| {
        let path = path.display().to_string();
        reply_to(&worker.viewer, ask(SavedRunAction::Export { name: name.map(Into::into), path }))
    };
    let image = runs.path().join(NAME).join("image.png");
    for place in ["a.png", "b.webp"] {
        let path = places.path().join(place);
        assert_eq!(export(Some(NAME), &path), Outcome::Done);
        assert_eq!(read_picture(&path).unwrap(), read_picture(&image).unwrap());
        assert_eq!(read_origin(&path).unwrap(), read_origin(&image).unwrap());
    }
    // A folder is written into, under the run's name, and nothing that is there is replaced.
    assert_eq!(export(None, places.path()), Outcome::Done);
    let shown = places.path().join("minivgg-channel-block1_conv1-5-pixel-seed0.png");
    assert_eq!(read_picture(&shown).unwrap(), *worker.snapshot().run.as_ref().unwrap().picture);
    for path in [&shown, &places.path().join("c.gif"), &places.path().join("absent/d.png")] {
        let refused = export(Some(NAME), path);
        assert!(matches!(&refused, Outcome::Refused(_)), "{}: {refused:?}", path.display());
    }
    worker.finish();
}

#[test]
fn an_empty_list_says_so_and_is_closed_by_its_key() {
    let mut state = state();
    press(&mut state, &[Key::Char('o')]);
    assert!(screen(&state, (80, 24)).contains("none yet"));
    assert_eq!(press(&mut state, &[Key::Enter]), []);
    // A key with Ctrl does the same in the list as while browsing.
    assert_eq!(press(&mut state, &[Key::Ctrl('c')]), [Effect::Quit]);
    press(&mut state, &[Key::Char('o')]);
    assert_eq!(state.mode, Mode::Browse);
}
