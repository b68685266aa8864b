//! A dashboard without a terminal or a network: a small state, a run in progress, keys by name.

use std::sync::Arc;

use trepang::dashboard::{Effect, Key, Message, State};
use trepang::engine::{Picture, Recipe};
use trepang::ui::{ColorDepth, Graphics, Protocol};
use trepang::worker::protocol::{
    ClassGuess, Classification, Curve, ImageSizes, LayerInfo, NetworkInfo, Outcome, RunView, SavedRunEntry,
    SavedRunPresence, Settings, Snapshot, Status,
};

/// A terminal with pictures of half-blocks in colours of 24 bits.
pub(crate) const HALFBLOCKS: Graphics = Graphics {
    protocol: Protocol::Halfblocks,
    cell: (8, 16),
    tmux: false,
    deflate: false,
    depth: ColorDepth::True,
};

/// Two layers with a ReLU, a pool, and a classifier of three.
pub(crate) fn state() -> State {
    let network = NetworkInfo {
        name: "tinynet".into(),
        backend: "candle".into(),
        device: "cpu".into(),
        threads: 2,
        parameters: 1_234_567,
        weights: None,
        sizes: ImageSizes { native: 64, least: 32, multiple: 16 },
    };
    let layer = |name: &str, kind: &str, channels, side, has_pre| LayerInfo {
        name: name.into(),
        kind: kind.into(),
        channels,
        height: side,
        width: side,
        has_pre,
    };
    let layers = vec![
        layer("conv1", "relu", 8, 64, true),
        layer("pool1", "max_pool", 8, 32, false),
        layer("conv2", "relu", 40, 32, true),
        layer("predictions", "linear", 3, 1, false),
    ];
    let classes = ["goldfish", "sea cucumber", "lemon"].map(String::from).to_vec();
    let recipe = Recipe::named("pixel").unwrap();
    let mut state = State::new(network, layers, classes, Settings::of(recipe, 64));
    state.layer = 2;
    state
}

/// Presses keys one after the other and returns the commands of the last.
pub(crate) fn press(state: &mut State, keys: &[Key]) -> Vec<Effect> {
    keys.iter().map(|key| state.update(Message::Key(*key))).last().unwrap_or_default()
}

/// Shows `state` a run of its own plan after `step` steps, with a loss that rises like a root.
pub(crate) fn see_run(state: &mut State, status: Status, step: usize) {
    let run = RunView {
        plan: Arc::new(state.plan().unwrap()),
        number: 1,
        step,
        loss: (step > 0).then(|| (step as f64).sqrt()),
        gradient_norm: (step > 0).then_some(0.01234),
        dead: false,
        dead_steps: 0,
        saturated: 0.125,
        rate: Some(50.0),
        curve: (1..=step).map(|step| (step as f64).sqrt()).collect::<Curve>(),
        changes: Vec::new(),
        score: None,
        picture: Arc::new(picture()),
        folder: None,
    };
    let snapshot =
        Snapshot { version: state.snapshot.version + 1, status, run: Some(run), ..Snapshot::default() };
    state.update(Message::Snapshot(Arc::new(snapshot)));
}

/// Answers every request that `state` has made: the last one with `outcome`.
pub(crate) fn reply(state: &mut State, outcome: Outcome) {
    while state.answered + 1 < state.asked {
        state.update(Message::Reply(Outcome::Done));
    }
    state.update(Message::Reply(outcome));
}

/// Shows `state` a change of its snapshot.
pub(crate) fn see(state: &mut State, change: impl FnOnce(&mut Snapshot)) {
    let mut snapshot = Snapshot::clone(&state.snapshot);
    snapshot.version += 1;
    change(&mut snapshot);
    state.update(Message::Snapshot(Arc::new(snapshot)));
}

/// A finished run of a channel, as the list has it.
pub(crate) fn saved_run(name: &str, network: &str, layer: &str, channel: usize) -> SavedRunEntry {
    SavedRunEntry {
        name: name.into(),
        network: network.into(),
        weights: None,
        objective: format!("channel({layer}, {channel})"),
        target: Some((layer.into(), channel)),
        step: 64,
        steps: 64,
        activation: Some((12.345, 10.01)),
        dead: false,
        age: 7260,
        presence: SavedRunPresence::Finished,
    }
}

/// What a network sees: as many classes as there are to show.
pub(crate) fn classification(classifier: &str) -> Classification {
    let seen = [
        ("sea cucumber, holothurian", 0.912),
        ("black-and-tan coonhound", 0.06),
        ("lemon", 0.02),
        ("mushroom", 0.005),
        ("goldfish, Carassius auratus", 0.0001),
    ];
    let guesses = seen.map(|(label, probability)| ClassGuess { label: label.into(), probability });
    Classification { classifier: classifier.into(), guesses: guesses.into() }
}

/// 8x8 pixels, the left half red and the right half blue.
pub(crate) fn picture() -> Picture {
    let row: Vec<u8> = [[200, 0, 0]; 4].iter().chain(&[[0, 0, 200]; 4]).flatten().copied().collect();
    Picture { width: 8, height: 8, rgb: row.repeat(8) }
}
