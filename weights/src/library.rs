//! From the name of a network to the network with its weights: embedded, pulled, or in a file of the user's.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use trepang_api::{Network, Weights};

use crate::catalog::first_look;
use crate::embedded::{embedded_bytes, minivgg};
use crate::pull::{Digest, Options, Silent, verify};
use crate::{Architecture, Error, Labels, Result, SETS, Set, Source, Store, find_set, fit, open};

/// A network with what makes it usable: weights that fit it, and names for its classes.
#[derive(Debug, Clone)]
pub struct Trained {
    /// What it is asked for by: the set that was found, where a shorter name was given (`vgg19+top` for `vgg19`).
    pub name: String,
    /// The network.
    pub network: Network,
    /// Weights that fit it.
    pub weights: Weights,
    /// The classes of its logits; empty without a classifier.
    pub labels: Labels,
    /// A layer and a channel worth looking at first.
    pub first_look: (&'static str, usize),
    /// Where the weights were read from.
    pub origin: Origin,
}

/// Where weights were read from, for their hash.
#[derive(Debug, Clone)]
pub enum Origin {
    /// Out of the binary.
    Embedded,
    /// A file of the user's.
    File(PathBuf),
    /// A pulled set, which names the hash of the file that it was made from.
    Pulled {
        /// The SHA-256 of that file.
        sha256: String,
    },
    /// Nowhere: they are made up from names, the same ones each time.
    MadeUp,
}

impl Trained {
    /// SHA-256 of the bytes that the weights were read from: for a pulled set, of the published file. Reads a file
    /// of the user's from end to end.
    pub fn sha256(&self) -> Result<String> {
        let of = |verified: crate::pull::Result<crate::pull::Verified>| Ok(verified?.sha256);
        match &self.origin {
            Origin::Embedded => Ok(sha256(embedded_bytes())),
            Origin::File(path) => of(verify(path, None, &Digest::None, &Options::default(), &mut Silent)),
            Origin::Pulled { sha256 } => Ok(sha256.clone()),
            Origin::MadeUp => Ok(String::new()),
        }
    }
}

/// SHA-256 in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    let digits = |text: String, byte: &u8| text + &format!("{byte:02x}");
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), digits)
}

/// What a network is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// Its channels: the smaller file will do.
    Features,
    /// Its classes.
    Classes,
}

/// The network called `name`, with its own weights or with those of a file. Fails for a name that is neither a
/// network's nor a set's, for a set that has not been pulled, and for weights that do not fit.
pub fn trained(name: &str, file: Option<&Path>, store: &Store, want: Want) -> Result<Trained> {
    match file {
        Some(path) => from_file(name, path, want),
        None if name == Architecture::Minivgg.name() => minivgg(),
        None => pulled(find_pulled(name, store, want)?, store),
    }
}

/// The architecture that a network's or a set's name means.
pub fn architecture(name: &str) -> Result<Architecture> {
    let by_name = Architecture::ALL.into_iter().find(|architecture| architecture.name() == name);
    by_name.map_or_else(|| Ok(find_set(name)?.architecture), Ok).map_err(|error| match error {
        Error::UnknownSet { name, .. } => Error::UnknownNetwork { name, known: names().join(", ") },
        error => error,
    })
}

/// Every name that a network can be asked for by.
pub fn names() -> Vec<&'static str> {
    std::iter::once(Architecture::Minivgg.name()).chain(SETS.iter().map(|set| set.name)).collect()
}

/// The set that `name` means: itself, or the whole one where classes are wanted or only that is there.
fn find_pulled(name: &str, store: &Store, want: Want) -> Result<&'static Set> {
    architecture(name)?;
    let set = find_set(name)?;
    let whole = find_set(&format!("{name}+top")).ok();
    match (want, whole) {
        (Want::Classes, _) if set.classifier => Ok(set),
        (Want::Classes, Some(whole)) => Ok(whole),
        (Want::Classes, None) => Err(Error::NoClassifier { name: name.into() }),
        (Want::Features, Some(whole)) if !store.has(set) && store.has(whole) => Ok(whole),
        (Want::Features, _) => Ok(set),
    }
}

/// A set of the store. Its tensors stay in the file, which is mapped into memory.
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
        origin: Origin::Pulled { sha256 },
    })
}

fn from_file(name: &str, path: &Path, want: Want) -> Result<Trained> {
    let architecture = architecture(name)?;
    let source: Box<dyn Source> = open(path)?;
    let fit = fit(architecture, source.as_ref())?;
    if want == Want::Classes && !fit.classifier {
        return Err(Error::NoClassifier { name: path.display().to_string() });
    }
    let weights = fit.weights(source.as_ref(), &mut |_, _| true)?;
    Ok(Trained {
        name: name.into(),
        labels: labels(architecture, fit.classifier)?,
        network: fit.network,
        weights,
        first_look: first_look(architecture),
        origin: Origin::File(path.into()),
    })
}

fn labels(architecture: Architecture, classifier: bool) -> Result<Labels> {
    match architecture {
        _ if !classifier => Ok(Labels::default()),
        Architecture::Minivgg => Ok(minivgg()?.labels),
        _ => Labels::imagenet(),
    }
}
