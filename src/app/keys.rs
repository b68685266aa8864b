//! The key table: every key of the dashboard, what it does and the words for it. The help overlay and the
//! key line are made from this table, so they cannot go stale.

use super::{Effect, State};
use super::{actions as act, devices, networks, steer};

/// A key, as the dashboard tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// A printable character.
    Char(char),
    /// Ctrl and a letter.
    Ctrl(char),
    /// The arrow that points up.
    Up,
    /// The arrow that points down.
    Down,
    /// The arrow that points left.
    Left,
    /// The arrow that points right.
    Right,
    /// To the next pane.
    Tab,
    /// Shift and Tab: to the pane before.
    BackTab,
    /// Return, also that of the keypad.
    Enter,
    /// Esc, when nothing follows it that would make it a sequence.
    Escape,
    /// Deletes to the left.
    Backspace,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the first.
    Home,
    /// To the last.
    End,
}

/// One line of the table.
#[derive(Debug)]
pub struct Binding {
    /// The keys that do it.
    pub keys: &'static [Key],
    /// How the keys are written.
    pub shown: &'static str,
    /// What it does, for the help.
    pub about: &'static str,
    /// One or two words for the key line; empty for what is only in the help.
    pub short: &'static str,
    /// Changes the state and returns what others have to do.
    pub act: fn(&mut State) -> Vec<Effect>,
}

const fn bind(
    keys: &'static [Key],
    shown: &'static str,
    short: &'static str,
    about: &'static str,
    act: fn(&mut State) -> Vec<Effect>,
) -> Binding {
    Binding { keys, shown, about, short, act }
}

/// The keys while browsing, in the order of the help.
pub const BINDINGS: &[Binding] = &[
    bind(&[Key::Up, Key::Char('k')], "\u{2191} k", "", "layer above, or row up", act::up),
    bind(&[Key::Down, Key::Char('j')], "\u{2193} j", "", "layer below, or row down", act::down),
    bind(&[Key::Left, Key::Char('h')], "\u{2190} h", "", "channel before", act::left),
    bind(&[Key::Right, Key::Char('l')], "\u{2192} l", "", "channel after", act::right),
    bind(&[Key::PageUp], "PgUp", "", "16 channels back", act::page_up),
    bind(&[Key::PageDown], "PgDn", "", "16 channels on", act::page_down),
    bind(&[Key::Home], "Home", "", "first channel", act::first),
    bind(&[Key::End], "End", "", "last channel", act::last),
    bind(&[Key::Tab], "Tab", "pane", "to the other pane", act::next_pane),
    bind(&[Key::BackTab], "S-Tab", "", "to the pane before", act::previous_pane),
    bind(&[Key::Char('g')], "g", "go to", "go to a channel's number", act::jump),
    bind(&[Key::Char('p')], "p", "", "before or after its ReLU", act::toggle_pre),
    bind(&[Key::Enter], "Enter", "start", "climb this channel", act::start),
    bind(&[Key::Char(' ')], "Space", "pause", "pause, or go on", act::pause),
    bind(&[Key::Char('r')], "r", "new seed", "again with the next seed", act::reseed),
    bind(&[Key::Char('+'), Key::Char('=')], "+", "steps", "more steps, also this run", act::more_steps),
    bind(&[Key::Char('-')], "-", "", "fewer steps", act::fewer_steps),
    bind(&[Key::Char('O')], "O", "objective", "an objective, as text", steer::open_objective),
    bind(&[Key::Char('R')], "R", "recipe", "a recipe, and its numbers", steer::open_recipes),
    bind(&[Key::Char('u')], "u", "back", "take the last steps back", steer::back),
    bind(&[Key::Char('s')], "s", "save", "save the run now", act::save),
    bind(&[Key::Char('N')], "N", "networks", "another network", networks::open),
    bind(&[Key::Char('B')], "B", "devices", "another backend or device", devices::open),
    bind(&[Key::Char('t')], "t", "", "predictions, or not", act::toggle_predictions),
    bind(&[Key::Char('z')], "z", "", "the picture alone, or not", act::zoom),
    bind(&[Key::Char('i')], "i", "", "the picture another way", act::next_protocol),
    bind(&[Key::Ctrl('l')], "Ctrl-L", "", "draw everything anew", act::redraw),
    bind(&[Key::Ctrl('z')], "Ctrl-Z", "", "suspend; fg comes back", act::suspend),
    bind(&[Key::Char('?')], "?", "help", "show or hide this help", act::toggle_help),
    bind(&[Key::Char('q'), Key::Ctrl('c')], "q", "quit", "quit; the run is saved", act::quit),
];

/// The command of a key while browsing.
pub(super) fn lookup(key: Key) -> Option<&'static Binding> {
    BINDINGS.iter().find(|binding| binding.keys.contains(&key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_key_does_two_things() {
        let keys: Vec<_> = BINDINGS.iter().flat_map(|binding| binding.keys).collect();
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
    }
}
