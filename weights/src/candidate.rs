//! Searches a file for the trunks of networks: for each version of a network and each prefix, whether every tensor
//! before the head is there with the right shape. The head is judged in `fit`.

use std::rc::Rc;

use trepang_api::Network;

use crate::index::{self, Index};
use crate::layout::LayerTensors;
use crate::misfit::Misfit;
use crate::prefix::{first_word, is_dispensable, prefixes};
use crate::version::{Naming, Part, Version, versions};
use crate::wrapped::without_wrappers;
use crate::{Architecture, FileFormat, Result, TensorInfo, TensorSource, gray};

/// A trunk that was found.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub version: Rc<Version>,
    pub prefix: String,
    /// Whether everything up to the last features is there, so that a head can be on it.
    pub has_features: bool,
    pub entries: Vec<LayerTensors>,
    /// Whether the first kernel reads one channel, so that the network is one for gray pictures.
    pub is_gray: bool,
    /// Positions in the file by the network's own names of its tensors.
    pub positions: Index,
    /// Positions by name in the file.
    names: Rc<Index>,
    /// The beginning of the network's own names that is left out in the file.
    dropped: String,
}

impl Candidate {
    /// The network up to what the file has.
    pub(crate) fn network(&self) -> Network {
        self.adapted(match &self.version.trunk {
            Some(trunk) if !self.has_features => trunk.network.clone(),
            _ => self.version.features.network.clone(),
        })
    }

    /// A network of this version as the file has it: for gray pictures, where the first kernel is such a one.
    pub(crate) fn adapted(&self, network: Network) -> Network {
        if self.is_gray { network.for_gray_pictures() } else { network }
    }

    /// The position of the tensor that the network calls `name`.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        FileNames { index: &self.names, prefix: &self.prefix, dropped: &self.dropped }.get(name)
    }

    /// The extent of the network under this candidate's names: the last features, and the network's own head.
    fn reach(&self) -> (bool, bool) {
        let head = self.version.head.as_ref().and_then(|own| self.position(&own.kernel.name));
        (self.has_features, head.is_some())
    }

    pub(crate) fn reads(&self, position: usize) -> bool {
        self.positions.values().any(|&at| at == position)
    }
}

/// The names of a file as a network sees them: without a prefix, and with a first name that the file leaves out.
#[derive(Debug, Clone, Copy)]
struct FileNames<'a> {
    index: &'a Index,
    prefix: &'a str,
    dropped: &'a str,
}

impl FileNames<'_> {
    fn get(&self, name: &str) -> Option<usize> {
        let rest = name.strip_prefix(self.dropped)?;
        self.index.get(&format!("{}{rest}", self.prefix)).copied()
    }
}

/// The trunks of these architectures in a file, and the misfit that comes closest.
pub(crate) fn search(
    architectures: &[Architecture],
    source: &dyn TensorSource,
) -> Result<(Vec<Candidate>, Option<Misfit>)> {
    let is_keras = matches!(source.format(), FileFormat::KerasLegacy | FileFormat::Keras3);
    let by_name = Rc::new(if is_keras { Index::new() } else { index::by_name(source) });
    let (mut found, mut nearest) = (Vec::new(), None);
    for &architecture in architectures {
        let mut of_network: Vec<Candidate> = Vec::new();
        for version in versions(architecture, source, is_keras)? {
            let names = if is_keras {
                let whole = version.entries_of_all();
                match index::keras(source, architecture, &whole) {
                    Ok(index) => Rc::new(index),
                    Err(reason) => {
                        Misfit::keep(&mut nearest, Misfit::unreadable(architecture, reason, whole.len()));
                        continue;
                    }
                }
            } else {
                Rc::clone(&by_name)
            };
            let version = Rc::new(version);
            let mut own = Vec::new();
            find(&version, &names, source, &mut own, &mut nearest);
            if version.naming == Naming::Numbered {
                add_numbered(&mut of_network, own);
                continue;
            }
            if !is_keras && own.iter().all(|candidate| !candidate.dropped.is_empty()) {
                find_wrapped(&version, &names, source, &mut own, &mut nearest);
            }
            of_network.extend(own);
        }
        found.extend(of_network);
    }
    Ok((found, nearest))
}

/// Searches for one version under every prefix, also without the name that begins all of the trunk's.
fn find(
    version: &Rc<Version>,
    index: &Rc<Index>,
    source: &dyn TensorSource,
    found: &mut Vec<Candidate>,
    nearest: &mut Option<Misfit>,
) {
    let least = version.least();
    let ends = [least.first(), least.last()];
    let kernels: Vec<&str> = ends.iter().flatten().map(|entry| entry.kernel.name.as_str()).collect();
    for dropped in std::iter::once("").chain(version.common_name()) {
        let rests = kernels.iter().filter_map(|kernel| kernel.strip_prefix(dropped));
        let mut prefixes = prefixes(index, rests);
        prefixes.insert(String::new());
        for prefix in prefixes {
            if found.iter().any(|other| Rc::ptr_eq(&other.version, version) && is_around(&prefix, other)) {
                continue;
            }
            let names = FileNames { index, prefix: &prefix, dropped };
            match check_parts(version, names, source) {
                Ok((has_features, entries, positions)) => {
                    let mut entries = entries.to_vec();
                    let is_gray = entries.first().is_some_and(|first| is_gray(first, names, source));
                    if is_gray {
                        gray::adapt(&mut entries);
                    }
                    found.push(Candidate {
                        version: Rc::clone(version),
                        has_features,
                        entries,
                        is_gray,
                        positions,
                        names: Rc::clone(index),
                        dropped: dropped.into(),
                        prefix,
                    });
                }
                Err(misfit) => Misfit::keep(nearest, *misfit),
            }
        }
    }
}

/// Searches for one version without the names of modules around its parts. What is found with all names of the network
/// replaces what was found without its first name.
fn find_wrapped(
    version: &Rc<Version>,
    index: &Index,
    source: &dyn TensorSource,
    found: &mut Vec<Candidate>,
    nearest: &mut Option<Misfit>,
) {
    let Some(names) = without_wrappers(index, &version.words()) else { return };
    let mut inner = Vec::new();
    find(version, &Rc::new(names), source, &mut inner, nearest);
    inner.retain(|candidate| {
        let is_same = |other: &Candidate| candidate.positions.values().any(|&at| other.reads(at));
        candidate.dropped.is_empty() || !found.iter().any(is_same)
    });
    found.retain(|candidate| {
        let is_same = |other: &Candidate| other.positions.values().any(|&at| candidate.reads(at));
        !inner.iter().any(is_same)
    });
    found.extend(inner);
}

/// Adds what was found under numbers. Names are surer, so what they found stays, unless more was found under numbers: VGG's
/// features are called by numbers with or without what is around them.
fn add_numbered(found: &mut Vec<Candidate>, numbered: Vec<Candidate>) {
    for candidate in numbered {
        let is_same = |other: &Candidate| candidate.positions.values().any(|&at| other.reads(at));
        if !found.iter().any(|other| is_same(other) && other.reach() >= candidate.reach()) {
            found.retain(|other| !is_same(other));
            found.push(candidate);
        }
    }
}

/// Whether the file has the kernel of `first` for gray pictures.
fn is_gray(first: &LayerTensors, names: FileNames, source: &dyn TensorSource) -> bool {
    let found = names.get(&first.kernel.name).map(|at| &source.tensors()[at].shape);
    found.is_some_and(|found| gray::is_gray(&first.kernel, found))
}

/// Whether a prefix with a dropped name means the tensors of a candidate that is there with that name.
fn is_around(prefix: &str, other: &Candidate) -> bool {
    let common = other.version.common_name().unwrap_or_default();
    other.dropped.is_empty() && *prefix == format!("{}{common}", other.prefix)
}

/// A part whose every tensor is in the file: whether it goes to the last features, its tensors, and their positions.
type Found<'a> = (bool, &'a [LayerTensors], Index);

/// The features, or else the trunk.
fn check_parts<'a>(
    version: &'a Version,
    names: FileNames,
    source: &dyn TensorSource,
) -> Result<Found<'a>, Box<Misfit>> {
    let check = |part: &'a Part| check(version, part, names, source);
    match (check(&version.features), &version.trunk) {
        (Ok(positions), _) => Ok((true, &version.features.entries, positions)),
        (Err(_), Some(trunk)) => Ok((false, &trunk.entries, check(trunk)?)),
        (Err(misfit), None) => Err(misfit),
    }
}

/// Checks that every tensor of a part is there and has the right shape, and that no other is among them.
fn check(
    version: &Version,
    part: &Part,
    names: FileNames,
    source: &dyn TensorSource,
) -> Result<Index, Box<Misfit>> {
    let mut positions = Index::new();
    let mut misfit = Misfit::new(version.architecture, source.tensors().len());
    for (name, expected) in part.entries.iter().flat_map(LayerTensors::tensors) {
        match names.get(name) {
            None => misfit.missing.push(name.into()),
            Some(at) => {
                let found = &source.tensors()[at].shape;
                let first = part.entries.first().filter(|first| first.kernel.name == name);
                if *found == expected || first.is_some_and(|first| is_gray(first, names, source)) {
                    misfit.matched += 1;
                } else {
                    misfit.misshapen.push((name.into(), found.clone(), expected));
                }
                positions.insert(name.into(), at);
            }
        }
    }
    let mut read = vec![false; source.tensors().len()];
    for &at in positions.values() {
        read[at] = true;
    }
    let inside = inside(version, names, source);
    let others = source.tensors().iter().zip(read).filter(|(tensor, read)| !read && !is_dispensable(tensor));
    for (tensor, _) in others {
        let is_inside = tensor.name.starts_with(names.prefix) && inside(&tensor.name[names.prefix.len()..]);
        misfit.add_other(tensor, is_inside);
    }
    if misfit.faults() == 0 { Ok(positions) } else { Err(Box::new(misfit)) }
}

/// Tells which tensors would stand between the trunk's: those whose names begin like its own.
fn inside<'a>(
    version: &'a Version,
    names: FileNames<'a>,
    source: &dyn TensorSource,
) -> impl Fn(&str) -> bool + 'a {
    let own = version.least().iter().filter_map(move |entry| entry.kernel.name.strip_prefix(names.dropped));
    let words: Vec<&str> = own.map(first_word).collect();
    let last = words.iter().filter_map(|word| word.parse::<usize>().ok()).max();
    // Layers that are found by their order have no names of their own.
    let by_order = source.format() == FileFormat::Keras3
        || (source.format() == FileFormat::KerasLegacy && version.architecture == Architecture::InceptionV3);
    move |name: &str| {
        let word = first_word(name);
        let is_before_last = || word.parse::<usize>().is_ok_and(|number| Some(number) <= last);
        !by_order && (words.contains(&word) || is_before_last())
    }
}

impl Misfit {
    fn add_other(&mut self, tensor: &TensorInfo, is_inside: bool) {
        let list = if is_inside { &mut self.superfluous } else { &mut self.beside };
        list.push((tensor.name.clone(), tensor.shape.clone()));
    }
}
