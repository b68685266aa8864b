//! The pictures of a run's growth that are looked back on, as part of the state. Not here: what keys do to them.

use std::sync::Arc;

use crate::worker::protocol::GrownPicture;

/// The pictures of the growth of the run on the screen, and the one that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scrub {
    /// The number of the run.
    pub(super) run: u64,
    /// The pictures, by their steps.
    pub(super) pictures: Arc<[GrownPicture]>,
    /// The index of the one that is shown.
    pub(super) at: usize,
}
