//! Drafts of a layer's channels, small pictures that sharpen while someone looks at them; and the queue of channels.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Settings, shared};
use crate::engine::Picture;

/// The number of steps after which a draft is as good as drafts get.
pub const DRAFT_STEPS: usize = 64;

/// The number of steps after which a draft can be recognised: at 64 pixels, a channel of VGG16's last block can be.
pub const READABLE_STEPS: usize = 16;

/// The common part of the drafts of a layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DraftSeries {
    /// The layer, in the form meant.
    pub layer: String,
    /// The settings of each ascent. The size is raised to the smallest that the network takes.
    pub settings: Settings,
}

/// The drafts that a viewer looks at: those of these channels come first, then those of the pages beside them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DraftPage {
    /// The common part of the drafts.
    pub series: DraftSeries,
    /// The first channel that is looked at.
    pub first: usize,
    /// The number of channels that are looked at.
    pub count: usize,
    /// Whether drafts are only shown beside something else: they are made when there is nothing else to do, and none of the
    /// pages beside them.
    pub patient: bool,
}

/// The drafts of a layer, as far as they have come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DraftSheet {
    /// The common part of the drafts, as the viewer asked for it.
    pub series: DraftSeries,
    /// The drafts that there are, by channel.
    pub drafts: Vec<DraftView>,
}

/// A channel's draft.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DraftView {
    /// The number of the channel.
    pub channel: usize,
    /// The number of steps taken.
    pub step: usize,
    /// The objective's value before the last of them.
    pub loss: Option<f64>,
    /// Whether nothing has woken the channel so far.
    pub dead: bool,
    /// The picture after those steps.
    #[serde(with = "shared::picture")]
    pub picture: Arc<Picture>,
}

/// The channels of a layer that are to be maximised one after the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelQueue {
    /// The layer, in the form meant.
    pub layer: String,
    /// The settings of each ascent.
    pub settings: Settings,
    /// The channel that is next.
    pub next: usize,
    /// The number of channels of the layer: the queue ends before it.
    pub end: usize,
}

/// The queue as viewers see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueueView {
    /// The layer, in the form meant.
    pub layer: String,
    /// The channel that is next.
    pub next: usize,
    /// The number of channels that are left.
    pub left: usize,
    /// About how many seconds all of it will take, the run in progress included.
    pub seconds: Option<f64>,
}
