//! What keys do: state in, state and commands out.

use std::sync::Arc;

use trepang::dashboard::{BINDINGS, Effect, Key, Message, Mode, Pane, State};
use trepang::engine::Objective;
use trepang::worker::protocol::{Action, DeviceEntry, Outcome, Status, Supply};

use crate::models::{FIRST_LOOK, entry, view};
use crate::stage::{press, reply, see, see_run, state};

#[test]
fn arrows_and_hjkl_move_alike_and_stop_at_the_ends() {
    for (keys, expected) in [
        (vec![Key::Right, Key::Char('l')], (2, 2)),
        (vec![Key::Left], (2, 0)),
        (vec![Key::End, Key::Right], (2, 39)),
        (vec![Key::PageDown, Key::PageDown, Key::PageUp], (2, 16)),
        (vec![Key::Up, Key::Char('k'), Key::Up], (0, 0)),
        (vec![Key::Down, Key::Char('j')], (3, 0)),
    ] {
        let mut state = state();
        assert_eq!(press(&mut state, &keys), Vec::new());
        assert_eq!((state.layer, state.channel), expected, "{keys:?}");
    }
}

#[test]
fn a_layer_with_fewer_channels_takes_the_cursor_to_its_last() {
    let mut state = state();
    press(&mut state, &[Key::End, Key::Up]);
    assert_eq!((state.layer, state.channel), (1, 7));
}

#[test]
fn in_the_channel_pane_up_and_down_move_by_a_row() {
    let mut state = state();
    state.row = 6;
    press(&mut state, &[Key::Tab, Key::Down, Key::Down, Key::Up]);
    assert_eq!((state.pane, state.layer, state.channel), (Pane::Channels, 2, 6));
    press(&mut state, &[Key::BackTab]);
    assert_eq!(state.pane, Pane::Layers);
}

#[test]
fn enter_starts_the_channel_and_r_takes_the_next_seed() {
    let mut state = state();
    let started = press(&mut state, &[Key::Right, Key::Right, Key::Char('p'), Key::Enter]);
    let [Effect::Ask(Action::Start(plan))] = &started[..] else { panic!("{started:?}") };
    assert_eq!((plan.objective.clone(), plan.seed), (Objective::channel("conv2:pre", 2), 0));
    let again = press(&mut state, &[Key::Char('r')]);
    let [Effect::Ask(Action::Start(plan))] = &again[..] else { panic!("{again:?}") };
    assert_eq!((plan.objective.clone(), plan.seed), (Objective::channel("conv2:pre", 2), 1));
}

#[test]
fn space_pauses_what_runs_and_goes_on_with_what_is_paused() {
    for (status, expected) in [
        (Status::Running, vec![Effect::Ask(Action::Pause)]),
        (Status::Paused, vec![Effect::Ask(Action::Resume)]),
        (Status::Finished, vec![]),
    ] {
        let mut state = state();
        see_run(&mut state, status, 5);
        assert_eq!(press(&mut state, &[Key::Char(' ')]), expected);
        assert_eq!(state.remark.is_some(), expected.is_empty());
    }
}

#[test]
fn plus_and_minus_change_the_steps_of_this_run_and_the_next() {
    let mut state = state();
    assert_eq!(press(&mut state, &[Key::Char('+')]), vec![]);
    assert_eq!(state.settings.steps, 160);
    see_run(&mut state, Status::Running, 150);
    assert_eq!(press(&mut state, &[Key::Char('=')]), vec![Effect::Ask(Action::ChangeSteps(32))]);
    assert_eq!(press(&mut state, &[Key::Char('-')]), vec![Effect::Ask(Action::ChangeSteps(-32))]);
    press(&mut state, &[Key::Char('-'); 20]);
    assert_eq!(state.settings.steps, 32);
}

#[test]
fn a_typed_number_jumps_if_there_is_such_a_channel() {
    let mut state = state();
    press(&mut state, &[Key::Char('g'), Key::Char('3'), Key::Char('x'), Key::Char('9'), Key::Enter]);
    assert_eq!((state.channel, &state.mode), (39, &Mode::Browse));
    press(&mut state, &[Key::Char('g'), Key::Char('4'), Key::Char('0'), Key::Enter]);
    assert_eq!((state.channel, state.remark.as_deref()), (39, Some("no channel 40: the last is 39")));
    press(&mut state, &[Key::Char('g'), Key::Char('1'), Key::Backspace, Key::Char('2'), Key::Enter]);
    assert_eq!(state.channel, 2);
    press(&mut state, &[Key::Char('g'), Key::Char('5'), Key::Escape]);
    assert_eq!((state.channel, &state.mode), (2, &Mode::Browse));
}

#[test]
fn typing_and_help_start_nothing_but_ctrl_c_quits() {
    for opener in ['g', '?'] {
        for key in [Key::Enter, Key::Char('r'), Key::Char('q')] {
            let mut state = state();
            assert_eq!(press(&mut state, &[Key::Char(opener), key]), vec![], "{opener} {key:?}");
        }
        assert_eq!(press(&mut state(), &[Key::Char(opener), Key::Ctrl('c')]), vec![Effect::Quit]);
    }
}

#[test]
fn help_that_no_longer_fits_the_screen_holds_no_key_back() {
    let mut state = state();
    press(&mut state, &[Key::Char('?')]);
    state.full = false;
    assert_eq!(press(&mut state, &[Key::Char('q')]), vec![Effect::Quit]);
    press(&mut state, &[Key::Char('?')]);
    assert_eq!((&state.mode, state.remark.as_deref()), (&Mode::Browse, Some("no room for the help")));
}

#[test]
fn a_layer_without_a_relu_has_no_form_before_it() {
    let mut state = state();
    press(&mut state, &[Key::Char('p')]);
    assert_eq!(state.layer_name(), "conv2:pre");
    press(&mut state, &[Key::Up]);
    assert_eq!(state.layer_name(), "pool1");
    press(&mut state, &[Key::Char('p')]);
    assert_eq!(state.remark.as_deref(), Some("pool1 has no form before a ReLU"));
}

#[test]
fn saving_needs_a_run() {
    let mut state = state();
    assert_eq!(press(&mut state, &[Key::Char('s')]), vec![]);
    see_run(&mut state, Status::Paused, 3);
    assert_eq!(press(&mut state, &[Key::Char('s')]), vec![Effect::Ask(Action::Save)]);
}

#[test]
fn y_asks_for_the_command_and_shows_and_copies_it() {
    let mut state = state();
    assert_eq!(press(&mut state, &[Key::Char('y')]), vec![]);
    assert!(state.remark.as_ref().unwrap().contains("no run"), "{:?}", state.remark);
    see_run(&mut state, Status::Paused, 3);
    assert_eq!(press(&mut state, &[Key::Char('y')]), vec![Effect::Ask(Action::DescribeCommand)]);
    let words = vec!["trepang".to_owned(), "render".to_owned()];
    let reply = |state: &mut State| state.update(Message::Reply(Outcome::Command(words.clone())));
    assert_eq!(reply(&mut state), vec![Effect::Copy("trepang render".into())]);
    assert_eq!(state.mode, Mode::Command(words.clone()));
    // Any key closes it, and does nothing else.
    assert_eq!((press(&mut state, &[Key::Enter]), &state.mode), (vec![], &Mode::Browse));
    state.full = false;
    reply(&mut state);
    assert_eq!((&state.mode, state.remark.as_deref()), (&Mode::Browse, Some("trepang render")));
}

#[test]
fn maximised_channels_are_remembered_with_their_loss() {
    let mut state = state();
    see_run(&mut state, Status::Running, 4);
    assert_eq!(state.maximised.get(&("conv2".into(), 0)), Some(&2.0));
}

#[test]
fn no_key_at_all_breaks_an_empty_network() {
    let mut state = state();
    state.layers.clear();
    state.layer = 0;
    for key in BINDINGS.iter().flat_map(|binding| binding.keys).chain(&[Key::Escape, Key::Char('~')]) {
        press(&mut state, &[*key]);
        press(&mut state, &[Key::Escape]);
    }
}

/// A state that has seen a list: its own network, one that is pulled, one to be pulled, one that is found.
fn with_list() -> State {
    let mut state = state();
    let networks = vec![
        entry("tinynet", Supply::Embedded, true),
        entry("pulled", Supply::Pulled, true),
        entry("trunk", Supply::Pulled, false),
        entry("far", Supply::Published, true),
        entry("found", Supply::Found("Keras".into()), true),
    ];
    see(&mut state, |snapshot| snapshot.networks = networks.into());
    state
}

#[test]
fn the_list_of_networks_opens_on_the_current_one() {
    let mut state = with_list();
    assert_eq!(press(&mut state, &[Key::Char('N')]), vec![Effect::Ask(Action::ListNetworks)]);
    for (keys, line) in [
        (vec![], 0),
        (vec![Key::Down, Key::Char('j'), Key::Char('l')], 3),
        (vec![Key::Up, Key::Char('k'), Key::Char('h'), Key::Left], 0),
        (vec![Key::PageDown, Key::Right], 4),
        (vec![Key::Home], 0),
        (vec![Key::End, Key::PageUp], 0),
        (vec![Key::Char('r'), Key::Char('+'), Key::Char(' '), Key::Char('g')], 0),
    ] {
        press(&mut state, &keys);
        assert_eq!(state.mode, Mode::Networks(line), "{keys:?}");
    }
    for close in [Key::Escape, Key::Char('N'), Key::Char('q')] {
        state.mode = Mode::Networks(2);
        assert_eq!((press(&mut state, &[close]), &state.mode), (vec![], &Mode::Browse));
    }
    state.mode = Mode::Networks(2);
    assert_eq!(press(&mut state, &[Key::Ctrl('c')]), vec![Effect::Quit]);
    state.full = false;
    press(&mut state, &[Key::Escape, Key::Char('N')]);
    assert_eq!(
        (&state.mode, state.remark.as_deref()),
        (&Mode::Browse, Some("no room for the list of networks"))
    );
}

#[test]
fn a_network_that_is_not_here_is_not_switched_to() {
    let mut state = with_list();
    for (line, advice) in [
        (3, "to download it: trepang pull far (80 MB)"),
        (4, "to import it from Keras: trepang pull found (80 MB)"),
    ] {
        for key in [Key::Enter, Key::Char('c')] {
            state.mode = Mode::Networks(line);
            assert_eq!(press(&mut state, &[key]), vec![Effect::Ask(Action::ListNetworks)]);
            assert_eq!((state.remark.as_deref(), &state.mode), (Some(advice), &Mode::Networks(line)));
        }
    }
}

#[test]
fn until_a_switch_is_done_no_key_starts_a_run() {
    let mut state = with_list();
    see_run(&mut state, Status::Running, 5);
    state.snapshot = with_list().snapshot;
    press(&mut state, &[Key::Char('+'), Key::Char('N'), Key::Down]);
    let settings = Box::new(state.settings.clone());
    let wish = Effect::Ask(Action::SwitchNetwork { name: "pulled".into(), settings });
    assert_eq!(press(&mut state, &[Key::Enter]), vec![wish]);
    assert_eq!(state.mode, Mode::Browse);
    for key in [Key::Enter, Key::Char(' '), Key::Char('r'), Key::Char('+'), Key::Char('-')] {
        assert_eq!(press(&mut state, &[key]), vec![], "{key:?}");
        assert_eq!(state.remark.as_deref(), Some("pulled is still being loaded"));
    }
    assert_eq!(press(&mut state, &[Key::Char('N'), Key::Down, Key::Enter]), vec![]);
    press(&mut state, &[Key::Escape]);
    assert_eq!(press(&mut state, &[Key::Char('q')]), vec![Effect::Quit]);
    let seed = state.settings.seed;
    // It did not work: everything is as it was.
    see(&mut state, |snapshot| snapshot.notice = Some("damaged".into()));
    reply(&mut state, Outcome::Refused("damaged".into()));
    assert_eq!((state.network.name.as_str(), state.settings.seed, &state.remark), ("tinynet", seed, &None));
    assert!(matches!(press(&mut state, &[Key::Enter])[..], [Effect::Ask(Action::Start(_))]));
}

#[test]
fn after_a_switch_the_cursor_moves_and_settings_stay() {
    let mut state = with_list();
    see_run(&mut state, Status::Running, 5);
    press(&mut state, &[Key::Char('p'), Key::Char('+'), Key::Right]);
    let second = Arc::new(view("second"));
    see(&mut state, |snapshot| snapshot.network = Some(Arc::clone(&second)));
    assert_eq!((state.layer_name().as_str(), state.channel), FIRST_LOOK);
    assert_eq!(
        (state.network.name.as_str(), state.settings.size, state.settings.steps),
        ("second", 32.into(), 160)
    );
    assert_eq!(
        state.maximised.keys().map(|(layer, _)| &**layer).collect::<Vec<_>>(),
        ["conv2"],
        "of the run shown"
    );
    // The next snapshot is about the same network.
    press(&mut state, &[Key::Right]);
    see(&mut state, |snapshot| snapshot.notice = None);
    assert_eq!(state.channel, FIRST_LOOK.1 + 1);
}

#[test]
fn c_chooses_networks_that_have_a_classifier() {
    let mut state = with_list();
    for (line, commands, remark) in [
        (0, vec![], Some("tinynet always classifies its own pictures")),
        (1, vec![Effect::Ask(Action::ToggleClassifier("pulled".into()))], None),
        (2, vec![], Some("trunk has no classifier")),
    ] {
        state.mode = Mode::Networks(line);
        assert_eq!(press(&mut state, &[Key::Char('c')]), commands);
        assert_eq!((state.remark.as_deref(), &state.mode), (remark, &Mode::Networks(line)));
    }
    assert!(state.is_classifying(&entry("tinynet", Supply::Embedded, true)));
    assert!(!state.is_classifying(&entry("pulled", Supply::Pulled, true)));
    see(&mut state, |snapshot| snapshot.classifiers = ["pulled".into()].into());
    assert!(state.is_classifying(&entry("pulled", Supply::Pulled, true)));
}

#[test]
fn t_takes_the_predictions_away_and_brings_them_back() {
    let mut state = state();
    assert_eq!(press(&mut state, &[Key::Char('t')]), vec![Effect::Ask(Action::Predict(false))]);
    assert_eq!(press(&mut state, &[Key::Char('t')]), vec![Effect::Ask(Action::Predict(true))]);
    state.full = false;
    assert_eq!(press(&mut state, &[Key::Char('t')]), vec![]);
    assert!(state.predicting);
}

/// A state that has seen what there is to compute with: the device that does, another one, and a backend that cannot.
fn with_devices() -> State {
    let mut state = state();
    let entry = |backend: &str, device: Result<&str, &str>| DeviceEntry {
        backend: backend.into(),
        device: device.map(|device| (device.into(), "fast".into())).map_err(Into::into),
    };
    let devices =
        vec![entry("candle", Ok("cpu")), entry("candle", Ok("cuda:0")), entry("tch", Err("no libtorch"))];
    see(&mut state, |snapshot| snapshot.devices = devices.into());
    state
}

#[test]
fn b_lists_the_devices_and_enter_moves_the_run() {
    let mut state = with_devices();
    assert_eq!(press(&mut state, &[Key::Char('B')]), vec![Effect::Ask(Action::ListDevices)]);
    assert_eq!(state.mode, Mode::Devices(0));
    assert_eq!(press(&mut state, &[Key::Enter]), vec![]);
    assert_eq!(
        (&state.mode, state.remark.as_deref()),
        (&Mode::Browse, Some("candle on cpu is in use already"))
    );
    press(&mut state, &[Key::Char('B'), Key::End]);
    assert_eq!(press(&mut state, &[Key::Enter]), vec![]);
    assert_eq!((&state.mode, state.remark.as_deref()), (&Mode::Devices(2), Some("no libtorch")));
    let wish = Effect::Ask(Action::SwitchDevice { backend: "candle".into(), device: "cuda:0".into() });
    assert_eq!(press(&mut state, &[Key::Up, Key::Enter]), vec![wish]);
    assert_eq!(press(&mut state, &[Key::Enter]), vec![]);
    assert_eq!(state.remark.as_deref(), Some("candle on cuda:0 is still being loaded"));
    assert_eq!(press(&mut state, &[Key::Char('B'), Key::Char('B')]), vec![]);
    assert_eq!(state.mode, Mode::Browse);
    state.full = false;
    press(&mut state, &[Key::Char('B')]);
    assert_eq!(state.remark.as_deref(), Some("no room for the list of devices"));
}

#[test]
fn another_device_changes_nothing_on_the_screen_but_its_name() {
    let mut state = with_devices();
    see_run(&mut state, Status::Running, 5);
    press(&mut state, &[Key::Char('p'), Key::Right, Key::Right]);
    let before = (state.layer_name(), state.channel, state.maximised.clone(), state.settings.clone());
    let mut carried = view("tinynet");
    carried.info.device = "cuda:0".into();
    see(&mut state, |snapshot| snapshot.network = Some(Arc::new(carried)));
    assert_eq!(state.network.device, "cuda:0");
    assert_eq!((state.layer_name(), state.channel, state.maximised.clone(), state.settings.clone()), before);
}
