//! What is maximised: a value of the activations and of the image, as it is written, printed and put into manifests.
//!
//! Lucid's vocabulary (`lucid/optvis/objectives.py`). Not how a value or its cotangent is computed: that is `bound`'s.

mod parse;
mod print;

use std::collections::BTreeSet;
use std::ops::{Add, Mul, Sub};

use serde::{Deserialize, Serialize};
use trepang_api::{Network, Region};

pub use parse::ParseError;

/// A quantity to be raised. Written `channel(block5_conv4, 4) - 0.5 * neuron(block3_conv1, 7, 2, 3) - tv(0.25)`; what it
/// prints parses back to the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Objective {
    /// The mean over height and width of one channel.
    Channel {
        /// The activation's name.
        layer: String,
        /// Which channel.
        channel: usize,
    },
    /// One number of a channel.
    Neuron {
        /// The activation's name.
        layer: String,
        /// Which channel.
        channel: usize,
        /// Row.
        y: usize,
        /// Column.
        x: usize,
    },
    /// The mean of the squares of a whole layer (`DeepDream`).
    Layer {
        /// The activation's name.
        layer: String,
    },
    /// The mean over positions of dot(a, v) max(0.1, cos(a, v))^p, with a the vector of a position's channels.
    Direction {
        /// The activation's name.
        layer: String,
        /// v: channels and their weights; all others are 0.
        weights: Vec<(usize, f64)>,
        /// p; 0 is the dot product alone.
        cosine: f64,
    },
    /// A class of the network's last linear layer, before the softmax.
    Logit {
        /// Its index.
        class: usize,
    },
    /// How little alike the images of a batch are at a layer: minus the sum over the other images of the cosine between
    /// their Gram matrices, between 1 - B and 0.
    Diversity {
        /// The activation's name.
        layer: String,
    },
    /// How alike neighbouring images of a batch are: minus the sum for d = 1 to 4 of `mean((a_i - a_(i+d))^2) / 2^d`.
    Alignment {
        /// The activation's name.
        layer: String,
    },
    /// From one channel to another over the images of a batch: the mean of the first times 1 - w plus that of the second
    /// times w, with w = i / (B - 1) for image i.
    Interpolation {
        /// The activation's name.
        layer: String,
        /// What image 0 raises.
        from: usize,
        /// What the last image raises.
        to: usize,
    },
    /// How near the layer is to what it is for a picture: -|a - r|^2 / |r|^2 (Mahendran and Vedaldi 2015, eq. 1 and 2).
    Inversion {
        /// The activation's name.
        layer: String,
        /// The picture's file.
        picture: String,
    },
    /// The layer's activation along that of a picture, which exaggerates what the picture has of it: dot(a, r) over the
    /// number of positions, times max(0.1, cos(a, r))^p.
    Caricature {
        /// The activation's name.
        layer: String,
        /// The picture's file.
        picture: String,
        /// p; 0 is the dot product alone.
        cosine: f64,
    },
    /// A weight times a measure of the image as the network sees it, to be subtracted.
    Penalty {
        /// Of what.
        of: Penalty,
        /// The weight.
        weight: f64,
    },
    /// A number, to scale others with.
    Constant(f64),
    /// a + b
    Sum(Box<Objective>, Box<Objective>),
    /// a - b
    Difference(Box<Objective>, Box<Objective>),
    /// a * b
    Product(Box<Objective>, Box<Objective>),
}

/// A measure of an image x with values in 0..1, summed over pixels and channels as in lucid's `objectives.py`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Penalty {
    /// `sum |x - 0.5|`
    L1,
    /// `sqrt(1e-6 + sum (x - 0.5)^2)`
    L2,
    /// Total variation: the sum of the absolute differences of neighbours, right and below.
    Tv,
    /// `0.5 sum (x - blur(x))^2` with blur(x) held fixed: 3x3, 1 in the centre and 0.5 around it, normalised.
    Blur,
    /// Over a border a twelfth of the side wide (20 pixels of lucid's 240): `sum (blur(x) - x)^2 + 0.8 (x - 0.5)^2`,
    /// with blur a 5x5 mean and blur(x) held fixed.
    Boundary,
}

impl Penalty {
    /// All of them, with the names they are written by.
    pub const ALL: [(&'static str, Self); 5] = [
        ("l1", Self::L1),
        ("l2", Self::L2),
        ("tv", Self::Tv),
        ("blur", Self::Blur),
        ("boundary", Self::Boundary),
    ];
}

impl Objective {
    /// The mean of a channel.
    pub fn channel(layer: &str, channel: usize) -> Self {
        Self::Channel { layer: layer.into(), channel }
    }

    /// The names of the functions of the text form.
    pub fn functions() -> impl Iterator<Item = &'static str> {
        parse::FUNCTIONS.iter().map(|(name, _)| *name)
    }

    /// The layer a leaf reads; none for a logit, which reads the classifier, and for what is no leaf or reads the image.
    pub fn layer(&self) -> Option<&str> {
        match self {
            Self::Channel { layer, .. }
            | Self::Neuron { layer, .. }
            | Self::Layer { layer }
            | Self::Direction { layer, .. }
            | Self::Diversity { layer }
            | Self::Alignment { layer }
            | Self::Interpolation { layer, .. }
            | Self::Inversion { layer, .. }
            | Self::Caricature { layer, .. } => Some(layer),
            _ => None,
        }
    }

    /// Calls `leaf` for every part that is no sum, difference or product, from left to right.
    pub fn leaves<'a>(&'a self, leaf: &mut dyn FnMut(&'a Self)) {
        match self {
            Self::Sum(a, b) | Self::Difference(a, b) | Self::Product(a, b) => {
                a.leaves(leaf);
                b.leaves(leaf);
            }
            other => leaf(other),
        }
    }

    /// The same with every leaf replaced by what `leaf` makes of it.
    #[must_use]
    pub fn map_leaves(&self, leaf: &mut dyn FnMut(&Self) -> Self) -> Self {
        match self {
            Self::Sum(a, b) => Self::Sum(a.map_leaves(leaf).into(), b.map_leaves(leaf).into()),
            Self::Difference(a, b) => Self::Difference(a.map_leaves(leaf).into(), b.map_leaves(leaf).into()),
            Self::Product(a, b) => Self::Product(a.map_leaves(leaf).into(), b.map_leaves(leaf).into()),
            other => leaf(other),
        }
    }

    /// The files of the pictures whose activations it compares with, each once.
    pub fn pictures(&self) -> BTreeSet<&str> {
        let mut files = BTreeSet::new();
        self.leaves(&mut |leaf| {
            if let Self::Inversion { picture, .. } | Self::Caricature { picture, .. } = leaf {
                files.insert(picture.as_str());
            }
        });
        files
    }

    /// Does a part of it compare the images of a batch with each other?
    pub(super) fn compares_images(&self) -> bool {
        let mut compares = false;
        self.leaves(&mut |leaf| {
            compares |=
                matches!(leaf, Self::Diversity { .. } | Self::Alignment { .. } | Self::Interpolation { .. });
        });
        compares
    }

    /// The neurons it reads, in the order it names them; `None` if it reads anything larger.
    pub(super) fn neurons(&self, network: &Network) -> Option<Vec<Region>> {
        let mut neurons = Some(Vec::new());
        self.leaves(&mut |leaf| match leaf {
            Self::Constant(_) => {}
            Self::Neuron { layer, y, x, .. } => {
                let layer = network.layer(layer).ok();
                let region = layer.map(|layer| Region { layer, rows: *y..=*y, columns: *x..=*x });
                neurons = neurons.take().zip(region).map(|(mut all, region)| {
                    all.push(region);
                    all
                });
            }
            _ => neurons = None,
        });
        neurons
    }

    /// The same with its neurons, in the order it names them, at other rows and columns.
    pub(super) fn moved(&self, to: &mut dyn Iterator<Item = [usize; 2]>) -> Self {
        self.map_leaves(&mut |leaf| match leaf {
            Self::Neuron { layer, channel, y, x } => {
                let [y, x] = to.next().unwrap_or([*y, *x]);
                Self::Neuron { layer: layer.clone(), channel: *channel, y, x }
            }
            other => other.clone(),
        })
    }
}

impl From<Objective> for String {
    fn from(objective: Objective) -> Self {
        objective.to_string()
    }
}

impl TryFrom<String> for Objective {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl Add for Objective {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::Sum(self.into(), other.into())
    }
}

impl Sub for Objective {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self::Difference(self.into(), other.into())
    }
}

impl Mul for Objective {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self::Product(self.into(), other.into())
    }
}

impl Mul<Objective> for f64 {
    type Output = Objective;

    fn mul(self, objective: Objective) -> Objective {
        Objective::Constant(self) * objective
    }
}
