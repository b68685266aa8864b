//! The messages between the worker and its viewers: requests, replies and snapshots. All of it can be serialised, so
//! that a socket only has to carry it. Not here: how a request is served, and anything of one viewer's own, such as its
//! cursor.

mod class_search;
mod curve;
mod drafts;
mod examination;
mod lab;
mod listing;
mod saved;
mod shared;
mod snapshot;

use serde::{Deserialize, Serialize};

use crate::engine::{AskedSize, Objective, Plan, Recipe, Start};

pub use class_search::{ClassSearch, ClassifiedChannel};
pub use curve::Curve;
pub use drafts::{
    ChannelQueue, DRAFT_STEPS, DraftPage, DraftSeries, DraftSheet, DraftView, QueueView, READABLE_STEPS,
};
pub use examination::{ActivationMap, Examination, ExaminedChannel, LayerActivation};
pub use lab::{LabExample, LabFindings, LabMargin, LabOrder, LabPoint, LabScatter, LabShare, LabSubject};
pub use listing::{DeviceEntry, ImageSizes, LayerInfo, NetworkEntry, NetworkInfo, NetworkView, Supply};
pub use saved::{GrownPicture, RunThumbnail, SavedRunAction, SavedRunEntry, SavedRunPresence};
pub use snapshot::{ClassGuess, Classification, Predictions, RunView, Snapshot, Status, UnsavedRun};

/// A request's number, counted by each viewer for itself.
pub type RequestId = u64;

/// Something that a viewer asks of the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The number that the reply will carry.
    pub id: RequestId,
    /// The action that is asked for.
    pub action: Action,
}

/// The answer to a request. The request's effect on the run is in the snapshots from then on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The number of the request that this answers.
    pub id: RequestId,
    /// Whether the request was carried out.
    pub outcome: Outcome,
}

/// The result of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The request was carried out.
    Done,
    /// The request was not carried out, for this reason; everything is as it was before.
    Refused(String),
    /// The path that was to be completed, as far as it is certain, and the names that there are to choose from.
    Completed {
        /// The path, longer than it was if more of it is certain.
        path: String,
        /// The names that go on from it, if there are several.
        choices: Vec<String>,
    },
    /// The pictures of the growth of the run with this number, in the order of their steps.
    Growth {
        /// The run's number, as [`RunView::number`].
        run: u64,
        /// The pictures by their steps.
        pictures: Vec<GrownPicture>,
    },
    /// The small pictures of saved runs that were asked for, as far as they can be read.
    Thumbnails(Vec<RunThumbnail>),
    /// The words of the command that makes the picture of the run again, each as a shell takes it.
    Command(Vec<String>),
}

/// Everything that the worker can be asked to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Begin this ascent, whatever runs now.
    Start(Box<Plan>),
    /// The same in the shape of its start picture: the plan's size is the longer side.
    StartInShape(Box<Plan>),
    /// Take no further step until [`Action::Resume`].
    Pause,
    /// Go on with a paused run.
    Resume,
    /// Take so many steps more, or fewer. A difference, since several requests can be on their way at once.
    ChangeSteps(isize),
    /// Maximise another objective, or by another recipe, from the next step on.
    Change {
        /// The objective from there on.
        objective: Objective,
        /// The recipe from there on.
        recipe: Box<Recipe>,
    },
    /// Take the last steps back, and pause there.
    Undo,
    /// Save the run as it is.
    Save,
    /// Say the command that makes the run's picture again: that of a run in progress as it will be at its end.
    DescribeCommand,
    /// Look which networks there are.
    ListNetworks,
    /// Look which runs were saved.
    ListRuns,
    /// Do something with a saved run.
    OfSavedRun(SavedRunAction),
    /// Save the run, put another network on the device, and begin an ascent at the network's first look.
    SwitchNetwork {
        /// The network's name, as the list has it.
        name: String,
        /// The settings of the ascent; the network's own size takes the place of theirs.
        settings: Box<Settings>,
    },
    /// Look which backends and devices there are.
    ListDevices,
    /// Save the run, put the network on another device, and go on there from the same picture.
    SwitchDevice {
        /// The backend's name, as the list has it.
        backend: String,
        /// The device, as it is typed.
        device: String,
    },
    /// Let this network classify the pictures too, or no longer.
    ToggleClassifier(String),
    /// Complete the name of a picture's file, as it is on the worker's machine.
    CompletePath(String),
    /// Whether this viewer wants predictions, as each does at first. Pictures are classified while one viewer wants it.
    Predict(bool),
    /// Make drafts of these channels while this viewer looks at them, instead of those it looked at before; none when it
    /// looks at none.
    Draft(Option<Box<DraftPage>>),
    /// Measure the layer of this channel on the run's picture while this viewer looks, and again when the picture has changed;
    /// none when it looks no longer.
    Examine(Option<ExaminedChannel>),
    /// Let the lab look into this channel and picture while this viewer looks; none when it looks no longer.
    Lab(Option<Box<LabSubject>>),
    /// Let a classifier look at the kept pictures of the network's channels while this viewer wants to find classes.
    FindClasses(bool),
    /// Maximise these channels one after the other, each when the run before is finished; none ends the queue.
    Queue(Option<Box<ChannelQueue>>),
    /// Save the run and end the worker, for all viewers.
    Shutdown,
}

/// The settings of ascents that are started from a dashboard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The recipe of the next start.
    pub recipe: Recipe,
    /// The size of the image: both sides, or the longer one in the shape of the start picture.
    pub size: AskedSize,
    /// The random seed of the next start.
    pub seed: u64,
    /// The steps of the next start.
    pub steps: usize,
    /// The image before the first step. The worker reads a picture's file, and fills in its hash.
    pub start: Start,
}

impl Settings {
    /// The settings of a recipe on a network of this size.
    pub fn of(recipe: Recipe, size: impl Into<AskedSize>) -> Self {
        Self { size: size.into(), seed: 0, steps: recipe.steps, start: Start::Noise, recipe }
    }

    /// The ascent that maximises `objective`, or what the recipe makes of its layer and of the start picture. It is a square where
    /// only a longer side was asked for: who reads the start picture knows better. Fails, in one sentence, where the recipe
    /// needs what there is not.
    pub fn plan(self, objective: &Objective) -> std::result::Result<Plan, String> {
        let Self { recipe, size, seed, steps, start } = self;
        let file = match &start {
            Start::Picture { file, .. } => Some(file.as_str()),
            Start::Noise | Start::Gray => None,
        };
        let target = recipe.has_target().then_some(objective);
        let raised = recipe.resolve_objective(target, objective.layer(), file)?;
        Ok(Plan { seed, start, steps, ..Plan::new(raised, recipe, size.without_shape()) })
    }
}
