//! Curves that are no ReLU, each with its slope.

use candle_core::{DType, Tensor};
use candle_nn::ops::sigmoid;
use trepang_api::{ActivationCurve, WithPullBack};

use super::{Candle, with_one};

/// 1 / sqrt(2 pi): the density of the normal distribution at 0.
const DENSITY: f64 = 0.398_942_280_401_432_7;

/// sqrt(2 / pi), and the factor of x^3, of the approximate GELU.
const TANH: [f64; 2] = [0.797_884_560_802_865_4, 0.044_715];

/// y = f(x); dx = f'(x) dy.
pub(super) fn unary<'a>(curve: ActivationCurve, x: &Tensor) -> Candle<WithPullBack<'a, Tensor>> {
    let [y, slope] = bent(curve, x)?;
    Ok(with_one(y, move |dy| dy * slope))
}

/// f(x) and f'(x).
fn bent(curve: ActivationCurve, x: &Tensor) -> Candle<[Tensor; 2]> {
    match curve {
        ActivationCurve::Sigmoid => {
            let y = sigmoid(x)?;
            let slope = (&y * (1.0 - &y)?)?;
            Ok([y, slope])
        }
        ActivationCurve::Tanh => {
            let y = x.tanh()?;
            let slope = (1.0 - y.sqr()?)?;
            Ok([y, slope])
        }
        ActivationCurve::Silu => gated(x, &sigmoid(x)?, None),
        ActivationCurve::HardSigmoid { slope, shift } => {
            let line = x.affine(slope.into(), shift.into())?;
            let flat = line.zeros_like()?;
            Ok([line.clamp(0_f32, 1_f32)?, between(&line, [&flat, &(&flat + f64::from(slope))?, &flat])?])
        }
        ActivationCurve::HardSwish => {
            let (line, inner) = (x.affine(1.0 / 6.0, 0.5)?, x.affine(1.0 / 3.0, 0.5)?);
            let slope = between(&line, [&line.zeros_like()?, &inner, &line.ones_like()?])?;
            Ok([(x * line.clamp(0_f32, 1_f32)?)?, slope])
        }
        ActivationCurve::LeakyRelu { slope } => {
            let slope = f64::from(slope);
            let factor = x.gt(0_f32)?.to_dtype(DType::F32)?.affine(1.0 - slope, slope)?;
            Ok([(x * &factor)?, factor])
        }
        ActivationCurve::Elu { alpha } => {
            let (above, alpha) = (x.gt(0_f32)?, f64::from(alpha));
            let below = (x.minimum(0_f32)?.exp()? * alpha)?;
            let y = above.where_cond(x, &(&below - alpha)?)?;
            Ok([y, above.where_cond(&below.ones_like()?, &below)?])
        }
        ActivationCurve::Gelu => {
            let p = (x * std::f64::consts::FRAC_1_SQRT_2)?.erf()?.affine(0.5, 0.5)?;
            let bell = (x.sqr()? * -0.5)?.exp()?;
            Ok([(x * &p)?, (p + (x * (bell * DENSITY)?)?)?])
        }
        ActivationCurve::GeluTanh => {
            // (1 + tanh u) / 2 = s(2u).
            let square = x.sqr()?;
            let u = (x * square.affine(2.0 * TANH[0] * TANH[1], 2.0 * TANH[0])?)?;
            let slope = square.affine(6.0 * TANH[0] * TANH[1], 2.0 * TANH[0])?;
            gated(x, &sigmoid(&u)?, Some(slope))
        }
    }
}

/// x s(u), and s + x s (1 - s) du/dx.
fn gated(x: &Tensor, s: &Tensor, du: Option<Tensor>) -> Candle<[Tensor; 2]> {
    let y = (x * s)?;
    let bend = (&y * (1.0 - s)?)?;
    let bend = match du {
        Some(du) => (bend * du)?,
        None => bend,
    };
    Ok([y, (s + bend)?])
}

/// The middle one where 0 < v < 1, the first below, the last above.
fn between(v: &Tensor, [below, inside, above]: [&Tensor; 3]) -> Candle<Tensor> {
    v.gt(0_f32)?.where_cond(&v.lt(1_f32)?.where_cond(inside, above)?, below)
}
