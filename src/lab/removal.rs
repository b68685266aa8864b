//! What the logits become when channels of a layer are replaced. In general the tail runs anew. Where only operations that
//! keep channels apart come between the layer and a fully connected one, that layer's sums are changed by the columns of
//! the channels instead, and the tail runs from there: for VGG19's last convolution that is a fifth of the arithmetic,
//! and for a network that ends in a global average and one fully connected layer nothing runs at all.

use trepang_api::{Array, LayerId, Network, Op, Weights};

use super::error::{Error, Result};
use super::tail::Tail;

/// Replaces channels of a tail's layer by those of another activation.
#[derive(Debug)]
pub struct Remover {
    way: RemovalWay,
}

#[derive(Debug)]
enum RemovalWay {
    /// By the activation that gives the channels, `[1, C, H, W]`.
    Rerun(Array),
    Columns(Columns),
}

/// The change of a fully connected layer's outputs by each channel.
#[derive(Debug)]
struct Columns {
    linear: LayerId,
    outputs: usize,
    /// The layer's outputs for the picture.
    sums: Vec<f32>,
    /// For each channel its change of the outputs, one channel after the other.
    changes: Vec<f64>,
}

impl Remover {
    /// Puts the channels of `replacement`, `[1, C, H, W]`, in the place of the picture's, by the shortest way.
    pub fn new(tail: &mut Tail, weights: &Weights, replacement: Array) -> Result<Self> {
        match next_linear(tail.network(), tail.layer())? {
            Some(linear) => {
                let columns = Columns::new(tail, weights, linear, replacement)?;
                Ok(Self { way: RemovalWay::Columns(columns) })
            }
            None => Self::by_rerunning(tail, replacement),
        }
    }

    /// The same by running the whole tail for each set of channels.
    pub fn by_rerunning(tail: &Tail, replacement: Array) -> Result<Self> {
        tail.check_shape("the replacement", &replacement)?;
        Ok(Self { way: RemovalWay::Rerun(replacement) })
    }

    /// The logits for each set of channels that is replaced.
    pub fn logits(&self, tail: &mut Tail, sets: &[Vec<usize>]) -> Result<Vec<Vec<f32>>> {
        let mut found = Vec::with_capacity(sets.len());
        let head = tail.head();
        for sets in sets.chunks(tail.batch()) {
            let logits = match &self.way {
                RemovalWay::Rerun(replacement) => {
                    let variants = variants(tail.activation(), replacement, sets)?;
                    tail.run(variants, head)?
                }
                RemovalWay::Columns(columns) => {
                    let values = columns.outputs_without(sets)?;
                    if columns.linear == head { values } else { tail.run_from(columns.linear, values, head)? }
                }
            };
            if logits.data().iter().any(|logit| !logit.is_finite()) {
                return Err(Error::NotFinite { network: tail.network().name().into(), what: "logits" });
            }
            found.extend((0..sets.len()).map(|n| logits.item(n).to_vec()));
        }
        Ok(found)
    }
}

/// The activation once for each set of channels, with those channels replaced.
fn variants(activation: &Array, replacement: &Array, sets: &[Vec<usize>]) -> Result<Array> {
    let plane: usize = activation.shape()[2..].iter().product();
    let mut data = activation.data().repeat(sets.len());
    for (variant, set) in data.chunks_mut(activation.data().len()).zip(sets) {
        for channel in set {
            let range = channel * plane..(channel + 1) * plane;
            variant[range.clone()].copy_from_slice(&replacement.data()[range]);
        }
    }
    let shape: Vec<usize> = [&[sets.len()], &activation.shape()[1..]].concat();
    Ok(Array::new(shape, data)?)
}

impl Columns {
    fn new(tail: &mut Tail, weights: &Weights, linear: LayerId, replacement: Array) -> Result<Self> {
        let node = tail.network().node(linear)?;
        let (Op::Linear(op), Some(&input)) = (&node.op, node.inputs.first()) else {
            return Err(Error::NoWeights { layer: node.name.clone() });
        };
        let matrix = weights.get(&format!("{}.weight", op.weights));
        let matrix = matrix.ok_or_else(|| Error::NoWeights { layer: node.name.clone() })?;
        let activation = tail.activation().clone();
        let sums = tail.run(activation.clone(), linear)?.into_data();
        let before = tail.run(activation, input)?;
        let after = tail.run(replacement, input)?;
        let channels = tail.channels();
        let change: Vec<f64> =
            after.data().iter().zip(before.data()).map(|(a, b)| f64::from(*a) - f64::from(*b)).collect();
        let (outputs, width) = (op.outputs, op.inputs / channels);
        let mut changes = vec![0.0; channels * outputs];
        for (output, row) in matrix.data().chunks(op.inputs).enumerate() {
            for (channel, (row, change)) in row.chunks(width).zip(change.chunks(width)).enumerate() {
                changes[channel * outputs + output] = dot(row, change);
            }
        }
        Ok(Self { linear, outputs, sums, changes })
    }

    /// The layer's outputs for each set of channels that is replaced.
    fn outputs_without(&self, sets: &[Vec<usize>]) -> Result<Array> {
        let mut data = Vec::with_capacity(sets.len() * self.outputs);
        for set in sets {
            let mut sums: Vec<f64> = self.sums.iter().copied().map(f64::from).collect();
            for channel in set {
                let changes = &self.changes[channel * self.outputs..][..self.outputs];
                sums.iter_mut().zip(changes).for_each(|(sum, change)| *sum += change);
            }
            data.extend(sums.into_iter().map(|sum| sum as f32));
        }
        Ok(Array::new([sets.len(), self.outputs, 1, 1], data)?)
    }
}

/// Sums that are kept side by side, so that no product waits for the one before.
const SUMS: usize = 8;

fn dot(row: &[f32], change: &[f64]) -> f64 {
    let ((row, last_row), (change, last_change)) = (row.as_chunks::<SUMS>(), change.as_chunks::<SUMS>());
    let mut sums = [0.0; SUMS];
    for (row, change) in row.iter().zip(change) {
        for (sum, (w, change)) in sums.iter_mut().zip(row.iter().zip(change)) {
            *sum += f64::from(*w) * change;
        }
    }
    let rest = last_row.iter().zip(last_change).map(|(w, change)| f64::from(*w) * change);
    sums.into_iter().sum::<f64>() + rest.sum::<f64>()
}

/// The fully connected layer behind `layer`, if only operations that keep channels apart come between them, and nothing
/// passes by.
fn next_linear(network: &Network, layer: LayerId) -> Result<Option<LayerId>> {
    let mut at = layer;
    loop {
        if network.frontier(at)? != [at] {
            return Ok(None);
        }
        let mut readers = network.layers().filter(|id| id > &at);
        let Some(next) = readers.find(|id| network.nodes()[id.index()].inputs.contains(&at)) else {
            return Ok(None);
        };
        let node = network.node(next)?;
        match &node.op {
            Op::Linear(_) => return Ok((network.frontier(next)? == [next]).then_some(next)),
            Op::Relu
            | Op::Relu6
            | Op::Unary(_)
            | Op::MaxPool(_)
            | Op::AveragePool { .. }
            | Op::GlobalAverage
            | Op::Upsample(_)
            | Op::Flatten => {
                at = next;
            }
            Op::Preprocess(_)
            | Op::Conv2d(_)
            | Op::Add
            | Op::Multiply
            | Op::Lrn(_)
            | Op::LayerNorm { .. }
            | Op::GroupNorm { .. }
            | Op::Channels(_)
            | Op::Concat
            | Op::Softmax => return Ok(None),
        }
    }
}
