//! Curves on whole vectors, each with its slope, and the exponential function that most are made of.

use rayon::prelude::*;
use trepang_api::ActivationCurve;

use crate::conv::finish::Finish;
use crate::grid::BatchShape;
use crate::lanes::{Lanes, vectorized};

/// Vectors that a thread takes at a time.
const STRETCH: usize = 1 << 10;

/// Beyond these an `f32` holds no exp(x), or one with fewer digits.
const EXP_RANGE: [f32; 2] = [-86.0, 88.0];

/// 1.5 * 2^23: a small number that is added to it is rounded, and is what its last bits say.
const ROUNDING: f32 = 12_582_912.0;

/// ln 2 in two parts, of which the first has few bits, so that its multiples are exact.
const LN_2: [f32; 2] = [355.0 / 512.0, -2.121_944_4e-4];

/// exp(r) = 1 + r + r^2 p(r) for |r| <= ln 2 / 2: p, highest power first (Moshier, Cephes, `expf`).
const EXP: [f32; 6] = [1.987_569_2e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5];

/// The upper tail of the normal distribution is exp(-x^2 / 2) t p(t) / 2, t = 1 / (1 + this x / sqrt 2), to 1e-7 (Abramowitz
/// and Stegun, 7.1.26).
const TAIL_STEP: f32 = 0.327_591_1;

/// p of [`TAIL_STEP`], highest power first.
const TAIL: [f32; 5] = [1.061_405_4, -1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6];

/// 1 / sqrt(2 pi): the density of the normal distribution at 0.
const DENSITY: f32 = 0.398_942_3;

/// sqrt(2 / pi), and the factor of x^3, of the approximate GELU.
const TANH: [f32; 2] = [0.797_884_6, 0.044_715];

/// y = f(x), and f'(x) into `slopes`, unless that is empty.
pub(crate) fn unary<S: Lanes>(
    simd: S,
    curve: ActivationCurve,
    grid: BatchShape,
    x: &[f32],
    y: &mut [f32],
    slopes: &mut [f32],
) {
    let lanes = S::F32_LANES;
    // The vectors of the last block may have lanes past the last channel, which stay zero.
    let last = grid.vectors(lanes) - grid.positions();
    let bits = grid.channel_bits(lanes, last / grid.positions());
    let numbers = STRETCH * lanes;
    let mut stretches: Vec<&mut [f32]> = slopes.chunks_mut(numbers).collect();
    stretches.resize_with(y.len().div_ceil(numbers), || &mut []);
    let work = y.par_chunks_mut(numbers).zip(x.par_chunks(numbers)).zip(stretches);
    work.enumerate().for_each(|(index, ((y, x), slopes))| {
        vectorized!(simd, {
            let slopes = S::as_mut_simd_f32s(slopes).0;
            let begin = index * STRETCH;
            let vectors = S::as_mut_simd_f32s(y).0.iter_mut().zip(S::as_simd_f32s(x).0);
            for (at, (y, &x)) in vectors.enumerate() {
                let [value, slope] = bent(simd, curve, x);
                *y = if begin + at < last { value } else { simd.keep(value, bits) };
                if let Some(into) = slopes.get_mut(at) {
                    *into = slope;
                }
            }
        });
    });
}

/// dx = dy times the slopes, or dx += that.
pub(crate) fn unary_back<S: Lanes>(simd: S, slopes: &[f32], dy: &[f32], dx: &mut [f32], accumulate: bool) {
    let numbers = STRETCH * S::F32_LANES;
    let work = dx.par_chunks_mut(numbers).zip(dy.par_chunks(numbers)).zip(slopes.par_chunks(numbers));
    work.for_each(|((dx, dy), slopes)| {
        vectorized!(simd, {
            let finish = Finish::plain(accumulate);
            let factors = S::as_simd_f32s(dy).0.iter().zip(S::as_simd_f32s(slopes).0);
            for (dx, (&dy, &slope)) in S::as_mut_simd_f32s(dx).0.iter_mut().zip(factors) {
                finish.store(simd, simd.mul_f32s(dy, slope), simd.splat_f32s(0.0), dx, None);
            }
        });
    });
}

/// f(x) and f'(x).
#[inline(always)]
fn bent<S: Lanes>(simd: S, curve: ActivationCurve, x: S::f32s) -> [S::f32s; 2] {
    let (zero, one) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
    match curve {
        ActivationCurve::Sigmoid => {
            let y = sigmoid(simd, x);
            [y, simd.mul_f32s(y, simd.sub_f32s(one, y))]
        }
        ActivationCurve::Tanh => {
            // 2 s(2x) - 1, whose slope is 4 s (1 - s).
            let s = sigmoid(simd, simd.add_f32s(x, x));
            let rest = simd.sub_f32s(one, s);
            let slope = simd.mul_f32s(simd.splat_f32s(4.0), simd.mul_f32s(s, rest));
            [simd.sub_f32s(s, rest), slope]
        }
        ActivationCurve::Silu => {
            let s = sigmoid(simd, x);
            let y = simd.mul_f32s(x, s);
            [y, simd.fma(y, simd.sub_f32s(one, s), s)]
        }
        ActivationCurve::HardSigmoid { slope, shift } => {
            let slope = simd.splat_f32s(slope);
            let line = simd.fma(x, slope, simd.splat_f32s(shift));
            let y = simd.min_f32s(one, simd.max_f32s(zero, line));
            [y, between(simd, line, [zero, slope, zero])]
        }
        ActivationCurve::HardSwish => {
            let line = simd.fma(x, simd.splat_f32s(1.0 / 6.0), simd.splat_f32s(0.5));
            let gate = simd.min_f32s(one, simd.max_f32s(zero, line));
            let slope = simd.fma(x, simd.splat_f32s(1.0 / 3.0), simd.splat_f32s(0.5));
            [simd.mul_f32s(x, gate), between(simd, line, [zero, slope, one])]
        }
        ActivationCurve::LeakyRelu { slope } => {
            let is_above = simd.greater_than_f32s(x, zero);
            let slope = simd.select_f32s(is_above, one, simd.splat_f32s(slope));
            [simd.mul_f32s(x, slope), slope]
        }
        ActivationCurve::Elu { alpha } => {
            let is_above = simd.greater_than_f32s(x, zero);
            let slope = simd.mul_f32s(simd.splat_f32s(alpha), exp(simd, x));
            let below = simd.sub_f32s(slope, simd.splat_f32s(alpha));
            [simd.select_f32s(is_above, x, below), simd.select_f32s(is_above, one, slope)]
        }
        ActivationCurve::Gelu => gelu(simd, x),
        ActivationCurve::GeluTanh => gelu_by_tanh(simd, x),
    }
}

/// The middle one where 0 < v < 1, the first below, the last above.
#[inline(always)]
fn between<S: Lanes>(simd: S, v: S::f32s, [below, inside, above]: [S::f32s; 3]) -> S::f32s {
    let is_above_zero = simd.greater_than_f32s(v, simd.splat_f32s(0.0));
    let is_below_one = simd.less_than_f32s(v, simd.splat_f32s(1.0));
    simd.select_f32s(is_above_zero, simd.select_f32s(is_below_one, inside, above), below)
}

/// x P(x), and P(x) + x p(x), of the normal distribution.
#[inline(always)]
fn gelu<S: Lanes>(simd: S, x: S::f32s) -> [S::f32s; 2] {
    let (zero, one, half) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0), simd.splat_f32s(0.5));
    let step = simd.splat_f32s(TAIL_STEP * std::f32::consts::FRAC_1_SQRT_2);
    let t = simd.div_f32s(one, simd.fma(simd.abs_f32s(x), step, one));
    let bell = exp(simd, simd.mul_f32s(simd.mul_f32s(x, x), simd.splat_f32s(-0.5)));
    let tail = simd.mul_f32s(simd.mul_f32s(half, bell), simd.mul_f32s(t, polynomial(simd, &TAIL, t)));
    let is_above = simd.greater_than_f32s(x, zero);
    let p = simd.select_f32s(is_above, simd.sub_f32s(one, tail), tail);
    [simd.mul_f32s(x, p), simd.fma(x, simd.mul_f32s(bell, simd.splat_f32s(DENSITY)), p)]
}

/// x s(2u), u = a (x + b x^3), since (1 + tanh u) / 2 = s(2u).
#[inline(always)]
fn gelu_by_tanh<S: Lanes>(simd: S, x: S::f32s) -> [S::f32s; 2] {
    let one = simd.splat_f32s(1.0);
    let (twice, square) = (simd.splat_f32s(2.0 * TANH[0]), simd.mul_f32s(x, x));
    let u = simd.mul_f32s(twice, simd.mul_f32s(x, simd.fma(square, simd.splat_f32s(TANH[1]), one)));
    let du = simd.mul_f32s(twice, simd.fma(square, simd.splat_f32s(3.0 * TANH[1]), one));
    let s = sigmoid(simd, u);
    let y = simd.mul_f32s(x, s);
    [y, simd.fma(simd.mul_f32s(y, simd.sub_f32s(one, s)), du, s)]
}

/// 1 / (1 + exp(-x)).
#[inline(always)]
fn sigmoid<S: Lanes>(simd: S, x: S::f32s) -> S::f32s {
    let one = simd.splat_f32s(1.0);
    simd.div_f32s(one, simd.add_f32s(one, exp(simd, simd.sub_f32s(simd.splat_f32s(0.0), x))))
}

/// exp(x) to two units in the last place, of x cut to [`EXP_RANGE`]: 2^n exp(r), where x = n ln 2 + r.
#[inline(always)]
fn exp<S: Lanes>(simd: S, x: S::f32s) -> S::f32s {
    // In this order a NaN stays one.
    let x = simd.max_f32s(simd.splat_f32s(EXP_RANGE[0]), simd.min_f32s(simd.splat_f32s(EXP_RANGE[1]), x));
    let rounded = simd.fma(x, simd.splat_f32s(std::f32::consts::LOG2_E), simd.splat_f32s(ROUNDING));
    let n = simd.sub_f32s(rounded, simd.splat_f32s(ROUNDING));
    let r = simd.fma(n, simd.splat_f32s(-LN_2[1]), simd.fma(n, simd.splat_f32s(-LN_2[0]), x));
    let power =
        simd.fma(simd.mul_f32s(r, r), polynomial(simd, &EXP, r), simd.add_f32s(r, simd.splat_f32s(1.0)));
    // n, in the last bits of `rounded`, is added to the exponent of `power`.
    let bits = simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(rounded), simd.splat_u32s(23));
    simd.transmute_f32s_u32s(simd.add_u32s(simd.transmute_u32s_f32s(power), bits))
}

/// A polynomial by Horner's rule.
#[inline(always)]
fn polynomial<S: Lanes>(simd: S, coefficients: &[f32], x: S::f32s) -> S::f32s {
    let mut sum = simd.splat_f32s(0.0);
    for &coefficient in coefficients {
        sum = simd.fma(sum, x, simd.splat_f32s(coefficient));
    }
    sum
}
