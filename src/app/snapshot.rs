//! What the worker publishes: one immutable picture of how things stand, newest wins.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Curve, DeviceEntry, NetworkEntry, Predictions, Subject};
use crate::engine::{Objective, Picture, Plan, Score};

/// How things stand.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    /// Larger for each newer one.
    pub version: u64,
    /// What the worker is doing.
    pub status: Status,
    /// The run, once one has begun.
    pub run: Option<RunView>,
    /// The last thing worth telling: what was saved where, what went wrong.
    pub notice: Option<Arc<str>>,
    /// Every run that could not be saved, and has not been since.
    pub failures: Vec<Failure>,
    /// The networks to choose from, once they have been looked for.
    pub networks: Arc<[NetworkEntry]>,
    /// The backends and devices to choose from, once they have been looked for.
    pub devices: Arc<[DeviceEntry]>,
    /// The network that was switched to, or the same one on the device that was; none as long as both are the first.
    pub subject: Option<Arc<Subject>>,
    /// How many wishes for another network or device have been answered, by it or by a notice.
    pub switches: u64,
    /// The networks that judge the pictures besides the one that is climbed.
    pub judges: Arc<[Arc<str>]>,
    /// The classes last seen in the run's picture.
    pub predictions: Option<Arc<Predictions>>,
}

/// A run that could not be saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The run's number.
    pub run: u64,
    /// Which it was, and why.
    pub text: Arc<str>,
}

/// What the worker is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Status {
    /// Putting a network on the device.
    #[default]
    Loading,
    /// Nothing: no run has begun.
    Idle,
    /// Climbing.
    Running,
    /// Waiting for the user to go on.
    Paused,
    /// The run took all its steps.
    Finished,
    /// The run cannot go on; the notice says why.
    Stopped,
    /// The worker itself cannot go on: the dashboard has to end, with this message.
    Broken(String),
}

/// A run as far as it has come.
#[derive(Debug, Clone, PartialEq)]
pub struct RunView {
    /// What it is.
    pub plan: Arc<Plan>,
    /// Counts the runs of this session, to tell one from the next.
    pub number: u64,
    /// Steps taken.
    pub step: usize,
    /// The newest loss.
    pub loss: Option<f64>,
    /// The length of the newest gradient.
    pub gradient_norm: Option<f64>,
    /// Did no gradient reach the image in the newest step, so that the ReLUs' redirected one was climbed?
    pub dead: bool,
    /// How many steps did.
    pub dead_steps: usize,
    /// Share of the picture's values at 0 or 255.
    pub saturated: f64,
    /// Steps a second, lately.
    pub rate: Option<f64>,
    /// The losses.
    pub curve: Curve,
    /// Where the objective or the recipe was changed: the steps taken by then.
    pub changes: Vec<usize>,
    /// The score of the picture as it would be saved, once the run stands still.
    pub score: Option<Score>,
    /// The picture, as it would be saved now.
    pub picture: Arc<Picture>,
    /// Where it was last saved.
    pub folder: Option<PathBuf>,
}

impl RunView {
    /// What is raised now; it can have been changed on the way.
    pub fn objective(&self) -> &Objective {
        self.plan.at(self.step).0
    }
}
