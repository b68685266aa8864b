//! Where networks come from besides the first one: a seam, so that tests need no weights.

use std::fmt::Debug;
use std::sync::Arc;

use anyhow::Result;
use trepang_api::{Model, Network};
use trepang_weights::Labels;

use crate::app::{DeviceEntry, LoadedNetwork, NetworkEntry};
use crate::classify::Classifier;
use crate::runs::Provenance;

/// A network on its device, with all that is known about it.
#[derive(Debug)]
pub struct Loaded {
    /// What runs it.
    pub model: Box<dyn Model>,
    /// The network.
    pub network: Network,
    /// Its classes.
    pub labels: Labels,
    /// What manifests say of the computation.
    pub provenance: Provenance,
    /// What the dashboard shows of it.
    pub subject: Arc<LoadedNetwork>,
}

/// The networks to be had, by name. Called on the worker's thread.
pub trait Shelf: Debug + Send {
    /// What there is. Looks at files, and reads none.
    fn list(&self) -> Vec<NetworkEntry>;

    /// Puts a network on the device that computes now.
    fn open(&self, name: &str) -> Result<Loaded>;

    /// The same for a network that only judges pictures. Fails for one without a classifier.
    fn judge(&self, name: &str) -> Result<Classifier>;

    /// What there is to compute with. Opens every backend, which can take a while.
    fn devices(&mut self) -> Vec<DeviceEntry>;

    /// Puts the network that `here` tells of on another device, which from then on is the one that computes. Fails if
    /// its weights are no longer what they were.
    fn carry(&mut self, backend: &str, device: &str, here: &Provenance) -> Result<Loaded>;
}
