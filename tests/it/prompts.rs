//! The lines in which something is typed: editing, history, completion, pasted texts.

use trepang::dashboard::{Effect, Key, Message, Mode, Prompt, Setting, State};
use trepang::worker::protocol::{Action, Outcome};

use crate::stage::{press, state};

fn type_text(state: &mut State, text: &str) {
    press(state, &text.chars().map(Key::Char).collect::<Vec<_>>());
}

/// The line that is open, with a bar at the cursor.
fn line(state: &State) -> String {
    let Mode::Prompt(_, line) = &state.mode else { panic!("{:?}", state.mode) };
    let (before, after) = line.parts();
    format!("{before}|{after}")
}

#[test]
fn a_pasted_text_acts_as_no_key() {
    let mut state = state();
    assert_eq!(state.update(Message::Paste("q\r".into())), Vec::new());
    assert!(state.remark.as_ref().unwrap().contains("pasted text was ignored"), "{:?}", state.remark);
    press(&mut state, &[Key::Char('S')]);
    assert_eq!(state.update(Message::Paste("\r\u{1b}q".into())), Vec::new());
    assert_eq!(state.mode, Mode::Settings(0));
}

#[test]
fn a_pasted_text_goes_to_the_cursor_of_the_line() {
    let mut state = state();
    press(&mut state, &[Key::Char('O'), Key::Ctrl('u')]);
    type_text(&mut state, "(conv1)");
    press(&mut state, &[Key::Home]);
    assert_eq!(state.update(Message::Paste("lay\x03er\x1b".into())), Vec::new());
    assert_eq!(line(&state), "layer|(conv1)");
    state.update(Message::Paste("\r\nq\n".into()));
    assert_eq!(line(&state), "layer q |(conv1)");
    press(&mut state, &[Key::Escape, Key::Char('g')]);
    state.update(Message::Paste(" channel 12\n".into()));
    assert_eq!(line(&state), "12|");
}

#[test]
fn every_line_has_its_own_history() {
    let mut state = state();
    for text in ["layer(conv1)", "channel(conv2, 3)", "layer(conv1)"] {
        press(&mut state, &[Key::Char('O'), Key::Ctrl('u')]);
        type_text(&mut state, text);
        press(&mut state, &[Key::Enter]);
    }
    press(&mut state, &[Key::Char('g'), Key::Char('7'), Key::Enter, Key::Char('O'), Key::Up]);
    assert_eq!(line(&state), "layer(conv1)|");
    // What was typed twice is there once, and Down leads back to the line as it was.
    press(&mut state, &[Key::Up, Key::Up]);
    assert_eq!(line(&state), "channel(conv2, 3)|");
    press(&mut state, &[Key::Down, Key::Down]);
    assert_eq!(line(&state), "channel(conv2, 7)|");
    press(&mut state, &[Key::Escape, Key::Char('g'), Key::Up]);
    assert_eq!(line(&state), "7|");
    // What was refused can still be mended, and is no history.
    press(&mut state, &[Key::Escape, Key::Char('O'), Key::Char('x'), Key::Enter, Key::Up]);
    assert_eq!(line(&state), "layer(conv1)|");
}

#[test]
fn classes_are_completed_by_any_of_their_names() {
    let mut state = state();
    for (typed, expected) in [
        ("log", "logit(|"),
        ("logit(sea", "logit(sea cucumber|"),
        ("logit(sea c", "logit(sea cucumber|"),
        ("logit( \"GOLD", "logit( \"goldfish|"),
        ("2 * logit(lemon) - logit(le", "2 * logit(lemon) - logit(lemon|"),
        ("logit(sea) + layer(pre", "logit(sea) + layer(predictions|"),
    ] {
        press(&mut state, &[Key::Char('O'), Key::Ctrl('u')]);
        type_text(&mut state, typed);
        press(&mut state, &[Key::Tab]);
        assert_eq!(line(&state), expected);
        press(&mut state, &[Key::Escape]);
    }
}

#[test]
fn completion_acts_at_the_cursor() {
    let mut state = state();
    press(&mut state, &[Key::Char('O'), Key::Ctrl('u')]);
    type_text(&mut state, "channel(poo, 3)");
    press(&mut state, &[Key::Left, Key::Left, Key::Left, Key::Left, Key::Tab]);
    assert_eq!(line(&state), "channel(pool1|, 3)");
    press(&mut state, &[Key::Ctrl('w'), Key::Tab]);
    // The worker completes a file's name, of which the rest of the line is no part.
    state.mode = Mode::Prompt(Prompt::Setting(Setting::Start), "photos/d.png".into());
    press(&mut state, &[Key::Left; 4]);
    let sent = press(&mut state, &[Key::Tab]);
    assert_eq!(sent, [Effect::Ask(Action::CompletePath("photos/d".into()))]);
    state.update(Message::Reply(Outcome::Completed { path: "photos/dog".into(), choices: Vec::new() }));
    assert_eq!(line(&state), "photos/dog|.png");
}

#[test]
fn a_letter_with_alt_is_the_letter_outside_a_line() {
    let (mut with, mut without) = (state(), state());
    for (letter, state) in [(Key::Alt('g'), &mut with), (Key::Char('g'), &mut without)] {
        press(state, &[letter]);
    }
    assert_eq!(with.mode, without.mode);
    assert_eq!(with.mode, Mode::Prompt(Prompt::Channel, "".into()));
}
