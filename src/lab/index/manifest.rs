//! `index.json`: what an index is of. Two indices with the same key have the same rows.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::lab::error::{Error, Result};
use crate::runs::write_atomic;

/// The name of the file.
const NAME: &str = "index.json";

/// The version of the shards' columns.
const FORMAT: u32 = 1;

/// Pictures of a shard. One with whole activations is smaller, since a shard is in memory while it grows.
const SHARD: usize = 1024;
const FULL_SHARD: usize = 64;

/// A layer of an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexedLayer {
    /// The layer's name.
    pub layer: String,
    /// The folder of its shards, in that of the index.
    pub folder: String,
    /// The number of its channels.
    pub channels: usize,
    /// Rows of positions.
    pub height: usize,
    /// Columns of positions.
    pub width: usize,
    /// Whether whole activations are kept.
    pub full: bool,
    /// Whether relevances are kept: what each channel carries of the margin of a picture's own class.
    pub relevance: bool,
}

/// The content of `index.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexManifest {
    format: u32,
    /// The network's name, or that of its set of weights.
    pub network: String,
    /// The SHA-256 of its weights.
    pub weights_sha256: String,
    /// The network's preprocessing, where it was chosen; empty for its own.
    pub input: String,
    /// The side of the pictures as the network sees them, in pixels.
    pub size: usize,
    /// Whether pictures are turned as their cameras were held.
    pub upright: bool,
    /// The data set, as it was named.
    pub data_set: String,
    /// The number of its pictures, those that cannot be read included.
    pub pictures: usize,
    /// The SHA-256 of the list of its pictures, with sizes and labels.
    pub pictures_sha256: String,
    /// The layers that there are.
    pub layers: Vec<IndexedLayer>,
}

impl IndexedLayer {
    /// A layer of these sides, `[C, H, W]`, with the folder that its name gives.
    pub fn new(layer: &str, [channels, height, width]: [usize; 3]) -> Self {
        let name = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
        let folder: String = layer.chars().take(100).map(name).collect();
        let folder = if folder.starts_with('.') { format!("-{folder}") } else { folder };
        Self { layer: layer.into(), folder, channels, height, width, full: false, relevance: false }
    }
}

impl IndexManifest {
    /// A manifest of this version without layers.
    pub fn new(network: &str, weights_sha256: String, data_set: String) -> Self {
        Self {
            format: FORMAT,
            network: network.into(),
            weights_sha256,
            data_set,
            input: String::new(),
            size: 0,
            upright: false,
            pictures: 0,
            pictures_sha256: String::new(),
            layers: Vec::new(),
        }
    }

    /// The manifest of the index in `folder`; none where there is no index. Fails for one that cannot be understood.
    pub fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(NAME);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|source| Error::DamagedManifest { path, source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::ReadFile { path, source }),
        }
    }

    /// Writes it into the folder of its index.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        Ok(write_atomic(&folder.join(NAME), format!("{text}\n").as_bytes())?)
    }

    /// Fails where `self`, found in `folder`, is of something else than what is asked for now.
    pub(super) fn check(&self, now: &Self, folder: &Path) -> Result<()> {
        let other = |what: String| Err(Error::OtherIndex { folder: folder.into(), what });
        if self.format != now.format {
            return other("of another version of trepang".into());
        }
        if self.network != now.network {
            return other(format!("of the network {}", self.network));
        }
        if (&self.weights_sha256, &self.input) != (&now.weights_sha256, &now.input) {
            return other(format!("of {} with other weights or another preprocessing", self.network));
        }
        if (self.pictures, &self.pictures_sha256) != (now.pictures, &now.pictures_sha256) {
            let (was, is) = (self.pictures, now.pictures);
            return other(format!(
                "of other pictures or labels ({was} pictures of {}, and these are {is})",
                self.data_set
            ));
        }
        if self.upright != now.upright || self.size != now.size {
            return other("of the same pictures framed otherwise (see --upright)".into());
        }
        Ok(())
    }

    /// The pictures of a shard of these layers.
    pub(super) fn shard_length(layers: &[IndexedLayer]) -> usize {
        if layers.iter().any(|layer| layer.full) { FULL_SHARD } else { SHARD }
    }

    /// The text by which the shards of a layer say that they belong to this index.
    pub(super) fn key(&self, layer: &IndexedLayer, shard_length: usize) -> String {
        let Self { format, network, weights_sha256, input, size, upright, pictures_sha256, .. } = self;
        let IndexedLayer { layer, full, relevance, .. } = layer;
        format!(
            "format {format}, {network} {weights_sha256} {input}, layer {layer}, size {size}, upright {upright}, full {full}, \
             relevance {relevance}, shards of {shard_length}, pictures {pictures_sha256}"
        )
    }

    /// The layer of this name. Fails where the index does not have it.
    pub fn layer(&self, name: &str) -> Option<&IndexedLayer> {
        self.layers.iter().find(|layer| layer.layer == name)
    }

    /// The shards of a layer that are there, in order.
    pub fn shards(&self, folder: &Path, layer: &IndexedLayer) -> Vec<PathBuf> {
        let folder = folder.join(&layer.folder);
        (0..self.pictures).map(|shard| shard_path(&folder, shard)).take_while(|path| path.exists()).collect()
    }
}

/// The file of a layer's shard.
pub(super) fn shard_path(folder: &Path, shard: usize) -> PathBuf {
    folder.join(format!("part-{shard:05}.parquet"))
}
