//! The errors of the worker and of the networks that it loads.

use std::io;
use std::path::PathBuf;

use crate::lab;
use crate::panics::Panicked;
use crate::runs::{self, BoxedError};

/// The result of everything in `worker`.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error that ends the worker, or that keeps it from an action.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system refused to start the worker's thread.
    #[error("cannot start the worker thread")]
    Thread(#[source] io::Error),
    /// A run that takes more memory than there is; the sentence says how much of each.
    #[error("{0}")]
    NoRoom(String),
    /// No socket could be made for viewers of other processes.
    #[error("cannot listen at {}", path.display())]
    Listen {
        /// The socket's place.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Nobody listens at a socket, or it cannot be used.
    #[error("cannot connect to {}", path.display())]
    Connect {
        /// The socket's place.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Another version of the program listens, whose messages have another form.
    #[error("trepang {version} listens at {}, and this is another version", path.display())]
    OtherVersion {
        /// The socket's place.
        path: PathBuf,
        /// The version of the other program.
        version: String,
    },
    /// A message could not be sent, or was none.
    #[error("the connection to the worker is broken")]
    Line(#[source] BoxedError),
    /// The worker cannot go on, for this reason.
    #[error("{0}")]
    Broken(String),
    /// The worker has ended, because it was asked to, or unexpectedly.
    #[error("the worker has ended")]
    Ended,
    /// A backend or the worker panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
    /// A run could not begin or go on.
    #[error(transparent)]
    Run(#[from] runs::Error),
    /// A backend refused a network or a picture.
    #[error(transparent)]
    Backend(#[from] trepang_api::Error),
    /// The weights of a network could not be found or read.
    #[error(transparent)]
    Weights(#[from] trepang_weights::Error),
    /// A model could not be loaded, for a reason of the loader's own.
    #[error(transparent)]
    Load(BoxedError),
    /// A saved run was made with weights that its network has not got here.
    #[error(
        "it was made with {}; start trepang with that network and those weights",
        weights.as_deref().map_or_else(|| format!("other weights of {network}"), |file| format!("{network} and {file}"))
    )]
    OtherWeights {
        /// The network's name.
        network: String,
        /// The file of the weights, if one was named.
        weights: Option<String>,
    },
    /// A picture that a saved run began with, or compares with, is no longer the same.
    #[error("{file} is not the picture that this run was made with")]
    OtherPicture {
        /// The picture's file.
        file: String,
    },
    /// The weights' file no longer holds what it held when the run began.
    #[error("the weights are no longer those that this run began with")]
    WeightsChanged,
    /// Drafts of a recipe that raises no single channel.
    #[error("the recipe {recipe} raises no single channel, so there are no drafts")]
    NoDrafts {
        /// The recipe's name.
        recipe: String,
    },
    /// A network without logits was to classify.
    #[error("{network} has no classifier")]
    NoClassifier {
        /// The network's name.
        network: String,
    },
    /// The backend returned nothing for the layer of the logits.
    #[error("the backend gave no logits")]
    NoLogits,
    /// A logit is a NaN or an infinity.
    #[error("the logits are not finite numbers")]
    NotFinite,
    /// The activations of a layer are missing, or one of them is a NaN or an infinity.
    #[error("its activations are not finite numbers")]
    NoActivation,
    /// The lab could not answer.
    #[error(transparent)]
    Lab(#[from] lab::Error),
    /// No index beside the runs that has a layer of this network.
    #[error(
        "there is no index of photographs for it beside the runs; `trepang lab index FOLDER --network {network} --layer {layer}` makes one"
    )]
    NoLabIndex {
        /// The network's name.
        network: String,
        /// The layer's name.
        layer: String,
    },
    /// An index without what channels carry of the margins of its pictures.
    #[error(
        "the index in {} has no relevances; `trepang lab index` with --relevance and the same pictures adds them",
        folder.display()
    )]
    NoRelevances {
        /// The folder of the index.
        folder: PathBuf,
    },
    /// A photograph of an index that is not where it was.
    #[error(
        "{file} is not in the data set any more; `trepang lab examples --data` names the folder that has it"
    )]
    NoPhotograph {
        /// The photograph's path in the data set.
        file: String,
    },
    /// A photograph that could not be read.
    #[error("cannot read {file}")]
    Photograph {
        /// The photograph's path in the data set.
        file: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A picture has a size that the network does not take.
    #[error(
        "{network} classifies pictures of {native}x{native} pixels, and this one has {width}x{height}; without --exact \
         it is resized and cropped"
    )]
    PictureSize {
        /// The network's name.
        network: String,
        /// The side that the network takes, in pixels.
        native: usize,
        /// Columns of the picture.
        width: usize,
        /// Rows of the picture.
        height: usize,
    },
    /// A picture without pixels, or with fewer than its size says.
    #[error("the picture lacks pixels")]
    NoPixels,
    /// A picture that is too thin to cut a square out of it.
    #[error(
        "the picture has {width}x{height} pixels, which is too thin to make a square of; cut out a part of it first"
    )]
    TooThin {
        /// Columns of the picture.
        width: usize,
        /// Rows of the picture.
        height: usize,
    },
}

impl Error {
    /// Whether the request was impossible, rather than that something failed.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Run(error) => error.is_usage(),
            Self::Backend(error) => error.is_usage(),
            Self::Weights(error) => error.is_usage(),
            Self::Lab(error) => error.is_usage(),
            Self::PictureSize { .. }
            | Self::NoPhotograph { .. }
            | Self::NoRelevances { .. }
            | Self::NoLabIndex { .. } => true,
            Self::Thread(_)
            | Self::NoRoom(_)
            | Self::Listen { .. }
            | Self::Connect { .. }
            | Self::OtherVersion { .. }
            | Self::Line(_)
            | Self::Broken(_)
            | Self::Ended
            | Self::Panicked(_)
            | Self::Load(_)
            | Self::WeightsChanged
            | Self::OtherWeights { .. }
            | Self::OtherPicture { .. }
            | Self::NoClassifier { .. }
            | Self::NoDrafts { .. }
            | Self::NoLogits
            | Self::NotFinite
            | Self::NoActivation
            | Self::Photograph { .. }
            | Self::NoPixels
            | Self::TooThin { .. } => false,
        }
    }

    /// The error and its causes in one line.
    pub fn chain(&self) -> String {
        runs::describe(self)
    }
}
