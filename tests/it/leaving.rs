//! What `q` asks, and when.

use trepang::dashboard::{Effect, Key, Leaving, Mode, OpenQuestion, State};
use trepang::worker::protocol::{Action, Outcome, QueueView, Status};

use crate::stage::{press, reply, see, see_run, state};

/// A state with a run that was started by hand.
fn started() -> State {
    let mut state = state();
    let sent = press(&mut state, &[Key::Enter]);
    assert!(matches!(&sent[..], [Effect::Ask(Action::Start(_))]), "{sent:?}");
    see_run(&mut state, Status::Running, 3);
    state
}

fn asks(state: &mut State) -> bool {
    let effects = press(state, &[Key::Char('q')]);
    let asks = state.mode == Mode::Question(OpenQuestion::Leave);
    assert_eq!(effects, if asks { vec![] } else { vec![Effect::Quit] });
    asks
}

#[test]
fn q_asks_while_what_was_started_by_hand_goes_on() {
    for (key, effect) in [
        (Key::Char('y'), Some(Effect::Quit)),
        (Key::Char('q'), Some(Effect::Quit)),
        (Key::Char('d'), Some(Effect::LeaveRunning)),
        (Key::Escape, None),
        (Key::Enter, None),
        (Key::Char('n'), None),
    ] {
        let mut state = started();
        assert!(asks(&mut state));
        assert_eq!(press(&mut state, &[key]), Vec::from_iter(effect), "{key:?}");
        assert_eq!(state.mode, Mode::Browse);
    }
    // Ctrl-C asks nothing, there either.
    assert_eq!(press(&mut started(), &[Key::Ctrl('c')]), [Effect::Quit]);
    assert_eq!(press(&mut started(), &[Key::Char('q'), Key::Ctrl('c')]), [Effect::Quit]);
}

#[test]
fn q_asks_nothing_where_nothing_would_be_cut_short() {
    // What began by itself, as the first run does.
    let mut by_itself = state();
    see_run(&mut by_itself, Status::Running, 3);
    assert!(!asks(&mut by_itself));
    for status in [Status::Paused, Status::Finished, Status::Stopped] {
        let mut done = started();
        see(&mut done, |snapshot| snapshot.status = status.clone());
        assert!(!asks(&mut done), "{status:?}");
    }
    // Drafts are no work that was started.
    let mut drafts = state();
    press(&mut drafts, &[Key::Char('M')]);
    see_run(&mut drafts, Status::Running, 3);
    assert!(!asks(&mut drafts));
    // The process that computes goes on without this dashboard.
    let mut attached = state();
    attached.leaving = Leaving::Attached;
    press(&mut attached, &[Key::Enter]);
    see_run(&mut attached, Status::Running, 3);
    assert!(!asks(&mut attached));
}

#[test]
fn a_queue_is_asked_about_between_its_runs_too() {
    let mut state = state();
    press(&mut state, &[Key::Char('a')]);
    see_run(&mut state, Status::Finished, 128);
    let queue = QueueView { layer: "conv2".into(), next: 3, left: 37, seconds: None };
    see(&mut state, |snapshot| snapshot.queue = Some(queue));
    assert!(asks(&mut state));
}

#[test]
fn a_stop_that_waits_for_a_step_is_told() {
    let mut state = started();
    assert_eq!(press(&mut state, &[Key::Char(' ')]), [Effect::Ask(Action::Pause)]);
    assert_eq!(state.stopping, Some(2));
    reply(&mut state, Outcome::Done);
    assert_eq!(state.stopping, None);
}
