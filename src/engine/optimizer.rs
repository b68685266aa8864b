//! Optimizers: from a gradient to a step. Everything is maximised, so steps go up the gradient.

#![allow(clippy::inline_always, reason = "what is not inlined is compiled without vectors")]

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// The optimizer of a recipe: a rule and its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Optimizer {
    /// The rule; which of the numbers below count depends on it.
    pub kind: Rule,
    /// Step size, in the parameters' unit.
    pub rate: f64,
    /// The schedule of the step size during a run.
    #[serde(default)]
    pub schedule: Schedule,
    /// The longest gradient that is followed as it is; longer ones are shortened to this. 0 is no limit.
    #[serde(default)]
    pub clip: f64,
    /// `sgd`: what stays of the step before.
    #[serde(default = "beta1")]
    pub momentum: f64,
    /// `adam`, `nadam`: decay of the mean of gradients.
    #[serde(default = "beta1")]
    pub beta1: f64,
    /// `adam`, `nadam`: decay of the mean of their squares.
    #[serde(default = "beta2")]
    pub beta2: f64,
    /// `adam`, `nadam`: added to the root of the second, against a division by zero.
    #[serde(default = "epsilon")]
    pub epsilon: f64,
}

// The defaults of both papers and of every framework.
fn beta1() -> f64 {
    0.9
}

fn beta2() -> f64 {
    0.999
}

fn epsilon() -> f64 {
    1e-8
}

/// The rules by which a gradient becomes a step, up the gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// x += rate * g / std(g): the rule of the recipe `original`, with the population's standard deviation and without an
    /// epsilon.
    Normalised,
    /// v = momentum * v + g; x += rate * v
    Sgd,
    /// Adam (Kingma and Ba 2015, algorithm 1), upwards.
    Adam,
    /// Adam with Nesterov's momentum (Dozat 2016), with the schedule of momenta that Keras and `PyTorch` have.
    Nadam,
}

/// The step size as a function of the share of the run that is over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Not at all.
    #[default]
    Constant,
    /// Down to 0 in a straight line.
    Linear,
    /// Down to 0 along half a cosine.
    Cosine,
}

impl Schedule {
    fn factor(self, progress: f64) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Linear => 1.0 - progress,
            Self::Cosine => 0.5 * (1.0 + (PI * progress).cos()),
        }
    }
}

/// The state of an optimizer from step to step; empty where it needs none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Moments {
    /// Decaying mean, or sum, of the gradients.
    pub first: Vec<f32>,
    /// Decaying mean of their squares.
    pub second: Vec<f32>,
    /// The number of gradients in them: both begin at 0, and are corrected by what so many steps leave of that.
    pub age: usize,
}

/// Dozat's psi: how fast the momentum comes up to `beta1`.
const MOMENTUM_DECAY: f64 = 0.004;

impl Optimizer {
    /// [`Rule::Normalised`] with this rate and the usual numbers elsewhere.
    pub fn normalised(rate: f64) -> Self {
        Self::new(Rule::Normalised, rate)
    }

    /// A rule with the usual numbers.
    pub fn new(kind: Rule, rate: f64) -> Self {
        let (momentum, schedule) = (beta1(), Schedule::Constant);
        Self { kind, rate, schedule, clip: 0.0, momentum, beta1: beta1(), beta2: beta2(), epsilon: epsilon() }
    }

    /// Checks the optimizer's numbers. Fails with one sentence.
    pub fn check(&self) -> Result<(), String> {
        let Self { rate, clip, momentum, beta1, beta2, epsilon, .. } = *self;
        let positive = |v: f64| v.is_finite() && v >= 0.0;
        let wrong = [
            ("rate", rate, rate.is_finite(), "a finite number"),
            ("clip", clip, positive(clip), "0 or more"),
            ("epsilon", epsilon, positive(epsilon), "0 or more"),
            ("momentum", momentum, (0.0..1.0).contains(&momentum), "at least 0 and below 1"),
            ("beta1", beta1, (0.0..1.0).contains(&beta1), "at least 0 and below 1"),
            ("beta2", beta2, (0.0..1.0).contains(&beta2), "at least 0 and below 1"),
        ];
        match wrong.into_iter().find(|(_, _, sound, _)| !sound) {
            Some((key, value, _, what)) => Err(format!("optimizer.{key} is {value}; it must be {what}")),
            None => Ok(()),
        }
    }

    /// The optimizer's memory before the first of `len` numbers' steps.
    pub fn moments(&self, len: usize) -> Moments {
        let zeros = || vec![0.0; len];
        match self.kind {
            Rule::Normalised => Moments::default(),
            Rule::Sgd => Moments { first: zeros(), ..Moments::default() },
            Rule::Adam | Rule::Nadam => Moments { first: zeros(), second: zeros(), age: 0 },
        }
    }

    /// Moves `x` by one step, when a share of `progress` of all steps is over. The gradient must not be flat.
    pub fn step(&self, progress: f64, moments: &mut Moments, x: &mut [f32], gradient: &[f32]) {
        moments.age += 1;
        let step = self.rule_of(progress, moments.age, gradient);
        step.apply([x, &mut moments.first, &mut moments.second], gradient);
    }

    /// The step by this gradient, with which the moments have seen `age` of them.
    pub(super) fn rule_of(&self, progress: f64, age: usize, gradient: &[f32]) -> StepRule {
        let rate = self.rate * self.schedule.factor(progress);
        match self.kind {
            Rule::Normalised => StepRule::Scaled(rate / deviation(gradient)),
            Rule::Sgd => {
                StepRule::Momentum { rate, momentum: self.momentum, shorter: self.shortening(gradient) }
            }
            Rule::Adam | Rule::Nadam => StepRule::Adaptive {
                rate,
                shorter: self.shortening(gradient),
                decays: [self.beta1, self.beta2],
                weights: self.weights(age),
                correction: 1.0 - self.beta2.powf(age as f64),
                epsilon: self.epsilon,
            },
        }
    }

    /// The weights of the mean of gradients and of the newest one in a step.
    fn weights(&self, age: usize) -> [f64; 2] {
        if self.kind == Rule::Adam {
            return [1.0 / (1.0 - self.beta1.powf(age as f64)), 0.0];
        }
        let momentum = |t: usize| self.beta1 * (1.0 - 0.5 * 0.96_f64.powf(t as f64 * MOMENTUM_DECAY));
        let product: f64 = (1..=age).map(momentum).product();
        let (now, next) = (momentum(age), momentum(age + 1));
        [next / (1.0 - product * next), (1.0 - now) / (1.0 - product)]
    }

    fn shortening(&self, gradient: &[f32]) -> f64 {
        if self.clip == 0.0 {
            return 1.0;
        }
        let length = length(gradient);
        if length > self.clip { self.clip / length } else { 1.0 }
    }
}

/// A step of an optimizer with all numbers that are the same for every parameter.
#[derive(Debug, Clone, Copy)]
pub(super) enum StepRule {
    /// x += factor * g
    Scaled(f64),
    /// The rule `sgd`.
    Momentum { rate: f64, momentum: f64, shorter: f64 },
    /// The rules `adam` and `nadam`: `weights` are those of the mean and of the newest gradient.
    Adaptive { rate: f64, shorter: f64, decays: [f64; 2], weights: [f64; 2], correction: f64, epsilon: f64 },
}

impl StepRule {
    /// Takes the step for a run of numbers: x and the moments that the rule has, each the same run of theirs.
    pub(super) fn apply(&self, state: [&mut [f32]; 3], gradient: &[f32]) {
        // Sums and roots in f64 are exact to the last bit, so they are the same by every vector instruction.
        pulp::Arch::new().dispatch(|| self.apply_scalar(state, gradient));
    }

    #[inline(always)]
    fn apply_scalar(&self, [x, first, second]: [&mut [f32]; 3], gradient: &[f32]) {
        match *self {
            Self::Scaled(factor) => {
                for (x, &g) in x.iter_mut().zip(gradient) {
                    *x = (f64::from(*x) + factor * f64::from(g)) as f32;
                }
            }
            Self::Momentum { rate, momentum, shorter } => {
                for ((x, &g), v) in x.iter_mut().zip(gradient).zip(first) {
                    *v = (momentum * f64::from(*v) + shorter * f64::from(g)) as f32;
                    *x = (f64::from(*x) + rate * f64::from(*v)) as f32;
                }
            }
            Self::Adaptive {
                rate,
                shorter,
                decays: [beta1, beta2],
                weights: [of_mean, of_gradient],
                correction,
                epsilon,
            } => {
                for ((x, &g), (m, v)) in x.iter_mut().zip(gradient).zip(first.iter_mut().zip(second)) {
                    let g = shorter * f64::from(g);
                    let mean = beta1 * f64::from(*m) + (1.0 - beta1) * g;
                    let square = beta2 * f64::from(*v) + (1.0 - beta2) * g * g;
                    (*m, *v) = (mean as f32, square as f32);
                    let direction =
                        (of_mean * mean + of_gradient * g) / ((square / correction).sqrt() + epsilon);
                    *x = (f64::from(*x) + rate * direction) as f32;
                }
            }
        }
    }
}

/// The Euclidean length.
fn length(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt()
}

/// The squares that are summed side by side, so that no sum waits for the one before.
const SUMS: usize = 8;

/// The square of the Euclidean length, in another order of sums than [`length`]'s.
pub(super) fn squared_length(values: &[f32]) -> f64 {
    let mut sums = [0.0; SUMS];
    let (parts, rest) = values.as_chunks::<SUMS>();
    for part in parts {
        sums.iter_mut().zip(part).for_each(|(sum, &v)| *sum += f64::from(v).powi(2));
    }
    sums.iter().sum::<f64>() + rest.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>()
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
            Optimizer::normalised(0.1).step(0.0, &mut Moments::default(), &mut x, &gradient);
            x
        };
        assert!((run(1.0)[0] - 0.1 / 1.25_f32.sqrt()).abs() < 1e-7);
        assert_eq!(run(1.0), run(2.0_f32.powi(-100)));
    }

    #[test]
    fn the_number_that_is_wrong_is_named() {
        let wrong = |optimizer: Optimizer| optimizer.check().unwrap_err();
        let adam = Optimizer::new(Rule::Adam, 0.05);
        assert_eq!(adam.check(), Ok(()));
        assert_eq!(
            wrong(Optimizer { rate: f64::NAN, ..adam }),
            "optimizer.rate is NaN; it must be a finite number"
        );
        assert!(wrong(Optimizer { clip: f64::INFINITY, ..adam }).starts_with("optimizer.clip is inf"));
        assert!(wrong(Optimizer { beta2: 1.0, ..adam }).starts_with("optimizer.beta2 is 1;"));
    }

    #[test]
    fn adams_first_step_is_the_rate_in_the_gradients_direction() {
        let adam = Optimizer::new(Rule::Adam, 0.05);
        let (mut x, mut moments) = ([1.0, 1.0], adam.moments(2));
        adam.step(0.0, &mut moments, &mut x, &[3.0, -0.001]);
        assert!((x[0] - 1.05).abs() < 1e-6 && (x[1] - 0.95).abs() < 1e-4, "{x:?}");
    }

    #[test]
    fn schedules_end_at_nothing_and_clipping_shortens() {
        let step = |optimizer: Optimizer, progress| {
            let (mut x, mut moments) = ([0.0; 2], optimizer.moments(2));
            optimizer.step(progress, &mut moments, &mut x, &[3.0, 4.0]);
            x
        };
        let sgd = Optimizer { momentum: 0.5, ..Optimizer::new(Rule::Sgd, 0.1) };
        assert_eq!(step(sgd, 0.0), [0.3, 0.4]);
        assert_eq!(step(Optimizer { schedule: Schedule::Linear, ..sgd }, 0.5), [0.15, 0.2]);
        assert!(step(Optimizer { schedule: Schedule::Cosine, ..sgd }, 1.0)[0].abs() < 1e-9);
        let clipped = step(Optimizer { clip: 0.5, ..sgd }, 0.0);
        assert!((clipped[0] - 0.03).abs() < 1e-7 && (clipped[1] - 0.04).abs() < 1e-7, "{clipped:?}");
    }
}
