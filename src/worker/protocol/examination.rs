//! What a layer makes of the run's picture, measured while someone looks closer: the mean of every channel, and the map of one.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::shared;

/// A channel that a viewer looks at closer: its layer is measured on the run's picture.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ExaminedChannel {
    /// The layer, in the form meant.
    pub layer: String,
    /// The channel whose map is wanted.
    pub channel: usize,
}

/// A layer as it was measured on a picture of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Examination {
    /// The channel that was asked about.
    pub of: ExaminedChannel,
    /// The run's number, as [`RunView::number`](super::RunView::number).
    pub run: u64,
    /// The number of steps that the run had taken.
    pub step: usize,
    /// The activations, or in one sentence why there are none.
    pub found: Result<LayerActivation, String>,
}

/// The activations of a layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerActivation {
    /// The mean over positions of every channel.
    #[serde(with = "shared")]
    pub means: Arc<[f32]>,
    /// The channel that was asked about, position by position.
    #[serde(with = "shared")]
    pub map: Arc<ActivationMap>,
}

/// A channel's activation at each position, row by row. All of them are finite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActivationMap {
    /// The number of rows.
    pub height: usize,
    /// The number of columns.
    pub width: usize,
    /// `height * width` activations.
    pub values: Vec<f32>,
}

impl ActivationMap {
    /// The activation at the position that this place of the picture belongs to, as shares of its width and height.
    pub fn at(&self, across: f64, down: f64) -> Option<f32> {
        let index = |share: f64, count: usize| ((share * count as f64) as usize).min(count.saturating_sub(1));
        self.values.get(index(down, self.height) * self.width + index(across, self.width)).copied()
    }
}
