//! The function of every command of the key table.

use super::actions::{self, NOTHING};
use super::state::{Effect, State};
use super::{
    devices, find, fork, lab, look_back, look_closer, marking, mosaic, networks, resizing, saved_runs,
    settings, steer,
};

/// A function that changes the state and returns effects for others.
type CommandFunction = fn(&mut State) -> Vec<Effect>;

/// The functions, by the names of their commands.
const ACTS: &[(&str, CommandFunction)] = &[
    ("up", actions::up),
    ("down", actions::down),
    ("left", actions::left),
    ("right", actions::right),
    ("row-up", actions::row_up),
    ("row-down", actions::row_down),
    ("previous-layer", actions::previous_layer),
    ("next-layer", actions::next_layer),
    ("page-up", actions::page_up),
    ("page-down", actions::page_down),
    ("first", actions::first),
    ("last", actions::last),
    ("pane", actions::next_pane),
    ("mosaic", mosaic::toggle),
    ("go-to", actions::jump),
    ("find", find::open),
    ("command", actions::open_palette),
    ("relu", actions::toggle_pre),
    ("start", actions::start),
    ("pause", actions::pause),
    ("queue", mosaic::toggle_queue),
    ("new-seed", actions::reseed),
    ("more-steps", actions::more_steps),
    ("fewer-steps", actions::fewer_steps),
    ("objective", steer::open_objective),
    ("recipe", steer::open_recipes),
    ("settings", settings::open),
    ("undo", steer::back),
    ("scrub-back", look_back::back),
    ("scrub-forward", look_back::forward),
    ("mark", marking::mark),
    ("marks", marking::open),
    ("compare", marking::compare),
    ("fork", fork::open),
    ("save", actions::save),
    ("copy", actions::copy_command),
    ("runs", saved_runs::open),
    ("export", saved_runs::export),
    ("networks", networks::open),
    ("devices", devices::open),
    ("predictions", actions::toggle_predictions),
    ("zoom", look_closer::zoom),
    ("pixel", look_closer::toggle_pixel),
    ("map", look_closer::toggle_map),
    ("bars", look_closer::next_bars),
    ("lab", lab::toggle),
    ("lists-narrower", resizing::narrower_lists),
    ("lists-wider", resizing::wider_lists),
    ("curve-lower", resizing::lower_curve),
    ("curve-higher", resizing::higher_curve),
    ("strip-narrower", resizing::narrower_strip),
    ("strip-wider", resizing::wider_strip),
    ("panes-reset", resizing::reset),
    ("protocol", actions::next_protocol),
    ("redraw", actions::redraw),
    ("suspend", actions::suspend),
    ("help", actions::toggle_help),
    ("quit", actions::quit),
];

/// Performs a command.
pub(super) fn perform(state: &mut State, command: &str) -> Vec<Effect> {
    if look_closer::moves_pixel(state, command) || lab::moves_point(state, command) {
        return NOTHING;
    }
    ACTS.iter().find(|(name, _)| *name == command).map_or(NOTHING, |(_, act)| act(state))
}

#[cfg(test)]
mod tests {
    use super::super::key_table::BINDINGS;
    use super::*;

    #[test]
    fn every_command_has_a_function() {
        let names = |names: &mut dyn Iterator<Item = &'static str>| names.collect::<Vec<_>>();
        let functions = names(&mut ACTS.iter().map(|(name, _)| *name));
        assert_eq!(functions, names(&mut BINDINGS.iter().map(|binding| binding.name)));
    }
}
