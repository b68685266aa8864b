//! Keys that the user has changed: what they do, and where they are shown.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use trepang::dashboard::{Effect, Key, KeyChange, KeyMap, Mode, State};
use trepang::ui::{View, render};
use trepang::worker::protocol::{Action, Status};

use crate::stage::{press, see_run, state};

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
