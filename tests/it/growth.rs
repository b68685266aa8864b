//! Looking back on how a run's picture grew.

use std::sync::Arc;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use trepang::dashboard::{Effect, Key, Message, State};
use trepang::ui::{View, render};
use trepang::worker::protocol::{Action, GrownPicture, Outcome, SavedRunAction, Status};

use crate::stage::{picture, press, see, see_run, state};
use crate::worker::{Watcher, plan, reply_to, spawn, step, wait};

const GROWTH: Action = Action::OfSavedRun(SavedRunAction::Growth);

/// The most pictures that are kept of a run.
const MOST: usize = 32;

fn grown(steps: &[usize]) -> Outcome {
    let picture = |&step: &usize| GrownPicture { step, picture: Arc::new(picture()) };
    Outcome::Growth { run: 1, pictures: steps.iter().map(picture).collect() }
}

fn shown_step(state: &State) -> Option<usize> {
    state.looked_back_on().map(|(step, _)| step)
}

#[test]
fn brackets_go_through_the_growth_and_back_to_now() {
    let mut state = state();
    assert_eq!(press(&mut state, &[Key::Char('[')]), []);
    assert!(state.remark.as_ref().unwrap().contains("Enter starts"), "{:?}", state.remark);
    see_run(&mut state, Status::Running, 57);
    assert_eq!(press(&mut state, &[Key::Char('[')]), [Effect::Ask(GROWTH)]);
    state.update(Message::Reply(grown(&[0, 16, 32, 48, 57])));
    assert_eq!(shown_step(&state), Some(48), "the last one before that on the screen");
    let told = state.remark.clone().unwrap();
    assert!(told.contains("after step 48 (picture 4 of 5"), "{told}");
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    terminal.draw(|frame| render(frame, &state, &View::default())).unwrap();
    let screen = terminal.backend().to_string();
    assert!(screen.contains("step 48: channel(conv2, 0)"), "{screen}");
    for (key, step) in [('[', 32), ('[', 16), ('[', 0), ('[', 0), (']', 16), (']', 32), (']', 48), (']', 57)]
    {
        assert_eq!(press(&mut state, &[Key::Char(key)]), []);
        assert_eq!(shown_step(&state), Some(step));
    }
    press(&mut state, &[Key::Char(']')]);
    assert_eq!(shown_step(&state), None);
}

#[test]
fn another_run_ends_looking_back() {
    let mut state = state();
    see_run(&mut state, Status::Running, 57);
    press(&mut state, &[Key::Char('[')]);
    state.update(Message::Reply(grown(&[0, 16])));
    assert_eq!(shown_step(&state), Some(16));
    see(&mut state, |snapshot| snapshot.run.as_mut().unwrap().number = 2);
    assert_eq!((shown_step(&state), &state.scrub), (None, &None));
    // What comes late is about another run, and a run without pictures says so.
    state.update(Message::Reply(grown(&[0, 16])));
    assert_eq!(shown_step(&state), None);
    see(&mut state, |snapshot| snapshot.run.as_mut().unwrap().number = 1);
    state.update(Message::Reply(grown(&[])));
    assert!(state.remark.as_ref().unwrap().contains("no pictures are kept"), "{:?}", state.remark);
}

fn growth_of(worker: &Watcher) -> Vec<GrownPicture> {
    match reply_to(&worker.viewer, GROWTH) {
        Outcome::Growth { pictures, .. } => pictures,
        other => panic!("{other:?}"),
    }
}

fn steps_of(pictures: &[GrownPicture]) -> Vec<usize> {
    pictures.iter().map(|grown| grown.step).collect()
}

#[test]
fn a_run_keeps_a_bounded_number_of_pictures_and_its_folder_too() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), 0);
    worker.send(plan(3, 90));
    wait(&worker, "the end", |s| s.status == Status::Finished && step(s) == 90);
    let pictures = growth_of(&worker);
    let steps = steps_of(&pictures);
    assert_eq!(steps, (0..=88).step_by(4).collect::<Vec<_>>());
    let last = &pictures[pictures.len() - 1].picture;
    assert!(pictures[0].picture != *last && last.width == 32);
    worker.send(plan(5, 2));
    wait(&worker, "another run", |s| s.status == Status::Finished && step(s) == 2);
    assert_eq!(steps_of(&growth_of(&worker)), [0, 1, 2]);
    let name = "minivgg-channel-block1_conv1-3-pixel-seed0".into();
    worker.ask(Action::OfSavedRun(SavedRunAction::Open { name, goes_on: false }));
    assert_eq!(steps_of(&growth_of(&worker)), steps);
    // What is undone is forgotten, and the run goes on at the distances that it had.
    worker.ask(Action::ChangeSteps(60));
    wait(&worker, "the end", |s| s.status == Status::Finished && step(s) == 150);
    let longer = steps_of(&growth_of(&worker));
    assert_eq!(longer, (0..=144).step_by(8).collect::<Vec<_>>());
    assert!(longer.len() <= MOST);
    let back = worker.ask(Action::Undo);
    assert!(steps_of(&growth_of(&worker)).iter().all(|at| *at <= step(&back)), "{}", step(&back));
    worker.finish();
}
