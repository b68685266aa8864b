//! Handles keys and pasted texts in the line that is open. Not here: what is done with what was typed.

use super::actions::NOTHING;
use super::complete::complete_objective;
use super::key::Key;
use super::prompt::Prompt;
use super::setting::Setting;
use super::state::{Effect, Mode, State};
use super::{find, fork, palette, saved_runs, settings, steer};
use crate::worker::protocol::Action;

/// The number of lines of a list that a page key moves by.
const LINES_PER_PAGE: usize = 8;

/// The number of lines that are kept of a prompt's history.
const MAX_HISTORY_LINES: usize = 200;

impl State {
    /// Takes a text that was pasted: into the line that is open, or else not at all.
    pub(super) fn paste(&mut self, text: &str) {
        self.remark = None;
        if let Mode::Prompt(prompt, line) = &mut self.mode {
            let text: String = text.chars().filter(|c| c.is_control() || prompt.takes(*c)).collect();
            self.hit = 0;
            line.insert(if *prompt == Prompt::Channel { text.trim() } else { &text });
        } else {
            self.remark = Some("the pasted text was ignored: there is no line to put it in".into());
        }
    }
}

/// A key while a line is open.
#[expect(clippy::wildcard_enum_match_arm, reason = "every other key edits the line")]
pub(super) fn press(state: &mut State, key: Key) -> Vec<Effect> {
    let Mode::Prompt(prompt, line) = &mut state.mode else { return NOTHING };
    let prompt = *prompt;
    match key {
        Key::Escape => state.mode = Mode::Browse,
        Key::Enter => {
            let text = line.text().to_owned();
            return take(state, prompt, text);
        }
        Key::Tab => return complete(state, prompt),
        Key::Up | Key::Down | Key::PageUp | Key::PageDown if prompt.is_list() => move_in_list(state, key),
        Key::Char(c) if !prompt.takes(c) => {}
        _ => {
            state.hit = 0;
            // Up and down move in a list, so its history has the other keys of shells.
            let key = match key {
                Key::Ctrl('p') => Key::Up,
                Key::Ctrl('n') => Key::Down,
                key => key,
            };
            line.press(key, state.history.get(&prompt).map_or(&[], Vec::as_slice));
        }
    }
    NOTHING
}

/// Moves the cursor of the list over the line.
#[expect(clippy::wildcard_enum_match_arm, reason = "only these keys come here")]
fn move_in_list(state: &mut State, key: Key) {
    let Mode::Prompt(prompt, line) = &state.mode else { return };
    let len = if *prompt == Prompt::Find {
        state.hits(line.text()).len()
    } else {
        state.keys.commands(line.text()).len()
    };
    let to = match key {
        Key::Up => state.hit.saturating_sub(1),
        Key::Down => state.hit + 1,
        Key::PageUp => state.hit.saturating_sub(LINES_PER_PAGE),
        _ => state.hit + LINES_PER_PAGE,
    };
    state.hit = to.min(len.saturating_sub(1));
}

/// Does what the text is for. If the line is not left open to be mended, the text becomes part of its history.
fn take(state: &mut State, prompt: Prompt, text: String) -> Vec<Effect> {
    let effects = match prompt {
        Prompt::Channel => state.go_to_channel(&text),
        Prompt::Objective => steer::maximise(state, &text),
        Prompt::Numbers => steer::take_numbers(state, &text),
        Prompt::Setting(setting) => settings::take(state, setting, text.trim()),
        Prompt::Find => find::go(state, &text),
        Prompt::Command => palette::run(state, &text),
        Prompt::Fork => fork::take(state, &text),
        Prompt::Export => saved_runs::take_path(state, text.trim()),
    };
    let open = matches!(state.mode, Mode::Prompt(open, _) if open == prompt);
    if !open && !text.trim().is_empty() {
        let history = state.history.entry(prompt).or_default();
        history.retain(|line| *line != text);
        history.push(text);
        history.drain(..history.len().saturating_sub(MAX_HISTORY_LINES));
    }
    effects
}

fn complete(state: &mut State, prompt: Prompt) -> Vec<Effect> {
    match prompt {
        Prompt::Objective | Prompt::Fork => complete_objective(state),
        Prompt::Setting(Setting::Start) | Prompt::Export => {
            if let Mode::Prompt(_, line) = &state.mode {
                return vec![Effect::Ask(Action::CompletePath(line.parts().0.to_owned()))];
            }
        }
        Prompt::Channel | Prompt::Numbers | Prompt::Setting(_) | Prompt::Find | Prompt::Command => {}
    }
    NOTHING
}
