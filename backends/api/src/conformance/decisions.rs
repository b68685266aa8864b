//! Where two correct runs of a network may part. A ReLU decides whether a number is positive, a max pooling which of a
//! window's numbers is the largest; where rounding alone decides, two backends may decide differently, and the gradient
//! jumps. Between such decisions a network is linear, so the jump has a known form: with `S` the decisions that two
//! runs took differently, their gradients differ by a combination of the pull-backs of `S`'s inputs,
//!
//! ```text
//! g_a - g_b = sum over i in S of c_i J_i,   J_i = d(number decided on)/d(image); for a window, winner minus winner
//! ```
//!
//! (Exchange the decisions one by one, from the deepest on: each changes the gradient by a multiple of its own J, seen
//! through decisions before it; and a J through one decision less differs by a multiple of that decision's J again.)
//! A least-squares fit of a few `J_i` against some 150,000 pixels takes away nothing but that.

use super::{Survey, dot};
use crate::reference::winners;
use crate::{Array, LayerId, Model, Network, Op, ReluGradient, Result};

/// A vector whose part that is new is smaller than this share of it adds nothing but rounding.
const NOTHING_NEW: f64 = 1e-4;

/// A decision that two runs took differently: what it is about, as a cotangent of one or two numbers.
#[derive(Debug)]
pub(super) struct Decision {
    /// The node whose output it is about.
    at: LayerId,
    /// Index and cotangent.
    numbers: Vec<(usize, f32)>,
}

/// Every decision up to `deepest` on which the two differ.
pub(super) fn decisions(
    network: &Network,
    deepest: LayerId,
    a: &Survey,
    b: &Survey,
) -> Result<Vec<Decision>> {
    let mut found = Vec::new();
    for id in network.layers().take_while(|id| *id <= deepest) {
        let node = network.node(id)?;
        let Some(&at) = node.inputs.first() else { continue };
        // The images after preprocessing are no layer; nothing decides on them.
        let (Some(xa), Some(xb)) = (a.activation(at), b.activation(at)) else { continue };
        found.extend(match &node.op {
            Op::Relu => crossed(at, xa, xb, &[0.0]),
            Op::Relu6 => crossed(at, xa, xb, &[0.0, 6.0]),
            Op::MaxPool(pool) => exchanged(at, &winners(pool, xa)?, &winners(pool, xb)?),
            _ => Vec::new(),
        });
    }
    Ok(found)
}

/// The numbers that are on different sides of one of the bounds.
fn crossed(at: LayerId, a: &Array, b: &Array, bounds: &[f32]) -> Vec<Decision> {
    let sides = |v: f32| bounds.iter().filter(|bound| v > **bound).count();
    let both = a.data().iter().zip(b.data()).enumerate();
    let differing = both.filter(|(_, (a, b))| sides(**a) != sides(**b));
    differing.map(|(index, _)| Decision { at, numbers: vec![(index, 1.0)] }).collect()
}

/// The windows with different winners.
fn exchanged(at: LayerId, a: &[usize], b: &[usize]) -> Vec<Decision> {
    let differing = a.iter().zip(b).filter(|(a, b)| a != b);
    differing.map(|(&a, &b)| Decision { at, numbers: vec![(a, 1.0), (b, -1.0)] }).collect()
}

/// `b` without what the decisions explain of its difference from `a`.
pub(super) fn without(
    a: &Array,
    b: &Array,
    decisions: &[Decision],
    images: &Array,
    model: &mut dyn Model,
) -> Result<Array> {
    let mut rest: Vec<f32> = b.data().iter().zip(a.data()).map(|(b, a)| b - a).collect();
    let mut basis: Vec<Vec<f32>> = Vec::new();
    for decision in decisions {
        let mut jump = pull_back(decision, images, model)?.data().to_vec();
        let length = dot(&jump, &jump).sqrt();
        // Twice: Gram and Schmidt's way loses digits the first time (Kahan's "twice is enough").
        for _ in 0..2 {
            for known in &basis {
                remove(&mut jump, known);
            }
        }
        let left = dot(&jump, &jump).sqrt();
        if left > NOTHING_NEW * length {
            for v in &mut jump {
                *v = (f64::from(*v) / left) as f32;
            }
            remove(&mut rest, &jump);
            basis.push(jump);
        }
    }
    Array::new(a.shape(), a.data().iter().zip(&rest).map(|(a, rest)| a + rest).collect())
}

/// d(the numbers decided on)/d(images).
fn pull_back(decision: &Decision, images: &Array, model: &mut dyn Model) -> Result<Array> {
    model.pull_back(images, &[decision.at], ReluGradient::True, &mut |found| {
        let mut cotangent = Array::zeros(found[0].shape());
        for &(index, value) in &decision.numbers {
            cotangent.data_mut()[index] = value;
        }
        Ok(vec![cotangent])
    })
}

/// Takes away the part of `v` that lies along `unit`.
fn remove(v: &mut [f32], unit: &[f32]) {
    let share = dot(v, unit);
    v.iter_mut().zip(unit).for_each(|(v, u)| *v = (f64::from(*v) - share * f64::from(*u)) as f32);
}
