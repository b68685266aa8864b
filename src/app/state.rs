//! Everything the dashboard shows, and the one way to change it.

use std::collections::HashMap;
use std::sync::Arc;

use super::keys::{Key, lookup};
use super::{Snapshot, Status, devices, networks, steer};
use crate::engine::{Objective, Plan, Recipe};

/// Something happened.
#[derive(Debug, Clone)]
pub enum Message {
    /// A key was pressed.
    Key(Key),
    /// The worker published.
    Snapshot(Arc<Snapshot>),
}

/// Something is to be done by others.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// The worker: begin this ascent, whatever runs now.
    Start(Box<Plan>),
    /// The worker: wait.
    Pause,
    /// The worker: go on.
    Resume,
    /// The worker: this many steps more, or fewer. A difference, since several can be on their way at once.
    ChangeSteps(isize),
    /// The worker: from the next step on raise this, by that recipe.
    Change {
        /// What.
        objective: Objective,
        /// How.
        recipe: Box<Recipe>,
    },
    /// The worker: take the last steps back, and wait.
    Back,
    /// The worker: save what there is.
    Save,
    /// The worker: look which networks there are.
    ListNetworks,
    /// The worker: save the run, put another network on the device, and begin an ascent at its first look.
    Switch {
        /// The network's name.
        name: String,
        /// How the ascent is made; the network's own size takes the place of theirs.
        settings: Box<Settings>,
    },
    /// The worker: look which backends and devices there are.
    ListDevices,
    /// The worker: save the run, put the network on another device, and go on there from the same picture.
    Carry {
        /// The backend's name.
        backend: String,
        /// The device, as it is typed.
        device: String,
    },
    /// The worker: let this network judge the pictures too, or no longer.
    ToggleJudge(String),
    /// The worker: predict, or do not.
    Predict(bool),
    /// The terminal: draw everything anew.
    Redraw,
    /// The terminal: show pictures another way.
    NextProtocol,
    /// The terminal: give it back to the shell for a while.
    Suspend,
    /// Everything: end.
    Quit,
}

/// The network, for its pane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkInfo {
    /// Its name.
    pub name: String,
    /// What computes it.
    pub backend: String,
    /// Where.
    pub device: String,
    /// With how many threads.
    pub threads: usize,
    /// How many numbers it learned.
    pub parameters: usize,
    /// The weights' file, if they are not the network's own.
    pub weights: Option<String>,
}

/// A layer, for its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerInfo {
    /// Its name.
    pub name: String,
    /// What it does.
    pub kind: &'static str,
    /// C
    pub channels: usize,
    /// H, at the ascent's size.
    pub height: usize,
    /// W, at the ascent's size.
    pub width: usize,
    /// Has it a form before its ReLU?
    pub has_pre: bool,
}

/// What the arrow keys move in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pane {
    /// Up and down move between layers.
    Layers,
    /// Up and down move by a row of channels.
    Channels,
}

/// What keys mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// The key table.
    Browse,
    /// A channel's number is being typed.
    Jump(String),
    /// The help is open: any key closes it, where there is room for it.
    Help,
    /// The list of networks is open, with the cursor on this line.
    Networks(usize),
    /// The list of backends and devices is open, with the cursor on this line.
    Devices(usize),
    /// An objective is being typed.
    Objective(String),
    /// The list of recipes is open, with the cursor on this line.
    Recipes(usize),
    /// A recipe's numbers are being typed.
    Numbers(String),
}

impl Mode {
    /// Does something lie over the panes?
    pub fn is_overlay(&self) -> bool {
        matches!(self, Self::Help | Self::Networks(_) | Self::Devices(_) | Self::Recipes(_))
    }
}

/// How ascents are made from the dashboard.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The recipe.
    pub recipe: Recipe,
    /// The side of the image.
    pub size: usize,
    /// The seed of the next start.
    pub seed: u64,
    /// The steps of the next start.
    pub steps: usize,
}

impl Settings {
    /// The ascent that raises `objective`.
    pub fn plan(self, objective: Objective) -> Plan {
        let Self { recipe, size, seed, steps } = self;
        // A recipe that cannot be followed without more than a target is refused before it gets here.
        let raised = recipe.raise(Some(&objective), objective.layer(), None).unwrap_or(objective);
        Plan { seed, steps, ..Plan::new(raised, recipe, size) }
    }
}

/// The whole dashboard.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a thing of its own that is so or not")]
pub struct State {
    /// The network.
    pub network: NetworkInfo,
    /// Its layers, without those that are only a form before a ReLU.
    pub layers: Vec<LayerInfo>,
    /// The names of the classes, for the layer of their logits.
    pub classes: Vec<String>,
    /// The layer under the cursor.
    pub layer: usize,
    /// Is it meant before its ReLU?
    pub pre: bool,
    /// The channel under the cursor.
    pub channel: usize,
    /// Where the cursor is.
    pub pane: Pane,
    /// What keys mean.
    pub mode: Mode,
    /// Is the picture alone on the screen?
    pub zoomed: bool,
    /// How ascents are made.
    pub settings: Settings,
    /// How things stand.
    pub snapshot: Arc<Snapshot>,
    /// What the user has to be told about a key, until the next one.
    pub remark: Option<String>,
    /// The newest loss of every channel that has been climbed in this session, by layer name and channel.
    pub climbed: HashMap<(String, usize), f64>,
    /// Channels in a row of the channel pane, as it was last drawn.
    pub row: usize,
    /// Is there room on the screen for all panes, and so for the help?
    pub full: bool,
    /// The network or the device that was asked for and has not come yet, and the number of the answer.
    pub switching: Option<(String, u64)>,
    /// Are predictions wanted on the screen?
    pub predicting: bool,
}

impl State {
    /// The dashboard before anything has happened, with the cursor on a layer and a channel that exist.
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

    /// Takes in what happened and says what is to be done about it.
    pub fn update(&mut self, message: Message) -> Vec<Command> {
        match message {
            Message::Snapshot(snapshot) => {
                self.see(snapshot);
                Vec::new()
            }
            Message::Key(key) => self.press(key),
        }
    }

    fn see(&mut self, snapshot: Arc<Snapshot>) {
        if self.switching.as_ref().is_some_and(|(_, answer)| snapshot.switches >= *answer) {
            (self.switching, self.remark) = (None, None);
        }
        if let Some(subject) = &snapshot.subject
            && self.snapshot.subject.as_ref().is_none_or(|before| !Arc::ptr_eq(before, subject))
        {
            self.look_at(subject);
        }
        if let Some(run) = &snapshot.run
            && let (Some(loss), Objective::Channel { layer, channel }) = (run.loss, run.objective())
        {
            self.climbed.insert((layer.clone(), *channel), loss);
        }
        self.snapshot = snapshot;
    }

    fn press(&mut self, key: Key) -> Vec<Command> {
        self.remark = None;
        match (&self.mode, lookup(key)) {
            (_, Some(binding)) if key == Key::Ctrl('c') => (binding.act)(self),
            (Mode::Jump(_), _) => {
                self.type_number(key);
                Vec::new()
            }
            (Mode::Objective(_), _) => steer::type_objective(self, key),
            (Mode::Numbers(_), _) => steer::type_numbers(self, key),
            (&Mode::Recipes(cursor), _) if self.full => steer::press(self, cursor, key),
            (&Mode::Networks(cursor), _) if self.full => networks::press(self, cursor, key),
            (&Mode::Devices(cursor), _) if self.full => devices::press(self, cursor, key),
            (Mode::Help, _) if self.full => {
                self.mode = Mode::Browse;
                Vec::new()
            }
            // The screen became too small for it: nobody sees that it is open.
            (Mode::Help | Mode::Networks(_) | Mode::Devices(_) | Mode::Recipes(_), binding) => {
                self.mode = Mode::Browse;
                binding.map(|binding| (binding.act)(self)).unwrap_or_default()
            }
            (Mode::Browse, Some(binding)) => (binding.act)(self),
            (Mode::Browse, None) => Vec::new(),
        }
    }

    /// Digits build the number, Enter goes there, Esc gives up.
    fn type_number(&mut self, key: Key) {
        let Mode::Jump(typed) = &mut self.mode else { return };
        match key {
            Key::Char(digit @ '0'..='9') if typed.len() < 6 => typed.push(digit),
            Key::Backspace => {
                typed.pop();
            }
            Key::Enter => {
                let (last, wanted) = (self.channels().saturating_sub(1), self.jump_target());
                match wanted {
                    Some(channel) if channel <= last => self.channel = channel,
                    Some(channel) => self.remark = Some(format!("no channel {channel}: the last is {last}")),
                    None => {}
                }
                self.mode = Mode::Browse;
            }
            Key::Escape => self.mode = Mode::Browse,
            _ => {}
        }
    }

    fn jump_target(&self) -> Option<usize> {
        match &self.mode {
            Mode::Jump(typed) => typed.parse().ok(),
            _ => None,
        }
    }

    /// How many channels the layer under the cursor has.
    pub fn channels(&self) -> usize {
        self.layers.get(self.layer).map_or(0, |layer| layer.channels)
    }

    /// The class that the channel under the cursor stands for, if it is a class logit.
    pub fn class(&self) -> Option<&str> {
        let logits = self.layers.get(self.layer).is_some_and(|layer| layer.kind == "linear");
        if logits { self.classes.get(self.channel).map(String::as_str) } else { None }
    }

    /// The name of the layer under the cursor, in the form meant.
    pub fn layer_name(&self) -> String {
        let Some(layer) = self.layers.get(self.layer) else { return String::new() };
        if self.pre && layer.has_pre { format!("{}:pre", layer.name) } else { layer.name.clone() }
    }

    /// The ascent that Enter starts.
    pub fn plan(&self) -> Plan {
        self.settings.clone().plan(Objective::channel(&self.layer_name(), self.channel))
    }

    /// Is a run there whose steps can still change?
    pub(super) fn has_run(&self) -> bool {
        self.snapshot.run.is_some() && !matches!(self.snapshot.status, Status::Stopped | Status::Broken(_))
    }
}
