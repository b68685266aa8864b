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
    let to = match key {
        Key::Up | Key::Left | Key::Char('k' | 'h') => cursor.saturating_sub(1),
        Key::Down | Key::Right | Key::Char('j' | 'l') => cursor + 1,
        Key::PageUp => cursor.saturating_sub(LINES_PER_PAGE),
        Key::PageDown => cursor + LINES_PER_PAGE,
        Key::Home => 0,
        Key::End => last,
        Key::Escape | Key::Char('q') => {
            state.mode = Mode::Browse;
            return Some(NOTHING);
        }
        _ => return None,
    };
    state.mode = opened(to.min(last));
    Some(NOTHING)
}
