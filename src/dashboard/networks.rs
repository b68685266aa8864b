//! The list of networks: what there is to choose from, and what keys do while it is open.

use super::actions::{NOTHING, no_room};
use super::list;
use super::state::{Effect, Mode, State};
use crate::worker::protocol::{Action, NetworkEntry, NetworkInfo, NetworkView, Supply};

/// The command that gets a network, for the user.
fn advice(entry: &NetworkEntry) -> String {
    let NetworkEntry { name, megabytes, supply, .. } = entry;
    match supply {
        Supply::Found(owner) => {
            format!("to import it from {owner}: trepang pull {name} ({megabytes} MB)")
        }
        Supply::Embedded | Supply::Pulled | Supply::File | Supply::Published => {
            format!("to download it: trepang pull {name} ({megabytes} MB)")
        }
    }
}

/// Opens the list on the network that is on the device, and has it read anew.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    if !state.full {
        return no_room(state, "the list of networks");
    }
    let current = state.snapshot.networks.iter().position(|entry| state.is_current(entry));
    state.mode = Mode::Networks(current.unwrap_or_default());
    vec![Effect::Ask(Action::ListNetworks)]
}

/// A command while the list is open and `cursor` is on one of its lines.
pub(super) fn act(state: &mut State, cursor: usize, command: &str) -> Vec<Effect> {
    let len = state.snapshot.networks.len();
    match command {
        "list-choose" => choose(state, cursor),
        "network-classify" => toggle_classifier(state, cursor),
        _ => list::act(state, command, (cursor, len), Mode::Networks),
    }
}

/// The line under the cursor, if its network can be opened; if not, a remark says how to get it, and the list is read
/// anew, since that may have been done meanwhile.
fn entry(state: &mut State, cursor: usize) -> Result<NetworkEntry, Vec<Effect>> {
    let Some(entry) = state.snapshot.networks.get(cursor).cloned() else { return Err(NOTHING) };
    if entry.is_here() {
        return Ok(entry);
    }
    state.remark = Some(advice(&entry));
    Err(vec![Effect::Ask(Action::ListNetworks)])
}

pub(super) fn choose(state: &mut State, cursor: usize) -> Vec<Effect> {
    let entry = match entry(state, cursor) {
        Ok(entry) => entry,
        Err(commands) => return commands,
    };
    if state.is_switching() {
        return NOTHING; // the remark says so
    }
    state.mode = Mode::Browse;
    if state.is_current(&entry) {
        state.remark = Some(format!("{} is in use already", entry.name));
        return NOTHING;
    }
    state.switch(entry.name)
}

fn toggle_classifier(state: &mut State, cursor: usize) -> Vec<Effect> {
    let entry = match entry(state, cursor) {
        Ok(entry) => entry,
        Err(commands) => return commands,
    };
    if !entry.classifier {
        state.remark = Some(format!("{} has no classifier", entry.name));
    } else if state.is_current(&entry) {
        state.remark = Some(format!("{} always classifies its own pictures", entry.name));
    } else {
        return vec![Effect::Ask(Action::ToggleClassifier(entry.name))];
    }
    NOTHING
}

impl State {
    /// Whether it is the network on the device, with its own weights.
    pub fn is_current(&self, entry: &NetworkEntry) -> bool {
        let is_file = entry.supply == Supply::File;
        self.network.name == entry.name && self.network.weights.is_some() == is_file
    }

    /// Whether the network classifies the pictures: by choice, or because they are its own.
    pub fn is_classifying(&self, entry: &NetworkEntry) -> bool {
        let chosen = self.snapshot.classifiers.contains(&entry.name);
        chosen || (self.is_current(entry) && !self.classes.is_empty())
    }

    /// Asks for another network. Until the reply comes, keys start nothing: plans are about the old one.
    fn switch(&mut self, name: String) -> Vec<Effect> {
        self.switching = Some((name.clone(), self.asked + 1));
        vec![Effect::Ask(Action::SwitchNetwork { name, settings: Box::new(self.settings.clone()) })]
    }

    /// Whether another network is being loaded; if so, a remark says it.
    pub(super) fn is_switching(&mut self) -> bool {
        if let Some((name, _)) = &self.switching {
            self.remark = Some(format!("{name} is still being loaded"));
        }
        self.switching.is_some()
    }

    /// Takes in what is on the device now: another network, or the same one on another device, which changes nothing
    /// else on the screen.
    pub(super) fn show_network(&mut self, view: &NetworkView) {
        let (layer, channel) = &view.first_look;
        let of = |info: &NetworkInfo| (info.name.clone(), info.weights.clone());
        let same = of(&self.network) == of(&view.info);
        self.network = view.info.clone();
        self.mosaic.forget();
        self.closer.forget();
        self.lab.forget();
        if same {
            return;
        }
        self.layers.clone_from(&view.layers);
        self.classes.clone_from(&view.classes);
        self.layer = self.layers.iter().position(|known| known.name == *layer).unwrap_or_default();
        (self.channel, self.pre, self.settings.size) = (*channel, false, view.size.into());
        self.maximised.clear();
        self.judged.of_runs.clear();
    }
}
