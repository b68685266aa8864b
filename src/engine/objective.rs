//! What is maximised: a value of the activations, with a printed form, a number and a cotangent.
//!
//! Lucid's vocabulary (`lucid/optvis/objectives.py`). Not how the activations are computed.

use std::fmt;
use std::ops::{Add, Mul, Sub};

use serde::{Deserialize, Serialize};
use trepang_api::{Network, Region};

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

    /// The neurons it reads, in the order it names them; `None` if it reads anything larger.
    pub(super) fn neurons(&self, network: &Network) -> Option<Vec<Region>> {
        match self {
            Self::Neuron { layer, y, x, .. } => {
                Some(vec![Region { layer: network.layer(layer).ok()?, rows: *y..=*y, columns: *x..=*x }])
            }
            Self::Constant(_) => Some(Vec::new()),
            Self::Sum(a, b) | Self::Difference(a, b) | Self::Product(a, b) => {
                let mut neurons = a.neurons(network)?;
                neurons.extend(b.neurons(network)?);
                Some(neurons)
            }
            Self::Channel { .. } | Self::Layer { .. } | Self::Logit { .. } => None,
        }
    }

    /// The same with its neurons, in the order it names them, at other rows and columns.
    pub(super) fn moved(&self, to: &mut dyn Iterator<Item = [usize; 2]>) -> Self {
        match self {
            Self::Neuron { layer, channel, y, x } => {
                let [y, x] = to.next().unwrap_or([*y, *x]);
                Self::Neuron { layer: layer.clone(), channel: *channel, y, x }
            }
            Self::Sum(a, b) => Self::Sum(a.moved(to).into(), b.moved(to).into()),
            Self::Difference(a, b) => Self::Difference(a.moved(to).into(), b.moved(to).into()),
            Self::Product(a, b) => Self::Product(a.moved(to).into(), b.moved(to).into()),
            other => other.clone(),
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
    fn before_the_relu_only_where_there_is_one() {
        let network = minivgg().unwrap();
        let pre = Objective::channel("block5_conv2", 4).before_relu(&network).unwrap();
        assert_eq!(pre.to_string(), "channel(block5_conv2:pre, 4)");
        assert_eq!(Objective::Logit { class: 3 }.before_relu(&network), None);
    }
}
