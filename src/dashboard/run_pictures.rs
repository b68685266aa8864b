//! The small pictures of saved runs, as part of the state. Not here: which of them are asked for.

use std::collections::HashMap;
use std::sync::Arc;

use crate::engine::Picture;
use crate::worker::protocol::RunThumbnail;

/// The most pictures that are kept: all are forgotten before there are more.
const MAX_PICTURES: usize = 512;

/// The small pictures of saved runs, by the names of their folders: of which step each was asked for, and once it has come.
#[derive(Debug, Clone, Default)]
pub struct RunPictures {
    /// The number of pictures that the list has room for on this screen.
    pub rows: usize,
    known: HashMap<String, (usize, Option<Arc<Picture>>)>,
}

impl RunPictures {
    /// The picture of a run, once it has come.
    pub fn picture(&self, name: &str) -> Option<&Arc<Picture>> {
        self.known.get(name)?.1.as_ref()
    }

    /// Notes that the picture of a run after so many steps is wanted. True if it was not asked for before.
    pub(super) fn want(&mut self, name: &str, step: usize) -> bool {
        if self.known.get(name).is_some_and(|(known, _)| *known == step) {
            return false;
        }
        if self.known.len() >= MAX_PICTURES {
            self.known.clear();
        }
        let before = self.known.remove(name).and_then(|(_, picture)| picture);
        self.known.insert(name.to_owned(), (step, before));
        true
    }

    /// Takes pictures that have come.
    pub(super) fn take(&mut self, thumbnails: Vec<RunThumbnail>) {
        for RunThumbnail { name, picture } in thumbnails {
            if let Some((_, known)) = self.known.get_mut(&name) {
                *known = Some(picture);
            }
        }
    }
}
