//! The list of the runs that were saved: what keys do while it is open. Not here: what becomes of the runs.

use super::actions::NOTHING;
use super::find::Hit;
use super::list;
use super::prompt::Prompt;
use super::question::OpenQuestion;
use super::state::{Effect, Mode, State};
use crate::worker::protocol::{Action, SavedRunAction, SavedRunEntry, SavedRunPresence};

/// Opens the list, and has it read anew.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    let shown = state.snapshot.runs.iter().position(|entry| state.is_on_screen(entry));
    state.mode = Mode::Runs(shown.unwrap_or_default());
    vec![Effect::Ask(Action::ListRuns)]
}

/// A command while the list is open and `cursor` is on one of its lines.
pub(super) fn act(state: &mut State, cursor: usize, command: &str) -> Vec<Effect> {
    let len = state.snapshot.runs.len();
    let cursor = cursor.min(len.saturating_sub(1));
    let entry = state.snapshot.runs.get(cursor).cloned();
    match (command, entry) {
        ("run-undelete", _) => vec![ask(SavedRunAction::Undelete)],
        ("list-choose", Some(entry)) => open_run(state, &entry, false),
        ("run-go-on", Some(entry)) => open_run(state, &entry, true),
        ("run-delete", Some(entry)) => {
            state.mode = Mode::Question(OpenQuestion::Delete { name: entry.name, cursor });
            NOTHING
        }
        ("run-export", Some(entry)) => {
            ask_for_path(state, Some(entry.name));
            NOTHING
        }
        _ => list::act(state, command, (cursor, len), Mode::Runs),
    }
}

fn ask(action: SavedRunAction) -> Effect {
    Effect::Ask(Action::OfSavedRun(action))
}

/// Asks for a run to be put on the screen, and goes to its channel.
fn open_run(state: &mut State, entry: &SavedRunEntry, goes_on: bool) -> Vec<Effect> {
    if state.is_switching() {
        return NOTHING;
    }
    if entry.presence == SavedRunPresence::Stateless {
        state.remark =
            Some(format!("{} has no state to go on from; its picture can be exported", entry.name));
        return NOTHING;
    }
    state.mode = Mode::Browse;
    // The same weights may have another name, so that no other network comes.
    state.go_to_target(entry);
    if (&entry.network, &entry.weights) != (&state.network.name, &state.network.weights) {
        state.switching = Some((entry.network.clone(), state.asked + 1));
    }
    vec![ask(SavedRunAction::Open { name: entry.name.clone(), goes_on })]
}

/// Deletes the run whose deletion was asked about.
pub(super) fn delete(name: String) -> Vec<Effect> {
    vec![ask(SavedRunAction::Delete(name))]
}

/// Asks where the picture of the run on the screen is to be written.
pub(super) fn export(state: &mut State) -> Vec<Effect> {
    if state.snapshot.run.is_some() {
        ask_for_path(state, None);
    } else {
        let key = state.keys.shown("start");
        state.remark = Some(format!("there is no picture to export yet: {key} starts an ascent"));
    }
    NOTHING
}

fn ask_for_path(state: &mut State, name: Option<String>) {
    let folder = state.snapshot.run.as_ref().and_then(|run| run.folder.as_ref());
    let shown = folder.and_then(|folder| folder.file_name()).map(|name| name.to_string_lossy().into_owned());
    let file = name.clone().or(shown).unwrap_or_else(|| "picture".into());
    state.exporting = name;
    state.ask(Prompt::Export, format!("{file}.png").as_str());
}

/// Asks for the picture to be written to the file that was typed.
pub(super) fn take_path(state: &mut State, path: &str) -> Vec<Effect> {
    if path.is_empty() {
        state.remark = Some("the path of a file belongs here, such as ~/picture.png".into());
        return NOTHING;
    }
    let name = state.exporting.take();
    let cursor = state.snapshot.runs.iter().position(|entry| Some(&entry.name) == name.as_ref());
    state.mode = cursor.map_or(Mode::Browse, Mode::Runs);
    vec![ask(SavedRunAction::Export { name, path: path.into() })]
}

impl State {
    /// Whether this saved run is the one on the screen.
    pub fn is_on_screen(&self, entry: &SavedRunEntry) -> bool {
        let folder = self.snapshot.run.as_ref().and_then(|run| run.folder.as_ref());
        folder.and_then(|folder| folder.file_name()).is_some_and(|name| *name == *entry.name)
    }

    /// Puts the cursor on the channel of a run of this network, if it maximised one.
    pub(super) fn go_to_target(&mut self, entry: &SavedRunEntry) {
        let target = entry.target.as_ref();
        let hit = target.and_then(|(layer, channel)| self.channel_hit(layer, *channel));
        if let Some(Hit::Channel(layer, pre, channel)) = hit {
            (self.layer, self.pre, self.channel) = (layer, pre, channel);
        }
    }
}
