//! What the lists over the panes have in common: the keys that move the cursor, and those that close it.

use super::actions::NOTHING;
use super::keys::{Key, lookup};
use super::{Effect, Mode, State};

/// Lines that a page moves.
const PAGE: usize = 8;

/// A key that every list knows: it moves the cursor, from line `cursor` of `len`, closes the list, or has Ctrl with it.
/// None if it is not one of these.
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
        Key::PageUp => cursor.saturating_sub(PAGE),
        Key::PageDown => cursor + PAGE,
        Key::Home => 0,
        Key::End => last,
        Key::Escape | Key::Char('q') => {
            state.mode = Mode::Browse;
            return Some(NOTHING);
        }
        Key::Ctrl(_) => return Some(lookup(key).map(|binding| (binding.act)(state)).unwrap_or_default()),
        _ => return None,
    };
    state.mode = opened(to.min(last));
    Some(NOTHING)
}
