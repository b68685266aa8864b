//! The keys that make panes larger and smaller.

use super::pane_sizes::PaneSizes;
use super::state::{Effect, State, TerminalAction};

/// The columns by which a key changes the lists.
const COLUMNS: i16 = 2;

fn changed(state: &mut State, change: impl FnOnce(&mut PaneSizes)) -> Vec<Effect> {
    change(&mut state.sizes);
    vec![Effect::Terminal(TerminalAction::Redraw)]
}

pub(super) fn narrower_lists(state: &mut State) -> Vec<Effect> {
    changed(state, |sizes| sizes.lists = sizes.lists.saturating_sub(COLUMNS))
}

pub(super) fn wider_lists(state: &mut State) -> Vec<Effect> {
    changed(state, |sizes| sizes.lists = sizes.lists.saturating_add(COLUMNS))
}

pub(super) fn lower_curve(state: &mut State) -> Vec<Effect> {
    changed(state, |sizes| sizes.curve = sizes.curve.saturating_sub(1))
}

pub(super) fn higher_curve(state: &mut State) -> Vec<Effect> {
    changed(state, |sizes| sizes.curve = sizes.curve.saturating_add(1))
}

pub(super) fn narrower_strip(state: &mut State) -> Vec<Effect> {
    changed(state, |sizes| sizes.strip = sizes.strip.saturating_sub(1))
}

pub(super) fn wider_strip(state: &mut State) -> Vec<Effect> {
    changed(state, |sizes| sizes.strip = sizes.strip.saturating_add(1))
}

pub(super) fn reset(state: &mut State) -> Vec<Effect> {
    changed(state, |sizes| *sizes = PaneSizes::default())
}
