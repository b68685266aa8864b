//! An objective whose terms are bound to layers, evaluated view by view: the product of two parts is that of their values
//! on the same view.

use trepang_api::{LayerId, Network, Op};

use super::context::{CotangentBuffers, ObjectiveContext};
use super::term::BoundTerm;
use crate::engine::error::{Error, Result};
use crate::engine::objective::Objective;

/// An objective with its layers as slots (positions among the layers read), and its channels as runs of numbers.
#[derive(Debug, Clone)]
pub(super) enum BoundExpr {
    Term(BoundTerm),
    Constant(f64),
    Sum(Box<BoundExpr>, Box<BoundExpr>),
    Difference(Box<BoundExpr>, Box<BoundExpr>),
    Product(Box<BoundExpr>, Box<BoundExpr>),
}

impl BoundExpr {
    /// The mean of the objective's values over images and views.
    pub(super) fn mean(&self, context: &ObjectiveContext) -> f64 {
        let of_view = |(image, view)| self.value(context, image, view);
        items(context).map(of_view).sum::<f64>() / context.layout.len() as f64
    }

    /// Adds the cotangents of [`mean`](Self::mean).
    pub(super) fn add_mean_cotangents(&self, context: &ObjectiveContext, into: &mut CotangentBuffers) {
        let share = 1.0 / context.layout.len() as f64;
        items(context).for_each(|(image, view)| self.add_cotangents(share, context, (image, view), into));
    }

    /// Tells whether a term reads the views themselves.
    pub(super) fn reads_views(&self) -> bool {
        match self {
            Self::Term(term) => matches!(term, BoundTerm::Penalty { .. }),
            Self::Constant(_) => false,
            Self::Sum(a, b) | Self::Difference(a, b) | Self::Product(a, b) => {
                a.reads_views() || b.reads_views()
            }
        }
    }

    fn value(&self, context: &ObjectiveContext, image: usize, view: usize) -> f64 {
        match self {
            Self::Term(term) => term.value(context, image, view),
            Self::Constant(value) => *value,
            Self::Sum(a, b) => a.value(context, image, view) + b.value(context, image, view),
            Self::Difference(a, b) => a.value(context, image, view) - b.value(context, image, view),
            Self::Product(a, b) => a.value(context, image, view) * b.value(context, image, view),
        }
    }

    /// Adds the cotangents of this part, where `scale` is d(whole)/d(this part): the chain rule walks down the expression.
    fn add_cotangents(
        &self,
        scale: f64,
        context: &ObjectiveContext,
        of: (usize, usize),
        into: &mut CotangentBuffers,
    ) {
        match self {
            Self::Term(term) => term.add_cotangents(scale, context, of, into),
            Self::Constant(_) => {}
            Self::Sum(a, b) => {
                a.add_cotangents(scale, context, of, into);
                b.add_cotangents(scale, context, of, into);
            }
            Self::Difference(a, b) => {
                a.add_cotangents(scale, context, of, into);
                b.add_cotangents(-scale, context, of, into);
            }
            Self::Product(a, b) => {
                a.add_cotangents(scale * b.value(context, of.0, of.1), context, of, into);
                b.add_cotangents(scale * a.value(context, of.0, of.1), context, of, into);
            }
        }
    }
}

fn items(context: &ObjectiveContext) -> impl Iterator<Item = (usize, usize)> + use<> {
    let views = context.layout.views;
    (0..context.layout.images).flat_map(move |image| (0..views).map(move |view| (image, view)))
}

/// Binds objectives to the layers of a network at one size of image, and gathers what they read.
#[derive(Debug)]
pub(super) struct Binder<'a> {
    network: &'a Network,
    /// Height and width of the images, in pixels.
    size: [usize; 2],
    /// The layers read, in the order they are named.
    pub(super) at: Vec<LayerId>,
    /// The files of the pictures compared with, in the order they are named.
    pub(super) pictures: Vec<String>,
}

impl<'a> Binder<'a> {
    pub(super) fn new(network: &'a Network, size: [usize; 2]) -> Self {
        Self { network, size, at: Vec::new(), pictures: Vec::new() }
    }

    /// Binds every term of `objective`. Fails for a layer, a channel or a position that the network does not have.
    pub(super) fn bind(&mut self, objective: &Objective) -> Result<BoundExpr> {
        let term = match objective {
            Objective::Constant(value) => return Ok(BoundExpr::Constant(*value)),
            Objective::Sum(a, b) => return Ok(BoundExpr::Sum(self.boxed(a)?, self.boxed(b)?)),
            Objective::Difference(a, b) => return Ok(BoundExpr::Difference(self.boxed(a)?, self.boxed(b)?)),
            Objective::Product(a, b) => return Ok(BoundExpr::Product(self.boxed(a)?, self.boxed(b)?)),
            Objective::Channel { layer, channel } => self.layer(layer)?.channel(*channel)?,
            Objective::Neuron { layer, channel, y, x } => self.layer(layer)?.neuron(*channel, [*y, *x])?,
            Objective::Layer { layer } => BoundTerm::Squares { slot: self.layer(layer)?.slot },
            Objective::Logit { class } => self.classifier()?.neuron(*class, [0, 0])?,
            Objective::Direction { layer, weights, cosine_power } => {
                let layer = self.layer(layer)?;
                let found = |(channel, weight): &(usize, f64)| Ok((layer.start(*channel)?, *weight));
                let weights = weights.iter().map(found).collect::<Result<_>>()?;
                let (slot, area) = (layer.slot, layer.area());
                BoundTerm::Direction { slot, weights, cosine_power: *cosine_power, area }
            }
            Objective::Interpolation { layer, from, to } => {
                let layer = self.layer(layer)?;
                let (from, to) = (layer.start(*from)?, layer.start(*to)?);
                BoundTerm::Interpolation { slot: layer.slot, from, to, area: layer.area() }
            }
            Objective::Diversity { layer } => {
                let layer = self.layer(layer)?;
                BoundTerm::Diversity { slot: layer.slot, channels: layer.channels }
            }
            Objective::Alignment { layer } => BoundTerm::Alignment { slot: self.layer(layer)?.slot },
            Objective::Inversion { layer, picture } => {
                BoundTerm::Inversion { slot: self.layer(layer)?.slot, reference: self.reference(picture) }
            }
            Objective::Caricature { layer, picture, cosine_power } => {
                let (layer, reference) = (self.layer(layer)?, self.reference(picture));
                let (slot, area) = (layer.slot, layer.area());
                BoundTerm::Caricature { slot, reference, cosine_power: *cosine_power, area }
            }
            Objective::Penalty { of, weight } => BoundTerm::Penalty { of: *of, weight: *weight },
        };
        Ok(BoundExpr::Term(term))
    }

    fn boxed(&mut self, objective: &Objective) -> Result<Box<BoundExpr>> {
        self.bind(objective).map(Box::new)
    }

    fn layer(&mut self, name: &str) -> Result<BoundLayer> {
        self.read(self.network.layer(name)?)
    }

    /// The last linear layer: its outputs are the class logits.
    fn classifier(&mut self) -> Result<BoundLayer> {
        let network = self.network;
        let is_linear = |id: &LayerId| network.node(*id).is_ok_and(|node| matches!(node.op, Op::Linear(_)));
        let last = network.layers().filter(is_linear).last();
        self.read(last.ok_or_else(|| Error::NoClassifier { network: network.name().into() })?)
    }

    fn read(&mut self, id: LayerId) -> Result<BoundLayer> {
        let shape = self.network.shape(self.size[0], self.size[1], id)?;
        let name = self.network.node(id)?.name.clone();
        let slot = position_or_push(&mut self.at, id);
        Ok(BoundLayer { slot, name, channels: shape.channels, height: shape.height, width: shape.width })
    }

    fn reference(&mut self, file: &str) -> usize {
        position_or_push(&mut self.pictures, file.to_owned())
    }
}

/// The index of `item` in `items`, at whose end it is put if it is not there.
fn position_or_push<T: PartialEq>(items: &mut Vec<T>, item: T) -> usize {
    items.iter().position(|known| *known == item).unwrap_or_else(|| {
        items.push(item);
        items.len() - 1
    })
}

/// A layer that a term reads, with what its channels and positions are checked against.
struct BoundLayer {
    slot: usize,
    name: String,
    channels: usize,
    height: usize,
    width: usize,
}

impl BoundLayer {
    /// The number of positions of a channel.
    fn area(&self) -> usize {
        self.height * self.width
    }

    fn channel(&self, channel: usize) -> Result<BoundTerm> {
        Ok(BoundTerm::Mean { slot: self.slot, start: self.start(channel)?, len: self.area() })
    }

    fn neuron(&self, channel: usize, at: [usize; 2]) -> Result<BoundTerm> {
        let start = self.start(channel)? + self.position(at)?;
        Ok(BoundTerm::Mean { slot: self.slot, start, len: 1 })
    }

    /// The first number of a channel.
    fn start(&self, channel: usize) -> Result<usize> {
        if channel < self.channels {
            return Ok(channel * self.area());
        }
        Err(Error::NoChannel { layer: self.name.clone(), channels: self.channels, channel })
    }

    /// The number of a position in its channel.
    fn position(&self, [y, x]: [usize; 2]) -> Result<usize> {
        let (height, width) = (self.height, self.width);
        if y < height && x < width {
            return Ok(y * width + x);
        }
        Err(Error::NoNeuron { layer: self.name.clone(), height, width, y, x })
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::bound::context::{BatchLayout, CotangentBuffers, ObjectiveContext};
    use crate::engine::objective::Objective;
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
        let layout = BatchLayout { images: 3, views: 2 };
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
            let into = &mut CotangentBuffers { activations: &mut found, views: &mut views.clone() };
            let context = ObjectiveContext::new(&views, &activations, 1, layout, &references);
            bound.expr.add_mean_cotangents(&context, into);
            for (slot, found) in found.iter().enumerate() {
                let all = found.data().len();
                let largest =
                    (0..all).max_by(|&a, &b| found.data()[a].abs().total_cmp(&found.data()[b].abs()));
                for i in (0..all).step_by(all / 61).chain(largest) {
                    let here = activations[slot].data()[i];
                    let mut at = |value: f32| {
                        activations[slot].data_mut()[i] = value;
                        bound.expr.mean(&ObjectiveContext::new(&views, &activations, 1, layout, &references))
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
    fn a_missing_layer_channel_or_position_is_named() {
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
