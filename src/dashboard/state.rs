//! Everything the dashboard shows, and the one way to change it.

use std::collections::HashMap;
use std::sync::Arc;

use super::closer::Closer;
use super::judgements::Judgements;
use super::key_map::KeyMap;
use super::lab_window::LabWindow;
use super::leaving::Leaving;
use super::line_editor::LineEditor;
use super::marks::Marks;
use super::page::Mosaic;
use super::pane_sizes::PaneSizes;
use super::prompt::Prompt;
use super::question::OpenQuestion;
use super::run_pictures::RunPictures;
use super::scrub::Scrub;
use crate::engine::{Objective, Plan};
use crate::worker::protocol::{Action, LayerInfo, NetworkInfo, Settings, Snapshot, Status};

/// Something that others have to do after a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Ask the worker for this.
    Ask(Action),
    /// An action for this viewer's terminal.
    Terminal(TerminalAction),
    /// Put this text on the clipboard of the viewer's terminal.
    Copy(String),
    /// End this dashboard.
    Quit,
    /// End this dashboard, and let another process go on with its work, without a screen.
    LeaveRunning,
}

/// The actions of a viewer's terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TerminalAction {
    /// Draw everything anew.
    Redraw,
    /// Show pictures by another protocol.
    NextProtocol,
    /// Give the terminal back to the shell until the shell resumes the program.
    Suspend,
}

/// The pane in which the arrow keys move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pane {
    /// Up and down move between layers.
    Layers,
    /// Up and down move by a row of channels.
    Channels,
}

/// The part of the dashboard that has the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The panes, all of them.
    Panes,
    /// The picture of the run, alone.
    Picture,
    /// The drafts of a layer's channels.
    Mosaic,
    /// Marked pictures, side by side.
    Beside,
    /// The lab's answer about a channel and a picture.
    Lab,
}

/// The mode that decides the meaning of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// The key table.
    Browse,
    /// A line is open, in which something is typed.
    Prompt(Prompt, LineEditor),
    /// This page of the help is open, counted from 0, where there is room for it.
    Help(usize),
    /// The list of networks is open, with the cursor on this line.
    Networks(usize),
    /// The list of backends and devices is open, with the cursor on this line.
    Devices(usize),
    /// The list of recipes is open, with the cursor on this line.
    Recipes(usize),
    /// The list of settings is open, with the cursor on this line.
    Settings(usize),
    /// The list of marked pictures is open, with the cursor on this line.
    Marks(usize),
    /// The list of saved runs is open, with the cursor on this line.
    Runs(usize),
    /// A question is open.
    Question(OpenQuestion),
    /// A command for a shell is shown, by its words.
    Command(Vec<String>),
}

impl Mode {
    /// Whether something lies over the panes.
    pub fn is_overlay(&self) -> bool {
        match self {
            Self::Help(_)
            | Self::Networks(_)
            | Self::Devices(_)
            | Self::Recipes(_)
            | Self::Settings(_)
            | Self::Marks(_)
            | Self::Runs(_)
            | Self::Command(_) => true,
            Self::Question(question) => question.is_over_panes(),
            Self::Prompt(prompt, _) => prompt.is_list(),
            Self::Browse => false,
        }
    }
}

/// The whole dashboard.
#[derive(Debug, Clone)]
pub struct State {
    /// The network that is looked at, and what computes it.
    pub network: NetworkInfo,
    /// Its layers, without those that are only a form before a ReLU.
    pub layers: Vec<LayerInfo>,
    /// The names of the classes, for the layer of their logits.
    pub classes: Vec<String>,
    /// The layer under the cursor.
    pub layer: usize,
    /// Whether the layer is meant before its ReLU.
    pub pre: bool,
    /// The channel under the cursor.
    pub channel: usize,
    /// The pane of the cursor.
    pub pane: Pane,
    /// The mode that decides the meaning of keys.
    pub mode: Mode,
    /// The keys of every command.
    pub keys: KeyMap,
    /// The part of the dashboard that has the screen.
    pub shown: Shown,
    /// The sizes of panes that the user chose.
    pub sizes: PaneSizes,
    /// The mosaic of a layer's channels.
    pub mosaic: Mosaic,
    /// The way in which the picture of the run is looked at.
    pub closer: Closer,
    /// The lab, on a picture.
    pub lab: LabWindow,
    /// The settings of the next ascent.
    pub settings: Settings,
    /// The worker's newest snapshot.
    pub snapshot: Arc<Snapshot>,
    /// A message about the last key, until the next one.
    pub remark: Option<String>,
    /// The texts that were typed in each line in this session, the newest last.
    pub history: HashMap<Prompt, Vec<String>>,
    /// The line under the cursor in the list of what was found.
    pub hit: usize,
    /// The saved run whose picture is to be written to a file; none for the one on the screen.
    pub exporting: Option<String>,
    /// The small pictures of saved runs.
    pub run_pictures: RunPictures,
    /// The pictures that were marked.
    pub marks: Marks,
    /// The pictures that are looked back on, in the place of the run's own.
    pub scrub: Option<Scrub>,
    /// The step to look back on once the pictures of the run's growth have come.
    pub(super) sought: Option<usize>,
    /// The classes that pictures of channels are taken for.
    pub judged: Judgements,
    /// The newest loss of every channel that has been maximised in this session, by layer name and channel.
    pub maximised: HashMap<(String, usize), f64>,
    /// Channels in a row of the channel pane, as it was last drawn.
    pub row: usize,
    /// The number of pages that the help has on this screen.
    pub help_pages: usize,
    /// Whether the screen has room for all panes, and so for the help.
    pub full: bool,
    /// The requests that were made of the worker so far.
    pub asked: usize,
    /// The replies to them so far; they come in the order of the requests.
    pub answered: usize,
    /// The network or the device that was asked for, until its reply comes, and the number of the request, from 1.
    pub switching: Option<(String, usize)>,
    /// The number of the request to stop that a long step keeps waiting, from 1.
    pub stopping: Option<usize>,
    /// Whether leaving is asked about.
    pub leaving: Leaving,
    /// Whether predictions are wanted on the screen.
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
            keys: KeyMap::default(),
            shown: Shown::Panes,
            sizes: PaneSizes::default(),
            mosaic: Mosaic::default(),
            closer: Closer::default(),
            lab: LabWindow::default(),
            settings,
            snapshot: Arc::default(),
            remark: None,
            history: HashMap::new(),
            hit: 0,
            exporting: None,
            run_pictures: RunPictures::default(),
            marks: Marks::default(),
            scrub: None,
            sought: None,
            judged: Judgements::default(),
            maximised: HashMap::new(),
            row: 8,
            help_pages: 1,
            full: true,
            asked: 0,
            answered: 0,
            switching: None,
            stopping: None,
            leaving: Leaving::default(),
            predicting: true,
        }
    }

    /// Puts the cursor on a channel of a layer, in the form that its name means. False if this network has no such layer.
    pub fn go_to(&mut self, layer: &str, channel: usize) -> bool {
        let place = self.place_of(layer);
        if let Some((index, pre)) = place {
            (self.layer, self.pre, self.channel) = (index, pre, channel);
        }
        place.is_some()
    }

    /// The index of a layer, and whether its name means the form before its ReLU; none if this network has no such layer.
    pub(super) fn place_of(&self, layer: &str) -> Option<(usize, bool)> {
        let (name, pre) = layer.strip_suffix(":pre").map_or((layer, false), |name| (name, true));
        Some((self.layers.iter().position(|known| known.name == name)?, pre))
    }

    /// The number of channels of the layer under the cursor.
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

    /// Opens a line with a text in it.
    pub(super) fn ask(&mut self, prompt: Prompt, text: impl Into<LineEditor>) {
        self.hit = 0;
        self.mode = Mode::Prompt(prompt, text.into());
    }

    /// The channel under the cursor, as an objective.
    pub fn target(&self) -> Objective {
        Objective::channel(&self.layer_name(), self.channel)
    }

    /// The ascent that Enter starts. Fails, in one sentence, where the recipe needs what there is not.
    pub fn plan(&self) -> Result<Plan, String> {
        self.settings.clone().plan(&self.target())
    }

    /// Whether the run on the screen raises this channel of the layer under the cursor.
    pub fn is_running(&self, channel: usize) -> bool {
        let run = self.snapshot.run.as_ref();
        run.is_some_and(|run| {
            matches!(run.objective(), Objective::Channel { layer, channel: c }
                if *c == channel && *layer == self.layer_name())
        })
    }

    /// Whether there is a run whose steps can still change.
    pub(super) fn has_run(&self) -> bool {
        self.snapshot.run.is_some() && !matches!(self.snapshot.status, Status::Stopped | Status::Broken(_))
    }
}
