//! The list of networks: how it opens, the actions of the keys while it is open, and the switch to another network.

use super::actions::{NOTHING, no_room};
use super::entries::{LoadedNetwork, NetworkEntry, NetworkInfo};
use super::key::Key;
use super::list;
use super::state::{Command, Mode, State};

/// Opens the list with the cursor on the current network, and asks the worker to make the list again.
pub(super) fn open(state: &mut State) -> Vec<Command> {
    if !state.full {
        return no_room(state, "the list of networks");
    }
    let current = state.snapshot.networks.iter().position(|entry| state.is_current(entry));
    state.mode = Mode::Networks(current.unwrap_or_default());
    vec![Command::ListNetworks]
}

/// Handles a key while the list is open with the cursor on line `cursor`.
pub(super) fn press(state: &mut State, cursor: usize, key: Key) -> Vec<Command> {
    let len = state.snapshot.networks.len();
    match key {
        Key::Enter => choose(state, cursor),
        Key::Char('c') => toggle_judge(state, cursor),
        Key::Char('N') => {
            state.mode = Mode::Browse;
            NOTHING
        }
        _ => list::press(state, key, (cursor, len), Mode::Networks).unwrap_or_default(),
    }
}

/// The entry under the cursor, if its weights are on this machine. Otherwise a remark says how to get them, and the list is made
/// again, since the user may have done so in the meantime.
fn entry(state: &mut State, cursor: usize) -> Result<NetworkEntry, Vec<Command>> {
    let Some(entry) = state.snapshot.networks.get(cursor).cloned() else { return Err(NOTHING) };
    if entry.is_here() {
        return Ok(entry);
    }
    state.remark = Some(entry.advice());
    Err(vec![Command::ListNetworks])
}

fn choose(state: &mut State, cursor: usize) -> Vec<Command> {
    let entry = match entry(state, cursor) {
        Ok(entry) => entry,
        Err(commands) => return commands,
    };
    if state.is_switching() {
        return NOTHING; // `is_switching` has set the remark
    }
    state.mode = Mode::Browse;
    if state.is_current(&entry) {
        state.remark = Some(format!("{} is in use already", entry.name));
        return NOTHING;
    }
    state.switch(entry.name)
}

fn toggle_judge(state: &mut State, cursor: usize) -> Vec<Command> {
    let entry = match entry(state, cursor) {
        Ok(entry) => entry,
        Err(commands) => return commands,
    };
    if !entry.classifier {
        state.remark = Some(format!("{} has no classifier", entry.name));
    } else if state.is_current(&entry) {
        state.remark = Some(format!("{} always classifies its own pictures", entry.name));
    } else {
        return vec![Command::ToggleJudge(entry.name)];
    }
    NOTHING
}

impl State {
    /// Whether the entry is the network on the device, with the network's own weights.
    pub fn is_current(&self, entry: &NetworkEntry) -> bool {
        self.network.name == entry.name && self.network.weights.is_none()
    }

    /// Whether the entry's network classifies the pictures, because the user chose it or because it is the current network.
    pub fn is_judge(&self, entry: &NetworkEntry) -> bool {
        let chosen = self.snapshot.judges.iter().any(|judge| **judge == entry.name);
        chosen || (self.is_current(entry) && !self.classes.is_empty())
    }

    /// Asks the worker for another network. Until it is loaded, keys start no run, because a plan would be for the old network.
    fn switch(&mut self, name: String) -> Vec<Command> {
        self.switching = Some((name.clone(), self.snapshot.switches + 1));
        vec![Command::Switch { name, settings: Box::new(self.settings.clone()) }]
    }

    /// Shows the network that is on the device now. If it is the same network on another device, the cursor stays.
    pub(super) fn show_network(&mut self, subject: &LoadedNetwork) {
        let (layer, channel) = &subject.first_look;
        let of = |info: &NetworkInfo| (info.name.clone(), info.weights.clone());
        let same = of(&self.network) == of(&subject.info);
        self.network = subject.info.clone();
        if same {
            return;
        }
        self.layers.clone_from(&subject.layers);
        self.classes.clone_from(&subject.classes);
        self.layer = self.layers.iter().position(|known| known.name == *layer).unwrap_or_default();
        (self.channel, self.pre, self.settings.size) = (*channel, false, subject.size);
        self.climbed.clear();
    }
}
