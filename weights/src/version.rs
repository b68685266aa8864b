//! The versions of a network that a file may hold, and the tensors of each: whole, up to its last features, and without its
//! fully connected layers. The search for them is in `candidate`.

use std::collections::HashSet;

use trepang_api::Network;

use crate::head::logits_layer;
use crate::layout::{self, LayerTensors};
use crate::source::DIALECT_KEY;
use crate::{Architecture, Dialect, Result, TensorSource};

/// The names that a file has for the tensors of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// Those of Trepang's own store, where batch norm is folded and the first kernel reads RGB.
    Stored,
    /// Those of the training.
    Own,
    /// Those of the training with the positions of modules instead of their names.
    Numbered,
}

/// A version of a network: whole, up to its class logits, and without its classifier.
#[derive(Debug)]
pub(crate) struct Version {
    pub architecture: Architecture,
    pub dialect: Dialect,
    pub naming: Naming,
    pub whole: Network,
    /// The tensors of the class logits.
    pub head: Option<LayerTensors>,
    pub features: Part,
    /// Without the fully connected layers before the class logits; none if there are none.
    pub trunk: Option<Part>,
}

/// A network that a file may hold without its head, and its tensors.
#[derive(Debug)]
pub(crate) struct Part {
    pub network: Network,
    pub entries: Vec<LayerTensors>,
}

/// Every version of `architecture` that the file can hold: the one that its metadata names, or else those that its format
/// allows, the one with numbers for names last.
pub(crate) fn versions(
    architecture: Architecture,
    source: &dyn TensorSource,
    is_keras: bool,
) -> Result<Vec<Version>> {
    let word = source.metadata().get(DIALECT_KEY);
    let possible = |dialect: &&Dialect| match word {
        Some(name) => name == dialect.name(),
        None => is_keras == (**dialect == Dialect::Keras),
    };
    let dialects = architecture.dialects().iter().filter(possible);
    let naming = if word.is_some() { Naming::Stored } else { Naming::Own };
    let mut found =
        dialects.map(|&dialect| Version::new(architecture, dialect, naming)).collect::<Result<Vec<_>>>()?;
    if word.is_none() && !is_keras && architecture.dialects().contains(&Dialect::Torchvision) {
        found.push(Version::new(architecture, Dialect::Torchvision, Naming::Numbered)?);
    }
    Ok(found)
}

impl Version {
    fn new(architecture: Architecture, dialect: Dialect, naming: Naming) -> Result<Self> {
        let entries = |network: &Network| match naming {
            Naming::Stored => layout::canonical(network),
            Naming::Own => layout::native(network, architecture, dialect),
            Naming::Numbered => layout::numbered(network, architecture),
        };
        let whole = architecture.network(dialect, true)?;
        let mut all = entries(&whole);
        let head = logits_layer(&whole).and_then(|name| all.iter().position(|entry| entry.layer == name));
        let head = head.map(|at| all.remove(at));
        let trunk = architecture.network(dialect, false)?;
        let trunk = Part { entries: entries(&trunk), network: trunk };
        let (features, trunk) = match trunk.network.logits() {
            None if trunk.entries == all => (trunk, None),
            None => (Part { network: whole.clone().without_logits(), entries: all }, Some(trunk)),
            Some(_) => (Part { network: whole.clone().without_logits(), entries: all }, None),
        };
        Ok(Self { architecture, dialect, naming, whole, head, features, trunk })
    }

    pub(crate) fn entries_of_all(&self) -> Vec<LayerTensors> {
        self.features.entries.iter().chain(&self.head).cloned().collect()
    }

    /// The parts of the names of all its tensors.
    pub(crate) fn words(&self) -> HashSet<&str> {
        let entries = self.least().iter().chain(&self.features.entries).chain(&self.head);
        entries.flat_map(LayerTensors::tensors).flat_map(|(name, _)| name.split('.')).collect()
    }

    /// The tensors without which nothing works.
    pub(crate) fn least(&self) -> &[LayerTensors] {
        &self.trunk.as_ref().unwrap_or(&self.features).entries
    }

    /// The beginning of every name of the trunk, such as `features.`, if that is one name.
    pub(crate) fn common_name(&self) -> Option<&str> {
        let mut names = self.least().iter().flat_map(LayerTensors::tensors).map(|(name, _)| name);
        let first = names.next()?;
        let common = &first[..=first.find('.')?];
        names.all(|name| name.starts_with(common)).then_some(common)
    }
}
