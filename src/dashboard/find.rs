//! Finds what is typed after `/`: layers, channels, networks and runs, by name, number or class.

use std::collections::BTreeSet;

use super::actions::{self, NOTHING};
use super::networks;
use super::prompt::Prompt;
use super::state::{Effect, Mode, State};
use crate::worker::protocol::Action;

/// The word before a class.
const CLASS_PREFIX: &str = "class:";

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hit {
    /// The layer with this index.
    Layer(usize),
    /// A channel, by the index of its layer, whether the form before the ReLU is meant, and its number.
    Channel(usize, bool, usize),
    /// The network with this index in the list of networks.
    Network(usize),
    /// The run with this index in the list of runs.
    Run(usize),
}

/// Opens the line in which is typed what to find, and has the lists of networks and runs made anew.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    state.ask(Prompt::Find, "");
    vec![Effect::Ask(Action::ListNetworks), Effect::Ask(Action::ListRuns)]
}

/// The class that is looked for, if a class is.
pub(super) fn class_of(typed: &str) -> Option<String> {
    Some(typed.trim_start().strip_prefix(CLASS_PREFIX)?.trim().to_lowercase())
}

impl State {
    /// Everything that has all the words that were typed: layers, then channels, networks and runs.
    pub fn hits(&self, typed: &str) -> Vec<Hit> {
        if let Some(class) = class_of(typed) {
            return self.channels_taken_for(&class);
        }
        let typed = typed.to_lowercase();
        let words: Vec<&str> = typed.split_whitespace().collect();
        let fits = |text: &str| words.iter().all(|word| text.to_lowercase().contains(word));
        let layers = (0..self.layers.len()).filter(|index| fits(&self.layers[*index].name)).map(Hit::Layer);
        let networks = self.snapshot.networks.iter().enumerate().filter(|(_, entry)| fits(&entry.name));
        let runs = self.snapshot.runs.iter().enumerate();
        let runs = runs.filter(|(_, run)| fits(&format!("{} {} {}", run.name, run.network, run.objective)));
        let networks = networks.map(|(index, _)| Hit::Network(index));
        let runs = runs.map(|(index, _)| Hit::Run(index));
        layers.chain(self.channels_numbered(&words)).chain(networks).chain(runs).collect()
    }

    /// The channels of the number that is one of the words, in layers that have the other words: first in the layer under
    /// the cursor.
    fn channels_numbered(&self, words: &[&str]) -> Vec<Hit> {
        let Some((at, channel)) =
            words.iter().enumerate().find_map(|(at, word)| Some((at, word.parse::<usize>().ok()?)))
        else {
            return Vec::new();
        };
        let mut others = words.to_vec();
        others.remove(at);
        let fits = |index: &usize| {
            let layer = &self.layers[*index];
            channel < layer.channels && others.iter().all(|word| layer.name.to_lowercase().contains(word))
        };
        let mut layers: Vec<usize> = (0..self.layers.len()).filter(fits).collect();
        layers.sort_by_key(|index| *index != self.layer);
        layers.into_iter().map(|index| Hit::Channel(index, false, channel)).collect()
    }

    /// The channels of which a picture was taken for a class with these letters in its name.
    pub(super) fn channels_taken_for(&self, class: &str) -> Vec<Hit> {
        let fitting = self.judgements().filter(|(_, _, label)| label.to_lowercase().contains(class));
        let places = fitting.filter_map(|(layer, channel, _)| self.channel_place(layer, channel));
        let places: BTreeSet<(usize, bool, usize)> = places.collect();
        places.into_iter().map(|(layer, pre, channel)| Hit::Channel(layer, pre, channel)).collect()
    }

    /// The place of a channel by the name of its layer, in the form meant; none where this network has no such channel.
    fn channel_place(&self, layer: &str, channel: usize) -> Option<(usize, bool, usize)> {
        let (index, pre) = self.place_of(layer)?;
        (channel < self.layers[index].channels).then_some((index, pre, channel))
    }

    /// The same as something that was found.
    pub(super) fn channel_hit(&self, layer: &str, channel: usize) -> Option<Hit> {
        let (index, pre, channel) = self.channel_place(layer, channel)?;
        Some(Hit::Channel(index, pre, channel))
    }
}

/// Goes to what is under the cursor of the list.
pub(super) fn go(state: &mut State, typed: &str) -> Vec<Effect> {
    let Some(hit) = state.hits(typed).get(state.hit).cloned() else {
        state.remark = Some(format!("nothing was found for \"{}\"", typed.trim()));
        return NOTHING;
    };
    state.mode = Mode::Browse;
    match hit {
        Hit::Layer(index) => actions::set_layer(state, index),
        Hit::Channel(layer, pre, channel) => {
            (state.layer, state.pre, state.channel) = (layer, pre, channel);
            NOTHING
        }
        Hit::Network(index) => networks::choose(state, index),
        Hit::Run(index) => {
            if let Some(run) = state.snapshot.runs.get(index).cloned() {
                state.mode = Mode::Runs(index);
                state.go_to_target(&run);
            }
            NOTHING
        }
    }
}
