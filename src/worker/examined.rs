//! What viewers look at closer, on the worker's side: which layers are measured, when, and what was measured of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use trepang_api::Array;

use super::protocol::{ActivationMap, Examination, ExaminedChannel, LayerActivation};
use super::viewer::ViewerId;

/// The shortest time between two measurements of a layer while the run goes on.
const MIN_INTERVAL: Duration = Duration::from_millis(500);

/// Between two measurements there is at least this many times what the last one took.
const PAUSE_FACTOR: u32 = 20;

/// The channels that viewers look at closer, and what was measured for them.
#[derive(Debug, Default)]
pub(super) struct Examining {
    pub(super) wishes: BTreeMap<ViewerId, ExaminedChannel>,
    measured: BTreeMap<String, MeasuredLayer>,
    /// No layer is measured anew before this time, while a run goes on.
    due: Option<Instant>,
}

/// A layer as it was measured last.
#[derive(Debug)]
pub(super) struct MeasuredLayer {
    /// The run's number, and the number of its steps.
    pub(super) of: (u64, usize),
    /// The activation, `[1, C, H, W]`, with the means of its channels; or why there is none.
    pub(super) found: Result<(Array, Arc<[f32]>), String>,
}

impl Examining {
    /// The wished layer that is to be measured now, on a picture of this run after so many steps.
    pub(super) fn due(&self, of: (u64, usize), running: bool) -> Option<&str> {
        let early = running && self.due.is_some_and(|due| Instant::now() < due);
        let is_due = |layer: &&str| match self.measured.get(*layer) {
            // Something new to look at is measured at once.
            None => true,
            Some(known) => known.of != of && (known.of.0 != of.0 || !early),
        };
        self.wishes.values().map(|wish| wish.layer.as_str()).find(is_due)
    }

    /// Takes what was measured of a layer, and forgets those that nobody looks at.
    pub(super) fn take(&mut self, layer: String, measured: MeasuredLayer, took: Duration) {
        self.measured.insert(layer, measured);
        self.forget_unwished();
        self.due = Some(Instant::now() + MIN_INTERVAL.max(took.saturating_mul(PAUSE_FACTOR)));
    }

    pub(super) fn forget_unwished(&mut self) {
        let wished: BTreeSet<&str> = self.wishes.values().map(|wish| wish.layer.as_str()).collect();
        self.measured.retain(|layer, _| wished.contains(layer.as_str()));
    }

    /// Everything that was measured for those who look.
    pub(super) fn view(&self) -> Arc<[Examination]> {
        let wishes: BTreeSet<&ExaminedChannel> = self.wishes.values().collect();
        let view = |wish: &ExaminedChannel| {
            let MeasuredLayer { of: (run, step), found } = self.measured.get(&wish.layer)?;
            let found = match found {
                Ok((activation, means)) => map(activation, wish)
                    .map(|map| LayerActivation { means: Arc::clone(means), map: Arc::new(map) }),
                Err(reason) => Err(reason.clone()),
            };
            Some(Examination { of: wish.clone(), run: *run, step: *step, found })
        };
        wishes.into_iter().filter_map(view).collect()
    }
}

/// The values of each channel.
pub(super) fn planes(activation: &Array) -> impl Iterator<Item = &[f32]> {
    let positions: usize = activation.shape().iter().skip(2).product();
    activation.data().chunks(positions.max(1))
}

/// The map of the channel that was asked about.
fn map(activation: &Array, wish: &ExaminedChannel) -> Result<ActivationMap, String> {
    let &[_, channels, height, width] = activation.shape() else {
        return Err(format!("{} has no positions", wish.layer));
    };
    let plane = planes(activation).nth(wish.channel);
    let values = plane.ok_or_else(|| format!("{} has {channels} channels", wish.layer))?.to_vec();
    Ok(ActivationMap { height, width, values })
}
