//! The actions of the key table, one function each. An action changes the state and returns effects for the worker and the
//! terminal.

use super::leaving::Leaving;
use super::prompt::Prompt;
use super::question::OpenQuestion;
use super::state::{Effect, Mode, Pane, Shown, State, TerminalAction};
use crate::worker::protocol::{Action, Status};

/// The number of steps that `+` adds and `-` removes, and the smallest number that a run can have.
const STEP_INCREMENT: isize = 32;

/// The number of channels that a page key moves by where no page of them is on the screen.
const CHANNELS_PER_PAGE: usize = 16;

/// No effects, for actions that only change the state.
pub(super) const NOTHING: Vec<Effect> = Vec::new();

pub(super) fn up(state: &mut State) -> Vec<Effect> {
    match (state.shown, state.pane) {
        (Shown::Panes | Shown::Picture | Shown::Beside | Shown::Lab, Pane::Layers) => previous_layer(state),
        (Shown::Mosaic, _) | (_, Pane::Channels) => row_up(state),
    }
}

pub(super) fn down(state: &mut State) -> Vec<Effect> {
    match (state.shown, state.pane) {
        (Shown::Panes | Shown::Picture | Shown::Beside | Shown::Lab, Pane::Layers) => next_layer(state),
        (Shown::Mosaic, _) | (_, Pane::Channels) => row_down(state),
    }
}

pub(super) fn row_up(state: &mut State) -> Vec<Effect> {
    move_back(state, row(state))
}

pub(super) fn row_down(state: &mut State) -> Vec<Effect> {
    move_forward(state, row(state))
}

/// The number of channels in a row of what is on the screen.
fn row(state: &State) -> usize {
    match state.shown {
        Shown::Mosaic => state.mosaic.page.0,
        Shown::Panes | Shown::Picture | Shown::Beside | Shown::Lab => state.row,
    }
}

pub(super) fn previous_layer(state: &mut State) -> Vec<Effect> {
    set_layer(state, state.layer.saturating_sub(1))
}

pub(super) fn next_layer(state: &mut State) -> Vec<Effect> {
    set_layer(state, state.layer + 1)
}

pub(super) fn left(state: &mut State) -> Vec<Effect> {
    move_back(state, 1)
}

pub(super) fn right(state: &mut State) -> Vec<Effect> {
    move_forward(state, 1)
}

pub(super) fn page_up(state: &mut State) -> Vec<Effect> {
    move_back(state, page(state))
}

pub(super) fn page_down(state: &mut State) -> Vec<Effect> {
    move_forward(state, page(state))
}

/// The number of channels that a page key moves by.
fn page(state: &State) -> usize {
    match state.shown {
        Shown::Mosaic => state.mosaic.page_len(),
        Shown::Panes | Shown::Picture | Shown::Beside | Shown::Lab => CHANNELS_PER_PAGE,
    }
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
    state.channel = state.channel.saturating_add(channels).min(last_channel(state));
    NOTHING
}

/// The last channel of the layer under the cursor.
fn last_channel(state: &State) -> usize {
    state.channels().saturating_sub(1)
}

/// Moves to a layer and keeps the channel, if the layer has that many.
pub(super) fn set_layer(state: &mut State, layer: usize) -> Vec<Effect> {
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

pub(super) fn jump(state: &mut State) -> Vec<Effect> {
    state.ask(Prompt::Channel, "");
    NOTHING
}

pub(super) fn open_palette(state: &mut State) -> Vec<Effect> {
    state.ask(Prompt::Command, "");
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
    if state.shown == Shown::Lab {
        let back = state.keys.shown("lab");
        state.remark =
            Some(format!("the lab looks at a picture: {back} goes back, to where an ascent can be started"));
        return NOTHING;
    }
    if matches!(state.shown, Shown::Mosaic | Shown::Beside) {
        state.shown = Shown::Panes;
    }
    state.start_with(&state.target())
}

pub(super) fn pause(state: &mut State) -> Vec<Effect> {
    if state.is_switching() {
        return NOTHING;
    }
    match state.snapshot.status {
        Status::Running => {
            state.stopping = Some(state.asked + 1);
            vec![Effect::Ask(Action::Pause)]
        }
        Status::Paused => vec![Effect::Ask(Action::Resume)],
        Status::Loading | Status::Idle | Status::Finished | Status::Stopped | Status::Broken(_) => {
            state.remark =
                Some(format!("nothing is running: {} starts an ascent", state.keys.shown("start")));
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
    let key = state.keys.shown("start");
    state.remark = Some(format!("there is nothing to save yet: {key} starts an ascent"));
    NOTHING
}

pub(super) fn copy_command(state: &mut State) -> Vec<Effect> {
    if state.snapshot.run.is_some() {
        return vec![Effect::Ask(Action::DescribeCommand)];
    }
    let key = state.keys.shown("start");
    state.remark = Some(format!("there is no run to copy the command of: {key} starts an ascent"));
    NOTHING
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
    state.mode = Mode::Help(0);
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

/// Leaves the dashboard. Where something that was started by hand goes on, it is asked what is to become of that.
pub(super) fn quit(state: &mut State) -> Vec<Effect> {
    let goes_on = state.snapshot.status == Status::Running || state.snapshot.queue.is_some();
    if goes_on && state.leaving == Leaving::Asked {
        state.mode = Mode::Question(OpenQuestion::Leave);
        return NOTHING;
    }
    vec![Effect::Quit]
}
