//! The errors of the lab.

/// The result of everything in the lab.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error that keeps a margin from being explained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A network without logits.
    #[error(
        "{network} has no classifier, so no class can be explained; `trepang render` and `trepang networks` still work"
    )]
    NoClassifier {
        /// The network's name.
        network: String,
    },
    /// A layer that the logits do not depend on.
    #[error("{layer} comes after the class logits of {network}; choose an earlier layer")]
    AfterLogits {
        /// The network's name.
        network: String,
        /// The layer's name.
        layer: String,
    },
    /// A class beyond the last.
    #[error("{network} has {classes} classes, and class {class} is none of them")]
    NoClass {
        /// The network's name.
        network: String,
        /// The number of logits.
        classes: usize,
        /// The class asked for.
        class: usize,
    },
    /// A class that would be held against itself.
    #[error("a class has no margin over itself; choose another rival")]
    OwnRival,
    /// A network with a single logit.
    #[error("{network} has a single class, so there is no rival to hold it against")]
    NoRival {
        /// The network's name.
        network: String,
    },
    /// A NaN or an infinity among activations, gradients or logits.
    #[error("{network} gives {what} that are not finite numbers for this picture")]
    NotFinite {
        /// The network's name.
        network: String,
        /// The numbers, in the plural.
        what: &'static str,
    },
    /// An activation that is not of the layer's shape at the picture.
    #[error("{what}: the layer is {expected:?} for this picture, and {found:?} was given")]
    Shape {
        /// The array that does not fit.
        what: &'static str,
        /// The sides of the layer.
        expected: Vec<usize>,
        /// The sides found.
        found: Vec<usize>,
    },
    /// A weight that the network was loaded with and that is not there.
    #[error("the weights of {layer} are not at hand")]
    NoWeights {
        /// The fully connected layer's name.
        layer: String,
    },
    /// A backend that returned fewer arrays than it was asked for.
    #[error("the backend gave no values for a layer that it was asked for")]
    NoValues,
    /// An error of the network or of the backend.
    #[error(transparent)]
    Backend(#[from] trepang_api::Error),
}

impl Error {
    /// Whether the request was impossible, rather than that something broke.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::NoClassifier { .. }
            | Self::AfterLogits { .. }
            | Self::NoClass { .. }
            | Self::OwnRival
            | Self::NoRival { .. } => true,
            Self::Backend(error) => error.is_usage(),
            Self::NotFinite { .. } | Self::Shape { .. } | Self::NoWeights { .. } | Self::NoValues => false,
        }
    }
}
