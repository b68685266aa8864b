//! The actions of the key table, one function each. An action changes the state and returns effects for the worker and the
//! terminal.

use super::state::{Effect, Mode, Pane, State, TerminalAction};
use crate::worker::protocol::{Action, Status};

/// The number of steps that `+` adds and `-` removes, and the smallest number that a run can have.
const STEP_INCREMENT: isize = 32;

/// The number of channels that a page key moves by.
const CHANNELS_PER_PAGE: usize = 16;

/// No effects, for actions that only change the state.
pub(super) const NOTHING: Vec<Effect> = Vec::new();

pub(super) fn up(state: &mut State) -> Vec<Effect> {
    match state.pane {
        Pane::Layers => set_layer(state, state.layer.saturating_sub(1)),
        Pane::Channels => move_back(state, state.row),
    }
}

pub(super) fn down(state: &mut State) -> Vec<Effect> {
    match state.pane {
        Pane::Layers => set_layer(state, state.layer + 1),
        Pane::Channels => move_forward(state, state.row),
    }
}

pub(super) fn left(state: &mut State) -> Vec<Effect> {
    move_back(state, 1)
}

pub(super) fn right(state: &mut State) -> Vec<Effect> {
    move_forward(state, 1)
}

pub(super) fn page_up(state: &mut State) -> Vec<Effect> {
    move_back(state, CHANNELS_PER_PAGE)
}

pub(super) fn page_down(state: &mut State) -> Vec<Effect> {
    move_forward(state, CHANNELS_PER_PAGE)
}

pub(super) fn first(state: &mut State) -> Vec<Effect> {
    move_back(state, usize::MAX)
}

pub(super) fn last(state: &mut State) -> Vec<Effect> {
    move_forward(state, usize::MAX)
}

fn move_back(state: &mut State, channels: usize) -> Vec<Effect> {
    state.channel = state.channel.saturating_sub(channels);
    NOTHING
}

fn move_forward(state: &mut State, channels: usize) -> Vec<Effect> {
    let last = state.channels().saturating_sub(1);
    state.channel = state.channel.saturating_add(channels).min(last);
    NOTHING
}

/// Moves to a layer and keeps the channel, if the layer has that many.
fn set_layer(state: &mut State, layer: usize) -> Vec<Effect> {
    state.layer = layer.min(state.layers.len().saturating_sub(1));
    move_forward(state, 0)
}

pub(super) fn next_pane(state: &mut State) -> Vec<Effect> {
    state.pane = match state.pane {
        Pane::Layers => Pane::Channels,
        Pane::Channels => Pane::Layers,
    };
    NOTHING
}

pub(super) fn previous_pane(state: &mut State) -> Vec<Effect> {
    next_pane(state) // there are two panes
}

pub(super) fn jump(state: &mut State) -> Vec<Effect> {
    state.mode = Mode::Jump(String::new());
    NOTHING
}

pub(super) fn toggle_pre(state: &mut State) -> Vec<Effect> {
    match state.layers.get(state.layer) {
        Some(layer) if layer.has_pre => state.pre = !state.pre,
        Some(layer) => state.remark = Some(format!("{} has no form before a ReLU", layer.name)),
        None => {}
    }
    NOTHING
}

pub(super) fn start(state: &mut State) -> Vec<Effect> {
    if state.is_switching() {
        return NOTHING;
    }
    state.start_with(&state.target())
}

pub(super) fn pause(state: &mut State) -> Vec<Effect> {
    if state.is_switching() {
        return NOTHING;
    }
    match state.snapshot.status {
        Status::Running => vec![Effect::Ask(Action::Pause)],
        Status::Paused => vec![Effect::Ask(Action::Resume)],
        Status::Loading | Status::Idle | Status::Finished | Status::Stopped | Status::Broken(_) => {
            state.remark = Some("nothing is running: Enter starts an ascent".into());
            NOTHING
        }
    }
}

pub(super) fn reseed(state: &mut State) -> Vec<Effect> {
    if state.is_switching() {
        return NOTHING;
    }
    state.settings.seed = state.settings.seed.wrapping_add(1);
    start(state)
}

pub(super) fn more_steps(state: &mut State) -> Vec<Effect> {
    change_steps(state, STEP_INCREMENT)
}

pub(super) fn fewer_steps(state: &mut State) -> Vec<Effect> {
    change_steps(state, -STEP_INCREMENT)
}

/// Changes the number of steps of the next run and, if there is one, of the run on the screen.
fn change_steps(state: &mut State, by: isize) -> Vec<Effect> {
    if state.is_switching() {
        return NOTHING;
    }
    state.settings.steps = state.settings.steps.saturating_add_signed(by).max(STEP_INCREMENT.unsigned_abs());
    if state.has_run() { vec![Effect::Ask(Action::ChangeSteps(by))] } else { NOTHING }
}

pub(super) fn save(state: &mut State) -> Vec<Effect> {
    if state.snapshot.run.is_some() {
        return vec![Effect::Ask(Action::Save)];
    }
    state.remark = Some("there is nothing to save yet: Enter starts an ascent".into());
    NOTHING
}

pub(super) fn zoom(state: &mut State) -> Vec<Effect> {
    state.zoomed = !state.zoomed;
    vec![Effect::Terminal(TerminalAction::Redraw)]
}

pub(super) fn next_protocol(_: &mut State) -> Vec<Effect> {
    vec![Effect::Terminal(TerminalAction::NextProtocol)]
}

pub(super) fn redraw(_: &mut State) -> Vec<Effect> {
    vec![Effect::Terminal(TerminalAction::Redraw)]
}

pub(super) fn suspend(_: &mut State) -> Vec<Effect> {
    vec![Effect::Terminal(TerminalAction::Suspend)]
}

pub(super) fn toggle_help(state: &mut State) -> Vec<Effect> {
    if !state.full {
        return no_room(state, "the help");
    }
    state.mode = Mode::Help;
    NOTHING
}

pub(super) fn no_room(state: &mut State, what: &str) -> Vec<Effect> {
    state.remark = Some(format!("no room for {what}"));
    NOTHING
}

pub(super) fn toggle_predictions(state: &mut State) -> Vec<Effect> {
    if !state.full {
        return no_room(state, "the predictions");
    }
    state.predicting = !state.predicting;
    vec![Effect::Ask(Action::Predict(state.predicting))]
}

pub(super) fn quit(_: &mut State) -> Vec<Effect> {
    vec![Effect::Quit]
}
