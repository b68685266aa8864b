//! The palette: every command of the key table, found by its words and run without its key.

use super::actions::NOTHING;
use super::key_table::{BINDINGS, Binding};
use super::state::{Effect, Mode, State};

/// The commands whose words have every word that was typed, in the order of the key table.
pub fn commands(typed: &str) -> Vec<&'static Binding> {
    let typed = typed.to_lowercase();
    let fits = |binding: &&Binding| {
        let words = format!("{} {}", binding.about, binding.short).to_lowercase();
        typed.split_whitespace().all(|word| words.contains(word) || binding.shown.to_lowercase() == word)
    };
    BINDINGS.iter().filter(fits).collect()
}

/// Runs the command under the cursor of the list.
pub(super) fn run(state: &mut State, typed: &str) -> Vec<Effect> {
    let Some(binding) = commands(typed).get(state.hit).copied() else {
        state.remark = Some(format!("no command has the words \"{}\"", typed.trim()));
        return NOTHING;
    };
    state.mode = Mode::Browse;
    (binding.act)(state)
}
