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
mod baselines;
mod compare;
mod dataset;
mod deletion;
mod distance;
mod error;
mod examples;
mod field;
mod figure;
mod index;
mod maps;
mod margin;
mod means;
mod overlay;
mod photographs;
mod points;
mod project;
mod quadrature;
mod recall;
mod removal;
mod replay;
mod report;
mod sentence;
mod stats;
mod tail;
mod vectors;

pub use ablate::{Group, Single, flip_count, groups, singles};
pub use attribute::{
    Attribution, ChannelShare, ChannelSlopes, attribute, gradient_times_activation, integrated, slopes,
};
pub use auc::{GroupArea, areas, corrected};
pub use baselines::{noise_like, random_phases};
pub use compare::{ChannelMatch, JoinedPictures};
pub use dataset::{DataLabel, DataPicture, DataSet};
pub use deletion::{Deletion, DeletionCurve, deletion};
pub use distance::{ClassDistance, Distances, PhotographPoints, Vote};
pub use error::{Error, Result};
pub use examples::{
    ChannelArea, ChannelRow, LabelArea, LabelCount, RankedBy, channel_areas, channel_rows, first,
    label_areas, label_mix,
};
pub use field::{Field, effective_field};
pub use figure::{BarPlot, CHOSEN, Figure, INKS, Ink, PointMark, Scatter, ScatterPoint, ScatterSeries};
pub use index::{
    ChannelNumbers, IndexManifest, IndexRow, IndexWriter, IndexedLayer, RowLabel, ShardFile, csv_field,
    pictures_seen,
};
pub use maps::{Map, channel_map, grad_cam, hires_cam, occlusion, saliency, smooth_grad};
pub use margin::{Against, Margin, best_rival, rank};
pub use means::{MeanBars, MeanColumn};
pub use overlay::overlay;
pub use photographs::{ChannelMeans, OnPhotographs, draw, shuffled};
pub use points::{PicturePoint, picture_points, some_picture_points};
pub use project::{Neighbours, Pca, TsneMap, place_among, trustworthiness};
pub use recall::{Recall, RecallGroup, RecallOrder};
pub use removal::Remover;
pub use replay::{REPLAY_NEAR, Replay, ReplayNear, ReplayRow, RowKind};
pub use report::{ReportPart, ReportPicture, html, markdown};
pub use sentence::{SentenceNames, sentence};
pub use stats::{Bins, Interval, TiedCovariance, Whitened, spearman};
pub use tail::Tail;
pub use vectors::{directions, nearest_by_cosine};
