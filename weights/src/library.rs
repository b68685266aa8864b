//! Loads a network with its weights by name: the embedded one, a pulled set, or a file of the user's.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use trepang_api::{Network, Weights};

use crate::catalog::first_look;
use crate::embedded::{embedded_bytes, minivgg};
use crate::pull::{Digest, NoProgress, PullOptions, verify};
use crate::{Architecture, Error, Labels, Result, SETS, Set, Store, TensorSource, find_set, fit, open};

/// A network with weights that fit it and with the names of its classes.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The name of the set that was found, which can be longer than the name asked for (`vgg19+top` for `vgg19`).
    pub name: String,
    /// The structure of the network, as data.
    pub network: Network,
    /// The tensors that the network's operations read.
    pub weights: Weights,
    /// The classes of the logits, in their order; empty without a classifier.
    pub labels: Labels,
    /// The layer and the channel that the dashboard starts with.
    pub first_look: (&'static str, usize),
    /// Where the weights were read from.
    pub origin: WeightsOrigin,
}

/// Where weights were read from; their hash depends on it.
#[derive(Debug, Clone)]
pub enum WeightsOrigin {
    /// The weights are embedded in the program.
    Embedded,
    /// The weights were read from this file of the user's.
    File(PathBuf),
    /// The weights are a pulled set, whose metadata has the hash of the published file.
    Pulled {
        /// The SHA-256 of the published file, 64 hexadecimal digits.
        sha256: String,
    },
    /// The weights are computed from the names of the tensors, see [`MadeUp`](crate::MadeUp).
    MadeUp,
}

impl Trained {
    /// The SHA-256 of the file that the weights come from (for a pulled set, of the published file); empty for made-up
    /// weights. A file of the user's is read from end to end, which can fail.
    pub fn sha256(&self) -> Result<String> {
        let of = |verified: crate::pull::Result<crate::pull::Verified>| Ok(verified?.sha256);
        match &self.origin {
            WeightsOrigin::Embedded => Ok(sha256(embedded_bytes())),
            WeightsOrigin::File(path) => {
                of(verify(path, None, &Digest::None, &PullOptions::default(), &mut NoProgress))
            }
            WeightsOrigin::Pulled { sha256 } => Ok(sha256.clone()),
            WeightsOrigin::MadeUp => Ok(String::new()),
        }
    }
}

/// The SHA-256 of `bytes` as 64 hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    let digits = |text: String, byte: &u8| text + &format!("{byte:02x}");
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), digits)
}

/// The purpose that a network is loaded for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To visualise its channels: weights without the classifier are enough.
    Features,
    /// To classify pictures: the weights must include the classifier.
    Classes,
}

/// Loads the network called `name` with its own weights, or with those of `file`. Fails for an unknown name, for a set
/// that has not been pulled, and for weights that do not fit.
pub fn trained(name: &str, file: Option<&Path>, store: &Store, purpose: Purpose) -> Result<Trained> {
    match file {
        Some(path) => from_file(name, path, purpose),
        None if name == Architecture::Minivgg.name() => minivgg(),
        None => pulled(find_pulled(name, store, purpose)?, store),
    }
}

/// The architecture of the network or set called `name`.
pub fn architecture(name: &str) -> Result<Architecture> {
    let by_name = Architecture::ALL.into_iter().find(|architecture| architecture.name() == name);
    by_name.map_or_else(|| Ok(find_set(name)?.architecture), Ok).map_err(|error| match error {
        Error::UnknownSet { name, .. } => Error::UnknownNetwork { name, known: names().join(", ") },
        error => error,
    })
}

/// Every name that [`trained`] accepts: the embedded network and the sets of the catalog.
pub fn names() -> Vec<&'static str> {
    std::iter::once(Architecture::Minivgg.name()).chain(SETS.iter().map(|set| set.name)).collect()
}

/// The set that `name` means: the set of that name, or the one with the classifier where classes are wanted or only that
/// one has been pulled.
fn find_pulled(name: &str, store: &Store, purpose: Purpose) -> Result<&'static Set> {
    architecture(name)?;
    let set = find_set(name)?;
    let whole = find_set(&format!("{name}+top")).ok();
    match (purpose, whole) {
        (Purpose::Classes, _) if set.classifier => Ok(set),
        (Purpose::Classes, Some(whole)) => Ok(whole),
        (Purpose::Classes, None) => Err(Error::NoClassifier { name: name.into() }),
        (Purpose::Features, Some(whole)) if !store.has(set) && store.has(whole) => Ok(whole),
        (Purpose::Features, _) => Ok(set),
    }
}

/// Loads a set of the store. Its tensors stay in the file, which is mapped into memory.
fn pulled(set: &Set, store: &Store) -> Result<Trained> {
    let (source, fit) = store.open(set)?;
    let weights = fit.weights(source.as_ref(), &mut |_, _| true)?;
    let sha256 = source.metadata().get("source_sha256").cloned().unwrap_or_default();
    Ok(Trained {
        name: set.name.into(),
        labels: labels(set.architecture, fit.classifier)?,
        network: fit.network,
        weights,
        first_look: first_look(set.architecture),
        origin: WeightsOrigin::Pulled { sha256 },
    })
}

fn from_file(name: &str, path: &Path, purpose: Purpose) -> Result<Trained> {
    let architecture = architecture(name)?;
    let source: Box<dyn TensorSource> = open(path)?;
    let fit = fit(architecture, source.as_ref())?;
    if purpose == Purpose::Classes && !fit.classifier {
        return Err(Error::NoClassifier { name: path.display().to_string() });
    }
    let weights = fit.weights(source.as_ref(), &mut |_, _| true)?;
    Ok(Trained {
        name: name.into(),
        labels: labels(architecture, fit.classifier)?,
        network: fit.network,
        weights,
        first_look: first_look(architecture),
        origin: WeightsOrigin::File(path.into()),
    })
}

fn labels(architecture: Architecture, classifier: bool) -> Result<Labels> {
    match architecture {
        _ if !classifier => Ok(Labels::default()),
        Architecture::Minivgg => Ok(minivgg()?.labels),
        _ => Labels::imagenet(),
    }
}
