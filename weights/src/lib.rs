//! Where Trepang's weights come from: the safetensors reader, the class labels and the embedded network.
//!
//! This crate is *not* for running networks, and never writes a file.

mod architecture;
mod catalog;
mod convert;
mod embedded;
mod error;
mod fit;
mod index;
mod labels;
mod layout;
mod safetensors;
mod source;

use std::borrow::Cow;

use trepang_api::{Network, Weights};

pub use architecture::{Architecture, Dialect};
pub use catalog::{NETWORKS, trained};
pub use embedded::{MINIVGG_CARD, minivgg};
pub use error::{Error, Result};
pub use fit::{Fit, fit, recognise, tensors_of};
pub use labels::{Label, Labels};
pub use safetensors::read_safetensors;
pub use source::{Format, Source, TensorInfo};

/// A network with what makes it usable: weights that fit it, and names for its classes.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The network.
    pub network: Network,
    /// Weights that fit it.
    pub weights: Weights,
    /// The classes of its logits.
    pub labels: Labels,
    /// A layer and a channel worth looking at first.
    pub first_look: (&'static str, usize),
    /// The bytes that the weights were read from, for their hash.
    pub source: Cow<'static, [u8]>,
}
