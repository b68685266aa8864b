//! Curves that are no ReLU, each with its slope.

use tch::{Kind, Tensor};
use trepang_api::{ActivationCurve, WithPullBack};

use super::{Torch, with_one};

/// 1 / sqrt(2 pi): the density of the normal distribution at 0.
const DENSITY: f64 = 0.398_942_280_401_432_7;

/// sqrt(2 / pi), and the factor of x^3, of the approximate GELU.
const TANH: [f64; 2] = [0.797_884_560_802_865_4, 0.044_715];

/// y = f(x); dx = f'(x) dy.
pub(super) fn unary<'a>(curve: ActivationCurve, x: &Tensor) -> Torch<WithPullBack<'a, Tensor>> {
    let [y, slope] = bent(curve, x)?;
    Ok(with_one(y, move |dy| dy.f_mul(&slope)))
}

/// f(x) and f'(x).
fn bent(curve: ActivationCurve, x: &Tensor) -> Torch<[Tensor; 2]> {
    match curve {
        ActivationCurve::Sigmoid => {
            let y = x.f_sigmoid()?;
            let slope = y.f_mul(&rest(&y)?)?;
            Ok([y, slope])
        }
        ActivationCurve::Tanh => {
            let y = x.f_tanh()?;
            let slope = rest(&y.f_square()?)?;
            Ok([y, slope])
        }
        ActivationCurve::Silu => gated(x, &x.f_sigmoid()?, None),
        ActivationCurve::HardSigmoid { slope, shift } => {
            let line = affine(x, slope.into(), shift.into())?;
            let flat = line.f_zeros_like()?;
            let slope = between(&line, [&flat, &flat.f_add_scalar(f64::from(slope))?, &flat])?;
            Ok([line.f_clamp(0.0, 1.0)?, slope])
        }
        ActivationCurve::HardSwish => {
            let (line, inner) = (affine(x, 1.0 / 6.0, 0.5)?, affine(x, 1.0 / 3.0, 0.5)?);
            let slope = between(&line, [&line.f_zeros_like()?, &inner, &line.f_ones_like()?])?;
            Ok([x.f_mul(&line.f_clamp(0.0, 1.0)?)?, slope])
        }
        ActivationCurve::LeakyRelu { slope } => {
            let slope = f64::from(slope);
            let factor = affine(&x.f_gt(0.0)?.f_to_kind(Kind::Float)?, 1.0 - slope, slope)?;
            Ok([x.f_mul(&factor)?, factor])
        }
        ActivationCurve::Elu { alpha } => {
            let (above, alpha) = (x.f_gt(0.0)?, f64::from(alpha));
            let below = x.f_clamp_max(0.0)?.f_exp()?.f_mul_scalar(alpha)?;
            let y = x.f_where_self(&above, &below.f_sub_scalar(alpha)?)?;
            Ok([y, below.f_ones_like()?.f_where_self(&above, &below)?])
        }
        ActivationCurve::Gelu => {
            let p = affine(&x.f_mul_scalar(std::f64::consts::FRAC_1_SQRT_2)?.f_erf()?, 0.5, 0.5)?;
            let bell = x.f_square()?.f_mul_scalar(-0.5)?.f_exp()?.f_mul_scalar(DENSITY)?;
            Ok([x.f_mul(&p)?, p.f_add(&x.f_mul(&bell)?)?])
        }
        ActivationCurve::GeluTanh => {
            // (1 + tanh u) / 2 = s(2u).
            let square = x.f_square()?;
            let u = x.f_mul(&affine(&square, 2.0 * TANH[0] * TANH[1], 2.0 * TANH[0])?)?;
            let slope = affine(&square, 6.0 * TANH[0] * TANH[1], 2.0 * TANH[0])?;
            gated(x, &u.f_sigmoid()?, Some(slope))
        }
    }
}

/// x s(u), and s + x s (1 - s) du/dx.
fn gated(x: &Tensor, s: &Tensor, du: Option<Tensor>) -> Torch<[Tensor; 2]> {
    let y = x.f_mul(s)?;
    let bend = y.f_mul(&rest(s)?)?;
    let bend = match du {
        Some(du) => bend.f_mul(&du)?,
        None => bend,
    };
    Ok([y, s.f_add(&bend)?])
}

/// 1 - x.
fn rest(x: &Tensor) -> Torch<Tensor> {
    affine(x, -1.0, 1.0)
}

fn affine(x: &Tensor, scale: f64, shift: f64) -> Torch<Tensor> {
    x.f_mul_scalar(scale)?.f_add_scalar(shift)
}

/// The middle one where 0 < v < 1, the first below, the last above.
fn between(v: &Tensor, [below, inside, above]: [&Tensor; 3]) -> Torch<Tensor> {
    inside.f_where_self(&v.f_lt(1.0)?, above)?.f_where_self(&v.f_gt(0.0)?, below)
}
