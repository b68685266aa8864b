//! The runs that were saved, as a list to choose from, and what can be done with one of them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::shared;
use crate::engine::Picture;

/// A run that was saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedRunEntry {
    /// The name of its folder.
    pub name: String,
    /// The network that computed it.
    pub network: String,
    /// The file of the weights, if they were not the network's own.
    pub weights: Option<String>,
    /// Its last objective, as it is typed.
    pub objective: String,
    /// The layer and the channel that it maximised, if it maximised a channel.
    pub target: Option<(String, usize)>,
    /// The steps that it has taken.
    pub step: usize,
    /// The steps that it is meant to take.
    pub steps: usize,
    /// The objective on its picture, and the mean over views of it, as far as they were measured.
    pub activation: Option<(f64, f64)>,
    /// Whether nothing has woken its objective.
    pub dead: bool,
    /// Seconds since it was begun, when the list was made.
    pub age: u64,
    /// The state of its folder.
    pub presence: SavedRunPresence,
}

/// The state of a saved run's folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SavedRunPresence {
    /// It has taken all its steps.
    Finished,
    /// It can be gone on with.
    Stopped,
    /// A process has it open: this one, or another.
    Open,
    /// There is no state to go on from.
    Stateless,
}

/// A picture of a run's growth, made small.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrownPicture {
    /// The number of steps taken by then.
    pub step: usize,
    /// The picture after those steps.
    #[serde(with = "shared::picture")]
    pub picture: Arc<Picture>,
}

/// The picture of a saved run, made small.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunThumbnail {
    /// The name of the run's folder.
    pub name: String,
    /// The picture as it was saved.
    #[serde(with = "shared::picture")]
    pub picture: Arc<Picture>,
}

/// Something that is done with a saved run, by the name of its folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SavedRunAction {
    /// Put it on the screen, with its network, in the place of the run that is there, which is saved.
    Open {
        /// The name of the run's folder.
        name: String,
        /// Whether it takes further steps at once, if it is not finished.
        goes_on: bool,
    },
    /// Move it to the trash.
    Delete(String),
    /// Bring the run back that was moved to the trash last.
    Undelete,
    /// Return the pictures of the growth of the run on the screen.
    Growth,
    /// Return the pictures of these runs, made small; those that can be read.
    Thumbnails(Vec<String>),
    /// Write a picture to a file that is not there yet.
    Export {
        /// The name of the run's folder; none for that on the screen.
        name: Option<String>,
        /// The file, on the worker's machine, or a folder.
        path: String,
    },
}
