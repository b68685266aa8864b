//! What can stop an ascent.

use super::Objective;

/// The result of everything in the engine.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an ascent could not begin or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No gradient reaches the image, and the recipe has no way out.
    #[error(
        "{objective} is dead at step {step}: its gradient with respect to the image is zero, so there is no way \
         up; try another seed or start picture{way_out}"
    )]
    Dead {
        /// What was to be raised.
        objective: Objective,
        /// The step, counted from 1.
        step: usize,
        /// More advice, if this recipe leaves any.
        way_out: &'static str,
    },
    /// A NaN or an infinity where a number was needed.
    #[error(
        "step {step} gave {what} that is not a finite number; the picture stays as it was before that step"
    )]
    NotFinite {
        /// The step, counted from 1.
        step: usize,
        /// The loss or the gradient.
        what: &'static str,
    },
    /// A channel that the layer does not have.
    #[error("{layer} has {channels} channels, 0 to {}; there is no channel {channel}", channels - 1)]
    NoChannel {
        /// The layer.
        layer: String,
        /// How many it has.
        channels: usize,
        /// The one asked for.
        channel: usize,
    },
    /// A position that the layer does not have.
    #[error(
        "{layer} is {height} rows by {width} columns at this size; there is no neuron at row {y}, column {x}"
    )]
    NoNeuron {
        /// The layer.
        layer: String,
        /// Its rows.
        height: usize,
        /// Its columns.
        width: usize,
        /// The row asked for.
        y: usize,
        /// The column asked for.
        x: usize,
    },
    /// A class logit of a network that has no classifier.
    #[error("{network} has no classifier, so it has no class logits; choose a layer and a channel")]
    NoClassifier {
        /// The network.
        network: String,
    },
    /// A recipe whose numbers do not go together, or do not go on with what there is.
    #[error("the recipe cannot be followed: {0}")]
    Recipe(String),
    /// A saved state that is not of this ascent.
    #[error("the saved state does not belong to this ascent: {0}")]
    State(String),
    /// The network or the backend below.
    #[error(transparent)]
    Backend(#[from] trepang_api::Error),
}

impl Error {
    /// Was something asked for that cannot be, rather than something broken?
    pub fn is_usage(&self) -> bool {
        match self {
            Self::NoChannel { .. } | Self::NoNeuron { .. } | Self::NoClassifier { .. } | Self::Recipe(_) => {
                true
            }
            Self::Backend(error) => error.is_usage(),
            Self::Dead { .. } | Self::NotFinite { .. } | Self::State(_) => false,
        }
    }
}
