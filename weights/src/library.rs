//! Loads a network with its weights by name: the embedded one, a pulled set, or a file of the user's.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use trepang_api::{Network, Weights};

use crate::catalog::first_look;
use crate::embedded::{embedded_bytes, minivgg};
use crate::hex::hex;
use crate::own_network::{from_onnx, is_network, network_file, not_a_network};
use crate::pull::{Digest, NoProgress, PullOptions, verify};
use crate::readers::printable;
use crate::source::LABELS_KEY;
use crate::version::Naming;
use crate::{
    Architecture, Error, Fit, Head, InputFormat, Labels, ModelInput, PICK_RULE, Result, SETS, Set, Store,
    TensorSource, find_set, fit_set, open_hashed, sets,
};

/// The value of `--labels` that means the classes of ImageNet, if there is no such file.
const IMAGENET_LABELS: &str = "imagenet";

/// The largest number of tensors that a remark names.
const MAX_NAMED: usize = 3;

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
    pub first_look: (String, usize),
    /// The origin of the weights.
    pub origin: WeightsOrigin,
    /// The choices from a file of the user's; empty for the network's own weights.
    pub taken: Taken,
}

/// The user's choices from a weights file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FileChoices {
    /// The name of a set of weights in the file; without it, the first by the rule.
    pub pick: Option<String>,
    /// The preprocessing; without it, that of the training that the names indicate.
    pub input: Option<InputFormat>,
    /// A file with the names of the classes.
    pub labels: Option<PathBuf>,
}

/// The choices from a weights file, and the remarks on them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Taken {
    /// The name of the set of weights, if the file has several that fit.
    pub pick: Option<String>,
    /// The preprocessing, if it is not that of the network's own training.
    pub input: Option<InputFormat>,
    /// Sentences on what was chosen or assumed without having been asked for.
    pub remarks: Vec<String>,
}

/// The origin of weights; their hash depends on it.
#[derive(Debug, Clone)]
pub enum WeightsOrigin {
    /// The weights are embedded in the program.
    Embedded,
    /// The weights were read from a file of the user's.
    File {
        /// The path of the file.
        path: PathBuf,
        /// The SHA-256 of the bytes that were read, 64 hexadecimal digits.
        sha256: String,
    },
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
    /// weights. That of an index of several files covers all of them: see [`open_hashed`].
    pub fn sha256(&self) -> String {
        match &self.origin {
            WeightsOrigin::Embedded => sha256(embedded_bytes()),
            WeightsOrigin::File { sha256, .. } | WeightsOrigin::Pulled { sha256 } => sha256.clone(),
            WeightsOrigin::MadeUp => String::new(),
        }
    }

    /// The file of the user's that the weights come from, if they do.
    pub fn file(&self) -> Option<&Path> {
        match &self.origin {
            WeightsOrigin::File { path, .. } => Some(path),
            WeightsOrigin::Embedded | WeightsOrigin::Pulled { .. } | WeightsOrigin::MadeUp => None,
        }
    }
}

/// The SHA-256 of `bytes` as 64 hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The SHA-256 of a file, which is read from end to end, as 64 hexadecimal digits.
pub fn file_sha256(path: &Path) -> Result<String> {
    Ok(verify(path, None, &Digest::None, &PullOptions::default(), &mut NoProgress)?.sha256)
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
    trained_with(name, file, &FileChoices::default(), store, purpose)
}

/// Like [`trained`], with what the user chooses of the file. Names of classes are for the network's own weights too.
pub fn trained_with(
    name: &str,
    file: Option<&Path>,
    choices: &FileChoices,
    store: &Store,
    purpose: Purpose,
) -> Result<Trained> {
    let mut trained = match file.or_else(|| network_file(name)) {
        Some(path) if is_network(name, path) => from_onnx(path, choices, purpose)?,
        Some(path) if network_file(name) == Some(path) => return Err(not_a_network(path)),
        Some(path) => from_file(name, path, choices, purpose)?,
        None if name == Architecture::Minivgg.name() => minivgg()?,
        None => pulled(find_pulled(name, store, purpose)?, store)?,
    };
    // A trunk has no classes to name.
    if let Some(path) = choices.labels.as_deref().filter(|_| !trained.labels.is_empty()) {
        trained.labels = named_classes(path, &trained)?;
    }
    Ok(trained)
}

/// The names in a file for the classes of a network. Fails for another number of names.
fn named_classes(path: &Path, trained: &Trained) -> Result<Labels> {
    let by_word = path == Path::new(IMAGENET_LABELS) && !path.exists();
    let labels = if by_word { Labels::imagenet()? } else { Labels::read(path)? };
    let classes = trained.labels.len();
    if labels.len() == classes {
        return Ok(labels);
    }
    Err(Error::LabelCount {
        path: path.into(),
        found: labels.len(),
        network: trained.network.name().into(),
        classes,
    })
}

fn owned_first_look(architecture: Architecture) -> (String, usize) {
    let (layer, channel) = first_look(architecture);
    (layer.into(), channel)
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
        labels: labels(&fit, source.as_ref())?,
        network: fit.network,
        weights,
        first_look: owned_first_look(set.architecture),
        origin: WeightsOrigin::Pulled { sha256 },
        taken: Taken::default(),
    })
}

fn from_file(name: &str, path: &Path, choices: &FileChoices, purpose: Purpose) -> Result<Trained> {
    let architecture = architecture(name)?;
    let (source, sha256) = open_hashed(path)?;
    let fit = fit_set(architecture, source.as_ref(), choices.pick.as_deref())?;
    let asked = &FileChoices { input: choices.input.or(fit.said_input(source.as_ref())), ..choices.clone() };
    if purpose == Purpose::Classes {
        check_classes(&fit, path)?;
        check_input(source.as_ref(), choices)?;
    }
    let taken = taken(&fit, source.as_ref(), (choices, asked))?;
    let fit = match asked.input {
        Some(input) => fit.with_input(input),
        None => fit,
    };
    let weights = fit.weights(source.as_ref(), &mut |_, _| true)?;
    Ok(Trained {
        name: name.into(),
        labels: labels(&fit, source.as_ref())?,
        network: fit.network,
        weights,
        first_look: owned_first_look(architecture),
        origin: WeightsOrigin::File { path: path.into(), sha256 },
        taken,
    })
}

/// Fails for weights without classes that can be computed.
fn check_classes(fit: &Fit, path: &Path) -> Result<()> {
    let network = fit.architecture.name();
    match &fit.head {
        Head::Own | Head::Linear { .. } => Ok(()),
        Head::Missing => Err(Error::NoClassifier { name: path.display().to_string() }),
        Head::Unlike(reason) => {
            Err(Error::UnlikeHead { path: path.into(), network, reason: printable(reason) })
        }
        Head::Broken(reason) => {
            Err(Error::Misfit { path: path.into(), network, reason: reason.clone(), export: String::new() })
        }
        Head::Other(tensors) => {
            Err(Error::OtherHead { path: path.into(), network, tensors: some_of(tensors) })
        }
    }
}

/// Fails where the file's model has a first layer that is not computed, and the user does not say what that means.
fn check_input(source: &dyn TensorSource, choices: &FileChoices) -> Result<()> {
    match source.model().map(|model| &model.input) {
        Some(ModelInput::Other(layer)) if choices.input.is_none() => {
            Err(Error::UncomputedInput { path: source.path().into(), layer: printable(layer) })
        }
        _ => Ok(()),
    }
}

/// The choices from a file, as the user made them and with what the file says, and a remark on each that the user did not
/// make.
fn taken(
    fit: &Fit,
    source: &dyn TensorSource,
    (choices, asked): (&FileChoices, &FileChoices),
) -> Result<Taken> {
    let path = source.path().display();
    let all = sets(source)?;
    let same: Vec<&str> =
        all.iter().filter(|set| set.architecture == fit.architecture).map(Fit::key).collect();
    let mut remarks = Vec::new();
    if same.len() > 1 && choices.pick.is_none() {
        let others: Vec<&str> = same.iter().copied().filter(|key| *key != fit.key()).collect();
        remarks.push(format!(
            "{path} holds {} sets of weights that fit, and \"{}\" is taken ({PICK_RULE}); --pick takes another: {}",
            same.len(),
            printable(fit.key()),
            printable(others.join(", "))
        ));
    }
    remarks.extend(about_head(fit, source));
    if let Head::Linear { name, .. } = &fit.head
        && fit.is_on_means()
    {
        remarks.push(format!(
            "{path}: {} is taken to read the means of the last features over their positions",
            printable(name)
        ));
    }
    remarks.extend(about_input(source, choices));
    if asked.input.is_none() && !fit.is_certain() && !is_published(source.path()) {
        remarks.push(format!(
            "{path} is taken for {}'s training by {}, which sees {}; --input says otherwise",
            fit.dialect,
            if fit.naming == Naming::Numbered { "the positions of its modules" } else { "its names" },
            fit.architecture.preprocessing(fit.dialect)
        ));
    }
    let pick = (same.len() > 1).then(|| fit.key().to_owned());
    Ok(Taken { pick, input: asked.input, remarks })
}

/// A remark on what is left out of a file, if anything is.
fn about_head(fit: &Fit, source: &dyn TensorSource) -> Option<String> {
    let path = source.path().display();
    match &fit.head {
        Head::Broken(reason) | Head::Unlike(reason) => {
            Some(format!("{path} is taken without its classes: {}", printable(reason)))
        }
        _ if fit.unused.is_empty() => None,
        Head::Other(tensors) => {
            Some(format!("{path} has another head, which is left out: {}", some_of(tensors)))
        }
        Head::Own | Head::Linear { .. } | Head::Missing => Some(format!(
            "{path} has tensors that are no part of {} and are left out: {}",
            fit.architecture,
            some_of(&fit.unused)
        )),
    }
}

/// A remark on the first layers of the file's model, unless the user says what the network sees.
fn about_input(source: &dyn TensorSource, choices: &FileChoices) -> Option<String> {
    let path = source.path().display();
    match source.model().filter(|_| choices.input.is_none()).map(|model| &model.input)? {
        ModelInput::Unchanged => None,
        ModelInput::Scaled(input, layers) => Some(format!(
            "{path} has its preprocessing in its layers ({}), so --input {input} is assumed: {}",
            printable(layers),
            input.description()
        )),
        ModelInput::Other(layer) => Some(format!(
            "{path} has a layer before the network that is left out ({}); --input says what the network sees",
            printable(layer)
        )),
    }
}

/// The first of these names, safe to print, and how many more there are.
fn some_of(names: &[String]) -> String {
    let first: Vec<String> = names.iter().take(MAX_NAMED).map(printable).collect();
    match names.len().saturating_sub(MAX_NAMED) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// Whether a file is one of the published ones, by its size and hash. It is read only if the size is right.
pub fn is_published(path: &Path) -> bool {
    let Ok(size) = path.metadata().map(|about| about.len()) else { return false };
    let is_of_size = |set: &&Set| match set.size {
        Some(published) => published == size,
        None => (size as f64 / 1e6).round() as u32 == set.megabytes,
    };
    let is =
        |set: &Set| verify(path, set.size, &set.digest(), &PullOptions::default(), &mut NoProgress).is_ok();
    let has_hash = |set: &&Set| set.digest() != Digest::None;
    SETS.iter().filter(has_hash).filter(is_of_size).any(is)
}

/// The names of the classes: those of the network's own classes, and numbers for another head.
fn labels(fit: &Fit, source: &dyn TensorSource) -> Result<Labels> {
    match (&fit.head, fit.architecture) {
        (Head::Own, Architecture::Minivgg) => Ok(minivgg()?.labels),
        (Head::Own, Architecture::InceptionV1) => {
            let names = source.metadata().get(LABELS_KEY).map(String::as_str).unwrap_or_default();
            Ok(Labels::beginning_with(names, fit.classes().unwrap_or_default()))
        }
        (Head::Own, _) => Labels::imagenet(),
        (Head::Linear { classes, .. }, _) => Ok(Labels::numbers(*classes)),
        (Head::Other(_) | Head::Broken(_) | Head::Unlike(_) | Head::Missing, _) => Ok(Labels::default()),
    }
}
