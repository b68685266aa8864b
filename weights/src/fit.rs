//! Recognises which network a weights file holds, and in which version, by the names and shapes of its tensors. Reading
//! the numbers is in `convert`.

use trepang_api::Network;

use crate::index::{self, Index};
use crate::layout::{self, LayerTensors};
use crate::{Architecture, Dialect, Error, FileFormat, Result, TensorInfo, TensorSource, gray};

/// The network that was recognised in a file, and the positions of its tensors there.
#[derive(Debug)]
pub struct Fit {
    /// The structure of the network.
    pub architecture: Architecture,
    /// The training whose names and shapes the file has.
    pub dialect: Dialect,
    /// Whether the file includes the classifier.
    pub classifier: bool,
    /// The network in that version, with or without its classifier as the file has it.
    pub network: Network,
    pub(crate) entries: Vec<LayerTensors>,
    pub(crate) index: Index,
    /// Whether the file is from Trepang's own store: batch norm is folded and the first kernel reads RGB.
    pub(crate) canonical: bool,
}

/// The metadata key under which a file in Trepang's own store names its dialect.
pub(crate) const DIALECT_KEY: &str = "dialect";

/// Matches a file against `architecture`. Fails with the first tensor that is missing, superfluous or of the wrong shape in
/// the closest version, or with the name of the other network that the file holds.
pub fn fit(architecture: Architecture, source: &dyn TensorSource) -> Result<Fit> {
    let error = match closest(architecture, source) {
        Ok(fit) => return Ok(fit),
        Err(error) => error,
    };
    let others = Architecture::ALL.into_iter().filter(|&other| other != architecture);
    match others.into_iter().find_map(|other| closest(other, source).ok()) {
        Some(other) => Err(Error::OtherNetwork {
            path: source.path().into(),
            wanted: architecture.name(),
            found: other.architecture.name(),
        }),
        None => Err(error),
    }
}

/// The network that a file holds, if it is a known one.
pub fn recognise(source: &dyn TensorSource) -> Option<Fit> {
    Architecture::ALL.into_iter().find_map(|architecture| closest(architecture, source).ok())
}

/// The version of `architecture` that the file matches, or the error of the version that comes closest.
fn closest(architecture: Architecture, source: &dyn TensorSource) -> Result<Fit> {
    let mut nearest: Option<(usize, Error)> = None;
    for candidate in candidates(architecture, source)? {
        match candidate.and_then(|fit| check(fit, source)) {
            Ok(fit) => return Ok(fit),
            Err(Misfit { faults, error }) => {
                if nearest.as_ref().is_none_or(|(least, _)| faults < *least) {
                    nearest = Some((faults, error));
                }
            }
        }
    }
    Err(nearest.map_or_else(
        || Error::OtherFormat {
            path: source.path().into(),
            network: architecture.name(),
            format: source.format(),
        },
        |(_, error)| error,
    ))
}

/// The tensors of a file with this version of `architecture`, in the order of its format (Keras lists convolutions first).
/// This is the inverse of [`fit`], for tests and for [`MadeUp`](crate::MadeUp).
pub fn tensors_of(architecture: Architecture, dialect: Dialect, classifier: bool) -> Result<Vec<TensorInfo>> {
    let network = architecture.network(dialect, classifier)?;
    let mut entries = layout::native(&network, architecture, dialect);
    if dialect == Dialect::Keras {
        let layers: Vec<String> = entries.iter().map(|entry| entry.layer.clone()).collect();
        let convs = layout::convolution_order(architecture, &layers);
        entries
            .sort_by_key(|entry| convs.iter().position(|layer| *layer == entry.layer).unwrap_or(convs.len()));
    }
    let info = |(name, shape): (&str, Vec<usize>)| TensorInfo {
        name: name.into(),
        layer: name.rsplit_once('/').map(|(layer, _)| layer.into()),
        shape,
        dtype: "F32".into(),
    };
    Ok(entries.iter().flat_map(|entry| entry.tensors().map(info).collect::<Vec<_>>()).collect())
}

/// The number of tensors that do not match a version, and the error about the first of them.
struct Misfit {
    faults: usize,
    error: Error,
}

/// Every version that the file can hold: the one that its metadata names, or else those that its format allows. For each
/// version, the network with the classifier comes first.
fn candidates(architecture: Architecture, source: &dyn TensorSource) -> Result<Vec<Result<Fit, Misfit>>> {
    let is_keras = matches!(source.format(), FileFormat::KerasLegacy | FileFormat::Keras3);
    let word = source.metadata().get(DIALECT_KEY);
    let possible = |dialect: &&Dialect| match word {
        Some(name) => name == dialect.name(),
        None => is_keras == (**dialect == Dialect::Keras),
    };
    let mut candidates = Vec::new();
    for &dialect in architecture.dialects().iter().filter(possible) {
        for classifier in [true, false] {
            let network = architecture.network(dialect, classifier)?;
            candidates.push(candidate(source, architecture, dialect, (classifier, word.is_some()), network));
        }
    }
    Ok(candidates)
}

fn candidate(
    source: &dyn TensorSource,
    architecture: Architecture,
    dialect: Dialect,
    (classifier, canonical): (bool, bool),
    network: Network,
) -> Result<Fit, Misfit> {
    let mut entries =
        if canonical { layout::canonical(&network) } else { layout::native(&network, architecture, dialect) };
    let index = match source.format() {
        FileFormat::KerasLegacy | FileFormat::Keras3 => index::keras(source, architecture, &entries)
            .map_err(|reason| Misfit {
                faults: entries.len(),
                error: Error::Misfit { path: source.path().into(), network: architecture.name(), reason },
            })?,
        _ => index::by_name(source),
    };
    let first = entries.first().and_then(|entry| index.get(&entry.kernel.name));
    let network = gray::adapt(network, &mut entries, first.map(|&at| source.tensors()[at].shape.as_slice()));
    Ok(Fit { architecture, dialect, classifier, network, entries, index, canonical })
}

/// Checks that every tensor is there and has the right shape, and that there is no other tensor.
fn check(fit: Fit, source: &dyn TensorSource) -> Result<Fit, Misfit> {
    let mut faults = Vec::new();
    let mut used = vec![false; source.tensors().len()];
    for (name, expected) in fit.entries.iter().flat_map(LayerTensors::tensors) {
        match fit.index.get(name) {
            None => faults.push(format!("tensor \"{name}\" is missing among the file's {}", used.len())),
            Some(&at) => {
                used[at] = true;
                let found = &source.tensors()[at].shape;
                if *found != expected {
                    faults
                        .push(format!("tensor \"{name}\" has shape {found:?} where {expected:?} is needed"));
                }
            }
        }
    }
    let prefix = index::prefix(source);
    let superfluous = source.tensors().iter().zip(used).filter(|(tensor, used)| {
        !used && tensor.name.starts_with(&prefix) && !is_dispensable(&tensor.name[prefix.len()..])
    });
    faults.extend(superfluous.map(|(tensor, _)| format!("tensor {:?} has no place in it", tensor.name)));
    let count = faults.len();
    match faults.into_iter().next() {
        None => Ok(fit),
        Some(reason) => Err(Misfit {
            faults: count,
            error: Error::Misfit { path: source.path().into(), network: fit.architecture.name(), reason },
        }),
    }
}

/// Whether a tensor may be ignored: counters of batch norm, Inception's auxiliary classifier, an optimizer's state, and
/// layers that somebody added on top of a Keras 3 trunk.
fn is_dispensable(name: &str) -> bool {
    name.ends_with("num_batches_tracked")
        || name.starts_with("AuxLogits.")
        || name.starts_with("optimizer")
        || (name.contains("/vars/") && !name.contains("layers/"))
}
