//! The key table: every command of the dashboard with its keys and the words for it. The keys in use are these with the user's
//! changes (`key_map.rs`); what a command does is in `commands.rs`.

use super::key::Key;
use super::key_scope::KeyScope;

/// A line of the key table.
#[derive(Debug)]
pub struct Binding {
    /// The name of the command in the user's configuration.
    pub name: &'static str,
    /// The keys that perform the action.
    pub keys: &'static [Key],
    /// The keys, as the help writes them.
    pub shown: &'static str,
    /// The action in words, for the help; at most 27 characters.
    pub about: &'static str,
    /// One or two words for the key line; empty if the key is only in the help.
    pub short: &'static str,
    /// The part of the dashboard in which the keys count.
    pub scope: KeyScope,
}

const fn bind(
    name: &'static str,
    keys: &'static [Key],
    shown: &'static str,
    short: &'static str,
    about: &'static str,
) -> Binding {
    Binding { name, keys, shown, about, short, scope: KeyScope::Browsing }
}

/// A command of lists or questions, by its name and what it does.
pub(super) const fn bind_in(
    scope: KeyScope,
    (name, about): (&'static str, &'static str),
    keys: &'static [Key],
    shown: &'static str,
) -> Binding {
    Binding { name, keys, shown, about, short: "", scope }
}

/// The keys of the browse mode, in the order of the help.
pub const BINDINGS: &[Binding] = &[
    bind("up", &[Key::Up, Key::Char('k')], "\u{2191} k", "", "previous layer, or row up"),
    bind("down", &[Key::Down, Key::Char('j')], "\u{2193} j", "", "next layer, or row down"),
    bind("left", &[Key::Left, Key::Char('h')], "\u{2190} h", "", "previous channel"),
    bind("right", &[Key::Right, Key::Char('l')], "\u{2192} l", "", "next channel"),
    bind("row-up", &[Key::Char('K')], "K", "", "channels: row up"),
    bind("row-down", &[Key::Char('J')], "J", "", "channels: row down"),
    bind("previous-layer", &[Key::Char('<')], "<", "", "previous layer"),
    bind("next-layer", &[Key::Char('>')], ">", "", "next layer"),
    bind("page-up", &[Key::PageUp], "PgUp", "", "a page of channels back"),
    bind("page-down", &[Key::PageDown], "PgDn", "", "a page of channels forward"),
    bind("first", &[Key::Home], "Home", "", "first channel"),
    bind("last", &[Key::End], "End", "", "last channel"),
    // There are two panes, so the one before is the next one too.
    bind("pane", &[Key::Tab, Key::BackTab], "Tab", "pane", "the other pane"),
    bind("mosaic", &[Key::Char('M')], "M", "mosaic", "the layer as pictures"),
    bind("go-to", &[Key::Char('g')], "g", "go to", "go to a channel by number"),
    bind("find", &[Key::Char('/')], "/", "find", "find a layer, channel, run"),
    bind("command", &[Key::Char(':')], ":", "", "find a command"),
    bind("relu", &[Key::Char('p')], "p", "", "before or after the ReLU"),
    bind("start", &[Key::Enter], "Enter", "start", "start: raise this channel"),
    bind("pause", &[Key::Char(' ')], "Space", "pause", "pause or resume"),
    bind("queue", &[Key::Char('a')], "a", "queue", "go on channel by channel"),
    bind("new-seed", &[Key::Char('r')], "r", "new seed", "start with the next seed"),
    bind("more-steps", &[Key::Char('+'), Key::Char('=')], "+", "steps", "more steps, also this run"),
    bind("fewer-steps", &[Key::Char('-')], "-", "", "fewer steps"),
    bind("objective", &[Key::Char('O')], "O", "objective", "type an objective"),
    bind("recipe", &[Key::Char('R')], "R", "recipe", "choose or change a recipe"),
    bind("settings", &[Key::Char('S')], "S", "settings", "size, steps, seed, start"),
    bind("undo", &[Key::Char('u')], "u", "undo", "undo the last steps"),
    bind("scrub-back", &[Key::Char('[')], "[", "", "the picture some steps ago"),
    bind("scrub-forward", &[Key::Char(']')], "]", "", "the picture after that"),
    bind("mark", &[Key::Char('m')], "m", "", "mark this picture, or not"),
    bind("marks", &[Key::Char('\'')], "'", "", "list the marked pictures"),
    bind("compare", &[Key::Char('c')], "c", "", "marked ones side by side"),
    bind("fork", &[Key::Char('f')], "f", "", "from here: other objective"),
    bind("save", &[Key::Char('s')], "s", "save", "save the run now"),
    bind("copy", &[Key::Char('y')], "y", "", "copy the render command"),
    bind("runs", &[Key::Char('o')], "o", "runs", "open, delete a saved run"),
    bind("export", &[Key::Char('e')], "e", "", "export the picture"),
    bind("networks", &[Key::Char('N')], "N", "networks", "choose a network"),
    bind("devices", &[Key::Char('B')], "B", "devices", "choose backend and device"),
    bind("predictions", &[Key::Char('t')], "t", "", "show or hide predictions"),
    bind("zoom", &[Key::Char('z')], "z", "", "the picture alone, 2x, 4x"),
    bind("pixel", &[Key::Char('x')], "x", "", "a cursor on the picture"),
    bind("map", &[Key::Char('v')], "v", "", "the channel's map over it"),
    bind("bars", &[Key::Char('b')], "b", "", "the mean of every channel"),
    bind("lab", &[Key::Char('L')], "L", "", "the lab: why it is seen so"),
    bind("lists-narrower", &[Key::Char('{')], "{", "", "narrower lists"),
    bind("lists-wider", &[Key::Char('}')], "}", "", "wider lists"),
    bind("curve-lower", &[Key::Char('(')], "(", "", "a lower curve"),
    bind("curve-higher", &[Key::Char(')')], ")", "", "a higher curve"),
    bind("strip-narrower", &[Key::Char(',')], ",", "", "drafts beside: narrower"),
    bind("strip-wider", &[Key::Char('.')], ".", "", "drafts beside: wider"),
    bind("panes-reset", &[Key::Char('0')], "0", "", "panes of their own size"),
    bind("protocol", &[Key::Char('i')], "i", "", "next image protocol"),
    bind("redraw", &[Key::Ctrl('l')], "Ctrl-L", "", "redraw the screen"),
    bind("suspend", &[Key::Ctrl('z')], "Ctrl-Z", "", "suspend; fg resumes"),
    bind("help", &[Key::Char('?')], "?", "help", "show or hide this help"),
    bind("quit", &[Key::Char('q'), Key::Ctrl('c')], "q", "quit", "quit; the run is saved"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_key_has_two_actions() {
        let keys: Vec<_> = BINDINGS.iter().flat_map(|binding| binding.keys).collect();
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
        let names: HashSet<_> = BINDINGS.iter().map(|binding| binding.name).collect();
        assert_eq!(names.len(), BINDINGS.len());
    }
}
