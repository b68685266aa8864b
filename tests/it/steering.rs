//! Steering a run: what O, R and u do to the dashboard's state, and what the worker does about it.

use trepang::dashboard::{Effect, Key, Mode, Prompt};
use trepang::engine::{Objective, Recipe, Score};
use trepang::runs::RunFolder;
use trepang::worker::protocol::{Action, Status};

use crate::stage::{press, see_run, state};
use crate::worker::{plan, spawn, step, wait};

fn type_text(state: &mut trepang::dashboard::State, text: &str) {
    let keys: Vec<Key> = text.chars().map(Key::Char).collect();
    assert_eq!(press(state, &keys), Vec::new());
}

#[test]
fn an_objective_is_completed_and_goes_on_with_the_run() {
    let mut state = state();
    see_run(&mut state, Status::Running, 12);
    press(&mut state, &[Key::Char('O')]);
    assert_eq!(state.mode, Mode::Prompt(Prompt::Objective, "channel(conv2, 0)".into()));
    press(&mut state, &[Key::Ctrl('u')]);
    type_text(&mut state, "cha");
    press(&mut state, &[Key::Tab]);
    type_text(&mut state, "con");
    press(&mut state, &[Key::Tab]);
    // As far as it is certain; what there is to choose from is told.
    assert_eq!(state.mode, Mode::Prompt(Prompt::Objective, "channel(conv".into()));
    assert!(state.remark.as_ref().unwrap().contains("conv1:pre"), "{:?}", state.remark);
    type_text(&mut state, "2:");
    press(&mut state, &[Key::Tab]);
    type_text(&mut state, ", 3) * ");
    assert_eq!(press(&mut state, &[Key::Enter]), Vec::new());
    assert!(state.remark.as_ref().unwrap().starts_with("at character 25"), "{:?}", state.remark);
    type_text(&mut state, "2");
    let sent = press(&mut state, &[Key::Enter]);
    let [Effect::Ask(Action::Change { objective, recipe })] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(objective.to_string(), "channel(conv2:pre, 3) * 2");
    assert_eq!((&**recipe, &state.mode), (&state.settings.recipe, &Mode::Browse));
    // Letters are text while it is typed, and Esc gives up.
    press(&mut state, &[Key::Char('O'), Key::Char('q'), Key::Escape]);
    assert_eq!(state.mode, Mode::Browse);
}

#[test]
fn without_a_run_an_objective_starts_one() {
    let mut state = state();
    press(&mut state, &[Key::Char('O'), Key::Ctrl('u')]);
    type_text(&mut state, "layer(conv1)");
    let sent = press(&mut state, &[Key::Enter]);
    let [Effect::Ask(Action::Start(plan))] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(plan.objective, Objective::Layer { layer: "conv1".into() });
}

#[test]
fn a_recipe_is_chosen_and_its_numbers_are_typed() {
    let mut state = state();
    see_run(&mut state, Status::Running, 12);
    press(&mut state, &[Key::Char('R')]);
    assert_eq!(state.mode, Mode::Recipes(1)); // on pixel, which is followed
    let sent = press(&mut state, &[Key::Up, Key::Enter]);
    let [Effect::Ask(Action::Change { objective, recipe })] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!((objective, &**recipe), (&Objective::channel("conv2", 0), &Recipe::named("lucid").unwrap()));
    press(&mut state, &[Key::Char('R'), Key::Char('e')]);
    type_text(&mut state, "optimizer.rat=0.1");
    assert_eq!(press(&mut state, &[Key::Enter]), Vec::new());
    assert!(state.remark.as_ref().unwrap().contains("did you mean rate?"), "{:?}", state.remark);
    press(&mut state, &[Key::Ctrl('u')]);
    type_text(&mut state, "optimizer.rate=0.1 views=2");
    let sent = press(&mut state, &[Key::Enter]);
    let [Effect::Ask(Action::Change { recipe, .. })] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!((recipe.optimizer.rate, recipe.views), (0.1, 2));
    assert_eq!(&state.settings.recipe, &**recipe);
}

#[test]
fn u_goes_back_if_there_is_a_run() {
    let mut state = state();
    assert_eq!(press(&mut state, &[Key::Char('u')]), Vec::new());
    assert!(state.remark.is_some());
    see_run(&mut state, Status::Running, 12);
    assert_eq!(press(&mut state, &[Key::Char('u')]), [Effect::Ask(Action::Undo)]);
}

#[test]
fn a_change_is_marked_recorded_and_kept() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), 0);
    worker.send(plan(3, 100_000));
    wait(&worker, "some steps", |s| step(s) >= 3);
    let objective = Objective::channel("block1_conv1", 5);
    worker.send(Action::Change {
        objective: objective.clone(),
        recipe: Box::new(Recipe::named("pixel").unwrap()),
    });
    let changed = wait(&worker, "a change", |s| s.run.as_ref().is_some_and(|run| !run.changes.is_empty()));
    let at = changed.run.as_ref().unwrap().changes[0];
    wait(&worker, "more steps", |s| step(s) >= at + 2);
    // What does not fit is told, and the run goes on.
    let nowhere = Objective::channel("block1_conv1", 999);
    worker.send(Action::Change { objective: nowhere, recipe: Box::new(Recipe::named("pixel").unwrap()) });
    wait(&worker, "a refusal", |s| s.notice.as_ref().is_some_and(|n| n.contains("no channel 999")));
    let last = worker.finish();
    let (_, saved) = RunFolder::open(last.run.as_ref().unwrap().folder.as_ref().unwrap()).unwrap();
    let changes = saved.origin.plan.changes;
    assert_eq!((changes.len(), changes[0].step, &changes[0].objective), (1, at, &objective));
}

#[test]
fn back_takes_steps_away_and_waits_there() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), 0);
    worker.send(plan(3, 20));
    let before = wait(&worker, "the end", |s| s.status == Status::Finished);
    worker.send(Action::Undo);
    let back = wait(&worker, "going back", |s| s.status == Status::Paused);
    let (run, curve) = (back.run.as_ref().unwrap(), before.run.as_ref().unwrap().curve.whole());
    assert_eq!(run.step, 16);
    assert_eq!(run.curve.whole(), curve[..16]);
    // The same steps again end in the same picture.
    worker.send(Action::Resume);
    let again = wait(&worker, "the end again", |s| s.status == Status::Finished);
    assert_eq!(again.run.as_ref().unwrap().picture, before.run.as_ref().unwrap().picture);
    for expected in [16, 8, 0] {
        worker.send(Action::Undo);
        wait(&worker, "further back", |s| step(s) == expected);
    }
    worker.send(Action::Undo);
    wait(&worker, "the first place", |s| {
        s.notice.as_ref().is_some_and(|n| n.contains("nothing to go back to"))
    });
}

#[test]
fn a_picture_that_stands_still_is_measured() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), 0);
    worker.send(plan(3, 4));
    let measured =
        wait(&worker, "what it is worth", |s| s.run.as_ref().is_some_and(|run| run.score.is_some()));
    let run = measured.run.as_ref().unwrap();
    let Score { clean, robust } = run.score.unwrap();
    assert_eq!(run.step, 4);
    assert!(clean > run.loss.unwrap() * 0.9 && robust > 0.0, "{clean} {robust} {:?}", run.loss);
}
