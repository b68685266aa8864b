//! The types of the dashboard's state, and the questions that can be asked of it. Changing it is in `update`.

use std::collections::HashMap;
use std::sync::Arc;

use super::entries::{LayerInfo, NetworkInfo};
use super::snapshot::{Snapshot, Status};
use crate::engine::{Objective, Plan, Recipe};

/// A command of the dashboard for the worker or the terminal.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// The worker: start a run of this plan, also if another one is running.
    Start(Box<Plan>),
    /// The worker: pause the run.
    Pause,
    /// The worker: resume the run.
    Resume,
    /// The worker: add this many steps to the run, or remove them. It is a difference, since several commands can be queued.
    ChangeSteps(isize),
    /// The worker: change the objective and the recipe from the next step on.
    Change {
        /// The new objective.
        objective: Objective,
        /// The new recipe.
        recipe: Box<Recipe>,
    },
    /// The worker: undo the last steps, and pause.
    Back,
    /// The worker: save the run.
    Save,
    /// The worker: list the networks.
    ListNetworks,
    /// The worker: save the run, load another network, and start a run of its first channel.
    Switch {
        /// The name of the network.
        name: String,
        /// The settings of the new run; the network's own size replaces the size.
        settings: Box<Settings>,
    },
    /// The worker: list the backends and devices.
    ListDevices,
    /// The worker: save the run, load the network on another device, and continue there with the same picture.
    Carry {
        /// The name of the backend.
        backend: String,
        /// The device, as users type it.
        device: String,
    },
    /// The worker: let this network classify the pictures too, or stop it.
    ToggleJudge(String),
    /// The worker: turn predictions on or off.
    Predict(bool),
    /// The terminal: redraw the whole screen.
    Redraw,
    /// The terminal: use the next image protocol.
    NextProtocol,
    /// The terminal: suspend the program.
    Suspend,
    /// The dashboard: quit; the worker saves the run.
    Quit,
}

/// The pane that the arrow keys work in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pane {
    /// Up and down move between layers.
    Layers,
    /// Up and down move by a row of channels.
    Channels,
}

/// The mode, which decides the meaning of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// Keys have the actions of the key table.
    Browse,
    /// The user is typing the number of a channel; the text so far.
    Jump(String),
    /// The help is open, and any key closes it.
    Help,
    /// The list of networks is open, with the cursor on this line.
    Networks(usize),
    /// The list of backends and devices is open, with the cursor on this line.
    Devices(usize),
    /// The user is typing an objective; the text so far.
    Objective(String),
    /// The list of recipes is open, with the cursor on this line.
    Recipes(usize),
    /// The user is typing numbers of the recipe; the text so far.
    Numbers(String),
}

impl Mode {
    /// Whether a list or the help covers the panes.
    pub fn is_overlay(&self) -> bool {
        matches!(self, Self::Help | Self::Networks(_) | Self::Devices(_) | Self::Recipes(_))
    }
}

/// The settings of the runs that the dashboard starts.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The recipe of the next run, with the user's changes.
    pub recipe: Recipe,
    /// The side of the image in pixels.
    pub size: usize,
    /// The random seed of the next run.
    pub seed: u64,
    /// The number of steps of the next run.
    pub steps: usize,
}

impl Settings {
    /// The plan of a run that maximises `objective`.
    pub fn plan(self, objective: Objective) -> Plan {
        let Self { recipe, size, seed, steps } = self;
        // A recipe that needs more than a target is refused before it gets here.
        let raised = recipe.raise(Some(&objective), objective.layer(), None).unwrap_or(objective);
        Plan { seed, steps, ..Plan::new(raised, recipe, size) }
    }
}

/// The whole state of the dashboard.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a thing of its own that is so or not")]
pub struct State {
    /// The network on the device.
    pub network: NetworkInfo,
    /// The layers of the network, without the forms before a ReLU.
    pub layers: Vec<LayerInfo>,
    /// The names of the classes, by logit; empty without a classifier.
    pub classes: Vec<String>,
    /// The index of the layer under the cursor.
    pub layer: usize,
    /// Whether the layer is meant before its ReLU.
    pub pre: bool,
    /// The index of the channel under the cursor.
    pub channel: usize,
    /// The pane that the cursor is in.
    pub pane: Pane,
    /// The mode, which decides the meaning of keys.
    pub mode: Mode,
    /// Whether only the picture is shown.
    pub zoomed: bool,
    /// The settings of the next run.
    pub settings: Settings,
    /// The newest snapshot of the worker.
    pub snapshot: Arc<Snapshot>,
    /// A message about the last key, which the next key clears.
    pub remark: Option<String>,
    /// The last loss of every channel that was maximised in this session, by layer name and channel.
    pub climbed: HashMap<(String, usize), f64>,
    /// The number of channels in a row of the channel pane, as it was last drawn.
    pub row: usize,
    /// Whether the screen has room for all panes, and so for the help and the lists.
    pub full: bool,
    /// The network or device that is being loaded, and the value of [`Snapshot::switches`] when it is done.
    pub switching: Option<(String, u64)>,
    /// Whether predictions are shown.
    pub predicting: bool,
}

impl State {
    /// The initial state, with the cursor on channel 0 of the last layer.
    pub fn new(
        network: NetworkInfo,
        layers: Vec<LayerInfo>,
        classes: Vec<String>,
        settings: Settings,
    ) -> Self {
        Self {
            network,
            classes,
            layer: layers.len().saturating_sub(1),
            layers,
            pre: false,
            channel: 0,
            pane: Pane::Layers,
            mode: Mode::Browse,
            zoomed: false,
            settings,
            snapshot: Arc::default(),
            remark: None,
            climbed: HashMap::new(),
            row: 8,
            full: true,
            switching: None,
            predicting: true,
        }
    }

    /// The number of channels of the layer under the cursor.
    pub fn channels(&self) -> usize {
        self.layers.get(self.layer).map_or(0, |layer| layer.channels)
    }

    /// The name of the class under the cursor, if the channel is a class logit.
    pub fn class(&self) -> Option<&str> {
        let logits = self.layers.get(self.layer).is_some_and(|layer| layer.kind == "linear");
        if logits { self.classes.get(self.channel).map(String::as_str) } else { None }
    }

    /// The name of the layer under the cursor, with `:pre` if it is meant before its ReLU.
    pub fn layer_name(&self) -> String {
        let Some(layer) = self.layers.get(self.layer) else { return String::new() };
        if self.pre && layer.has_pre { format!("{}:pre", layer.name) } else { layer.name.clone() }
    }

    /// The plan of the run that Enter starts.
    pub fn plan(&self) -> Plan {
        self.settings.clone().plan(Objective::channel(&self.layer_name(), self.channel))
    }

    /// Whether there is a run that can still be changed.
    pub(super) fn has_run(&self) -> bool {
        self.snapshot.run.is_some() && !matches!(self.snapshot.status, Status::Stopped | Status::Broken(_))
    }

    /// Whether another network or device is being loaded. If so, a remark tells the user.
    pub(super) fn is_switching(&mut self) -> bool {
        if let Some((name, _)) = &self.switching {
            self.remark = Some(format!("{name} is still being loaded"));
        }
        self.switching.is_some()
    }
}
