//! Every way in which a network, its weights or a backend can refuse, each in one sentence that says what
//! was found and, where there is something to do, what to do.

use crate::nearest::question;
use crate::printable::excerpt;

/// The result of everything at the seam.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of a backend, a model or a network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Data whose length is not the product of its shape.
    #[error("an array of shape {shape:?} needs {} values and was given {len}", shape.iter().product::<usize>())]
    ArrayLength {
        /// The claimed shape.
        shape: Vec<usize>,
        /// The values given.
        len: usize,
    },
    /// An array with the wrong number of sides.
    #[error("expected an array with {expected} sides ([N, C, H, W]) and was given {found:?}")]
    Rank {
        /// The number of sides that were wanted.
        expected: usize,
        /// The shape given.
        found: Vec<usize>,
    },
    /// An array of the right rank and the wrong sides.
    #[error("{what}: expected {expected:?} and was given {found:?}")]
    ShapeMismatch {
        /// The array and its place.
        what: String,
        /// The shape wanted.
        expected: Vec<usize>,
        /// The shape given.
        found: Vec<usize>,
    },
    /// A description that is not a network.
    #[error("network {network} is not well formed: {reason}")]
    InvalidNetwork {
        /// The network's name.
        network: String,
        /// The fault, as a clause.
        reason: String,
    },
    /// An image size that the network cannot take.
    #[error("{network} cannot take {width}x{height} pixels: {reason}")]
    ImageSize {
        /// The network's name.
        network: String,
        /// Rows asked for.
        height: usize,
        /// Columns asked for.
        width: usize,
        /// The sizes that it can take, or the layer at which it fails.
        reason: String,
    },
    /// Values that a run cannot start from.
    #[error("{network} cannot run from there: {reason}")]
    Start {
        /// The network's name.
        network: String,
        /// The fault, as a clause; for a start that is no frontier, with what is missing.
        reason: String,
    },
    /// A layer name that the network does not have.
    #[error("{network} has no layer \"{}\"{}", excerpt(.layer), hint(.nearest))]
    UnknownLayer {
        /// The network's name.
        network: String,
        /// The name asked for.
        layer: String,
        /// The most similar names.
        nearest: Vec<String>,
    },
    /// A layer that the network had before it was read.
    #[error("{network}: layer \"{layer}\" {reason}")]
    LostLayer {
        /// The network's name.
        network: String,
        /// The name asked for.
        layer: String,
        /// The reason why it is gone, as a clause behind its name.
        reason: String,
    },
    /// A tensor that the network needs and the file does not have.
    #[error("the weights do not fit {network}: tensor \"{tensor}\" is missing (found {found} tensors)")]
    MissingWeight {
        /// The network's name.
        network: String,
        /// The tensor wanted.
        tensor: String,
        /// The number of tensors that there are.
        found: usize,
    },
    /// A tensor of the wrong shape.
    #[error(
        "the weights do not fit {network}: tensor \"{tensor}\" has shape {found:?} where {expected:?} is needed"
    )]
    WeightShape {
        /// The network's name.
        network: String,
        /// The tensor's name.
        tensor: String,
        /// The shape the network needs.
        expected: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// A NaN or an infinity among the weights.
    #[error("the weights are damaged: tensor \"{tensor}\" holds {value} at position {index}")]
    NonFiniteWeight {
        /// The tensor's name.
        tensor: String,
        /// The place in it.
        index: usize,
        /// The tensors that are there.
        value: f32,
    },
    /// A device that is not there.
    #[error("backend {backend} finds no device \"{device}\" here; it has: {available}")]
    UnknownDevice {
        /// The backend's name.
        backend: String,
        /// The device asked for.
        device: String,
        /// Those that are there, separated by commas.
        available: String,
    },
    /// The framework below refused or failed.
    #[error("backend {backend} failed: {message}")]
    Backend {
        /// The backend's name.
        backend: String,
        /// The framework's own words.
        message: String,
    },
    /// The caller's function that turns activations into cotangents failed.
    #[error(transparent)]
    Caller(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Whether the request was impossible, rather than that something broke: the name of a layer or a device, or an
    /// image size.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::UnknownLayer { .. }
                | Self::LostLayer { .. }
                | Self::UnknownDevice { .. }
                | Self::ImageSize { .. }
        )
    }
}

/// The question about the nearest names, after a semicolon, or nothing.
fn hint(nearest: &[String]) -> String {
    if nearest.is_empty() { String::new() } else { format!("; {}", question(nearest)) }
}
