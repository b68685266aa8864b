//! The key table: every key of the dashboard, the action that it performs and the words for it. The help overlay and the
//! key line are generated from this table.

use super::actions as act;
use super::key::Key;
use super::state::{Effect, State};
use super::{devices, find, mosaic, networks, settings, steer};

/// A line of the key table.
#[derive(Debug)]
pub struct Binding {
    /// The keys that perform the action.
    pub keys: &'static [Key],
    /// The keys, as the help writes them.
    pub shown: &'static str,
    /// The action in words, for the help; at most 27 characters.
    pub about: &'static str,
    /// One or two words for the key line; empty if the key is only in the help.
    pub short: &'static str,
    /// Performs the action: changes the state and returns the effects for others.
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

/// The keys of the browse mode, in the order of the help.
pub const BINDINGS: &[Binding] = &[
    bind(&[Key::Up, Key::Char('k')], "\u{2191} k", "", "previous layer, or row up", act::up),
    bind(&[Key::Down, Key::Char('j')], "\u{2193} j", "", "next layer, or row down", act::down),
    bind(&[Key::Left, Key::Char('h')], "\u{2190} h", "", "previous channel", act::left),
    bind(&[Key::Right, Key::Char('l')], "\u{2192} l", "", "next channel", act::right),
    bind(&[Key::Char('K')], "K", "", "channels: row up", act::row_up),
    bind(&[Key::Char('J')], "J", "", "channels: row down", act::row_down),
    bind(&[Key::Char('<')], "<", "", "previous layer", act::previous_layer),
    bind(&[Key::Char('>')], ">", "", "next layer", act::next_layer),
    bind(&[Key::PageUp], "PgUp", "", "a page of channels back", act::page_up),
    bind(&[Key::PageDown], "PgDn", "", "a page of channels forward", act::page_down),
    bind(&[Key::Home], "Home", "", "first channel", act::first),
    bind(&[Key::End], "End", "", "last channel", act::last),
    // There are two panes, so the one before is the next one too.
    bind(&[Key::Tab, Key::BackTab], "Tab", "pane", "the other pane", act::next_pane),
    bind(&[Key::Char('M')], "M", "mosaic", "the layer as pictures", mosaic::toggle),
    bind(&[Key::Char('g')], "g", "go to", "go to a channel by number", act::jump),
    bind(&[Key::Char('/')], "/", "find", "find a layer, channel, run", find::open),
    bind(&[Key::Char(':')], ":", "", "find a command", act::open_palette),
    bind(&[Key::Char('p')], "p", "", "before or after the ReLU", act::toggle_pre),
    bind(&[Key::Enter], "Enter", "start", "start: raise this channel", act::start),
    bind(&[Key::Char(' ')], "Space", "pause", "pause or resume", act::pause),
    bind(&[Key::Char('a')], "a", "queue", "go on channel by channel", mosaic::toggle_queue),
    bind(&[Key::Char('r')], "r", "new seed", "start with the next seed", act::reseed),
    bind(&[Key::Char('+'), Key::Char('=')], "+", "steps", "more steps, also this run", act::more_steps),
    bind(&[Key::Char('-')], "-", "", "fewer steps", act::fewer_steps),
    bind(&[Key::Char('O')], "O", "objective", "type an objective", steer::open_objective),
    bind(&[Key::Char('R')], "R", "recipe", "choose or change a recipe", steer::open_recipes),
    bind(&[Key::Char('S')], "S", "settings", "size, steps, seed, start", settings::open),
    bind(&[Key::Char('u')], "u", "undo", "undo the last steps", steer::back),
    bind(&[Key::Char('s')], "s", "save", "save the run now", act::save),
    bind(&[Key::Char('N')], "N", "networks", "choose a network", networks::open),
    bind(&[Key::Char('B')], "B", "devices", "choose backend and device", devices::open),
    bind(&[Key::Char('t')], "t", "", "show or hide predictions", act::toggle_predictions),
    bind(&[Key::Char('z')], "z", "", "only the picture; enlarge", act::zoom),
    bind(&[Key::Char('i')], "i", "", "next image protocol", act::next_protocol),
    bind(&[Key::Ctrl('l')], "Ctrl-L", "", "redraw the screen", act::redraw),
    bind(&[Key::Ctrl('z')], "Ctrl-Z", "", "suspend; fg resumes", act::suspend),
    bind(&[Key::Char('?')], "?", "help", "show or hide this help", act::toggle_help),
    bind(&[Key::Char('q'), Key::Ctrl('c')], "q", "quit", "quit; the run is saved", act::quit),
];

/// The line of the key table for a key, if there is one.
pub(super) fn lookup(key: Key) -> Option<&'static Binding> {
    BINDINGS.iter().find(|binding| binding.keys.contains(&key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_key_has_two_actions() {
        let keys: Vec<_> = BINDINGS.iter().flat_map(|binding| binding.keys).collect();
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
    }
}
