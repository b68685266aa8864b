//! The commands that all lists over the panes share: those that move the cursor, and the one that closes the list.

use super::actions::NOTHING;
use super::state::{Effect, Mode, State};

/// The number of lines that a page key moves by.
const LINES_PER_PAGE: usize = 8;

/// Does what a command does in every list: it moves the cursor, from line `cursor` of `len`, or closes the list. `opened` is the
/// mode of the list with the cursor on a line.
pub(super) fn act(
    state: &mut State,
    command: &str,
    (cursor, len): (usize, usize),
    opened: fn(usize) -> Mode,
) -> Vec<Effect> {
    let last = len.saturating_sub(1);
    let to = match command {
        "list-up" => cursor.saturating_sub(1),
        "list-down" => cursor + 1,
        "list-page-up" => cursor.saturating_sub(LINES_PER_PAGE),
        "list-page-down" => cursor + LINES_PER_PAGE,
        "list-first" => 0,
        "list-last" => last,
        "list-close" => return close(state),
        _ => return NOTHING,
    };
    state.mode = opened(to.min(last));
    NOTHING
}

pub(super) fn close(state: &mut State) -> Vec<Effect> {
    state.mode = Mode::Browse;
    NOTHING
}
