//! How a gradient becomes a step. Everything is maximised, so steps go up the gradient.

use serde::{Deserialize, Serialize};

/// A rule for steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Optimizer {
    /// x += rate * g / std(g): the seed's. The population's standard deviation, without an epsilon.
    Normalised {
        /// Step size, in the parameters' unit.
        rate: f64,
    },
    /// Adam (Kingma and Ba 2015, algorithm 1), upwards.
    Adam {
        /// Step size, in the parameters' unit.
        rate: f64,
        /// Decay of the mean of gradients.
        beta1: f64,
        /// Decay of the mean of their squares.
        beta2: f64,
        /// Added to the root of the second, against a division by zero.
        epsilon: f64,
    },
}

/// What an optimizer remembers from step to step; empty for the normalised one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Moments {
    /// Decaying mean of the gradients.
    pub first: Vec<f32>,
    /// Decaying mean of their squares.
    pub second: Vec<f32>,
}

impl Optimizer {
    /// What it remembers before the first of `len` numbers' steps.
    pub fn moments(&self, len: usize) -> Moments {
        match self {
            Self::Normalised { .. } => Moments::default(),
            Self::Adam { .. } => Moments { first: vec![0.0; len], second: vec![0.0; len] },
        }
    }

    /// Moves `x` by step number `step`, counted from 1. The gradient must not be flat.
    pub fn step(&self, step: usize, moments: &mut Moments, x: &mut [f32], gradient: &[f32]) {
        match *self {
            Self::Normalised { rate } => {
                let factor = rate / deviation(gradient);
                for (x, &g) in x.iter_mut().zip(gradient) {
                    *x = (f64::from(*x) + factor * f64::from(g)) as f32;
                }
            }
            Self::Adam { rate, beta1, beta2, epsilon } => {
                let correction1 = 1.0 - beta1.powf(step as f64);
                let correction2 = 1.0 - beta2.powf(step as f64);
                let state = moments.first.iter_mut().zip(&mut moments.second);
                for ((x, &g), (m, v)) in x.iter_mut().zip(gradient).zip(state) {
                    let g = f64::from(g);
                    let mean = beta1 * f64::from(*m) + (1.0 - beta1) * g;
                    let square = beta2 * f64::from(*v) + (1.0 - beta2) * g * g;
                    (*m, *v) = (mean as f32, square as f32);
                    let climb = mean / correction1 / ((square / correction2).sqrt() + epsilon);
                    *x = (f64::from(*x) + rate * climb) as f32;
                }
            }
        }
    }
}

/// The population's standard deviation, as numpy's `std`.
pub(super) fn deviation(values: &[f32]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / count;
    (values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / count).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normalised_step_does_not_depend_on_the_gradients_scale() {
        let run = |scale: f32| {
            let mut x = [0.0; 4];
            let gradient = [1.0, 2.0, 3.0, 4.0].map(|g: f32| g * scale);
            Optimizer::Normalised { rate: 0.1 }.step(1, &mut Moments::default(), &mut x, &gradient);
            x
        };
        assert!((run(1.0)[0] - 0.1 / 1.25_f32.sqrt()).abs() < 1e-7);
        assert_eq!(run(1.0), run(2.0_f32.powi(-100)));
    }

    #[test]
    fn adams_first_step_is_the_rate_in_the_gradients_direction() {
        let adam = Optimizer::Adam { rate: 0.05, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
        let (mut x, mut moments) = ([1.0, 1.0], adam.moments(2));
        adam.step(1, &mut moments, &mut x, &[3.0, -0.001]);
        assert!((x[0] - 1.05).abs() < 1e-6 && (x[1] - 0.95).abs() < 1e-4, "{x:?}");
    }
}
