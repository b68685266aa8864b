//! An objective whose layers were found, on the activations of a network: its value, its cotangents, and through a model
//! its gradient. Not here: the objectives' names and printed forms.

use trepang_api::{Array, LayerId, Model, Network, Op, ReceptiveField, ReluGradient};

use super::{Error, Objective, Result};

/// An objective that can be evaluated on square images of one size.
#[derive(Debug, Clone)]
pub struct Bound {
    tree: Tree,
    at: Vec<LayerId>,
    /// The part of the image that is enough, where the objective reads only single neurons.
    field: Option<ReceptiveField>,
}

impl Objective {
    /// Finds the layers in `network` and checks channels and positions for square images of `size` pixels.
    pub fn bind(&self, network: &Network, size: usize) -> Result<Bound> {
        let whole = Bound::new(self, network, [size; 2], None)?;
        let Some(neurons) = self.neurons(network) else { return Ok(whole) };
        let Some(field) = network.receptive_field([size; 2], &neurons)? else { return Ok(whole) };
        let moved = self.moved(&mut field.origins.iter().copied());
        Bound::new(&moved, network, [field.height, field.width], Some(field))
    }
}

impl Bound {
    fn new(
        objective: &Objective,
        network: &Network,
        size: [usize; 2],
        field: Option<ReceptiveField>,
    ) -> Result<Self> {
        let mut at = Vec::new();
        let tree = Tree::bind(objective, network, size, &mut at)?;
        Ok(Self { tree, at, field })
    }

    /// The layers whose activations it reads, in the order it reads them.
    pub fn at(&self) -> &[LayerId] {
        &self.at
    }

    /// Its value on image 0, without a gradient. Only what it reads of the image is computed.
    pub fn evaluate(&self, image: &Array, model: &mut dyn Model) -> Result<f64> {
        Ok(self.value(&model.activations(&self.seen(image)?, &self.at)?, 0))
    }

    /// Its value on image 0, and d(value)/d(image). Only what it reads of the image is computed; the gradient elsewhere is 0.
    pub fn pull_back(&self, image: &Array, model: &mut dyn Model) -> Result<(f64, Array)> {
        let mut value = 0.0;
        let gradient =
            model.pull_back(&self.seen(image)?, &self.at, ReluGradient::True, &mut |activations| {
                let (found, cotangents) = self.value_and_cotangents(activations);
                value = found;
                Ok(cotangents)
            })?;
        Ok((value, self.spread(gradient, image.shape())))
    }

    /// The part of the images that it reads.
    fn seen(&self, images: &Array) -> Result<Array> {
        let Some(field) = &self.field else { return Ok(images.clone()) };
        let (n, shape) = images.dims4()?;
        let rows = images.data().chunks_exact(shape.width).collect::<Vec<_>>();
        let planes = rows.chunks_exact(shape.height);
        let kept = planes.flat_map(|rows| &rows[field.top..][..field.height]);
        let data = kept.flat_map(|row| &row[field.left..][..field.width]).copied().collect();
        Ok(Array::new([n, shape.channels, field.height, field.width], data)?)
    }

    /// The adjoint of [`seen`](Self::seen): a gradient of the part among zeros.
    fn spread(&self, part: Array, shape: &[usize]) -> Array {
        let (Some(field), &[.., height, width]) = (&self.field, shape) else { return part };
        let mut whole = Array::zeros(shape);
        let planes = whole.data_mut().chunks_exact_mut(height * width);
        for (plane, part) in planes.zip(part.data().chunks_exact(field.height * field.width)) {
            let rows = plane.chunks_exact_mut(width).skip(field.top);
            for (row, part) in rows.zip(part.chunks_exact(field.width)) {
                row[field.left..][..field.width].copy_from_slice(part);
            }
        }
        whole
    }

    /// Its number for image `n` of the batch. Sums are in `f64`.
    fn value(&self, activations: &[Array], n: usize) -> f64 {
        self.tree.value(activations, n)
    }

    /// Adds d(value)/d(activation) for image `n` to `cotangents`, one array a layer.
    fn add_cotangents(&self, activations: &[Array], n: usize, cotangents: &mut [Array]) {
        self.tree.add_cotangents(1.0, activations, n, cotangents);
    }

    /// The value of image 0 and its cotangents, from zero.
    fn value_and_cotangents(&self, activations: &[Array]) -> (f64, Vec<Array>) {
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
    fn bind(
        objective: &Objective,
        network: &Network,
        size: [usize; 2],
        at: &mut Vec<LayerId>,
    ) -> Result<Self> {
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
        let shape = network.shape(size[0], size[1], layer)?;
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
}
