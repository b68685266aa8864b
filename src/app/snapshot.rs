//! The state that the worker publishes: an immutable snapshot, of which viewers use the newest.

use std::path::PathBuf;
use std::sync::Arc;

use super::curve::Curve;
use super::entries::{DeviceEntry, LoadedNetwork, NetworkEntry};
use super::predictions::Predictions;
use crate::engine::{Objective, Picture, Plan};

/// The worker's state at one moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    /// A number that grows with each snapshot.
    pub version: u64,
    /// The worker's activity.
    pub status: Status,
    /// The current or last run; none before the first.
    pub run: Option<RunView>,
    /// The last message for the user: where a run was saved, or what failed.
    pub notice: Option<Arc<str>>,
    /// The runs that could not be saved and have not been saved since.
    pub failures: Vec<UnsavedRun>,
    /// The networks to choose from; empty until they have been listed.
    pub networks: Arc<[NetworkEntry]>,
    /// The backends and devices to choose from; empty until they have been listed.
    pub devices: Arc<[DeviceEntry]>,
    /// The network on the device after the last switch; none before the first switch of network or device.
    pub subject: Option<Arc<LoadedNetwork>>,
    /// The number of requests for another network or device that have been answered, also by a notice of failure.
    pub switches: u64,
    /// The names of the networks that classify the pictures besides the visualised one.
    pub judges: Arc<[Arc<str>]>,
    /// The newest predictions for the run's picture.
    pub predictions: Option<Arc<Predictions>>,
}

/// A run that could not be saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsavedRun {
    /// The number of the run in this session.
    pub run: u64,
    /// A sentence that names the run and says why it was not saved.
    pub text: Arc<str>,
}

/// The worker's activity.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Status {
    /// The worker is loading a network.
    #[default]
    Loading,
    /// No run has been started.
    Idle,
    /// A run is making steps.
    Running,
    /// The run is paused by the user.
    Paused,
    /// The run has made all its steps.
    Finished,
    /// The run failed; the notice says why.
    Stopped,
    /// The worker itself failed. The dashboard ends with this message.
    Broken(String),
}

/// A run, as the dashboard shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunView {
    /// The plan of the run, with its changes.
    pub plan: Arc<Plan>,
    /// The number of the run in this session.
    pub number: u64,
    /// The number of steps so far.
    pub step: usize,
    /// The loss of the last step; none before the first.
    pub loss: Option<f64>,
    /// The L2 norm of the last step's gradient.
    pub gradient_norm: Option<f64>,
    /// Whether no gradient reached the image in the last step, so that the redirected ReLU gradient was used.
    pub dead: bool,
    /// The number of steps that used the redirected ReLU gradient.
    pub dead_steps: usize,
    /// The share of the picture's values at 0 or 255, from 0 to 1.
    pub saturated: f64,
    /// The recent number of steps a second.
    pub rate: Option<f64>,
    /// The losses of all steps.
    pub curve: Curve,
    /// The steps at which the objective or the recipe was changed.
    pub changes: Vec<usize>,
    /// The score of the saved picture: the objective's value on it, and its mean over a fixed set of views. None while the run is
    /// making steps.
    pub worth: Option<(f64, f64)>,
    /// The picture as it would be saved now.
    pub picture: Arc<Picture>,
    /// The folder in which the run was last saved.
    pub folder: Option<PathBuf>,
}

impl RunView {
    /// The current objective; it can have been changed during the run.
    pub fn objective(&self) -> &Objective {
        self.plan.at(self.step).0
    }
}
