//! Marked pictures, side by side; and forks.

use std::sync::Arc;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Rect;
use trepang::dashboard::{Effect, Key, Message, Mode, Prompt, Shown, State};
use trepang::engine::{Objective, Picture, Plan};
use trepang::ui::{View, render, shown_grid};
use trepang::worker::protocol::{Action, GrownPicture, Outcome, Status};

use crate::stage::{HALFBLOCKS, picture, press, see, see_run, state};
use crate::worker::{plan, spawn, step, wait};

/// A state with the pictures of so many channels of conv2 marked.
fn with_marks(count: usize) -> State {
    let mut state = state();
    for channel in 0..count {
        state.channel = channel;
        see_run(&mut state, Status::Finished, 64);
        press(&mut state, &[Key::Char('m')]);
    }
    state
}

fn labels(state: &State) -> Vec<&str> {
    state.marks.all().iter().map(|mark| mark.label.as_str()).collect()
}

fn screen(state: &State, (width, height): (u16, u16)) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let grid = shown_grid(Rect::new(0, 0, width, height), state, &HALFBLOCKS);
    let view = View { grid, ..View::default() };
    terminal.draw(|frame| render(frame, state, &view)).unwrap();
    terminal.backend().to_string()
}

#[test]
fn m_marks_what_is_on_the_screen_and_takes_it_back() {
    let mut state = state();
    press(&mut state, &[Key::Char('m')]);
    assert!(state.remark.as_ref().unwrap().contains("no picture"), "{:?}", state.remark);
    see_run(&mut state, Status::Running, 57);
    press(&mut state, &[Key::Char('m')]);
    assert_eq!(labels(&state), ["channel(conv2, 0) pixel seed 0 step 57"]);
    // The picture stays as it was, though the run goes on.
    let other = Arc::new(Picture { rgb: vec![7; 3 * 64], ..picture() });
    see(&mut state, |snapshot| snapshot.run.as_mut().unwrap().picture = other);
    assert_eq!(*state.marks.all()[0].picture, picture());
    press(&mut state, &[Key::Char('m')]);
    assert_eq!(labels(&state), [""; 0]);
}

#[test]
fn the_list_of_marks_goes_chooses_and_removes() {
    let mut state = with_marks(3);
    press(&mut state, &[Key::Char('\'')]);
    assert_eq!(state.mode, Mode::Marks(2));
    insta::assert_snapshot!("marks_60x20", screen(&state, (60, 20)));
    press(&mut state, &[Key::Up, Key::Enter]);
    assert_eq!((state.channel, &state.mode), (1, &Mode::Browse));
    press(&mut state, &[Key::Char('\''), Key::Char('x')]);
    assert_eq!((labels(&state).len(), &state.mode), (2, &Mode::Marks(1)));
    press(&mut state, &[Key::Char(' '), Key::Home, Key::Char(' ')]);
    assert!(state.marks.all().iter().all(|mark| mark.chosen));
    press(&mut state, &[Key::Char('x'), Key::Char('x'), Key::Char('x'), Key::Enter]);
    assert_eq!((labels(&state).len(), &state.mode), (0, &Mode::Marks(0)));
    assert!(screen(&state, (80, 24)).contains("none yet"));
}

#[test]
fn two_to_four_marked_pictures_stand_side_by_side() {
    let mut state = with_marks(1);
    press(&mut state, &[Key::Char('c')]);
    assert_eq!(state.shown, Shown::Panes);
    assert!(state.remark.as_ref().unwrap().contains("two to 4"), "{:?}", state.remark);
    let mut state = with_marks(6);
    let channels = |state: &State| -> Vec<usize> {
        state.marks.beside().iter().map(|mark| mark.target.as_ref().unwrap().1).collect()
    };
    assert_eq!(channels(&state), [2, 3, 4, 5], "the newest");
    // Those that are chosen, where two are.
    press(&mut state, &[Key::Char('\''), Key::Home, Key::Char(' '), Key::End, Key::Char(' ')]);
    press(&mut state, &[Key::Char('c')]);
    assert_eq!((channels(&state), state.shown), (vec![0, 5], Shown::Beside));
    for (width, height) in [(60, 20), (80, 24), (120, 40), (200, 60)] {
        let grid = shown_grid(Rect::new(0, 0, width, height), &state, &HALFBLOCKS).unwrap();
        assert_eq!(grid.page, (2, 1), "{width}x{height}");
        let screen = screen(&state, (width, height));
        assert!(screen.contains("2 marked pictures side by side"), "{screen}");
        assert!(screen.contains("channel(conv2, 0)") || width < 80, "{screen}");
    }
    insta::assert_snapshot!("beside_80x24", screen(&state, (80, 24)));
    press(&mut state, &[Key::Char('c')]);
    assert_eq!(state.shown, Shown::Panes);
    // Enter starts a run, and shows it.
    press(&mut state, &[Key::Char('c'), Key::Enter]);
    assert_eq!(state.shown, Shown::Panes);
}

fn type_objective(state: &mut State, text: &str) -> Vec<Effect> {
    press(state, &[Key::Char('f')]);
    assert!(matches!(state.mode, Mode::Prompt(Prompt::Fork, _)), "{:?}", state.mode);
    press(state, &[Key::Ctrl('u')]);
    press(state, &text.chars().map(Key::Char).collect::<Vec<_>>());
    press(state, &[Key::Enter])
}

#[test]
fn a_fork_begins_at_the_step_on_the_screen() {
    let mut state = state();
    press(&mut state, &[Key::Char('f')]);
    assert_eq!(state.mode, Mode::Browse);
    see_run(&mut state, Status::Running, 57);
    press(&mut state, &[Key::Char('[')]);
    let picture = Arc::new(picture());
    let pictures = [0, 16, 32].map(|step| GrownPicture { step, picture: Arc::clone(&picture) }).into();
    state.update(Message::Reply(Outcome::Growth { run: 1, pictures }));
    assert_eq!(type_objective(&mut state, "channel(conv2, 0)"), [], "it raises that already");
    press(&mut state, &[Key::Escape]);
    let sent = type_objective(&mut state, "channel(conv2, 9)");
    let [Effect::Ask(Action::Start(plan))] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(plan.at(31).0.to_string(), "channel(conv2, 0)");
    assert_eq!((plan.at(32).0.to_string(), plan.steps), ("channel(conv2, 9)".into(), 128));
    // What is wrong can be mended.
    assert_eq!(type_objective(&mut state, "chanel(conv2, 9)"), []);
    assert!(matches!(state.mode, Mode::Prompt(Prompt::Fork, _)));
}

#[test]
fn a_forks_first_steps_are_those_of_its_run() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), 0);
    worker.send(plan(3, 8));
    let first = wait(&worker, "the end", |s| s.status == Status::Finished && step(s) == 8);
    let run = first.run.as_ref().unwrap();
    let mut state = state();
    state.update(Message::Snapshot(Arc::clone(&first)));
    let sent = type_objective(&mut state, "channel(block1_conv1, 5)");
    let [Effect::Ask(Action::Start(forked))] = &sent[..] else { panic!("{sent:?}") };
    let plan = Plan { steps: 12, ..(**forked).clone() };
    worker.send(Action::Start(Box::new(plan)));
    let second = wait(&worker, "the end", |s| s.status == Status::Finished && step(s) == 12);
    let fork = second.run.as_ref().unwrap();
    assert_eq!(fork.curve.whole()[..8], run.curve.whole()[..]);
    assert_eq!(*fork.objective(), Objective::channel("block1_conv1", 5));
    assert_ne!(fork.folder, run.folder);
    worker.finish();
}
