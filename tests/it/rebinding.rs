//! Keys that the user has changed: what they do, and where they are shown.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use trepang::dashboard::{Effect, Key, KeyChange, KeyMap, Mode, State};
use trepang::ui::{View, render};
use trepang::worker::protocol::{Action, SavedRunAction, Status};

use crate::stage::{press, saved_run, see, see_run, state};

fn map(changes: &[(&str, &[&str])]) -> KeyMap {
    let change = |(line, (command, keys)): (usize, &(&str, &[&str]))| KeyChange {
        command: (*command).into(),
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        line: line + 1,
    };
    KeyMap::with(&changes.iter().enumerate().map(change).collect::<Vec<_>>()).unwrap()
}

fn with_keys(changes: &[(&str, &[&str])]) -> State {
    let mut state = state();
    state.keys = map(changes);
    state
}

fn screen(state: &State) -> String {
    let mut terminal = Terminal::new(TestBackend::new(120, 40)).unwrap();
    terminal.draw(|frame| render(frame, state, &View::default())).unwrap();
    terminal.backend().to_string()
}

#[test]
fn a_command_has_its_new_key_and_no_longer_the_old_one() {
    let mut state = with_keys(&[("pause", &["P", "ctrl-s"]), ("right", &["n"])]);
    see_run(&mut state, Status::Running, 3);
    assert!(press(&mut state, &[Key::Char(' ')]).is_empty());
    for key in [Key::Char('P'), Key::Ctrl('s')] {
        assert_eq!(press(&mut state, &[key]), [Effect::Ask(Action::Pause)]);
    }
    press(&mut state, &[Key::Char('n'), Key::Right, Key::Char('l')]);
    assert_eq!(state.channel, 1);
}

#[test]
fn ctrl_c_quits_whatever_quit_is_bound_to() {
    for keys in [&["w"][..], &[]] {
        let mut state = with_keys(&[("quit", keys)]);
        assert!(press(&mut state, &[Key::Char('q')]).is_empty());
        assert_eq!(press(&mut state, &[Key::Ctrl('c')]), [Effect::Quit]);
    }
}

#[test]
fn two_commands_may_change_places() {
    let mut state = with_keys(&[("mosaic", &["N"]), ("networks", &["M"])]);
    press(&mut state, &[Key::Char('M')]);
    assert!(matches!(state.mode, Mode::Networks(_)));
    // The key that opened a list closes it.
    press(&mut state, &[Key::Char('M')]);
    assert_eq!(state.mode, Mode::Browse);
}

#[test]
fn the_new_key_is_in_the_help_the_key_line_and_the_palette() {
    let mut state =
        with_keys(&[("pause", &["ctrl-s"]), ("queue", &["Q", "w"]), ("undo", &[]), ("help", &["F"])]);
    let line = screen(&state);
    assert!(line.contains("Ctrl-S pause") && line.contains("Q w queue") && !line.contains("undo"), "{line}");
    press(&mut state, &[Key::Char('F')]);
    let help = screen(&state);
    assert!(help.contains(" Ctrl-S pause or resume") && help.contains(" Q w    go on channel"), "{help}");
    assert!(help.contains("        undo the last steps"), "{help}");
    press(&mut state, &[Key::Escape, Key::Char(':'), Key::Char('q')]);
    assert!(screen(&state).contains("Q w     go on channel by channel"));
    // What has no key is run from the palette.
    let Mode::Prompt(..) = state.mode else { panic!("{:?}", state.mode) };
    assert_eq!(state.keys.commands("undo")[0].shown, "");
}

#[test]
fn keys_of_lists_and_questions_have_commands_of_their_own() {
    let mut state = with_keys(&[
        ("run-delete", &["D"]),
        ("list-down", &["n", "down"]),
        ("list-choose", &["tab"]),
        ("list-close", &["ctrl-s"]),
        ("answer-yes", &["j"]),
    ]);
    see(&mut state, |snapshot| {
        snapshot.runs = ["a", "b", "c"].map(|name| saved_run(name, "tinynet", "conv2", 3)).into();
    });
    press(&mut state, &[Key::Char('o'), Key::Char('n'), Key::Down]);
    assert_eq!(state.mode, Mode::Runs(2));
    // The keys from before do nothing there now, but for those that move while browsing.
    press(&mut state, &[Key::Char('x'), Key::Enter, Key::Char('k')]);
    assert_eq!(state.mode, Mode::Runs(1));
    let line = screen(&state);
    for part in ["arrows move", "Tab open", "D delete", "Ctrl-S close"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    press(&mut state, &[Key::Char('D')]);
    assert!(matches!(state.mode, Mode::Question(_)));
    assert!(screen(&state).contains("j delete; u undoes it until quit"), "{}", screen(&state));
    let deleted = Effect::Ask(Action::OfSavedRun(SavedRunAction::Delete("b".into())));
    assert_eq!(press(&mut state, &[Key::Char('j')]), [deleted]);
    press(&mut state, &[Key::Ctrl('s')]);
    assert_eq!(state.mode, Mode::Browse);
    let open = SavedRunAction::Open { name: "a".into(), goes_on: false };
    let sent = press(&mut state, &[Key::Char('o'), Key::Tab]);
    assert_eq!(sent, [Effect::Ask(Action::OfSavedRun(open))]);
}

#[test]
fn a_key_may_mean_two_things_where_only_one_counts() {
    let changes = |changes: &[(&str, &str)]| {
        let change = |(line, (command, key)): (usize, &(&str, &str))| KeyChange {
            command: (*command).into(),
            keys: vec![(*key).into()],
            line: line + 1,
        };
        KeyMap::with(&changes.iter().enumerate().map(change).collect::<Vec<_>>())
    };
    assert!(changes(&[("run-delete", "d"), ("mark-remove", "d"), ("queue", "A")]).is_ok());
    for (set, reason) in [
        (vec![("run-delete", "e")], "the key e runs both run-delete and run-export, where it is the default"),
        (vec![("list-close", "u")], "the key u runs both list-close and run-undelete, where"),
        (vec![("mark-choose", "w"), ("mark-compare", "w")], "mark-compare and mark-choose, of line 1"),
        (vec![("leave-running", "y")], "the key y runs both leave-running and answer-yes"),
        (vec![("run-remove", "y")], "there is no command \"run-remove\""),
    ] {
        let wrong = changes(&set).unwrap_err();
        assert!(wrong.reason.contains(reason) && wrong.line == set.len(), "{wrong:?}");
    }
}
