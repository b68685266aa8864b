//! The decisions at which two correct runs of a network may part. A ReLU decides whether a number is positive, a max
//! pooling which of a window's numbers is the largest; where rounding alone decides, two backends may decide
//! differently, and the gradient jumps. Between such decisions a network is linear, so the jump has a known form: with
//! `S` the decisions that two runs took differently, their gradients differ by a combination of the pull-backs of `S`'s
//! inputs,
//!
//! ```text
//! g_a - g_b = sum over i in S of c_i J_i,   J_i = d(number decided on)/d(image); for a window, winner minus winner
//! ```
//!
//! (Exchange the decisions one by one, from the deepest on: each changes the gradient by a multiple of its own J, seen
//! through decisions before it; and a J through one decision less differs by a multiple of that decision's J again.)
//! A least-squares fit of a few `J_i` against thousands of pixels takes away nothing but that (`residual`).
//!
//! Where the other run is another framework's, whose decisions nobody kept, `S` is among the decisions that are near a tie
//! in the run at hand.

use crate::reference::{near_winners, winners};
use crate::{Array, LayerId, Model, Network, Op, Pool, ReluGradient, Result};

/// More decisions than this are no accident of rounding, and nothing is explained by them: of some 10 million that a
/// picture asks for, about 5 differ between correct backends.
pub const MAX_DECISIONS: usize = 64;

/// A decision is near a tie if the number is closer to the bound, or to its rival in a window, than this share of the
/// layer's largest entry. Two correct `f32` backends differ by up to 4e-6 of it in the deepest layers.
pub const NEAR_TIE: f64 = 1e-5;

/// A number that an activation function compares with a bound, or two that a max pooling compares with each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The layer that holds the numbers.
    pub layer: LayerId,
    /// Their distance, as a share of the layer's largest entry; 0 where two runs decided differently.
    pub distance: f64,
    /// Index and cotangent of each.
    numbers: Vec<(usize, f32)>,
}

impl Decision {
    fn on_bound(layer: LayerId, index: usize, distance: f64) -> Self {
        Self { layer, distance, numbers: vec![(index, 1.0)] }
    }

    fn on_window(layer: LayerId, winner: usize, rival: usize, distance: f64) -> Self {
        Self { layer, distance, numbers: vec![(winner, 1.0), (rival, -1.0)] }
    }

    /// d(the number)/d(images), or of the winner minus its rival.
    pub fn pull_back(&self, images: &Array, model: &mut dyn Model) -> Result<Array> {
        model.pull_back(images, &[self.layer], ReluGradient::True, &mut |found| {
            let mut cotangent = Array::zeros(found[0].shape());
            for &(index, value) in &self.numbers {
                cotangent.data_mut()[index] = value;
            }
            Ok(vec![cotangent])
        })
    }
}

/// An operation that decides, on the numbers of a layer.
struct Decider<'a> {
    op: &'a Op,
    input: LayerId,
}

/// Every operation up to `deepest` whose input is a layer. The images after preprocessing are none; nothing decides on
/// them.
fn deciders(network: &Network, deepest: LayerId) -> Result<Vec<Decider<'_>>> {
    let layers = network.layers().take_while(|id| *id <= deepest);
    let nodes: Vec<_> = layers.map(|id| network.node(id)).collect::<Result<_>>()?;
    let with_input = |op, input: &LayerId| Decider { op, input: *input };
    Ok(nodes.iter().filter_map(|node| Some(with_input(&node.op, node.inputs.first()?))).collect())
}

/// Every decision up to `deepest` on which two runs differ, from the activations of both.
pub(super) fn differing(
    network: &Network,
    deepest: LayerId,
    [a, b]: [&[(LayerId, Array)]; 2],
) -> Result<Vec<Decision>> {
    let mut found = Vec::new();
    let at = |run: &[(LayerId, Array)], layer| run.iter().position(|(id, _)| *id == layer);
    for Decider { op, input } in deciders(network, deepest)? {
        let (Some(at_a), Some(at_b)) = (at(a, input), at(b, input)) else { continue };
        let (a, b) = (&a[at_a].1, &b[at_b].1);
        if let Op::MaxPool(pool) = op {
            let winners = winners(pool, a)?.into_iter().zip(winners(pool, b)?);
            let other = winners.filter(|(a, b)| a != b);
            found.extend(other.map(|(a, b)| Decision::on_window(input, a, b, 0.0)));
        }
        let bounds = bounds(op);
        let sides = |v: f32| bounds.iter().filter(|bound| v > **bound).count();
        let both = a.data().iter().zip(b.data()).enumerate();
        let crossed = both.filter(|(_, (a, b))| sides(**a) != sides(**b));
        found.extend(crossed.map(|(index, _)| Decision::on_bound(input, index, 0.0)));
    }
    Ok(found)
}

/// Every decision up to `deepest` that is nearer to a tie than `margin`, the nearest first. Runs `model` on the images.
pub fn near_ties(
    network: &Network,
    deepest: LayerId,
    images: &Array,
    model: &mut dyn Model,
    margin: f64,
) -> Result<Vec<Decision>> {
    let layers: Vec<LayerId> = network.layers().take_while(|id| *id <= deepest).collect();
    let activations = model.activations(images, &layers)?;
    let mut found = Vec::new();
    for Decider { op, input } in deciders(network, deepest)? {
        let Some(at) = layers.iter().position(|layer| *layer == input) else { continue };
        found.extend(beside_bounds(&bounds(op), input, &activations[at], margin));
        if let Op::MaxPool(pool) = op {
            let cut_to = cut_to(network, input)?;
            found.extend(beside_winners(pool, &cut_to, input, &activations[at], margin)?);
        }
    }
    found.sort_by(|a, b| a.distance.total_cmp(&b.distance));
    Ok(found)
}

fn beside_bounds(bounds: &[f32], layer: LayerId, x: &Array, margin: f64) -> Vec<Decision> {
    let largest = largest(x);
    let distance = |v: f32, bound: f32| f64::from((v - bound).abs()) / largest;
    let numbers = || x.data().iter().enumerate();
    let near = |bound: f32| numbers().map(move |(index, &v)| (index, distance(v, bound)));
    let near = bounds.iter().flat_map(|&bound| near(bound)).filter(|(_, distance)| *distance <= margin);
    near.map(|(index, distance)| Decision::on_bound(layer, index, distance)).collect()
}

/// Not between two numbers that an activation function before has cut to the same bound: they are equal on every machine,
/// and no gradient passes that function.
fn beside_winners(
    pool: &Pool,
    cut_to: &[f32],
    layer: LayerId,
    x: &Array,
    margin: f64,
) -> Result<Vec<Decision>> {
    let largest = largest(x);
    let distance = |winner: usize, rival: usize| f64::from(x.data()[winner] - x.data()[rival]) / largest;
    let both_cut = |i: usize, j: usize| x.data()[i] == x.data()[j] && cut_to.contains(&x.data()[i]);
    let near = near_winners(pool, x, (margin * largest) as f32)?.into_iter();
    let near = near.filter(|&(winner, rival)| !both_cut(winner, rival));
    Ok(near.map(|(w, rival)| Decision::on_window(layer, w, rival, distance(w, rival))).collect())
}

/// The bounds to which activation functions have cut numbers of a layer: of its own operation, or of those before it where
/// it only joins or chooses numbers.
fn cut_to(network: &Network, layer: LayerId) -> Result<Vec<f32>> {
    let node = network.node(layer)?;
    if matches!(node.op, Op::Concat | Op::MaxPool(_) | Op::Upsample(_)) {
        let before: Vec<Vec<f32>> =
            node.inputs.iter().map(|&input| cut_to(network, input)).collect::<Result<_>>()?;
        return Ok(before.concat());
    }
    // Other curves have kinks and cut nothing.
    let cuts = matches!(node.op, Op::Relu | Op::Relu6);
    Ok(if cuts { bounds(&node.op) } else { Vec::new() })
}

fn largest(x: &Array) -> f64 {
    x.data().iter().fold(f32::MIN_POSITIVE, |most, v| most.max(v.abs())).into()
}

/// The numbers at which an activation function has a kink.
fn bounds(op: &Op) -> Vec<f32> {
    match op {
        Op::Relu => vec![0.0],
        Op::Relu6 => vec![0.0, 6.0],
        Op::Unary(curve) => curve.kinks(),
        Op::Preprocess(_)
        | Op::Conv2d(_)
        | Op::MaxPool(_)
        | Op::AveragePool { .. }
        | Op::GlobalAverage
        | Op::Add
        | Op::Multiply
        | Op::Lrn(_)
        | Op::LayerNorm { .. }
        | Op::GroupNorm { .. }
        | Op::Upsample(_)
        | Op::Channels(_)
        | Op::Concat
        | Op::Flatten
        | Op::Linear(_)
        | Op::Softmax => Vec::new(),
    }
}
