//! The palette: every command, found by its words and run without its key.

use super::actions::NOTHING;
use super::commands;
use super::state::{Effect, Mode, State};

/// Runs the command under the cursor of the list.
pub(super) fn run(state: &mut State, typed: &str) -> Vec<Effect> {
    let Some(binding) = state.keys.commands(typed).get(state.hit).map(|bound| bound.binding) else {
        state.remark = Some(format!("no command has the words \"{}\"", typed.trim()));
        return NOTHING;
    };
    state.mode = Mode::Browse;
    commands::perform(state, binding.name)
}
