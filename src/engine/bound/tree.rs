//! The tree of an objective with its leaves bound, evaluated view by view: a product of two parts is that of their values
//! on the same view.

use trepang_api::{LayerId, Network};

use crate::engine::leaf::{Cotangents, Leaf, Scene};
use crate::engine::{Error, Objective, Result};

/// An objective with layers as positions among those read, and channels as runs of numbers.
#[derive(Debug, Clone)]
pub(super) enum Tree {
    Leaf(Leaf),
    Constant(f64),
    Sum(Box<Tree>, Box<Tree>),
    Difference(Box<Tree>, Box<Tree>),
    Product(Box<Tree>, Box<Tree>),
}

impl Tree {
    pub(super) fn bind(
        objective: &Objective,
        network: &Network,
        size: [usize; 2],
        pictures: &[String],
        at: &mut Vec<LayerId>,
    ) -> Result<Self> {
        let mut both = |a: &Objective, b: &Objective| -> Result<(Box<Self>, Box<Self>)> {
            let a = Self::bind(a, network, size, pictures, at)?;
            Ok((a.into(), Self::bind(b, network, size, pictures, at)?.into()))
        };
        Ok(match objective {
            Objective::Constant(value) => Self::Constant(*value),
            Objective::Penalty { of, weight } => Self::Leaf(Leaf::Penalty { of: *of, weight: *weight }),
            Objective::Sum(a, b) => both(a, b).map(|(a, b)| Self::Sum(a, b))?,
            Objective::Difference(a, b) => both(a, b).map(|(a, b)| Self::Difference(a, b))?,
            Objective::Product(a, b) => both(a, b).map(|(a, b)| Self::Product(a, b))?,
            leaf => Self::Leaf(Layer::find(leaf, network, size, at)?.leaf(leaf, pictures)?),
        })
    }

    /// The mean over images and views.
    pub(super) fn mean(&self, scene: &Scene) -> f64 {
        let of_view = |(image, view)| self.value(scene, image, view);
        items(scene).map(of_view).sum::<f64>() / scene.layout.len() as f64
    }

    /// Adds the cotangents of [`mean`](Self::mean).
    pub(super) fn add_mean_cotangents(&self, scene: &Scene, into: &mut Cotangents) {
        let share = 1.0 / scene.layout.len() as f64;
        items(scene).for_each(|(image, view)| self.add_cotangents(share, scene, (image, view), into));
    }

    fn value(&self, scene: &Scene, image: usize, view: usize) -> f64 {
        match self {
            Self::Leaf(leaf) => leaf.value(scene, image, view),
            Self::Constant(value) => *value,
            Self::Sum(a, b) => a.value(scene, image, view) + b.value(scene, image, view),
            Self::Difference(a, b) => a.value(scene, image, view) - b.value(scene, image, view),
            Self::Product(a, b) => a.value(scene, image, view) * b.value(scene, image, view),
        }
    }

    /// `scale` is d(whole)/d(this): the chain rule walks down the tree.
    fn add_cotangents(&self, scale: f64, scene: &Scene, of: (usize, usize), into: &mut Cotangents) {
        match self {
            Self::Leaf(leaf) => leaf.add_cotangents(scale, scene, of, into),
            Self::Constant(_) => {}
            Self::Sum(a, b) => {
                a.add_cotangents(scale, scene, of, into);
                b.add_cotangents(scale, scene, of, into);
            }
            Self::Difference(a, b) => {
                a.add_cotangents(scale, scene, of, into);
                b.add_cotangents(-scale, scene, of, into);
            }
            Self::Product(a, b) => {
                a.add_cotangents(scale * b.value(scene, of.0, of.1), scene, of, into);
                b.add_cotangents(scale * a.value(scene, of.0, of.1), scene, of, into);
            }
        }
    }
}

fn items(scene: &Scene) -> impl Iterator<Item = (usize, usize)> + use<> {
    let views = scene.layout.views;
    (0..scene.layout.images).flat_map(move |image| (0..views).map(move |view| (image, view)))
}

/// The layer that a leaf reads, with what its channels and positions are checked against.
struct Layer {
    slot: usize,
    name: String,
    channels: usize,
    height: usize,
    width: usize,
}

impl Layer {
    fn find(leaf: &Objective, network: &Network, size: [usize; 2], at: &mut Vec<LayerId>) -> Result<Self> {
        let id = match leaf.layer() {
            Some(layer) => network.layer(layer)?,
            None => network.logits().ok_or_else(|| Error::NoClassifier { network: network.name().into() })?,
        };
        let shape = network.shape(size[0], size[1], id)?;
        let slot = at.iter().position(|&known| known == id).unwrap_or_else(|| {
            at.push(id);
            at.len() - 1
        });
        let name = network.node(id)?.name.clone();
        Ok(Self { slot, name, channels: shape.channels, height: shape.height, width: shape.width })
    }

    fn leaf(&self, leaf: &Objective, pictures: &[String]) -> Result<Leaf> {
        let (slot, area, channels) = (self.slot, self.height * self.width, self.channels);
        let reference = |file: &str| {
            let found = pictures.iter().position(|known| known == file);
            found.ok_or_else(|| Error::State(format!("the picture {file} was not read")))
        };
        Ok(match leaf {
            Objective::Channel { channel, .. } => {
                Leaf::Mean { slot, start: self.start(*channel)?, len: area }
            }
            Objective::Logit { class } => Leaf::Mean { slot, start: self.start(*class)?, len: 1 },
            Objective::Neuron { channel, y, x, .. } => {
                let start = self.start(*channel)? + self.position(*y, *x)?;
                Leaf::Mean { slot, start, len: 1 }
            }
            Objective::Direction { weights, cosine, .. } => {
                let found = |(channel, weight): &(usize, f64)| Ok((self.start(*channel)?, *weight));
                let weights = weights.iter().map(found).collect::<Result<_>>()?;
                Leaf::Direction { slot, weights, cosine: *cosine, area }
            }
            Objective::Interpolation { from, to, .. } => {
                Leaf::Interpolation { slot, from: self.start(*from)?, to: self.start(*to)?, area }
            }
            Objective::Diversity { .. } => Leaf::Diversity { slot, channels },
            Objective::Alignment { .. } => Leaf::Alignment { slot },
            Objective::Inversion { picture, .. } => Leaf::Inversion { slot, reference: reference(picture)? },
            Objective::Caricature { picture, cosine, .. } => {
                Leaf::Caricature { slot, reference: reference(picture)?, cosine: *cosine, area }
            }
            _ => Leaf::Squares { slot },
        })
    }

    /// The first number of a channel.
    fn start(&self, channel: usize) -> Result<usize> {
        let (layer, channels) = (self.name.clone(), self.channels);
        match channel < channels {
            true => Ok(channel * self.height * self.width),
            false => Err(Error::NoChannel { layer, channels, channel }),
        }
    }

    fn position(&self, y: usize, x: usize) -> Result<usize> {
        let (layer, height, width) = (self.name.clone(), self.height, self.width);
        match y < height && x < width {
            true => Ok(y * width + x),
            false => Err(Error::NoNeuron { layer, height, width, y, x }),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::Objective;
    use crate::engine::leaf::{Cotangents, Layout, Scene};
    use trepang_api::networks::minivgg;
    use trepang_api::{Array, conformance::noise};

    /// Central differences of sums over thousands of numbers in `f64`, with activations and cotangents in `f32`.
    const TOLERANCE: f64 = 2e-4;

    fn activations(objective: &Objective, items: usize) -> Vec<Array> {
        let network = minivgg().unwrap();
        let shape = |id| network.shape(64, 64, id).unwrap().batch(items);
        let bound = objective.bind(&network, 64).unwrap();
        (1..).zip(bound.at()).map(|(seed, &id)| noise(seed, shape(id))).collect()
    }

    #[test]
    fn every_cotangent_is_the_slope_of_the_value() {
        let layout = Layout { images: 3, views: 2 };
        for text in [
            "channel(block3_conv1, 3)",
            "neuron(block3_conv1:pre, 2, 1, 5) * layer(block4_pool)",
            "direction(block5_conv1, 4:1, 7:-0.5)",
            "direction(block5_conv1, 4:1, 7:-0.5, 9:2, cos=2)",
            "logit(31) * logit(30)",
            "diversity(block5_conv2)",
            "alignment(block5_conv2)",
            "interpolation(block5_conv2, 1, 2)",
            "inversion(block5_conv2, \"p\")",
            "caricature(block5_conv2, \"p\", cos=4) + caricature(block4_pool, \"p\")",
            "(channel(block3_conv1, 3) + 2 * logit(3)) * (layer(block4_pool) - diversity(block5_conv2))",
        ] {
            let objective: Objective = text.parse().unwrap();
            let bound = objective.bind(&minivgg().unwrap(), 64).unwrap();
            // One item before and one after its own: nothing may be read or written there.
            let mut activations = activations(&objective, layout.len() + 2);
            let references = vec![activations.iter().map(positive).collect::<Vec<_>>()];
            let views = Array::zeros([layout.len() + 2, 3, 1, 1]);
            let mut found: Vec<Array> = activations.iter().map(|a| Array::zeros(a.shape())).collect();
            let into = &mut Cotangents { activations: &mut found, views: &mut views.clone() };
            let scene = Scene::new(&views, &activations, 1, layout, &references);
            bound.tree.add_mean_cotangents(&scene, into);
            for (slot, found) in found.iter().enumerate() {
                let all = found.data().len();
                let largest =
                    (0..all).max_by(|&a, &b| found.data()[a].abs().total_cmp(&found.data()[b].abs()));
                for i in (0..all).step_by(all / 61).chain(largest) {
                    let here = activations[slot].data()[i];
                    let mut at = |value: f32| {
                        activations[slot].data_mut()[i] = value;
                        bound.tree.mean(&Scene::new(&views, &activations, 1, layout, &references))
                    };
                    let slope = (at(here + 0.03125) - at(here - 0.03125))
                        / f64::from((here + 0.03125) - (here - 0.03125));
                    at(here);
                    let (found, scale) =
                        (f64::from(found.data()[i]), f64::from(found.data()[largest.unwrap()]));
                    assert!(
                        (slope - found).abs() <= TOLERANCE * scale.abs(),
                        "{text} at {i}: {slope} {found}"
                    );
                }
            }
        }
    }

    /// Activations that are alike: cosines above the floor.
    fn positive(array: &Array) -> Array {
        Array::new(array.shape(), array.data().iter().map(|v| v + 0.5).collect()).unwrap()
    }

    #[test]
    fn what_is_not_there_is_said() {
        let network = minivgg().unwrap();
        let refusal =
            |text: &str| text.parse::<Objective>().unwrap().bind(&network, 64).unwrap_err().to_string();
        assert_eq!(
            refusal("channel(block5_conv2, 256)"),
            "block5_conv2 has 256 channels, 0 to 255; there is no channel 256"
        );
        assert!(refusal("direction(block5_conv2, 3:1, 300:2)").contains("there is no channel 300"));
        assert!(refusal("neuron(block5_conv2, 0, 4, 0)").contains("there is no neuron at row 4, column 0"));
        assert!(refusal("channel(block5_conv3, 0)").contains("\"block5_conv2\""));
    }
}
