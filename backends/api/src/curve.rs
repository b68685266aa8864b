//! Functions of one number: activations of networks that are no ReLU. Each with its slope, in `f64`, so that every backend has
//! one definition to be held against.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// A function that is applied to each number of an activation by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ActivationCurve {
    /// s(x) = 1 / (1 + exp(-x)).
    Sigmoid,
    /// The hyperbolic tangent of x.
    Tanh,
    /// x s(x), also called swish.
    Silu,
    /// min(max(slope x + shift, 0), 1).
    HardSigmoid {
        /// The factor of x.
        slope: f32,
        /// The number that is added to it.
        shift: f32,
    },
    /// x min(max(x / 6 + 1/2, 0), 1).
    HardSwish,
    /// x above zero, slope x below.
    LeakyRelu {
        /// The factor of numbers below zero.
        slope: f32,
    },
    /// x above zero, alpha (exp(x) - 1) below.
    Elu {
        /// The distance to which it falls below zero.
        alpha: f32,
    },
    /// x P(x), where P is the distribution function of the normal distribution.
    Gelu,
    /// The same by x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.
    GeluTanh,
}

/// sqrt(2 / pi), of [`ActivationCurve::GeluTanh`].
const TANH_FACTOR: f64 = 0.797_884_560_802_865_4;

/// The factor of x^3 in [`ActivationCurve::GeluTanh`].
const TANH_CUBE: f64 = 0.044_715;

/// Terms of the series of the error function beyond which nothing changes in an `f64`, up to [`ERF_END`].
const ERF_TERMS: u32 = 160;

/// Beyond it the error function is 1 to every digit of an `f64`.
const ERF_END: f64 = 6.0;

impl ActivationCurve {
    /// The word for it in listings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
            Self::Silu => "silu",
            Self::HardSigmoid { .. } => "hard_sigmoid",
            Self::HardSwish => "hard_swish",
            Self::LeakyRelu { .. } => "leaky_relu",
            Self::Elu { .. } => "elu",
            Self::Gelu | Self::GeluTanh => "gelu",
        }
    }

    /// The function's value f(x).
    pub fn value(self, x: f64) -> f64 {
        match self {
            Self::Sigmoid => sigmoid(x),
            Self::Tanh => x.tanh(),
            Self::Silu => x * sigmoid(x),
            Self::HardSigmoid { slope, shift } => (f64::from(slope) * x + f64::from(shift)).clamp(0.0, 1.0),
            Self::HardSwish => x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
            Self::LeakyRelu { slope } => x * if x > 0.0 { 1.0 } else { f64::from(slope) },
            Self::Elu { alpha } => {
                if x > 0.0 {
                    x
                } else {
                    f64::from(alpha) * x.exp_m1()
                }
            }
            Self::Gelu => x * normal(x),
            Self::GeluTanh => x * (1.0 + cubic(x).tanh()) / 2.0,
        }
    }

    /// f'(x); where there are two, the one of numbers below, and for a hard sigmoid 0.
    pub fn slope(self, x: f64) -> f64 {
        match self {
            Self::Sigmoid => sigmoid(x) * (1.0 - sigmoid(x)),
            Self::Tanh => 1.0 - x.tanh().powi(2),
            Self::Silu => sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x))),
            Self::HardSigmoid { slope, shift } => {
                let y = f64::from(slope) * x + f64::from(shift);
                if y > 0.0 && y < 1.0 { slope.into() } else { 0.0 }
            }
            Self::HardSwish => match x {
                ..=-3.0 => 0.0,
                3.0.. => 1.0,
                _ => x / 3.0 + 0.5,
            },
            Self::LeakyRelu { slope } => {
                if x > 0.0 {
                    1.0
                } else {
                    slope.into()
                }
            }
            Self::Elu { alpha } => {
                if x > 0.0 {
                    1.0
                } else {
                    f64::from(alpha) * x.exp()
                }
            }
            Self::Gelu => normal(x) + x * (-x * x / 2.0).exp() / (2.0 * PI).sqrt(),
            Self::GeluTanh => {
                let tanh = cubic(x).tanh();
                let inner = TANH_FACTOR * (1.0 + 3.0 * TANH_CUBE * x * x);
                (1.0 + tanh + x * (1.0 - tanh * tanh) * inner) / 2.0
            }
        }
    }

    /// The numbers at which the slope jumps.
    pub fn kinks(self) -> Vec<f32> {
        match self {
            Self::HardSigmoid { slope, shift } => vec![-shift / slope, (1.0 - shift) / slope],
            Self::HardSwish => vec![-3.0, 3.0],
            Self::LeakyRelu { .. } | Self::Elu { .. } => vec![0.0],
            Self::Sigmoid | Self::Tanh | Self::Silu | Self::Gelu | Self::GeluTanh => Vec::new(),
        }
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn cubic(x: f64) -> f64 {
    TANH_FACTOR * (x + TANH_CUBE * x.powi(3))
}

/// The distribution function of the normal distribution, (1 + erf(x / sqrt 2)) / 2.
fn normal(x: f64) -> f64 {
    f64::midpoint(1.0, erf(x * FRAC_1_SQRT_2))
}

/// The error function, by 2 / sqrt(pi) exp(-x^2) sum of 2^n x^(2n+1) / (1 3 .. (2n+1)), whose terms are all positive.
fn erf(x: f64) -> f64 {
    if x.abs() > ERF_END {
        return x.signum();
    }
    let (mut term, mut sum) = (x, x);
    for n in 1..ERF_TERMS {
        term *= 2.0 * x * x / f64::from(2 * n + 1);
        sum += term;
    }
    2.0 / PI.sqrt() * (-x * x).exp() * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_function_is_that_of_tables() {
        // Abramowitz and Stegun, table 7.1.
        for (x, expected) in [(0.5, 0.520_499_877_8), (1.0, 0.842_700_792_9), (2.0, 0.995_322_265_0)] {
            assert!((erf(x) - expected).abs() < 1e-10 && (erf(-x) + expected).abs() < 1e-10);
        }
        assert!((erf(5.99) - 1.0).abs() < 1e-12 && (erf(9.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn slopes_are_those_of_the_functions() {
        let every = [
            ActivationCurve::Sigmoid,
            ActivationCurve::Tanh,
            ActivationCurve::Silu,
            ActivationCurve::HardSigmoid { slope: 0.2, shift: 0.5 },
            ActivationCurve::HardSwish,
            ActivationCurve::LeakyRelu { slope: 0.1 },
            ActivationCurve::Elu { alpha: 0.7 },
            ActivationCurve::Gelu,
            ActivationCurve::GeluTanh,
        ];
        for curve in every {
            for x in [-4.1, -2.9, -1.0, -0.2, 0.3, 1.5, 2.4, 3.3] {
                let measured = (curve.value(x + 1e-5) - curve.value(x - 1e-5)) / 2e-5;
                assert!((measured - curve.slope(x)).abs() < 1e-8, "{curve:?} at {x}: {measured}");
            }
        }
    }

    #[test]
    fn both_ways_to_gelu_are_near_each_other() {
        for x in [-3.0, -0.7, 0.1, 2.0] {
            assert!((ActivationCurve::Gelu.value(x) - ActivationCurve::GeluTanh.value(x)).abs() < 1e-3);
        }
    }
}
