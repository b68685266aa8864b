//! The part of the dashboard in which the lab's answer is shown.

use std::sync::Arc;

use crate::engine::Picture;
use crate::worker::protocol::{LabOrder, LabSubject};

/// The picture that the lab is asked about, and the cursor among the points of its scatter.
#[derive(Debug, Clone, Default)]
pub struct LabWindow {
    /// The picture, as it was when the lab was opened.
    pub(super) picture: Option<Arc<Picture>>,
    /// Whether the lab was opened from the mosaic.
    pub(super) is_of_draft: bool,
    /// The question that the worker was last asked.
    pub(super) asked: Option<LabSubject>,
    /// The point under the cursor; 0 is the picture itself.
    pub(super) point: usize,
    /// The number that the photographs are put in order by.
    pub(super) by: LabOrder,
}

impl LabWindow {
    /// Questions from here on are asked anew: the network is another one.
    pub(super) fn forget(&mut self) {
        (self.asked, self.point) = (None, 0);
    }
}
