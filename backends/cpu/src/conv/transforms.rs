//! The linear maps of minimal filtering F(4x4, 3x3): a tile of 4x4 outputs of a 3x3 convolution from 36 products instead of
//! 144. Winograd 1980; Lavin and Gray 2015 (arXiv:1509.09308), section 4. With tile d, kernel g:
//!
//! `y = A^T [(G g G^T) . (B^T d B)] A`
//!
//! The polynomials behind it are evaluated at 0, +-3/4, +-3/2 and infinity, not at the usual 0, +-1, +-2 and infinity:
//! the factors then differ less in size, all of B and A are exact in binary, and the error of a result is a quarter
//! (against f64, 256 channels: 2.2e-6 of the largest entry; 8.3e-6 with the usual points; 1.0e-6 summed directly).

use crate::lanes::Lanes;

/// Outputs along a side of a tile.
pub(crate) const OUT: usize = 4;

/// Inputs along a side of a tile, and products along a side.
pub(crate) const IN: usize = OUT + KERNEL - 1;

/// Weights along a side of the kernel.
pub(crate) const KERNEL: usize = 3;

/// Products for each pair of channels and each tile.
pub(crate) const PRODUCTS: usize = IN * IN;

/// The points, and their powers.
const A: f32 = 0.75;
const B: f32 = 1.5;
const A2: f32 = A * A;
const B2: f32 = B * B;

/// The factors of G's rows: 1 over the product of a point's distances from the other points.
const AT_0: f32 = 1.0 / (A2 * B2);
const AT_A: f32 = 1.0 / (2.0 * A2 * (A2 - B2));
const AT_B: f32 = 1.0 / (2.0 * B2 * (B2 - A2));

// No closures below: the compiler leaves them as calls here, and a call is not compiled for vectors.

/// The tile's columns, then its rows, through `map`.
macro_rules! both_ways {
    ($simd:ident, $x:ident, $map:ident, $from:ident, $to:ident) => {{
        let zero = $simd.splat_f32s(0.0);
        let mut half = [[zero; $from]; $to];
        for j in 0..$from {
            let mut column = [zero; $from];
            for i in 0..$from {
                column[i] = $x[i][j];
            }
            let mapped = $map($simd, column);
            for i in 0..$to {
                half[i][j] = mapped[i];
            }
        }
        let mut whole = [[zero; $to]; $to];
        for i in 0..$to {
            whole[i] = $map($simd, half[i]);
        }
        whole
    }};
}

/// B^T d B.
#[inline(always)]
pub(crate) fn of_input<S: Lanes>(simd: S, d: &[[S::f32s; IN]; IN]) -> [[S::f32s; IN]; IN] {
    both_ways!(simd, d, input, IN, IN)
}

/// G g G^T.
#[inline(always)]
pub(crate) fn of_kernel<S: Lanes>(simd: S, g: &[[S::f32s; KERNEL]; KERNEL]) -> [[S::f32s; IN]; IN] {
    both_ways!(simd, g, kernel, KERNEL, IN)
}

/// A^T m A.
#[inline(always)]
pub(crate) fn to_output<S: Lanes>(simd: S, m: &[[S::f32s; IN]; IN]) -> [[S::f32s; OUT]; OUT] {
    both_ways!(simd, m, output, IN, OUT)
}

/// `x * factor + plus`, each number with one rounding where there is a fused instruction.
#[inline(always)]
fn by<S: Lanes>(simd: S, x: S::f32s, factor: f32, plus: S::f32s) -> S::f32s {
    simd.fma(x, simd.splat_f32s(factor), plus)
}

/// `x * factor`, number by number.
#[inline(always)]
fn times<S: Lanes>(simd: S, x: S::f32s, factor: f32) -> S::f32s {
    simd.mul_f32s(x, simd.splat_f32s(factor))
}

#[inline(always)]
fn input<S: Lanes>(simd: S, d: [S::f32s; IN]) -> [S::f32s; IN] {
    let (even_a, odd_a) = (by(simd, d[2], -B2, d[4]), by(simd, d[1], -B2, d[3]));
    let (even_b, odd_b) = (by(simd, d[2], -A2, d[4]), by(simd, d[1], -A2, d[3]));
    [
        by(simd, d[0], A2 * B2, by(simd, d[2], -(A2 + B2), d[4])),
        by(simd, odd_a, A, even_a),
        by(simd, odd_a, -A, even_a),
        by(simd, odd_b, B, even_b),
        by(simd, odd_b, -B, even_b),
        by(simd, d[1], A2 * B2, by(simd, d[3], -(A2 + B2), d[5])),
    ]
}

#[inline(always)]
fn kernel<S: Lanes>(simd: S, g: [S::f32s; KERNEL]) -> [S::f32s; IN] {
    let even_a = by(simd, g[2], A2 * AT_A, times(simd, g[0], AT_A));
    let even_b = by(simd, g[2], B2 * AT_B, times(simd, g[0], AT_B));
    let (odd_a, odd_b) = (times(simd, g[1], A * AT_A), times(simd, g[1], B * AT_B));
    [
        times(simd, g[0], AT_0),
        simd.add_f32s(even_a, odd_a),
        simd.sub_f32s(even_a, odd_a),
        simd.add_f32s(even_b, odd_b),
        simd.sub_f32s(even_b, odd_b),
        g[2],
    ]
}

#[inline(always)]
fn output<S: Lanes>(simd: S, m: [S::f32s; IN]) -> [S::f32s; OUT] {
    let (sum_a, difference_a) = (simd.add_f32s(m[1], m[2]), simd.sub_f32s(m[1], m[2]));
    let (sum_b, difference_b) = (simd.add_f32s(m[3], m[4]), simd.sub_f32s(m[3], m[4]));
    [
        simd.add_f32s(m[0], simd.add_f32s(sum_a, sum_b)),
        by(simd, difference_a, A, times(simd, difference_b, B)),
        by(simd, sum_a, A2, times(simd, sum_b, B2)),
        by(simd, difference_a, A2 * A, by(simd, difference_b, B2 * B, m[5])),
    ]
}

#[cfg(test)]
mod tests {
    use pulp::{Scalar128b, Simd, f32x4};

    use super::*;

    /// The definition, in f64, against the three maps with products in between: exact but for rounding.
    #[test]
    fn a_tile_is_the_convolution_of_its_input() {
        let simd = Scalar128b;
        let number = |i: usize| ((i * 37 % 19) as f32 - 9.0) / 4.0;
        let splat = |x: f32| f32x4(x, x, x, x);
        let d: [[f32x4; IN]; IN] =
            std::array::from_fn(|i| std::array::from_fn(|j| splat(number(i * IN + j))));
        let g: [[f32x4; KERNEL]; KERNEL] =
            std::array::from_fn(|i| std::array::from_fn(|j| splat(number(50 + i * KERNEL + j))));
        let (v, u) = (of_input(simd, &d), of_kernel(simd, &g));
        let m: [[f32x4; IN]; IN] =
            std::array::from_fn(|i| std::array::from_fn(|j| simd.mul_f32s(v[i][j], u[i][j])));
        let y = to_output(simd, &m);
        for (i, row) in y.iter().enumerate() {
            for (j, y) in row.iter().enumerate() {
                let taps = (0..KERNEL).flat_map(|a| (0..KERNEL).map(move |b| (a, b)));
                let expected: f32 = taps.map(|(a, b)| d[i + a][j + b].0 * g[a][b].0).sum();
                assert!((y.0 - expected).abs() < 1e-4, "{i} {j}: {} {expected}", y.0);
            }
        }
    }
}
