//! The errors of an ascent.

use trepang_api::excerpt;

use super::objective::Objective;

/// The result of everything in the engine.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error that keeps an ascent from beginning or going on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No gradient reaches the image, and the recipe has no way out.
    #[error(
        "{} is dead at step {step}: its gradient with respect to the image is zero, so there is no way \
         up; try another seed or start picture{way_out}",
        excerpt(&.objective.to_string())
    )]
    Dead {
        /// The objective that was asked for.
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
        /// The value that is not finite: `a loss`, `a gradient` or `a change of the parameters`.
        what: &'static str,
    },
    /// An objective names a channel that the layer does not have.
    #[error("{layer} has {channels} channels, 0 to {}; there is no channel {channel}", channels - 1)]
    NoChannel {
        /// The layer's name.
        layer: String,
        /// The number of its channels.
        channels: usize,
        /// The channel asked for.
        channel: usize,
    },
    /// An objective names a position that the layer does not have at this size of image.
    #[error(
        "{layer} is {height} rows by {width} columns at this size; there is no neuron at row {y}, column {x}"
    )]
    NoNeuron {
        /// The layer's name.
        layer: String,
        /// The number of its rows.
        height: usize,
        /// The number of its columns.
        width: usize,
        /// The row asked for.
        y: usize,
        /// The column asked for.
        x: usize,
    },
    /// An objective names a class logit, and the network has no classifier.
    #[error("{network} has no classifier, so it has no class logits; choose a layer and a channel")]
    NoClassifier {
        /// The network's name.
        network: String,
    },
    /// A plan or an objective names a picture that was not handed over with the plan.
    #[error("the picture {} was not read when the run began, and the run needs it", excerpt(.file))]
    PictureNotRead {
        /// The picture's file, as the plan names it.
        file: String,
    },
    /// A picture that is larger than any that is made in parts.
    #[error("a picture of {side} pixels is too large: the largest side is {largest}")]
    TooLarge {
        /// The side asked for, in pixels.
        side: usize,
        /// The largest side, in pixels.
        largest: usize,
    },
    /// The backend computed a batch and gave no gradient for one of its ascents.
    #[error("the backend gave no gradient for one of the images of a batch")]
    MissingGradient,
    /// A recipe whose numbers do not go together, or do not go on with the run there is.
    #[error("the recipe cannot be followed: {0}")]
    Recipe(String),
    /// A saved state that is not of this ascent.
    #[error("the saved state does not belong to this ascent: {0}")]
    State(String),
    /// An error of the network or of the backend.
    #[error(transparent)]
    Backend(#[from] trepang_api::Error),
}

impl Error {
    /// Whether the request was impossible, rather than that something broke.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::NoChannel { .. }
            | Self::NoNeuron { .. }
            | Self::NoClassifier { .. }
            | Self::TooLarge { .. }
            | Self::Recipe(_) => true,
            Self::Backend(error) => error.is_usage(),
            Self::Dead { .. }
            | Self::NotFinite { .. }
            | Self::PictureNotRead { .. }
            | Self::MissingGradient
            | Self::State(_) => false,
        }
    }
}
