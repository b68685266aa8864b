//! The page of drafts that the mosaic shows, as part of the state. Not here: what keys do to it.

use crate::worker::protocol::DraftPage;

/// The number of sizes that drafts can be drawn in.
const ENLARGEMENTS: usize = 3;

/// The mosaic's own part of the state.
#[derive(Debug, Clone, PartialEq)]
pub struct Mosaic {
    /// The columns and rows of drafts on this screen.
    pub page: (usize, usize),
    /// The number of drafts in the strip beside the picture; 0 where there is no strip.
    pub strip: usize,
    /// By how many sizes drafts are drawn larger than at first.
    pub enlarged: usize,
    /// The page that was last asked for.
    pub(super) asked: Option<DraftPage>,
}

impl Default for Mosaic {
    fn default() -> Self {
        Self { page: (1, 1), strip: 0, enlarged: 0, asked: None }
    }
}

impl Mosaic {
    /// The number of drafts on a page.
    pub fn page_len(&self) -> usize {
        (self.page.0 * self.page.1).max(1)
    }

    /// Draws drafts larger by so many sizes than at first; after the largest comes the smallest again.
    pub fn enlarge(&mut self, sizes: usize) {
        self.enlarged = sizes % ENLARGEMENTS;
    }

    /// Drafts that are asked for from here on are asked for anew: the network is another one.
    pub(super) fn forget(&mut self) {
        self.asked = None;
    }
}
