//! The kept pictures whose classes viewers want to find: which there are, which comes next, and what is known of them. Not
//! here: what a classifier sees in them.

use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::protocol::{ClassSearch, ClassifiedChannel};
use super::viewer::ViewerId;
use crate::engine::Objective;
use crate::runs::{IMAGE, MAX_FILE_BYTES, Provenance, RunSummary, list_runs, read_regular};
use crate::sweep::{PackedChannel, SeenClasses, Unit, UnitStore};

/// The search for classes, on the worker's side.
#[derive(Debug, Default)]
pub(super) struct ClassSearcher {
    /// Those who want to find classes.
    pub(super) viewers: BTreeSet<ViewerId>,
    /// The search in progress, or the last one; none before it has begun.
    pub(super) search: Option<PictureSearch>,
}

/// The way through all kept pictures of a network.
#[derive(Debug)]
pub(super) struct PictureSearch {
    pub(super) classifier: Option<Arc<str>>,
    /// The text that tells the classifier and the network from others; none where what is seen cannot be kept.
    pub(super) identity: Option<String>,
    places: VecDeque<PicturePlace>,
    /// The pictures of the place that was read last.
    read: VecDeque<PictureOnFile>,
    /// The classes that were kept.
    pub(super) kept: SeenClasses,
    /// The classes of the pictures that there are.
    pub(super) seen: SeenClasses,
    pub(super) pictures: usize,
    pub(super) looked_at: usize,
    pub(super) found: Vec<ClassifiedChannel>,
    pub(super) published_at: Instant,
}

/// A file that has pictures of channels.
#[derive(Debug)]
enum PicturePlace {
    Pack(Box<Unit>),
    Run { image: PathBuf, layer: String, channel: usize },
}

/// A picture's file in memory, and the channel that it is of.
#[derive(Debug)]
pub(super) struct PictureOnFile {
    pub(super) layer: String,
    pub(super) channel: usize,
    pub(super) png: Vec<u8>,
}

impl ClassSearcher {
    /// Whether someone wants to find classes in pictures that were not looked at yet.
    pub(super) fn is_due(&self) -> bool {
        !self.viewers.is_empty() && self.search.as_ref().is_none_or(PictureSearch::has_more)
    }
}

impl PictureSearch {
    /// Looks which pictures there are of the network of `provenance`: in the store, and in the folder of runs.
    pub(super) fn new(
        (classifier, identity): (Option<Arc<str>>, Option<String>),
        (store, runs): (Option<&UnitStore>, &Path),
        provenance: &Provenance,
    ) -> Self {
        let units = store.map(|store| store.units(|unit| unit.is_of(provenance))).unwrap_or_default();
        let runs = list_runs(runs).ok().flatten().map(|listing| listing.runs).unwrap_or_default();
        let runs: Vec<PicturePlace> = runs.iter().filter_map(|run| place(run, provenance)).collect();
        let pictures = runs.len() + units.iter().map(|(_, channels)| channels).sum::<usize>();
        let units = units.into_iter().map(|(unit, _)| PicturePlace::Pack(Box::new(unit)));
        let kept = store.zip(identity.as_ref()).map(|(store, identity)| store.classes(identity));
        Self {
            // Without a classifier there is nothing to do.
            places: if classifier.is_some() {
                runs.into_iter().chain(units).collect()
            } else {
                VecDeque::new()
            },
            read: VecDeque::new(),
            kept: kept.unwrap_or_default(),
            seen: SeenClasses::new(),
            looked_at: 0,
            found: Vec::new(),
            published_at: Instant::now(),
            classifier,
            identity,
            pictures,
        }
    }

    /// Whether there are pictures that were not looked at.
    pub(super) fn has_more(&self) -> bool {
        !self.places.is_empty() || !self.read.is_empty()
    }

    /// The next picture. None where there is none left; a place that cannot be read any more has none.
    pub(super) fn next(&mut self, store: Option<&UnitStore>) -> Option<PictureOnFile> {
        while self.read.is_empty() {
            self.read = match self.places.pop_front()? {
                PicturePlace::Pack(unit) => pictures_of(&unit, store),
                PicturePlace::Run { image, layer, channel } => {
                    let png = read_regular(&image, MAX_FILE_BYTES).ok();
                    png.map(|png| PictureOnFile { layer, channel, png }).into_iter().collect()
                }
            };
        }
        self.read.pop_front()
    }

    /// Notes the class of a picture by the SHA-256 of its file.
    pub(super) fn note(&mut self, picture: PictureOnFile, sha256: String, label: String) {
        let PictureOnFile { layer, channel, .. } = picture;
        self.found.push(ClassifiedChannel { layer, channel, label: label.clone() });
        self.seen.insert(sha256, label);
    }

    /// The search as viewers see it.
    pub(super) fn view(&self) -> ClassSearch {
        ClassSearch {
            classifier: self.classifier.as_deref().map(str::to_owned),
            pictures: self.pictures,
            // A file may have got fewer pictures, or more, since they were counted.
            looked_at: if self.has_more() { self.looked_at.min(self.pictures) } else { self.pictures },
            found: self.found.clone(),
        }
    }
}

/// The pictures of a unit.
fn pictures_of(unit: &Unit, store: Option<&UnitStore>) -> VecDeque<PictureOnFile> {
    let packed = store.map(|store| store.pack(unit).channels).unwrap_or_default();
    let picture = |(channel, packed): (usize, PackedChannel)| PictureOnFile {
        layer: unit.layer.clone(),
        channel,
        png: packed.png,
    };
    packed.into_iter().map(picture).collect()
}

/// The place of a run's picture, where the run raised a channel of the network.
fn place(run: &RunSummary, provenance: &Provenance) -> Option<PicturePlace> {
    let (plan, of) = (&run.manifest.origin.plan, &run.manifest.origin.provenance);
    let Objective::Channel { layer, channel } = plan.last_objective() else { return None };
    let same = (&of.network, &of.weights_sha256) == (&provenance.network, &provenance.weights_sha256)
        && (&of.pick, &of.input) == (&provenance.pick, &provenance.input);
    same.then(|| PicturePlace::Run { image: run.path.join(IMAGE), layer: layer.clone(), channel: *channel })
}
