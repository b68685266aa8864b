//! The search for classes among kept pictures: saved runs and drafts of the network, as a classifier sees them.

use serde::{Deserialize, Serialize};

/// The kept pictures of the network's channels, as far as a classifier has looked at them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassSearch {
    /// The name of the network that classifies; none where none does.
    pub classifier: Option<String>,
    /// The number of pictures that are kept.
    pub pictures: usize,
    /// The number of those that were looked at.
    pub looked_at: usize,
    /// The first class of each picture that was looked at.
    pub found: Vec<ClassifiedChannel>,
}

/// A kept picture of a channel, and the class that it was taken for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassifiedChannel {
    /// The layer, in the form meant.
    pub layer: String,
    /// The number of the channel.
    pub channel: usize,
    /// The class's names, separated by commas.
    pub label: String,
}
