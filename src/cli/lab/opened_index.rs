//! An index that a question is asked of, and the network that it is of.

use std::path::{Path, PathBuf};

use anyhow::Result;
use trepang_weights::{Error as WeightsError, Purpose, Trained};

use super::index::index_folder;
use crate::cli::output;
use crate::config::args::ComputeArgs;
use crate::config::{Usage, find_chosen};
use crate::lab::{Error, IndexManifest, IndexedLayer, pictures_seen};
use crate::worker::label_name;

/// An index with its folder.
#[derive(Debug)]
pub(super) struct OpenedIndex {
    pub(super) folder: PathBuf,
    pub(super) manifest: IndexManifest,
}

impl OpenedIndex {
    /// The index in the folder that is named, or in the default one.
    pub(super) fn open(given: Option<&Path>) -> Result<Self> {
        let folder = index_folder(given)?;
        let missing = || Error::NoIndex { folder: folder.clone() };
        let manifest = IndexManifest::read(&folder)?.ok_or_else(missing)?;
        Ok(Self { folder, manifest })
    }

    /// The layer that is named, or the only one.
    pub(super) fn layer(&self, given: Option<&str>) -> Result<IndexedLayer> {
        let layer = self.named_layer(given)?;
        let seen = pictures_seen(&self.manifest.shards(&self.folder, &layer))?;
        let pictures = self.manifest.pictures;
        if seen < pictures {
            output::remark(format_args!(
                "the index in {} has {} of the first {seen} of {pictures} pictures; the command that made it goes on",
                self.folder.display(),
                layer.layer
            ));
        }
        Ok(layer)
    }

    fn named_layer(&self, given: Option<&str>) -> Result<IndexedLayer> {
        let names: Vec<&str> = self.manifest.layers.iter().map(|layer| layer.layer.as_str()).collect();
        let (folder, known) = (self.folder.display(), names.join(", "));
        match (given, &self.manifest.layers[..]) {
            (None, [only]) => Ok(only.clone()),
            (None, _) => Err(Usage(format!("name a layer with --layer; the index in {folder} has {known}")).into()),
            (Some(name), _) => self.manifest.layer(name).cloned().ok_or_else(|| {
                Usage(format!(
                    "the index in {folder} has no layer {name}, but {known}; `trepang lab index` with the same pictures adds it"
                ))
                .into()
            }),
        }
    }

    /// The network of the index. Fails for another network's flags, and for other weights than it was made with.
    pub(super) fn trained(&self, args: &ComputeArgs) -> Result<Trained> {
        let (folder, network) = (self.folder.display(), &self.manifest.network);
        let other = |what: String| Usage(format!("the index in {folder} is of {network}{what}"));
        let named = args.network.clone().or_else(|| Some(network.clone()));
        let trained = any_trained(&ComputeArgs { network: named, ..args.clone() })?;
        if trained.name != *network {
            return Err(other(format!(", not of {}", trained.name)).into());
        }
        if trained.sha256() != self.manifest.weights_sha256 {
            return Err(other(" with other weights; name them with --weights".into()).into());
        }
        Ok(trained)
    }
}

/// The network that the flags name, with its classifier if it has one.
pub(super) fn any_trained(args: &ComputeArgs) -> Result<Trained> {
    match find_chosen(args, Purpose::Classes) {
        Err(error) if matches!(error.downcast_ref(), Some(WeightsError::NoClassifier { .. })) => {
            find_chosen(args, Purpose::Features)
        }
        other => other,
    }
}

/// The label among the `known` ones that a text of the user's means: itself, or another way to say the network's class.
pub(super) fn label_of(text: &str, known: &[&str], place: &str, trained: &Trained) -> Result<String> {
    let meant = trained.labels.find(text);
    let is_meant = |label: &&&str| **label == text || meant.is_some() && trained.labels.find(label) == meant;
    let own = known.iter().find(|label| **label == text);
    let found = own.or_else(|| known.iter().find(is_meant));
    let missing = || Usage(format!("no photograph of {place} is of the class {text}"));
    Ok((*found.ok_or_else(missing)?).to_owned())
}

/// The name of a label: that of its class, or the data set's own.
pub(super) fn name_of(label: Option<&str>, trained: &Trained) -> String {
    label_name(&trained.labels, label)
}
