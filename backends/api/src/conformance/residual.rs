//! The rest of a difference between two gradients once known vectors are taken away from it: least squares, one
//! vector at a time.

use super::decisions::Decision;
use super::dot;
use crate::{Array, Model, Result};

/// A vector whose part that is new is smaller than this share of it adds nothing but rounding.
const NOTHING_NEW: f64 = 1e-4;

/// The difference of two vectors, without its part in the span of the vectors that were removed.
#[derive(Debug)]
pub struct Residual {
    rest: Vec<f32>,
    /// Orthonormal vectors that span those that were removed.
    basis: Vec<Vec<f32>>,
}

impl Residual {
    /// `found - expected`.
    pub fn new(found: &[f32], expected: &[f32]) -> Self {
        Self { rest: found.iter().zip(expected).map(|(f, e)| f - e).collect(), basis: Vec::new() }
    }

    /// The rest of the difference.
    pub fn rest(&self) -> &[f32] {
        &self.rest
    }

    /// Takes away the part that lies along `vector`, or along it and those removed before.
    pub fn remove(&mut self, mut vector: Vec<f32>) {
        let length = dot(&vector, &vector).sqrt();
        // Twice: Gram and Schmidt's way loses digits the first time (Kahan's "twice is enough").
        for _ in 0..2 {
            for known in &self.basis {
                remove(&mut vector, known);
            }
        }
        let left = dot(&vector, &vector).sqrt();
        if left > NOTHING_NEW * length {
            for v in &mut vector {
                *v = (f64::from(*v) / left) as f32;
            }
            remove(&mut self.rest, &vector);
            self.basis.push(vector);
        }
    }
}

/// `found` without what the decisions explain of its difference from `expected`.
pub(super) fn without(
    found: &Array,
    expected: &Array,
    decisions: &[Decision],
    images: &Array,
    model: &mut dyn Model,
) -> Result<Array> {
    let mut residual = Residual::new(found.data(), expected.data());
    for decision in decisions {
        residual.remove(decision.pull_back(images, model)?.data().to_vec());
    }
    let explained = expected.data().iter().zip(residual.rest()).map(|(e, rest)| e + rest);
    Array::new(expected.shape(), explained.collect())
}

/// Takes away the part of `v` that lies along `unit`.
fn remove(v: &mut [f32], unit: &[f32]) {
    let share = dot(v, unit);
    v.iter_mut().zip(unit).for_each(|(v, u)| *v = (f64::from(*v) - share * f64::from(*u)) as f32);
}
