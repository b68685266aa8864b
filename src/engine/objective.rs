//! What is maximised: a value of the activations, with a printed form, a number and a cotangent.
//!
//! Lucid's vocabulary (`lucid/optvis/objectives.py`). Not how the activations are computed.

use std::fmt;
use std::ops::{Add, Mul, Sub};

use serde::{Deserialize, Serialize};
use trepang_api::{Array, LayerId, Network, Op};

use super::{Error, Result};

/// A quantity to be raised. Prints as `channel(block5_conv4, 4) - 0.5 * neuron(block3_conv1, 7, 2, 3)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// A class of the network's last linear layer, before the softmax.
    Logit {
        /// Its index.
        class: usize,
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

impl Objective {
    /// The mean of a channel.
    pub fn channel(layer: &str, channel: usize) -> Self {
        Self::Channel { layer: layer.into(), channel }
    }

    /// Finds the layers in `network` and checks channels and positions for square images of `size` pixels.
    pub fn bind(&self, network: &Network, size: usize) -> Result<Bound> {
        let mut at = Vec::new();
        let tree = Tree::bind(self, network, size, &mut at)?;
        Ok(Bound { tree, at })
    }

    /// The same, looking at each layer before its ReLU; `None` when no layer has such a form.
    pub fn before_relu(&self, network: &Network) -> Option<Self> {
        let mut changed = false;
        let moved = self.map_layers(&mut |layer| {
            let pre = network.layer(layer).ok().and_then(|id| network.pre(id));
            match pre.and_then(|id| network.node(id).ok()) {
                Some(node) => {
                    changed = true;
                    node.name.clone()
                }
                None => layer.into(),
            }
        });
        changed.then_some(moved)
    }

    fn map_layers(&self, rename: &mut dyn FnMut(&str) -> String) -> Self {
        match self {
            Self::Channel { layer, channel } => Self::Channel { layer: rename(layer), channel: *channel },
            Self::Neuron { layer, channel, y, x } => {
                Self::Neuron { layer: rename(layer), channel: *channel, y: *y, x: *x }
            }
            Self::Layer { layer } => Self::Layer { layer: rename(layer) },
            Self::Logit { .. } | Self::Constant(_) => self.clone(),
            Self::Sum(a, b) => Self::Sum(a.map_layers(rename).into(), b.map_layers(rename).into()),
            Self::Difference(a, b) => {
                Self::Difference(a.map_layers(rename).into(), b.map_layers(rename).into())
            }
            Self::Product(a, b) => Self::Product(a.map_layers(rename).into(), b.map_layers(rename).into()),
        }
    }

    /// How tightly the printed form binds: sums 0, products 1, the rest 2.
    fn precedence(&self) -> u8 {
        match self {
            Self::Sum(..) | Self::Difference(..) => 0,
            Self::Product(..) => 1,
            _ => 2,
        }
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel { layer, channel } => write!(f, "channel({layer}, {channel})"),
            Self::Neuron { layer, channel, y, x } => write!(f, "neuron({layer}, {channel}, {y}, {x})"),
            Self::Layer { layer } => write!(f, "layer({layer})"),
            Self::Logit { class } => write!(f, "logit({class})"),
            Self::Constant(value) => write!(f, "{value}"),
            Self::Sum(a, b) => write_pair(f, a, " + ", b, 0, 0),
            Self::Difference(a, b) => write_pair(f, a, " - ", b, 0, 1),
            Self::Product(a, b) => write_pair(f, a, " * ", b, 1, 1),
        }
    }
}

/// Puts parentheses around a side that binds less tightly than it must.
fn write_pair(
    f: &mut fmt::Formatter<'_>,
    a: &Objective,
    sign: &str,
    b: &Objective,
    left: u8,
    right: u8,
) -> fmt::Result {
    write_side(f, a, left)?;
    f.write_str(sign)?;
    write_side(f, b, right)
}

fn write_side(f: &mut fmt::Formatter<'_>, side: &Objective, least: u8) -> fmt::Result {
    match side.precedence() < least {
        true => write!(f, "({side})"),
        false => write!(f, "{side}"),
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

/// An objective whose layers were found: it can be evaluated on activations.
#[derive(Debug, Clone)]
pub struct Bound {
    tree: Tree,
    at: Vec<LayerId>,
}

impl Bound {
    /// The layers whose activations it reads, in the order it reads them.
    pub fn at(&self) -> &[LayerId] {
        &self.at
    }

    /// Its number for image `n` of the batch. Sums are in `f64`.
    pub fn value(&self, activations: &[Array], n: usize) -> f64 {
        self.tree.value(activations, n)
    }

    /// Adds d(value)/d(activation) for image `n` to `cotangents`, one array a layer.
    pub fn add_cotangents(&self, activations: &[Array], n: usize, cotangents: &mut [Array]) {
        self.tree.add_cotangents(1.0, activations, n, cotangents);
    }

    /// The value of image 0 and its cotangents, from zero.
    pub fn value_and_cotangents(&self, activations: &[Array]) -> (f64, Vec<Array>) {
        let mut cotangents: Vec<Array> = activations.iter().map(|a| Array::zeros(a.shape())).collect();
        self.add_cotangents(activations, 0, &mut cotangents);
        (self.value(activations, 0), cotangents)
    }
}

/// The same tree with layers as positions in [`Bound::at`] and channels as ranges of numbers.
#[derive(Debug, Clone)]
enum Tree {
    /// The mean of a run of numbers of one image: a channel, or a single number.
    Mean {
        slot: usize,
        start: usize,
        len: usize,
    },
    /// The mean of all squares.
    Squares {
        slot: usize,
    },
    Constant(f64),
    Sum(Box<Tree>, Box<Tree>),
    Difference(Box<Tree>, Box<Tree>),
    Product(Box<Tree>, Box<Tree>),
}

impl Tree {
    fn bind(objective: &Objective, network: &Network, size: usize, at: &mut Vec<LayerId>) -> Result<Self> {
        let mut both = |a: &Objective, b: &Objective| -> Result<(Box<Self>, Box<Self>)> {
            Ok((Self::bind(a, network, size, at)?.into(), Self::bind(b, network, size, at)?.into()))
        };
        match objective {
            Objective::Constant(value) => return Ok(Self::Constant(*value)),
            Objective::Sum(a, b) => return both(a, b).map(|(a, b)| Self::Sum(a, b)),
            Objective::Difference(a, b) => return both(a, b).map(|(a, b)| Self::Difference(a, b)),
            Objective::Product(a, b) => return both(a, b).map(|(a, b)| Self::Product(a, b)),
            _ => {}
        }
        let layer = layer_of(objective, network)?;
        let shape = network.shape(size, size, layer)?;
        let slot = at.iter().position(|&id| id == layer).unwrap_or_else(|| {
            at.push(layer);
            at.len() - 1
        });
        let name = &network.node(layer)?.name;
        let area = shape.height * shape.width;
        let channel_start = |channel: usize| match channel < shape.channels {
            true => Ok(channel * area),
            false => Err(Error::NoChannel { layer: name.clone(), channels: shape.channels, channel }),
        };
        Ok(match *objective {
            Objective::Channel { channel, .. } => {
                Self::Mean { slot, start: channel_start(channel)?, len: area }
            }
            Objective::Logit { class } => Self::Mean { slot, start: channel_start(class)?, len: 1 },
            Objective::Neuron { channel, y, x, .. } => {
                let (height, width) = (shape.height, shape.width);
                if y >= height || x >= width {
                    return Err(Error::NoNeuron { layer: name.clone(), height, width, y, x });
                }
                Self::Mean { slot, start: channel_start(channel)? + y * width + x, len: 1 }
            }
            _ => Self::Squares { slot },
        })
    }

    fn value(&self, activations: &[Array], n: usize) -> f64 {
        match self {
            Self::Mean { slot, start, len } => {
                let run = &activations[*slot].item(n)[*start..][..*len];
                run.iter().map(|&a| f64::from(a)).sum::<f64>() / *len as f64
            }
            Self::Squares { slot } => {
                let all = activations[*slot].item(n);
                all.iter().map(|&a| f64::from(a).powi(2)).sum::<f64>() / all.len() as f64
            }
            Self::Constant(value) => *value,
            Self::Sum(a, b) => a.value(activations, n) + b.value(activations, n),
            Self::Difference(a, b) => a.value(activations, n) - b.value(activations, n),
            Self::Product(a, b) => a.value(activations, n) * b.value(activations, n),
        }
    }

    /// `scale` is d(whole)/d(this): the chain rule walks down the tree.
    fn add_cotangents(&self, scale: f64, activations: &[Array], n: usize, cotangents: &mut [Array]) {
        match self {
            Self::Mean { slot, start, len } => {
                let share = (scale / *len as f64) as f32;
                cotangents[*slot].item_mut(n)[*start..][..*len].iter_mut().for_each(|c| *c += share);
            }
            Self::Squares { slot } => {
                let all = activations[*slot].item(n);
                let share = 2.0 * scale / all.len() as f64;
                for (c, &a) in cotangents[*slot].item_mut(n).iter_mut().zip(all) {
                    *c += (share * f64::from(a)) as f32;
                }
            }
            Self::Constant(_) => {}
            Self::Sum(a, b) => {
                a.add_cotangents(scale, activations, n, cotangents);
                b.add_cotangents(scale, activations, n, cotangents);
            }
            Self::Difference(a, b) => {
                a.add_cotangents(scale, activations, n, cotangents);
                b.add_cotangents(-scale, activations, n, cotangents);
            }
            Self::Product(a, b) => {
                a.add_cotangents(scale * b.value(activations, n), activations, n, cotangents);
                b.add_cotangents(scale * a.value(activations, n), activations, n, cotangents);
            }
        }
    }
}

/// The layer a leaf reads; for a class logit, the last linear one.
fn layer_of(objective: &Objective, network: &Network) -> Result<LayerId> {
    match objective {
        Objective::Channel { layer, .. } | Objective::Neuron { layer, .. } | Objective::Layer { layer } => {
            Ok(network.layer(layer)?)
        }
        _ => classifier(network).ok_or_else(|| Error::NoClassifier { network: network.name().into() }),
    }
}

/// The last linear layer: its outputs are the class logits.
fn classifier(network: &Network) -> Option<LayerId> {
    let is_linear = |id: &LayerId| network.node(*id).is_ok_and(|node| matches!(node.op, Op::Linear(_)));
    network.layers().filter(is_linear).last()
}

#[cfg(test)]
mod tests {
    use super::*;
    use trepang_api::networks::minivgg;

    fn some() -> [Objective; 4] {
        [
            Objective::channel("block3_conv1", 3),
            Objective::Neuron { layer: "block3_conv1:pre".into(), channel: 2, y: 1, x: 5 },
            Objective::Layer { layer: "block4_pool".into() },
            Objective::Logit { class: 31 },
        ]
    }

    #[test]
    fn it_prints_as_it_is_written() {
        let [channel, neuron, layer, logit] = some();
        assert_eq!(
            (channel.clone() - 0.5 * neuron.clone()).to_string(),
            "channel(block3_conv1, 3) - 0.5 * neuron(block3_conv1:pre, 2, 1, 5)"
        );
        assert_eq!(
            (2.0 * (layer.clone() + logit.clone())).to_string(),
            "2 * (layer(block4_pool) + logit(31))"
        );
        assert_eq!(
            (channel - (neuron - logit)).to_string(),
            "channel(block3_conv1, 3) - (neuron(block3_conv1:pre, 2, 1, 5) - logit(31))"
        );
    }

    #[test]
    fn every_cotangent_is_the_slope_of_the_value() {
        let network = minivgg().unwrap();
        let [a, b, c, d] = some();
        for objective in [a.clone(), b.clone(), c.clone(), d.clone(), (a + 2.0 * b) * (c - d)] {
            let bound = objective.bind(&network, 64).unwrap();
            let mut activations: Vec<Array> = (1..)
                .zip(bound.at())
                .map(|(seed, &id)| {
                    let shape = network.shape(64, 64, id).unwrap();
                    trepang_api::conformance::noise(seed, shape.batch(2))
                })
                .collect();
            let mut cotangents: Vec<Array> = activations.iter().map(|a| Array::zeros(a.shape())).collect();
            bound.add_cotangents(&activations, 1, &mut cotangents);
            for (slot, cotangent) in cotangents.iter().enumerate() {
                for i in (0..cotangent.data().len()).step_by(97).chain(largest(cotangent)) {
                    let here = activations[slot].data()[i];
                    let mut at = |value: f32| {
                        activations[slot].data_mut()[i] = value;
                        bound.value(&activations, 1)
                    };
                    let slope = (at(here + 0.5) - at(here - 0.5)) / f64::from((here + 0.5) - (here - 0.5));
                    at(here);
                    let found = f64::from(cotangent.data()[i]);
                    assert!(
                        (slope - found).abs() < 1e-6 * slope.abs().max(1.0),
                        "{objective} at {i}: {slope} {found}"
                    );
                }
            }
        }
    }

    fn largest(array: &Array) -> Option<usize> {
        (0..array.data().len()).max_by(|&a, &b| array.data()[a].abs().total_cmp(&array.data()[b].abs()))
    }

    #[test]
    fn what_is_not_there_is_said() {
        let network = minivgg().unwrap();
        let refusal = |objective: Objective| objective.bind(&network, 64).unwrap_err().to_string();
        assert_eq!(
            refusal(Objective::channel("block5_conv2", 256)),
            "block5_conv2 has 256 channels, 0 to 255; there is no channel 256"
        );
        let outside = Objective::Neuron { layer: "block5_conv2".into(), channel: 0, y: 4, x: 0 };
        assert!(refusal(outside).contains("there is no neuron at row 4, column 0"));
        assert!(refusal(Objective::channel("block5_conv3", 0)).contains("\"block5_conv2\""));
    }

    #[test]
    fn before_the_relu_only_where_there_is_one() {
        let network = minivgg().unwrap();
        let pre = Objective::channel("block5_conv2", 4).before_relu(&network).unwrap();
        assert_eq!(pre.to_string(), "channel(block5_conv2:pre, 4)");
        assert_eq!(Objective::Logit { class: 3 }.before_relu(&network), None);
    }
}
