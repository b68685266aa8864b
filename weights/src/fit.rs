//! Recognises which networks a weights file holds, and in which version, by the names and shapes of its tensors. A
//! network is searched for under every prefix; its trunk must be whole and right, and its head is judged apart (`head`).
//! Reading the numbers is in `convert`.

use trepang_api::{Network, Op};

use crate::bare_head;
use crate::candidate::{Candidate, search};
use crate::export::not_known;
use crate::head::{Head, HeadSearch, LinearAt};
use crate::index::Index;
use crate::layout::{self, LayerTensors};
use crate::misfit::Misfit;
use crate::prefix::{is_dispensable, key, place, shared};
use crate::version::{Naming, Version};
use crate::{Architecture, Dialect, Error, InputFormat, ModelInput, Result, TensorInfo, TensorSource, pick};

/// A network that was recognised in a file, and the positions of its tensors there.
#[derive(Debug)]
pub struct Fit {
    /// The structure of the network.
    pub architecture: Architecture,
    /// The training whose names and shapes the file has.
    pub dialect: Dialect,
    /// Whether classes can be computed: the head is the network's own, or a linear layer.
    pub classifier: bool,
    /// The head: what the file has behind the last features.
    pub head: Head,
    /// The network in that version, with as much of its classifier as the file has.
    pub network: Network,
    /// The names of the file's tensors that belong to this set of weights and are left out.
    pub unused: Vec<String>,
    /// The prefix of the network's tensors in the file.
    pub(crate) prefix: String,
    pub(crate) entries: Vec<LayerTensors>,
    pub(crate) index: Index,
    pub(crate) naming: Naming,
    /// Whether the first kernel of the file has been turned from BGR to RGB.
    pub(crate) turned: bool,
}

impl Fit {
    /// The name of this set of weights in the file, which `--pick` takes; `.` if its names have no prefix.
    pub fn key(&self) -> &str {
        key(&self.prefix)
    }

    /// The number of classes that can be computed, if any can.
    pub fn classes(&self) -> Option<usize> {
        match &self.head {
            Head::Own | Head::Linear { .. } => self.entries.last().map(|head| head.outputs),
            Head::Other(_) | Head::Broken(_) | Head::Unlike(_) | Head::Missing => None,
        }
    }

    /// Whether the head is a linear layer that is taken to read the means of the last features over their positions, though
    /// the network's own head is another.
    pub fn is_on_means(&self) -> bool {
        let takes_means = |network: &Network| network.nodes().iter().any(|node| node.op == Op::GlobalAverage);
        let whole = self.architecture.network(self.dialect, true);
        takes_means(&self.network) && !whole.is_ok_and(|whole| takes_means(&whole))
    }

    /// Whether the file itself says which training it comes from, as those of Trepang's own store do.
    pub fn is_certain(&self) -> bool {
        self.naming == Naming::Stored || self.dialect == Dialect::Trepang
    }

    /// The preprocessing that the file's model has in its first layers, if it has any.
    pub fn said_input(&self, source: &dyn TensorSource) -> Option<InputFormat> {
        match source.model().map(|model| &model.input) {
            Some(ModelInput::Scaled(input, _)) if !self.is_certain() => Some(*input),
            _ => None,
        }
    }

    /// The position in the file of the first of the network's tensors.
    pub(crate) fn first_position(&self) -> usize {
        self.index.values().copied().min().unwrap_or(0)
    }
}

/// Matches a file against `architecture`, and chooses among several sets of weights by a rule. Fails with the
/// differences to the closest version, or with the name of the other network that the file holds.
pub fn fit(architecture: Architecture, source: &dyn TensorSource) -> Result<Fit> {
    fit_set(architecture, source, None)
}

/// Like [`fit`], for the set of weights called `pick`. Fails if no set that fits has that name.
pub fn fit_set(architecture: Architecture, source: &dyn TensorSource, pick: Option<&str>) -> Result<Fit> {
    let (found, nearest) = sets_of(&[architecture], source)?;
    if found.first().is_some_and(|fit| fit.naming == Naming::Stored) {
        return pick::choose(found, pick, source.path());
    }
    if !found.is_empty() {
        // Only beside the other networks in the file is it plain what belongs to none of them.
        let same = sets(source)?.into_iter().filter(|fit| fit.architecture == architecture);
        return pick::choose(same.collect(), pick, source.path());
    }
    let others: Vec<Architecture> = Architecture::ALL.into_iter().filter(|&a| a != architecture).collect();
    let (found, nearest_other) = sets_of(&others, source)?;
    match (found.first(), nearest) {
        (Some(other), _) => Err(Error::OtherNetwork {
            path: source.path().into(),
            wanted: architecture.name(),
            found: other.architecture.name(),
        }),
        (None, Some(nearest)) => Err(nearest.error(architecture, nearest_other.as_ref(), source)),
        (None, None) => Err(Error::OtherFormat {
            path: source.path().into(),
            network: architecture.name(),
            format: source.format(),
            export: not_known(source),
        }),
    }
}

/// Every set of weights of a known network that a file holds, in the order in which they are chosen.
pub fn sets(source: &dyn TensorSource) -> Result<Vec<Fit>> {
    Ok(sets_of(&Architecture::ALL, source)?.0)
}

/// The network that a file holds, if it is a known one; of several sets of weights, the first choice.
pub fn recognise(source: &dyn TensorSource) -> Option<Fit> {
    sets(source).ok()?.into_iter().next()
}

/// The reason why a file holds no known network, as a clause: the nearest one, and the first differences both ways. None
/// for a file that has nothing in common with any.
pub fn nearest(source: &dyn TensorSource) -> Option<String> {
    let (_, nearest) = sets_of(&Architecture::ALL, source).ok()?;
    nearest.filter(|nearest| nearest.matched > 0).map(|nearest| nearest.with_network())
}

/// The sets of weights of these architectures in a file, sorted, and the misfit that comes closest.
fn sets_of(architectures: &[Architecture], source: &dyn TensorSource) -> Result<(Vec<Fit>, Option<Misfit>)> {
    let (candidates, nearest) = search(architectures, source)?;
    let mut fits =
        candidates.iter().map(|candidate| finish(candidate, &candidates, source)).collect::<Vec<_>>();
    // A file can hold the trunk of two versions whose heads alone differ: the one whose head is known is meant.
    fits.sort_by_key(|fit| !fit.classifier);
    let mut kept: Vec<Fit> = Vec::new();
    for fit in fits {
        let is_same = |other: &Fit| other.prefix == fit.prefix && other.architecture == fit.architecture;
        if !kept.iter().any(is_same) {
            kept.push(fit);
        }
    }
    pick::sort(&mut kept);
    Ok((kept, nearest))
}

/// A candidate with its head.
fn finish(candidate: &Candidate, all: &[Candidate], source: &dyn TensorSource) -> Fit {
    let Candidate { version, prefix, positions, has_features, .. } = candidate;
    let Version { architecture, dialect, naming, .. } = **version;
    let (rest, outer) = beside(candidate, all, source);
    let bare = bare_head::find(candidate, source, &rest);
    let (head, linear) = match (version.head.as_ref().filter(|_| *has_features), &bare) {
        (Some(own), _) => {
            let named = (
                candidate.position(&own.kernel.name),
                own.bias.as_deref().and_then(|b| candidate.position(b)),
            );
            HeadSearch { source, own, named, rest: &rest }.judge()
        }
        (None, Some(bare)) => {
            let name = source.tensors()[bare.at.kernel].name.clone();
            (Head::Linear { name, classes: bare.at.classes }, Some(bare.at))
        }
        (None, None) if rest.is_empty() => (Head::Missing, None),
        (None, None) => (Head::Other(names(&rest, source)), None),
    };
    // A head behind the network's own reads its classes: these are not what the file answers with.
    let behind = reads_classes(linear.map(|at| at.classes), dialect, &outer, source);
    let (head, linear) = if behind { (Head::Other(names(&outer, source)), None) } else { (head, linear) };
    let unlike = source.model().and_then(|model| model.other_head.clone()).filter(|_| head.classifies());
    let (head, linear) = unlike.map_or((head, linear), |reason| (Head::Unlike(reason), None));
    let (network, entries, index) = match (linear, &version.head, bare) {
        (Some(at), _, Some(bare)) => {
            let (entries, index) = with_entry(candidate, bare.entry, at);
            (bare.network, entries, index)
        }
        (Some(at), Some(own), None) => with_head(candidate, own, at, &source.tensors()[at.kernel].shape),
        _ => (candidate.network(), candidate.entries.clone(), positions.clone()),
    };
    let read: Vec<usize> = index.values().copied().collect();
    let unused: Vec<usize> = rest.into_iter().filter(|at| !read.contains(at)).collect();
    Fit {
        architecture,
        dialect,
        classifier: head.classifies(),
        head,
        network,
        unused: names(&unused, source),
        prefix: prefix.clone(),
        entries,
        index,
        naming,
        turned: naming == Naming::Stored && version.whole.preprocess().trained_on_bgr,
    }
}

/// The whole network with a head of so many classes, whose kernel has this shape.
fn with_head(
    candidate: &Candidate,
    own: &LayerTensors,
    at: LinearAt,
    shape: &[usize],
) -> (Network, Vec<LayerTensors>, Index) {
    let mut head = own.clone();
    head.outputs = at.classes;
    head.bias = own.bias.clone().filter(|_| at.bias.is_some());
    let (entries, index) = with_entry(candidate, head, at);
    // A linear layer where the network itself has a convolution reads the means of the last features.
    if let (&[classes, inputs], 4) = (shape, own.kernel.shape.len()) {
        let network = candidate.network().with_linear(&own.layer, [inputs, classes], false);
        return (network, entries, index);
    }
    (candidate.adapted(candidate.version.whole.clone().with_classes(at.classes)), entries, index)
}

/// The layers of a candidate and its head, and the positions of their tensors.
fn with_entry(candidate: &Candidate, head: LayerTensors, at: LinearAt) -> (Vec<LayerTensors>, Index) {
    let mut index = candidate.positions.clone();
    index.insert(head.kernel.name.clone(), at.kernel);
    if let (Some(name), Some(bias)) = (&head.bias, at.bias) {
        index.insert(name.clone(), bias);
    }
    (candidate.entries.iter().cloned().chain([head]).collect(), index)
}

/// The positions of the tensors that may be the head of a candidate: those that nothing reads, that belong to no other
/// set, and that are nearest to it in the file's tree of names; and the positions of those farther away.
fn beside(candidate: &Candidate, all: &[Candidate], source: &dyn TensorSource) -> (Vec<usize>, Vec<usize>) {
    // Two networks may stand side by side in one model, so that their prefixes tell nothing.
    let others: Vec<&Candidate> =
        all.iter().filter(|other| other.version.architecture != candidate.version.architecture).collect();
    let mut rest: Vec<(usize, usize)> = Vec::new();
    for (at, tensor) in source.tensors().iter().enumerate() {
        if candidate.reads(at) || is_dispensable(tensor) || others.iter().any(|other| other.reads(at)) {
            continue;
        }
        let near = shared(place(tensor), &candidate.prefix);
        let is_others = all.iter().any(|other| shared(place(tensor), &other.prefix) > near);
        if !is_others {
            rest.push((near, at));
        }
    }
    let nearest = rest.iter().map(|(near, _)| *near).max();
    let (rest, outer): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(near, _)| Some(*near) == nearest);
    let positions = |found: Vec<(usize, usize)>| found.into_iter().map(|(_, at)| at).collect();
    (positions(rest), positions(outer))
}

/// Whether one of these tensors is the kernel of a linear layer on so many classes.
fn reads_classes(
    classes: Option<usize>,
    dialect: Dialect,
    outer: &[usize],
    source: &dyn TensorSource,
) -> bool {
    outer.iter().any(|&at| match (&source.tensors()[at].shape[..], dialect) {
        (&[inputs, _], Dialect::Keras | Dialect::Tensorflow) | (&[_, inputs], _) => Some(inputs) == classes,
        _ => false,
    })
}

fn names(positions: &[usize], source: &dyn TensorSource) -> Vec<String> {
    positions.iter().map(|&at| source.tensors()[at].name.clone()).collect()
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
    let end = if dialect == Dialect::Tensorflow { '_' } else { '/' };
    let info = |(name, shape): (&str, Vec<usize>)| TensorInfo {
        name: name.into(),
        layer: name.rsplit_once(end).map(|(layer, _)| layer.into()),
        shape,
        dtype: "F32".into(),
    };
    Ok(entries.iter().flat_map(|entry| entry.tensors().map(info).collect::<Vec<_>>()).collect())
}
