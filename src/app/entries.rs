//! The networks and devices as the dashboard shows them: plain data that the worker fills in.

/// The network and its backend, for the network pane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkInfo {
    /// The name of the network.
    pub name: String,
    /// The name of the backend that computes it.
    pub backend: String,
    /// The device that computes it, as users type it.
    pub device: String,
    /// The number of compute threads.
    pub threads: usize,
    /// The number of parameters.
    pub parameters: usize,
    /// The path of the weights file, if the weights are not the network's own.
    pub weights: Option<String>,
}

/// A layer, for its line in the layer pane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerInfo {
    /// The name of the layer.
    pub name: String,
    /// The kind of its operation, such as `conv` or `linear`.
    pub kind: &'static str,
    /// The number of channels, C.
    pub channels: usize,
    /// The height H of a channel, at the size of the run's image.
    pub height: usize,
    /// The width W of a channel, at the size of the run's image.
    pub width: usize,
    /// Whether the layer is also available before its ReLU.
    pub has_pre: bool,
}

/// The network on the device, as the dashboard shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedNetwork {
    /// The network, its backend and its device.
    pub info: NetworkInfo,
    /// The layers, without the forms before a ReLU.
    pub layers: Vec<LayerInfo>,
    /// The names of the classes, by logit; empty without a classifier.
    pub classes: Vec<String>,
    /// The side of the network's images in pixels.
    pub size: usize,
    /// The layer and the channel that the cursor starts on.
    pub first_look: (String, usize),
}

/// A network in the list of networks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkEntry {
    /// The name that users type.
    pub name: String,
    /// Where the weights are.
    pub supply: Supply,
    /// The size of the weights in megabytes (1e6 bytes).
    pub megabytes: u32,
    /// Whether the weights include the classifier.
    pub classifier: bool,
}

/// Where a network's weights are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Supply {
    /// The weights are embedded in the program.
    Embedded,
    /// The weights are in Trepang's own folder.
    Pulled,
    /// The weights are in the cache of the program with this name.
    Found(String),
    /// The weights must be downloaded.
    Published,
}

/// A backend on one of its devices, or a backend that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceEntry {
    /// The name of the backend.
    pub backend: String,
    /// The device as users type it and its description, or the reason why the backend cannot be used.
    pub device: Result<(String, String), String>,
}

impl NetworkEntry {
    /// Whether the network can be loaded without a download.
    pub fn is_here(&self) -> bool {
        matches!(self.supply, Supply::Embedded | Supply::Pulled)
    }

    /// Tells the user the command that gets the weights.
    pub(super) fn advice(&self) -> String {
        let Self { name, megabytes, .. } = self;
        match &self.supply {
            Supply::Found(owner) => {
                format!("to import it from {owner}: trepang pull {name} ({megabytes} MB)")
            }
            _ => format!("to download it: trepang pull {name} ({megabytes} MB)"),
        }
    }
}
