//! The snapshot that the worker publishes: one immutable value. A newer one replaces an older one.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::class_search::ClassSearch;
use super::curve::Curve;
use super::drafts::{ChannelQueue, DraftSheet, QueueView};
use super::examination::Examination;
use super::lab::LabFindings;
use super::listing::{DeviceEntry, NetworkEntry, NetworkView};
use super::saved::SavedRunEntry;
use super::shared;
use crate::engine::{Objective, Picture, Plan, Score};

/// The state of the worker and its run at one moment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// A number that is larger for each newer snapshot.
    pub version: u64,
    /// The activity of the worker at this moment.
    pub status: Status,
    /// Whether the worker has ended: this snapshot is its last.
    pub ended: bool,
    /// The run, once one has begun.
    pub run: Option<RunView>,
    /// The newest message for the user: what was saved where, or what went wrong.
    #[serde(with = "shared::option")]
    pub notice: Option<Arc<str>>,
    /// Every run that could not be saved, and has not been since.
    pub unsaved: Vec<UnsavedRun>,
    /// The networks to choose from, once they have been looked for.
    #[serde(with = "shared")]
    pub networks: Arc<[NetworkEntry]>,
    /// The runs that were saved, the newest first, once they have been looked for.
    #[serde(with = "shared")]
    pub runs: Arc<[SavedRunEntry]>,
    /// The backends and devices to choose from, once they have been looked for.
    #[serde(with = "shared")]
    pub devices: Arc<[DeviceEntry]>,
    /// The network that was switched to, or the same one on the device that was; none as long as both are the first.
    #[serde(with = "shared::option")]
    pub network: Option<Arc<NetworkView>>,
    /// The networks that classify the pictures besides the network of the run.
    #[serde(with = "shared")]
    pub classifiers: Arc<[String]>,
    /// The classes last seen in the run's picture.
    #[serde(with = "shared::option")]
    pub predictions: Option<Arc<Predictions>>,
    /// The classes of kept pictures, once a viewer wants to find some.
    #[serde(with = "shared::option")]
    pub class_search: Option<Arc<ClassSearch>>,
    /// The drafts that viewers look at.
    #[serde(with = "shared")]
    pub sheets: Arc<[DraftSheet]>,
    /// The layers that viewers look at closer, as they were measured on the run's picture.
    #[serde(with = "shared")]
    pub examinations: Arc<[Examination]>,
    /// The findings of the lab, for those who look.
    #[serde(with = "shared")]
    pub labs: Arc<[LabFindings]>,
    /// The channels that are still to be maximised, if there is a queue.
    pub queue: Option<QueueView>,
    /// The queue that was not done when the worker ended, for who goes on with it.
    pub queue_left: Option<ChannelQueue>,
}

/// A run that could not be saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnsavedRun {
    /// The run's number, as [`RunView::number`].
    pub number: u64,
    /// A sentence that names the run and says why it could not be saved.
    #[serde(with = "shared")]
    pub text: Arc<str>,
}

/// The activity of the worker.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Putting a network on the device.
    #[default]
    Loading,
    /// Nothing: no run has begun.
    Idle,
    /// Taking steps of the run.
    Running,
    /// Waiting for [`Action::Resume`](super::Action::Resume).
    Paused,
    /// The run took all its steps.
    Finished,
    /// The run cannot go on; the notice says why.
    Stopped,
    /// The worker itself cannot go on, for this reason: the program has to end.
    Broken(String),
}

/// A run as far as it has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunView {
    /// Everything that decides the run, given its network.
    #[serde(with = "shared")]
    pub plan: Arc<Plan>,
    /// Counts the worker's runs, to tell one from the next.
    pub number: u64,
    /// The number of steps that the run has taken.
    pub step: usize,
    /// The objective's value in the newest step.
    pub loss: Option<f64>,
    /// The length of the newest gradient.
    pub gradient_norm: Option<f64>,
    /// Whether no gradient reached the image in the newest step, so that the ReLUs' redirected one was followed.
    pub dead: bool,
    /// In how many steps no gradient reached the image.
    pub dead_steps: usize,
    /// Share of the picture's values at 0 or 255.
    pub saturated: f64,
    /// Steps a second, as a moving mean.
    pub rate: Option<f64>,
    /// The losses by step, counted from 1.
    pub curve: Curve,
    /// The steps after which the objective or the recipe was changed.
    pub changes: Vec<usize>,
    /// The objective on the picture as it would be saved, and its mean over transforms of that, once the run stands still
    /// and if it can be measured.
    pub score: Option<Score>,
    /// The picture, as it would be saved now.
    #[serde(with = "shared::picture")]
    pub picture: Arc<Picture>,
    /// The run's folder, once the run was saved.
    pub folder: Option<PathBuf>,
}

impl RunView {
    /// The objective that is maximised now; it can have been changed on the way.
    pub fn objective(&self) -> &Objective {
        self.plan.at(self.step).0
    }
}

/// The classes that every classifier saw in one picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Predictions {
    /// The step after which the picture was taken.
    pub step: usize,
    /// One entry a network: the network of the run first, if it has a classifier.
    pub classifications: Vec<Classification>,
}

/// The classes that one network saw in a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Classification {
    /// The network's name.
    #[serde(with = "shared")]
    pub classifier: Arc<str>,
    /// Its classes, the most probable first.
    pub guesses: Vec<ClassGuess>,
}

/// A class, and how probable a network finds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassGuess {
    /// The class's names, separated by commas.
    pub label: String,
    /// Its share of the softmax, in 0..1.
    pub probability: f64,
}
