//! Which network a weights file holds, and in whose version: found by the names and shapes of its tensors. Not
//! here: their numbers (`convert`).

use trepang_api::Network;

use crate::index::{self, Index};
use crate::layout::{self, Part};
use crate::{Architecture, Dialect, Error, Format, Result, Source, TensorInfo};

/// A file and the network it holds.
#[derive(Debug)]
pub struct Fit {
    /// The structure.
    pub architecture: Architecture,
    /// Whose version.
    pub dialect: Dialect,
    /// Is the classifier there?
    pub classifier: bool,
    /// The network in that version.
    pub network: Network,
    pub(crate) parts: Vec<Part>,
    pub(crate) index: Index,
    /// Does the file hold the network's own tensors, batch norm folded and RGB first?
    pub(crate) canonical: bool,
}

/// Key of the metadata that says whose version a file of Trepang's own is.
pub(crate) const DIALECT: &str = "dialect";

/// Finds `architecture` in a file. Fails with what is missing, superfluous or of the wrong shape in the version
/// that comes closest, or with the name of the network that the file does hold.
pub fn fit(architecture: Architecture, source: &dyn Source) -> Result<Fit> {
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

/// The network that a file holds, if it is one that is known.
pub fn recognise(source: &dyn Source) -> Option<Fit> {
    Architecture::ALL.into_iter().find_map(|architecture| closest(architecture, source).ok())
}

/// The version of `architecture` that the file fits, or what is wrong with the one that it comes closest to.
fn closest(architecture: Architecture, source: &dyn Source) -> Result<Fit> {
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

/// What a file with this version of `architecture` holds, in the order of its kind of file; a Keras file's layers
/// come by kind. The other side of [`fit`], for whoever makes such a file up.
pub fn tensors_of(architecture: Architecture, dialect: Dialect, classifier: bool) -> Result<Vec<TensorInfo>> {
    let network = architecture.network(dialect, classifier)?;
    let mut parts = layout::native(&network, architecture, dialect);
    if dialect == Dialect::Keras {
        let layers: Vec<String> = parts.iter().map(|part| part.layer.clone()).collect();
        let convs = layout::convolution_order(architecture, &layers);
        parts.sort_by_key(|part| convs.iter().position(|layer| *layer == part.layer).unwrap_or(convs.len()));
    }
    let info = |(name, shape): (&str, Vec<usize>)| TensorInfo {
        name: name.into(),
        layer: name.rsplit_once('/').map(|(layer, _)| layer.into()),
        shape,
        dtype: "F32".into(),
    };
    Ok(parts.iter().flat_map(|part| part.tensors().map(info).collect::<Vec<_>>()).collect())
}

/// How far a file is from a version, and the first thing that is wrong.
struct Misfit {
    faults: usize,
    error: Error,
}

/// Every version that the file can hold: the one it names itself, or those whose names its format allows; each
/// with its classifier first.
fn candidates(architecture: Architecture, source: &dyn Source) -> Result<Vec<Result<Fit, Misfit>>> {
    let is_keras = matches!(source.format(), Format::KerasLegacy | Format::Keras3);
    let word = source.metadata().get(DIALECT);
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
    source: &dyn Source,
    architecture: Architecture,
    dialect: Dialect,
    (classifier, canonical): (bool, bool),
    network: Network,
) -> Result<Fit, Misfit> {
    let parts = match canonical {
        true => layout::canonical(&network),
        false => layout::native(&network, architecture, dialect),
    };
    let index = match source.format() {
        Format::KerasLegacy | Format::Keras3 => {
            index::keras(source, architecture, &parts).map_err(|reason| Misfit {
                faults: parts.len(),
                error: Error::Misfit { path: source.path().into(), network: architecture.name(), reason },
            })?
        }
        _ => index::by_name(source),
    };
    Ok(Fit { architecture, dialect, classifier, network, parts, index, canonical })
}

/// Every tensor is there, has its shape, and there is no other.
fn check(fit: Fit, source: &dyn Source) -> Result<Fit, Misfit> {
    let mut faults = Vec::new();
    let mut used = vec![false; source.tensors().len()];
    for (name, expected) in fit.parts.iter().flat_map(Part::tensors) {
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
    let superfluous =
        source.tensors().iter().zip(used).filter(|(tensor, used)| !used && !is_dispensable(&tensor.name));
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

/// What comes with some files and no picture needs: counters, Inception's training head, an optimizer's state, and
/// heads that others have put on a Keras 3 trunk.
fn is_dispensable(name: &str) -> bool {
    name.ends_with("num_batches_tracked")
        || name.starts_with("AuxLogits.")
        || name.starts_with("optimizer")
        || (name.contains("/vars/") && !name.contains("layers/"))
}
