//! The differences between a file and a network that it does not fit, and how they are told: a few of each kind.

use crate::export::not_known;
use crate::{Architecture, Error, TensorSource};

/// The number of differences of each kind that a message tells.
const MAX_TOLD: usize = 2;

/// A file that has a smaller share of any network's tensors holds none of those that are known here.
const NEAR: f64 = 0.5;

/// The differences between a file and the tensors of one version of a network under one prefix.
#[derive(Debug)]
pub(crate) struct Misfit {
    pub architecture: Architecture,
    /// The number of tensors in the file.
    count: usize,
    /// The number of tensors that are there with the right shape.
    pub matched: usize,
    /// The network's names of tensors that the file lacks.
    pub missing: Vec<String>,
    /// The network's names of tensors with another shape, that shape, and the right one.
    pub misshapen: Vec<(String, Vec<usize>, Vec<usize>)>,
    /// The names and shapes of the file's tensors that stand between the network's and are not part of it.
    pub superfluous: Vec<(String, Vec<usize>)>,
    /// The names and shapes of the file's other tensors.
    pub beside: Vec<(String, Vec<usize>)>,
    /// The reason why the layers of the file cannot be told apart, as a clause.
    unreadable: Option<String>,
}

impl Misfit {
    pub(crate) fn new(architecture: Architecture, count: usize) -> Self {
        Self {
            architecture,
            count,
            matched: 0,
            missing: Vec::new(),
            misshapen: Vec::new(),
            superfluous: Vec::new(),
            beside: Vec::new(),
            unreadable: None,
        }
    }

    /// A file whose layers cannot be told apart; `count` tensors would be needed.
    pub(crate) fn unreadable(architecture: Architecture, reason: String, count: usize) -> Self {
        let missing = vec![String::new(); count];
        Self { unreadable: Some(reason), missing, ..Self::new(architecture, 0) }
    }

    /// The number of differences.
    pub(crate) fn faults(&self) -> usize {
        self.missing.len() + self.misshapen.len() + self.superfluous.len()
    }

    /// The share of the network's tensors that the file has.
    fn share(&self) -> f64 {
        let all = self.matched + self.missing.len() + self.misshapen.len();
        (self.matched as f64 + 0.5 * self.misshapen.len() as f64) / all.max(1) as f64
    }

    /// Keeps the misfit that is nearer: of which more is there, and then with fewer differences.
    pub(crate) fn keep(nearest: &mut Option<Self>, other: Self) {
        let is_nearer = nearest.as_ref().is_none_or(|nearest| {
            let share = other.share().total_cmp(&nearest.share());
            share.then(nearest.faults().cmp(&other.faults())).is_gt()
        });
        if is_nearer {
            *nearest = Some(other);
        }
    }

    /// The error for a file that does not fit `wanted`. Another network that is nearer is named.
    pub(crate) fn error(
        &self,
        wanted: Architecture,
        other: Option<&Self>,
        source: &dyn TensorSource,
    ) -> Error {
        let nearer = other.filter(|other| other.matched > 0 && other.share() > self.share());
        let nearer = nearer.map(|other| format!("; nearer is {}", other.with_network()));
        let reason = self.reason() + &nearer.unwrap_or_default();
        let share = other.map_or(0.0, Self::share).max(self.share());
        let export = if share < NEAR { not_known(source) } else { String::new() };
        Error::Misfit { path: source.path().into(), network: wanted.name(), reason, export }
    }

    /// The network, and the differences to it.
    pub(crate) fn with_network(&self) -> String {
        format!("{}, but {}", self.architecture.name(), self.reason())
    }

    /// The first differences of each kind, as a clause.
    fn reason(&self) -> String {
        if let Some(reason) = &self.unreadable {
            return reason.clone();
        }
        let count = self.count;
        let missing = |name: &String| format!("tensor \"{name}\" is missing among the file's {count}");
        let misshapen = |(name, found, needed): &(String, Vec<usize>, Vec<usize>)| {
            format!("tensor \"{name}\" has shape {found:?} where {needed:?} is needed")
        };
        let superfluous = |(name, shape): &(String, Vec<usize>)| {
            format!("tensor {name:?} has no place in it, with shape {shape:?}")
        };
        let also = |(name, shape): &(String, Vec<usize>)| {
            format!("the file also holds {name:?}, with shape {shape:?}")
        };
        // What the file has instead is told only where something is missing: a head is no fault, and may be the network's.
        let beside = if self.missing.is_empty() { &[][..] } else { &self.beside };
        let told = [
            told(&self.missing, missing),
            told(&self.misshapen, misshapen),
            told(&self.superfluous, superfluous),
            told(beside, also),
        ];
        told.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }
}

/// The first of a list, and how many more there are; none for an empty list.
fn told<T>(list: &[T], tell: impl Fn(&T) -> String) -> Option<String> {
    let first: Vec<String> = list.iter().take(MAX_TOLD).map(tell).collect();
    match list.len().checked_sub(MAX_TOLD) {
        _ if list.is_empty() => None,
        None | Some(0) => Some(first.join("; ")),
        Some(more) => Some(format!("{} (and {more} more)", first.join("; "))),
    }
}
