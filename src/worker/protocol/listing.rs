//! The lists to choose from: networks, backends and devices; and the description of the network that was chosen.

use serde::{Deserialize, Serialize};
use trepang_api::InputSize;

use crate::engine::{PictureSize, Recipe, check_size};

/// A network and what computes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkInfo {
    /// The network's name.
    pub name: String,
    /// The name of the backend that computes it.
    pub backend: String,
    /// The device that it is on, as it is typed.
    pub device: String,
    /// The number of host threads that compute.
    pub threads: usize,
    /// The number of learnt parameters of the network.
    pub parameters: usize,
    /// The weights' file, if they are not the network's own.
    pub weights: Option<String>,
    /// The sizes of images that the network takes.
    pub sizes: ImageSizes,
}

/// The sides of images that a network takes, in pixels: the least one, and those at whole steps from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageSizes {
    /// The side of the squares that the network was trained at.
    pub native: usize,
    /// The smallest one.
    pub least: usize,
    /// The distance of two sides.
    pub multiple: usize,
}

impl From<InputSize> for ImageSizes {
    fn from(InputSize { native, min, multiple }: InputSize) -> Self {
        Self { native, least: min, multiple }
    }
}

impl ImageSizes {
    /// Checks that a picture of this size can be made by a recipe. Fails with a clause.
    pub fn check(self, recipe: &Recipe, size: PictureSize) -> Result<(), String> {
        let Self { native, least, multiple } = self;
        check_size(recipe, InputSize { native, min: least, multiple }, size)
    }
}

/// A layer of a network, and its shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerInfo {
    /// The layer's name, without `:pre`.
    pub name: String,
    /// The kind of its operation, such as `relu`.
    pub kind: String,
    /// The number of its channels.
    pub channels: usize,
    /// Rows of a channel, at the network's own size.
    pub height: usize,
    /// Columns of a channel, at the network's own size.
    pub width: usize,
    /// Whether the layer has a form before its ReLU.
    pub has_pre: bool,
}

/// The network on the device, as far as a dashboard shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkView {
    /// The network and what computes it.
    pub info: NetworkInfo,
    /// Its layers, without those that are only a form before a ReLU.
    pub layers: Vec<LayerInfo>,
    /// The names of its classes; none without a classifier.
    pub classes: Vec<String>,
    /// The side of its images, in pixels.
    pub size: usize,
    /// A layer and a channel worth looking at first.
    pub first_look: (String, usize),
}

/// A network that can be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkEntry {
    /// The network's name.
    pub name: String,
    /// The place that its weights would be read from.
    pub supply: Supply,
    /// The size of its file, in millions of bytes.
    pub megabytes: u32,
    /// Whether the network ends in a classifier.
    pub classifier: bool,
}

/// The place of a network's weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Supply {
    /// The weights are part of the program.
    Embedded,
    /// The weights are in Trepang's own folder.
    Pulled,
    /// The weights are in the cache of another program, which is named.
    Found(String),
    /// The network and its weights are in a file of the user's.
    File,
    /// The weights are only where they are published.
    Published,
}

impl NetworkEntry {
    /// Whether the network can be opened at once.
    pub fn is_here(&self) -> bool {
        matches!(self.supply, Supply::Embedded | Supply::Pulled | Supply::File)
    }
}

/// A backend on one of its devices, or one that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceEntry {
    /// The backend's name.
    pub backend: String,
    /// The device, as it is typed, and what it is; or why the backend cannot be used.
    pub device: Result<(String, String), String>,
}
