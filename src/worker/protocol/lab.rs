//! The lab, as a viewer asks it about a channel in a picture: the sentence, the shares of the channels, a map, photographs
//! that the channel answers to, and the picture among photographs. The parts come one after the other.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::shared;
use crate::engine::Picture;

/// The share of a scatter that stays free at each side.
const MARGIN: f64 = 0.04;

/// A channel and a picture that the lab is asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabSubject {
    /// The layer, in the form meant.
    pub layer: String,
    /// The channel of the layer.
    pub channel: usize,
    /// The picture. It is brought to the network's own size.
    #[serde(with = "shared::picture")]
    pub picture: Arc<Picture>,
    /// The number that the photographs are put in order by.
    pub by: LabOrder,
}

/// The number that photographs are put in order by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LabOrder {
    /// The channel's mean over positions.
    #[default]
    Mean,
    /// Its largest value.
    Max,
    /// The part that it carries of the margin of the photograph's own class.
    Relevance,
}

impl LabOrder {
    /// The name that it is shown by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Max => "max",
            Self::Relevance => "relevance",
        }
    }

    /// The one after it; the first after the last.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Mean => Self::Max,
            Self::Max => Self::Relevance,
            Self::Relevance => Self::Mean,
        }
    }
}

impl LabSubject {
    /// The same question with photographs in another order. All else that is found for the one holds for the other.
    pub fn is_like(&self, other: &Self) -> bool {
        let Self { layer, channel, picture, by: _ } = self;
        (layer, channel, picture) == (&other.layer, &other.channel, &other.picture)
    }
}

/// Everything that the lab has found so far. A part is none until it is there, and says in one sentence why it cannot be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabFindings {
    /// The question that is answered.
    pub subject: LabSubject,
    /// The margin of the picture's first class, split over the layer's channels.
    pub margin: Option<Result<LabMargin, String>>,
    /// The picture under a map, with a text that says of what.
    pub map: Option<Result<LabExample, String>>,
    /// The photographs that the channel answers to most, cut down to what it saw.
    pub examples: Option<Result<Vec<LabExample>, String>>,
    /// The picture among photographs.
    pub scatter: Option<Result<LabScatter, String>>,
}

/// A class's margin over a rival, split over the channels of a layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabMargin {
    /// The class and its rival.
    pub title: String,
    /// The answer in one sentence.
    pub sentence: String,
    /// The margin of the class over its rival.
    pub value: f64,
    /// The first channels by their attribution, and the one that was asked about if it is not among them.
    pub shares: Vec<LabShare>,
    /// The place of the channel that was asked about among all, from 1.
    pub place: usize,
    /// The number of the layer's channels.
    pub channels: usize,
}

/// The part of a margin that a channel carries.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LabShare {
    /// The channel, counted from 0.
    pub channel: usize,
    /// Its gradient times its activation, summed over positions.
    pub attribution: f64,
    /// The attribution's share of the margin; none where percentages would say nothing.
    pub share: Option<f64>,
    /// The margin that is lost without the channel.
    pub ablation: f64,
}

/// A picture with a text for the line below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabExample {
    /// The text for that line.
    pub label: String,
    /// The picture that it stands below.
    #[serde(with = "shared::picture")]
    pub picture: Arc<Picture>,
}

/// A picture among photographs, in the plane of the photographs' first two principal components.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabScatter {
    /// The picture itself, and then the photographs.
    #[serde(with = "shared")]
    pub points: Arc<[LabPoint]>,
    /// The labels of the photographs, as people read them.
    #[serde(with = "shared")]
    pub labels: Arc<[String]>,
    /// The label that most of the ten nearest photographs have.
    pub nearest: Option<usize>,
    /// A line about the plane and the ten nearest photographs.
    pub about: String,
}

impl LabScatter {
    /// The place of each point on a surface that all of them fit on: shares of its width and height, across and down.
    pub fn shares(&self) -> Vec<[f64; 2]> {
        let ends = [0, 1].map(|axis| {
            let along = self.points.iter().map(|point| point.at[axis]);
            along.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)))
        });
        let share = |x: f64, (low, high): (f64, f64)| {
            let inside = if high > low { (x - low) / (high - low) } else { 0.5 };
            MARGIN + (1.0 - 2.0 * MARGIN) * inside
        };
        let place = |point: &LabPoint| [share(point.at[0], ends[0]), 1.0 - share(point.at[1], ends[1])];
        self.points.iter().map(place).collect()
    }
}

/// A point of a scatter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabPoint {
    /// Its place, across and up.
    pub at: [f64; 2],
    /// The picture's file; empty for the picture that was asked about.
    pub file: String,
    /// The place of its label among the labels.
    pub label: Option<usize>,
}
