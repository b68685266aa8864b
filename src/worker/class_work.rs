//! Lets a classifier look at kept pictures for those who want to find classes: some at a time, between steps. A message to the
//! worker waits for one picture at most.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trepang_api::Model;
use trepang_weights::sha256;

use super::class_searcher::{PictureOnFile, PictureSearch};
use super::error::{Error, Result};
use super::protocol::Outcome;
use super::viewer::ViewerId;
use super::worker_loop::WorkerLoop;
use crate::panics::guard;
use crate::runs::decode_png;
use crate::sweep::SeenClasses;

/// The time after which a run in progress has its turn.
const PART: Duration = Duration::from_millis(50);

/// The interval at which a search in progress is published.
const PUBLISH_EVERY: Duration = Duration::from_millis(200);

impl WorkerLoop {
    /// Notes whether a viewer wants to find classes. One that asks anew has the pictures listed anew: there may be more.
    pub(super) fn want_classes(&mut self, viewer: ViewerId, wanted: bool) -> Outcome {
        let known = self.class_searcher.viewers.contains(&viewer);
        if wanted {
            self.class_searcher.viewers.insert(viewer);
            if !self.class_searcher.is_due() {
                self.begin_class_search();
            }
        } else if known {
            self.class_searcher.viewers.remove(&viewer);
            self.keep_classes();
        }
        Outcome::Done
    }

    /// Forgets what was found, so that all pictures are looked at anew, if someone wants it: the network or the classifier is another one.
    pub(super) fn begin_class_search(&mut self) {
        self.keep_classes();
        self.class_searcher.search = None;
        if self.snapshot.class_search.take().is_some() {
            self.republish();
        }
    }

    /// Looks at some pictures. Only a panic, after which the model cannot be trusted, is an error.
    pub(super) fn find_classes(&mut self, model: &mut dyn Model) -> Result<()> {
        let begun = Instant::now();
        let search = self.class_searcher.search.take();
        let is_new = search.is_none();
        let mut search = search.unwrap_or_else(|| self.new_search());
        while begun.elapsed() < PART && !self.inbox.has_mail() {
            let Some(picture) = search.next(self.drafts.store.as_ref()) else { break };
            search.looked_at += 1;
            self.note_class(&mut search, picture, model)?;
        }
        let ended = !search.has_more();
        let due = is_new || ended || search.published_at.elapsed() >= PUBLISH_EVERY;
        if due {
            search.published_at = Instant::now();
            self.snapshot.class_search = Some(Arc::new(search.view()));
        }
        self.class_searcher.search = Some(search);
        if ended {
            self.keep_classes();
        }
        if due {
            self.republish();
        }
        Ok(())
    }

    fn new_search(&self) -> PictureSearch {
        let provenance = &self.setup.provenance;
        let (name, identity) = self.classifiers.first().unzip();
        let network = [&provenance.network, &provenance.weights_sha256].map(String::as_str).join(" ");
        let identity = identity.flatten().map(|identity| format!("{identity} on {network}"));
        PictureSearch::new((name, identity), (self.drafts.store.as_ref(), &self.setup.runs), provenance)
    }

    /// Notes the class of a picture, as it was kept or as the classifier sees it now. A picture that is damaged, or in which no
    /// class is seen, has none.
    fn note_class(
        &mut self,
        search: &mut PictureSearch,
        picture: PictureOnFile,
        model: &mut dyn Model,
    ) -> Result<()> {
        let key = sha256(&picture.png);
        let label = if let Some(label) = search.kept.get(&key) {
            Some(label.clone())
        } else {
            let Ok(decoded) = decode_png(&picture.png) else { return Ok(()) };
            let classifiers = &mut self.classifiers;
            let class = guard("the backend", || Ok::<_, Error>(classifiers.first_class(model, &decoded)))?;
            class.ok().flatten().map(|class| class.label)
        };
        if let Some(label) = label {
            search.note(picture, key, label);
        }
        Ok(())
    }

    /// Keeps what was seen, if it is more than was kept before. Where it cannot be kept, it is seen again.
    pub(super) fn keep_classes(&mut self) {
        let Some(search) = &mut self.class_searcher.search else { return };
        let Some((store, identity)) = self.drafts.store.as_ref().zip(search.identity.as_ref()) else {
            return;
        };
        // What is no longer there is left out only when all places were looked at.
        let mut classes = if search.has_more() { search.kept.clone() } else { SeenClasses::new() };
        classes.extend(search.seen.clone());
        if classes != search.kept && store.keep_classes(identity, &classes).is_ok() {
            search.kept = classes;
        }
    }
}
