//! What `/` and `:` find, and where Enter leads.

use std::sync::Arc;

use trepang::dashboard::{BINDINGS, Effect, Hit, Key, Mode, Prompt, State};
use trepang::worker::protocol::{Action, ClassSearch, ClassifiedChannel, Predictions, Status, Supply};

use crate::models::entry;
use crate::stage::{classification, press, saved_run, see, see_run, state};
use crate::worker::{plan, spawn, step, wait};

fn type_text(state: &mut State, text: &str) -> Vec<Effect> {
    press(state, &text.chars().map(Key::Char).collect::<Vec<_>>())
}

/// A state with networks and runs to be found.
fn with_lists() -> State {
    let mut state = state();
    see(&mut state, |snapshot| {
        snapshot.networks = ["tinynet", "vgg16-trunk"].map(|name| entry(name, Supply::Pulled, true)).into();
        snapshot.runs =
            [saved_run("run-a", "tinynet", "conv2:pre", 30), saved_run("run-b", "vgg16-trunk", "block1", 2)]
                .into();
    });
    state
}

#[test]
fn a_word_finds_layers_networks_and_runs() {
    let state = with_lists();
    for (typed, hits) in [
        ("CONV", vec![Hit::Layer(0), Hit::Layer(2), Hit::Run(0)]),
        ("vgg", vec![Hit::Network(1), Hit::Run(1)]),
        ("run-b", vec![Hit::Run(1)]),
        (
            "3",
            vec![
                Hit::Channel(2, false, 3),
                Hit::Channel(0, false, 3),
                Hit::Channel(1, false, 3),
                Hit::Run(0),
            ],
        ),
        ("conv 7", vec![Hit::Channel(2, false, 7), Hit::Channel(0, false, 7)]),
        ("30", vec![Hit::Channel(2, false, 30), Hit::Run(0)]),
        ("nowhere", vec![]),
    ] {
        assert_eq!(state.hits(typed), hits, "{typed}");
    }
}

#[test]
fn enter_goes_to_what_the_cursor_is_on_and_esc_leaves() {
    let mut state = with_lists();
    let asked = press(&mut state, &[Key::Char('/')]);
    assert_eq!(asked, [Effect::Ask(Action::ListNetworks), Effect::Ask(Action::ListRuns)]);
    type_text(&mut state, "conv q");
    press(&mut state, &[Key::Backspace, Key::Backspace, Key::Up, Key::Enter]);
    assert_eq!((state.layer, &state.mode), (0, &Mode::Browse));
    press(&mut state, &[Key::Char('/')]);
    type_text(&mut state, "conv 7");
    press(&mut state, &[Key::Down, Key::Down, Key::Down, Key::Enter]);
    assert_eq!((state.layer, state.channel), (2, 7));
    // The list of runs is open on it, over its channel, in the form that it maximised.
    press(&mut state, &[Key::Char('/')]);
    type_text(&mut state, "run-a");
    press(&mut state, &[Key::Enter]);
    assert_eq!((state.layer_name(), state.channel), ("conv2:pre".into(), 30));
    assert_eq!(state.mode, Mode::Runs(0));
    press(&mut state, &[Key::Escape, Key::Char('/')]);
    type_text(&mut state, "run-b");
    press(&mut state, &[Key::Enter]);
    assert_eq!((&state.mode, state.channel), (&Mode::Runs(1), 30));
    press(&mut state, &[Key::Escape]);
    press(&mut state, &[Key::Char('/')]);
    type_text(&mut state, "nowhere");
    assert_eq!(press(&mut state, &[Key::Enter]), Vec::new());
    assert!(state.remark.as_ref().unwrap().contains("nothing was found"), "{:?}", state.remark);
    press(&mut state, &[Key::Escape]);
    assert_eq!((state.channel, &state.mode), (30, &Mode::Browse));
    press(&mut state, &[Key::Char('/')]);
    type_text(&mut state, "vgg");
    let sent = press(&mut state, &[Key::Enter]);
    assert!(
        matches!(&sent[..], [Effect::Ask(Action::SwitchNetwork { name, .. })] if name == "vgg16-trunk"),
        "{sent:?}"
    );
}

#[test]
fn a_class_finds_the_channels_that_were_taken_for_it() {
    let mut state = state();
    assert_eq!(state.hits("class:sea"), []);
    state.channel = 5;
    see_run(&mut state, Status::Running, 12);
    let predictions = Predictions { step: 12, classifications: vec![classification("tinynet")] };
    see(&mut state, |snapshot| snapshot.predictions = Some(Arc::new(predictions.clone())));
    assert_eq!(state.hits("class:SEA"), [Hit::Channel(2, false, 5)]);
    assert_eq!(state.hits("class:lemon"), []);
    let told = state.class_search_told("class:sea").unwrap();
    assert_eq!((told.as_str(), state.class_search_told("sea")), ("1 found in this session's runs", None));
    state.channel = 0;
    press(&mut state, &[Key::Char('/')]);
    type_text(&mut state, "class:sea");
    press(&mut state, &[Key::Enter]);
    assert_eq!((state.layer, state.channel), (2, 5));
}

/// What a classifier saw in kept pictures, after so many of four.
fn class_search(looked_at: usize, found: &[(&str, usize, &str)]) -> ClassSearch {
    let found = found.iter().map(|(layer, channel, label)| ClassifiedChannel {
        layer: (*layer).into(),
        channel: *channel,
        label: (*label).into(),
    });
    ClassSearch { classifier: Some("tinynet".into()), pictures: 4, looked_at, found: found.collect() }
}

#[test]
fn a_class_finds_kept_pictures_while_it_is_typed() {
    let mut state = state();
    press(&mut state, &[Key::Char('/')]);
    assert_eq!(type_text(&mut state, "class"), []);
    assert_eq!(type_text(&mut state, ":"), [Effect::Ask(Action::FindClasses(true))]);
    assert_eq!(type_text(&mut state, "lemon"), [], "once is enough");
    // One channel was drawn by two recipes, and one layer is not of this network.
    let found = [("conv2:pre", 7, "lemon"), ("conv1", 2, "lemon, citron"), ("conv2:pre", 7, "sea")];
    let found = [&found[..], &[("fc9", 0, "lemon")]].concat();
    see(&mut state, |snapshot| snapshot.class_search = Some(Arc::new(class_search(3, &found))));
    assert_eq!(state.hits("class:lemon"), [Hit::Channel(0, false, 2), Hit::Channel(2, true, 7)]);
    assert_eq!(state.taken_for((2, true, 7), "class:se"), Some("sea"));
    assert_eq!(state.taken_for((2, false, 7), "class:se"), None);
    let told = state.class_search_told("class:lemon").unwrap();
    assert_eq!(told, "2 found: tinynet has looked at 3 of 4 pictures");
    see(&mut state, |snapshot| snapshot.class_search = Some(Arc::new(class_search(4, &found))));
    let told = state.class_search_told("class:sea").unwrap();
    assert_eq!(told, "1 found in 4 pictures of runs and drafts, by tinynet");
    press(&mut state, &[Key::Down]);
    assert_eq!(press(&mut state, &[Key::Enter]), [Effect::Ask(Action::FindClasses(false))]);
    assert_eq!((state.layer_name(), state.channel), ("conv2:pre".into(), 7));
    let none = ClassSearch { classifier: None, ..class_search(0, &[]) };
    see(&mut state, |snapshot| snapshot.class_search = Some(Arc::new(none)));
    assert_eq!(state.class_search_told("class:x").unwrap(), "no network classifies here: N, then c on one");
}

#[test]
fn the_palette_has_every_command_and_runs_it() {
    let keys = state().keys;
    assert_eq!(keys.commands("").len(), BINDINGS.len());
    let one = |typed: &str| match &keys.commands(typed)[..] {
        [one] => one.binding.shown,
        several => panic!("{several:?}"),
    };
    assert_eq!((one("choose netw"), one("UNDO")), ("N", "u"));
}

#[test]
fn enter_runs_the_command_under_the_cursor() {
    let mut state = state();
    press(&mut state, &[Key::Char(':')]);
    type_text(&mut state, "last channel");
    assert_eq!(state.channel, 0);
    press(&mut state, &[Key::Enter]);
    assert_eq!((state.channel, &state.mode), (39, &Mode::Browse));
    press(&mut state, &[Key::Char(':')]);
    type_text(&mut state, "channel");
    let second = state.keys.commands("channel")[1].binding.about;
    assert_eq!(second, "next channel");
    press(&mut state, &[Key::Down, Key::Down, Key::Up, Key::Enter]);
    assert_eq!(state.channel, 39);
    press(&mut state, &[Key::Home]);
    press(&mut state, &[Key::Char(':')]);
    type_text(&mut state, "quit");
    assert_eq!(press(&mut state, &[Key::Enter]), [Effect::Quit]);
    press(&mut state, &[Key::Char(':')]);
    type_text(&mut state, "zebra");
    assert_eq!(press(&mut state, &[Key::Enter]), Vec::new());
    assert!(matches!(state.mode, Mode::Prompt(Prompt::Command, _)), "{:?}", state.mode);
    // The line keeps what ran, and the other keys of shells bring it back.
    press(&mut state, &[Key::Ctrl('u'), Key::Ctrl('p')]);
    let Mode::Prompt(_, line) = &state.mode else { panic!() };
    assert_eq!(line.text(), "quit");
}

#[test]
fn the_help_turns_its_pages() {
    let mut state = state();
    state.help_pages = 2;
    press(&mut state, &[Key::Char('?'), Key::Char('?')]);
    assert_eq!(state.mode, Mode::Help(1));
    press(&mut state, &[Key::Char('?')]);
    assert_eq!(state.mode, Mode::Browse);
    press(&mut state, &[Key::Char('?'), Key::Char('x')]);
    assert_eq!(state.mode, Mode::Browse);
}

#[test]
fn the_worker_lists_what_was_saved() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), 0);
    worker.send(Action::ListRuns);
    worker.send(plan(3, 4));
    wait(&worker, "the end", |s| s.status == Status::Finished && step(s) == 4);
    worker.send(Action::ListRuns);
    let listed = wait(&worker, "the run", |s| !s.runs.is_empty());
    let [run] = &listed.runs[..] else { panic!("{:?}", listed.runs) };
    let plan = &listed.run.as_ref().unwrap().plan;
    assert_eq!((&run.objective, run.step), (&plan.objective.to_string(), 4));
    assert!(runs.path().join(&run.name).is_dir());
}
