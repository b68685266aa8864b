//! Where Trepang's weights come from: the safetensors reader, the class labels, the embedded network, and what
//! brings weights files to this machine.
//!
//! This crate is *not* for running networks. Only `pull` uses the network and writes files.

pub mod cache;
mod catalog;
mod embedded;
mod error;
mod labels;
pub mod pull;
mod safetensors;
mod source;

use std::borrow::Cow;

use trepang_api::{Network, Weights};

pub use catalog::{NETWORKS, trained};
pub use embedded::{MINIVGG_CARD, minivgg};
pub use error::{Error, Result};
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
