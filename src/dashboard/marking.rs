//! Marking pictures, the list of the marks, and marked pictures side by side.

use super::actions::NOTHING;
use super::find::Hit;
use super::list;
use super::marks::{MAX_BESIDE, Mark};
use super::state::{Effect, Mode, Shown, State, TerminalAction};
use crate::engine::Objective;

/// Marks the picture on the screen, or the draft under the mosaic's cursor; a second time, takes the mark away.
pub(super) fn mark(state: &mut State) -> Vec<Effect> {
    let mark = if state.shown == Shown::Mosaic { state.draft_mark() } else { state.run_mark() };
    let Some(mark) = mark else {
        state.remark = Some("there is no picture to mark yet".into());
        return NOTHING;
    };
    let label = mark.label.clone();
    let list = state.keys.shown("marks").to_owned();
    state.remark = Some(if state.marks.toggle(mark) {
        format!("marked: {label}; {list} lists the marks")
    } else {
        format!("no longer marked: {label}")
    });
    NOTHING
}

/// Opens the list of marks on the newest.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    state.mode = Mode::Marks(state.marks.all().len().saturating_sub(1));
    NOTHING
}

/// Shows marked pictures side by side, or the panes again.
pub(super) fn compare(state: &mut State) -> Vec<Effect> {
    if state.shown == Shown::Beside {
        state.shown = Shown::Panes;
    } else if state.marks.beside().len() < 2 {
        let key = state.keys.shown("mark");
        state.remark =
            Some(format!("two to {MAX_BESIDE} marked pictures stand side by side: {key} marks one"));
        return NOTHING;
    } else {
        state.shown = Shown::Beside;
    }
    vec![Effect::Terminal(TerminalAction::Redraw)]
}

/// A command while the list of marks is open and `cursor` is on one of its lines.
pub(super) fn act(state: &mut State, cursor: usize, command: &str) -> Vec<Effect> {
    let len = state.marks.all().len();
    let cursor = cursor.min(len.saturating_sub(1));
    match command {
        "list-choose" => go(state, cursor),
        "mark-choose" => {
            state.marks.choose(cursor);
            NOTHING
        }
        "mark-remove" => {
            state.marks.remove(cursor);
            state.mode = Mode::Marks(cursor.min(len.saturating_sub(2)));
            NOTHING
        }
        "mark-compare" => {
            state.mode = Mode::Browse;
            state.shown = Shown::Panes;
            compare(state)
        }
        _ => list::act(state, command, (cursor, len), Mode::Marks),
    }
}

/// Goes to the channel of a mark.
fn go(state: &mut State, cursor: usize) -> Vec<Effect> {
    let Some(mark) = state.marks.all().get(cursor) else { return NOTHING };
    let target = mark.target.as_ref().filter(|_| mark.network == state.network.name);
    let hit = target.and_then(|(layer, channel)| state.channel_hit(layer, *channel));
    if let Some(Hit::Channel(layer, pre, channel)) = hit {
        (state.layer, state.pre, state.channel) = (layer, pre, channel);
        state.mode = Mode::Browse;
    } else {
        state.remark = Some(format!("{} is of no channel of this network", mark.label));
    }
    NOTHING
}

impl State {
    /// The picture of the run as it is shown, with what tells it from others.
    fn run_mark(&self) -> Option<Mark> {
        let run = self.snapshot.run.as_ref()?;
        let (step, picture) = self.looked_back_on().unwrap_or((run.step, &run.picture));
        let (objective, recipe) = run.plan.at(step);
        let target = if let Objective::Channel { layer, channel } = objective {
            Some((layer.clone(), *channel))
        } else {
            None
        };
        let (name, seed) = (&recipe.name, run.plan.seed);
        let network = self.network.name.clone();
        let label = format!("{objective} {name} seed {seed} step {step}");
        Some(Mark { label, network, target, picture: picture.clone(), chosen: false })
    }

    /// The draft of the channel under the cursor.
    fn draft_mark(&self) -> Option<Mark> {
        let (sheet, draft) = (self.sheet()?, self.draft(self.channel)?);
        let settings = &sheet.series.settings;
        let (objective, name, seed) = (self.target(), &settings.recipe.name, settings.seed);
        let label = format!("{objective} {name} seed {seed} draft");
        let target = Some((self.layer_name(), self.channel));
        let network = self.network.name.clone();
        Some(Mark { label, network, target, picture: draft.picture.clone(), chosen: false })
    }
}
