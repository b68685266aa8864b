//! The lab: why a network sees a class in a picture, split over the channels of a layer, in numbers that can be checked.
//! Host code over `Model`'s runs from a layer. Not here: clocks, files, threads, terminals, ML frameworks, and what the
//! numbers are printed as, but for the one sentence.
//!
//! Everything is about a `margin`: how far a class's logit is above a rival's. A `tail` runs the network from a layer on.
//! `attribute` splits the margin over the layer's channels by derivatives, `ablate` by taking channels out, for which
//! `removal` has a short way where a fully connected layer follows.

// A new variant of an enum of ours must be thought of wherever the enum is matched.
#![deny(clippy::wildcard_enum_match_arm)]

mod ablate;
mod attribute;
mod auc;
mod dataset;
mod distance;
mod error;
mod examples;
mod field;
mod index;
mod maps;
mod margin;
mod photographs;
mod quadrature;
mod removal;
mod report;
mod sentence;
mod stats;
mod tail;

pub use ablate::{Group, Single, flip_count, groups, singles};
pub use attribute::{Attribution, ChannelShare, attribute, gradient_times_activation, integrated};
pub use auc::areas;
pub use dataset::{DataLabel, DataPicture, DataSet};
pub use distance::{ClassDistance, Distances, PhotographPoints, Vote};
pub use error::{Error, Result};
pub use examples::{
    ChannelRow, LabelArea, LabelCount, RankedBy, channel_rows, first, label_areas, label_mix,
};
pub use field::{Field, effective_field};
pub use index::{ChannelNumbers, IndexManifest, IndexRow, IndexWriter, IndexedLayer, RowLabel, ShardFile};
pub use maps::{Map, channel_map, grad_cam, hires_cam, occlusion, saliency, smooth_grad};
pub use margin::{Against, Margin, best_rival, rank};
pub use photographs::{ChannelMeans, OnPhotographs, draw};
pub use removal::Remover;
pub use report::{ReportPart, ReportPicture, html, markdown};
pub use sentence::{SentenceNames, sentence};
pub use stats::{Bins, Interval, TiedCovariance, Whitened, spearman};
pub use tail::Tail;
