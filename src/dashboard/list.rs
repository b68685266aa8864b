//! The keys that all lists over the panes share: those that move the cursor, and those that close the list.

use super::actions::NOTHING;
use super::key::Key;
use super::state::{Effect, Mode, State};

/// The number of lines that a page key moves by.
const LINES_PER_PAGE: usize = 8;

/// Handles a key that moves the cursor, from line `cursor` of `len`, or that closes the list. `opened` is the mode of
/// the list with the cursor on a line. Returns `None` for other keys.
#[expect(clippy::wildcard_enum_match_arm, reason = "every other key means nothing to a list")]
pub(super) fn press(
    state: &mut State,
    key: Key,
    (cursor, len): (usize, usize),
    opened: fn(usize) -> Mode,
) -> Option<Vec<Effect>> {
    let last = len.saturating_sub(1);
    let runs = |commands: &[&str]| commands.iter().any(|command| state.keys.runs(key, command));
    let to = match key {
        Key::Up | Key::Left => cursor.saturating_sub(1),
        Key::Down | Key::Right => cursor + 1,
        Key::PageUp => cursor.saturating_sub(LINES_PER_PAGE),
        Key::PageDown => cursor + LINES_PER_PAGE,
        Key::Home => 0,
        Key::End => last,
        Key::Escape => return Some(close(state)),
        _ if runs(&["up", "left"]) => cursor.saturating_sub(1),
        _ if runs(&["down", "right"]) => cursor + 1,
        _ if runs(&["quit"]) => return Some(close(state)),
        _ => return None,
    };
    state.mode = opened(to.min(last));
    Some(NOTHING)
}

fn close(state: &mut State) -> Vec<Effect> {
    state.mode = Mode::Browse;
    NOTHING
}
