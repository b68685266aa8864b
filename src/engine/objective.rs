//! The objective of an ascent: a value of the activations and of the image, as it is written, printed and put into
//! manifests.
//!
//! Lucid's vocabulary (`lucid/optvis/objectives.py`). Not how a value or its cotangent is computed: that is `bound`'s.

mod functions;
mod parse;
mod print;
mod reader;
mod shorthand;

use std::collections::BTreeSet;
use std::ops::{Add, Mul, Sub};

use serde::{Deserialize, Serialize};
use trepang_api::{Network, Region};

pub use functions::{FUNCTIONS, Function};
pub use parse::ParseError;
pub use reader::ClassFinder;

/// A quantity to be raised. Written `channel(block5_conv4, 4) - 0.5 * neuron(block3_conv1, 7, 2, 3) - tv(0.25)`; what it
/// prints parses back to the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Objective {
    /// The mean over height and width of one channel.
    Channel {
        /// The activation's name in the network, such as `block5_conv4`.
        layer: String,
        /// The channel's index, counted from 0.
        channel: usize,
    },
    /// One number of a channel.
    Neuron {
        /// The activation's name in the network, such as `block5_conv4`.
        layer: String,
        /// The channel's index, counted from 0.
        channel: usize,
        /// The row, counted from 0 at the top.
        y: usize,
        /// The column, counted from 0 at the left.
        x: usize,
    },
    /// The mean of the squares of a whole layer (`DeepDream`).
    Layer {
        /// The activation's name in the network, such as `block5_conv4`.
        layer: String,
    },
    /// The mean over positions of dot(a, v) max(0.1, cos(a, v))^p, with a the vector of a position's channels.
    Direction {
        /// The activation's name in the network, such as `block5_conv4`.
        layer: String,
        /// v: channels and their weights; all others are 0.
        weights: Vec<(usize, f64)>,
        /// p; 0 is the dot product alone.
        cosine_power: f64,
    },
    /// A class of the network's last linear layer, before the softmax.
    Logit {
        /// The class's index among the network's labels, counted from 0.
        class: usize,
    },
    /// The dissimilarity of the images of a batch at a layer: minus the sum over the other images of the cosine between
    /// their Gram matrices, between 1 - B and 0.
    Diversity {
        /// The activation's name in the network, such as `block5_conv4`.
        layer: String,
    },
    /// The likeness of neighbouring images of a batch: minus the sum for d = 1 to 4 of `mean((a_i - a_(i+d))^2) / 2^d`.
    Alignment {
        /// The activation's name in the network, such as `block5_conv4`.
        layer: String,
    },
    /// From one channel to another over the images of a batch: the mean of the first times 1 - w plus that of the second
    /// times w, with w = i / (B - 1) for image i.
    Interpolation {
        /// The activation's name in the network, such as `block5_conv4`.
        layer: String,
        /// The channel that the first image raises, counted from 0.
        from: usize,
        /// The channel that the last image raises, counted from 0.
        to: usize,
    },
    /// The nearness of the layer's activation to that of a picture: -|a - r|^2 / |r|^2 (Mahendran and Vedaldi 2015, eq.
    /// 1 and 2).
    Inversion {
        /// The activation's name in the network, such as `block5_conv4`.
        layer: String,
        /// The picture's file, as the user named it.
        picture: String,
    },
    /// The layer's activation along that of a picture, which exaggerates what the picture has of it: dot(a, r) over the
    /// number of positions, times max(0.1, cos(a, r))^p.
    Caricature {
        /// The activation's name in the network, such as `block5_conv4`.
        layer: String,
        /// The picture's file, as the user named it.
        picture: String,
        /// p; 0 is the dot product alone.
        cosine_power: f64,
    },
    /// A weight times a measure of the image as the network sees it, to be subtracted.
    Penalty {
        /// The measure of the image.
        of: Penalty,
        /// The factor of the measure.
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

/// The operation that combines two objectives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Sum,
    Difference,
    Product,
}

impl Operation {
    /// Combines two objectives.
    fn of(self, a: Objective, b: Objective) -> Objective {
        match self {
            Self::Sum => a + b,
            Self::Difference => a - b,
            Self::Product => a * b,
        }
    }
}

/// The part of a step that one term reads.
#[derive(Debug, Clone, Copy, Default)]
struct Reads<'a> {
    /// The layer it names.
    layer: Option<&'a str>,
    /// The picture that it compares the layer with.
    picture: Option<&'a str>,
    /// Whether it compares the images of a batch with each other.
    other_images: bool,
}

impl Objective {
    /// The mean of a channel.
    pub fn channel(layer: &str, channel: usize) -> Self {
        Self::Channel { layer: layer.into(), channel }
    }

    /// The operation of a sum, a difference or a product, and its two sides; `None` for a term.
    fn operation(&self) -> Option<(Operation, [&Self; 2])> {
        match self {
            Self::Sum(a, b) => Some((Operation::Sum, [a, b])),
            Self::Difference(a, b) => Some((Operation::Difference, [a, b])),
            Self::Product(a, b) => Some((Operation::Product, [a, b])),
            Self::Channel { .. }
            | Self::Neuron { .. }
            | Self::Layer { .. }
            | Self::Direction { .. }
            | Self::Logit { .. }
            | Self::Diversity { .. }
            | Self::Alignment { .. }
            | Self::Interpolation { .. }
            | Self::Inversion { .. }
            | Self::Caricature { .. }
            | Self::Penalty { .. }
            | Self::Constant(_) => None,
        }
    }

    /// The input of a term; none for a sum, a difference or a product.
    fn reads(&self) -> Reads<'_> {
        match self {
            Self::Channel { layer, .. }
            | Self::Neuron { layer, .. }
            | Self::Layer { layer }
            | Self::Direction { layer, .. } => Reads { layer: Some(layer), ..Reads::default() },
            Self::Diversity { layer } | Self::Alignment { layer } | Self::Interpolation { layer, .. } => {
                Reads { layer: Some(layer), other_images: true, ..Reads::default() }
            }
            Self::Inversion { layer, picture } | Self::Caricature { layer, picture, .. } => {
                Reads { layer: Some(layer), picture: Some(picture), ..Reads::default() }
            }
            Self::Logit { .. }
            | Self::Penalty { .. }
            | Self::Constant(_)
            | Self::Sum(..)
            | Self::Difference(..)
            | Self::Product(..) => Reads::default(),
        }
    }

    /// The layer that a term names; `None` for a logit, which reads the classifier, for what reads the image, and for what
    /// is no term.
    pub fn layer(&self) -> Option<&str> {
        self.reads().layer
    }

    /// Calls `of` for every term (every part that is no sum, difference or product), from left to right.
    pub fn for_each_term<'a>(&'a self, of: &mut dyn FnMut(&'a Self)) {
        match self.operation() {
            Some((_, sides)) => sides.into_iter().for_each(|side| side.for_each_term(of)),
            None => of(self),
        }
    }

    /// The term that is a channel, a neuron or a class, with its number, if the objective names one such thing, once.
    pub fn only_target(&self) -> Option<(&Self, usize)> {
        let mut named = Vec::new();
        self.for_each_term(&mut |term| {
            if let Self::Channel { channel: number, .. }
            | Self::Neuron { channel: number, .. }
            | Self::Logit { class: number } = term
            {
                named.push((term, *number));
            }
        });
        if let [one] = named[..] { Some(one) } else { None }
    }

    /// The same objective with every term replaced by what `of` makes of it.
    #[must_use]
    pub fn map_terms(&self, of: &mut dyn FnMut(&Self) -> Self) -> Self {
        match self.operation() {
            Some((operation, [a, b])) => operation.of(a.map_terms(of), b.map_terms(of)),
            None => of(self),
        }
    }

    /// The files of the pictures whose activations it compares with, each once.
    pub fn pictures(&self) -> BTreeSet<&str> {
        let mut files = BTreeSet::new();
        self.for_each_term(&mut |term| files.extend(term.reads().picture));
        files
    }

    /// Tells whether a part of the objective compares the images of a batch with each other.
    pub(super) fn compares_images(&self) -> bool {
        let mut compares = false;
        self.for_each_term(&mut |term| compares |= term.reads().other_images);
        compares
    }

    /// The neurons it reads, in the order it names them; `None` if it reads anything larger.
    pub(super) fn neurons(&self, network: &Network) -> Option<Vec<Region>> {
        let mut neurons = Some(Vec::new());
        self.for_each_term(&mut |term| {
            if matches!(term, Self::Constant(_)) {
                return;
            }
            let region = term.neuron(network);
            neurons = neurons.take().zip(region).map(|(mut all, region)| {
                all.push(region);
                all
            });
        });
        neurons
    }

    /// The only number that this term reads; `None` if it is no neuron of the network.
    fn neuron(&self, network: &Network) -> Option<Region> {
        let Self::Neuron { layer, y, x, .. } = self else { return None };
        Some(Region { layer: network.layer(layer).ok()?, rows: *y..=*y, columns: *x..=*x })
    }

    /// The same objective with its neurons, in the order it names them, at other rows and columns.
    pub(super) fn moved(&self, to: &mut dyn Iterator<Item = [usize; 2]>) -> Self {
        self.map_terms(&mut |term| {
            let Self::Neuron { layer, channel, y, x } = term else { return term.clone() };
            let [y, x] = to.next().unwrap_or([*y, *x]);
            Self::Neuron { layer: layer.clone(), channel: *channel, y, x }
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
