//! The classes that pictures of channels are taken for, as part of the state. Those of kept pictures are in the snapshot.

use std::collections::HashMap;

/// The classes of the session's runs, and whether those of kept pictures were asked for.
#[derive(Debug, Clone, Default)]
pub struct Judgements {
    /// The class that the last picture of every channel was taken for, by layer name and channel.
    pub(super) of_runs: HashMap<(String, usize), String>,
    pub(super) asked: bool,
}
