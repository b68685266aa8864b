//! The two-dimensional real Fourier transform and its adjoint, on planes of any size, odd ones too.
//!
//! Conventions of numpy's `rfft2` and `irfft2`: forward without a factor, inverse with 1/(HW), and floor(W/2) + 1 columns.

use std::fmt;
use std::sync::Arc;

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftPlanner, num_complex::Complex32};

/// Planned transforms of `[height, width]` planes.
#[derive(Clone)]
pub(super) struct Fourier {
    height: usize,
    width: usize,
    rows: Arc<dyn RealToComplex<f32>>,
    rows_back: Arc<dyn ComplexToReal<f32>>,
    columns: Arc<dyn Fft<f32>>,
    columns_back: Arc<dyn Fft<f32>>,
}

impl fmt::Debug for Fourier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fourier({}x{})", self.height, self.width)
    }
}

impl Fourier {
    pub(super) fn new(height: usize, width: usize) -> Self {
        let (mut real, mut complex) = (RealFftPlanner::new(), FftPlanner::new());
        Self {
            height,
            width,
            rows: real.plan_fft_forward(width),
            rows_back: real.plan_fft_inverse(width),
            columns: complex.plan_fft_forward(height),
            columns_back: complex.plan_fft_inverse(height),
        }
    }

    /// Columns of the half spectrum.
    pub(super) fn half(&self) -> usize {
        self.width / 2 + 1
    }

    /// Numbers in a half spectrum, `[height, half]`.
    pub(super) fn len(&self) -> usize {
        self.height * self.half()
    }

    /// The distance from zero frequency in cycles a pixel, for every number of the half spectrum.
    pub(super) fn frequencies(&self) -> Vec<f64> {
        let row = |y: usize| y.min(self.height - y) as f64 / self.height as f64;
        let at = |y: usize| (0..self.half()).map(move |x| row(y).hypot(x as f64 / self.width as f64));
        (0..self.height).flat_map(at).collect()
    }

    /// The half spectrum of a plane `[height, width]`: numpy's `rfft2`.
    pub(super) fn forward(&self, plane: &[f32]) -> Vec<Complex32> {
        let half = self.half();
        let mut spectrum = vec![Complex32::ZERO; self.len()];
        let (mut row, mut scratch) = (self.rows.make_input_vec(), self.rows.make_scratch_vec());
        for (from, into) in plane.chunks_exact(self.width).zip(spectrum.chunks_exact_mut(half)) {
            row.copy_from_slice(from);
            let done = self.rows.process_with_scratch(&mut row, into, &mut scratch);
            debug_assert!(done.is_ok(), "the lengths are those planned for");
        }
        self.along_columns(&*self.columns, &mut spectrum);
        spectrum
    }

    /// The plane of a half spectrum: numpy's `irfft2`. As there, imaginary parts that no real plane has are ignored.
    pub(super) fn inverse(&self, mut spectrum: Vec<Complex32>, plane: &mut [f32]) {
        self.along_columns(&*self.columns_back, &mut spectrum);
        let factor = 1.0 / (self.height * self.width) as f32;
        let mut scratch = self.rows_back.make_scratch_vec();
        for (from, into) in spectrum.chunks_exact_mut(self.half()).zip(plane.chunks_exact_mut(self.width)) {
            from[0].im = 0.0;
            if self.width.is_multiple_of(2) {
                from[self.width / 2].im = 0.0;
            }
            let done = self.rows_back.process_with_scratch(from, into, &mut scratch);
            debug_assert!(done.is_ok(), "the lengths are those planned for");
            for value in into {
                *value *= factor;
            }
        }
    }

    /// The adjoint of [`inverse`](Self::inverse), real and imaginary parts taken as separate numbers: the forward transform
    /// over HW, where columns that stand for two frequencies, +f and -f, count twice.
    pub(super) fn inverse_adjoint(&self, plane: &[f32]) -> Vec<Complex32> {
        let mut spectrum = self.forward(plane);
        let single = 1.0 / (self.height * self.width) as f32;
        for row in spectrum.chunks_exact_mut(self.half()) {
            for (x, value) in row.iter_mut().enumerate() {
                let alone = x == 0 || 2 * x == self.width;
                *value *= if alone { single } else { 2.0 * single };
            }
        }
        spectrum
    }

    fn along_columns(&self, transform: &dyn Fft<f32>, spectrum: &mut [Complex32]) {
        let half = self.half();
        // Column after column in one run of memory: the transform takes them all in one call.
        let mut columns = vec![Complex32::ZERO; spectrum.len()];
        transpose(spectrum, &mut columns, [self.height, half]);
        transform.process(&mut columns);
        transpose(&columns, spectrum, [half, self.height]);
    }
}

/// The side of the blocks that a transpose goes by: what two of them need stays in the nearest cache.
const BLOCK: usize = 16;

/// The transpose of a matrix `[rows, columns]`.
fn transpose(from: &[Complex32], into: &mut [Complex32], [rows, columns]: [usize; 2]) {
    for top in (0..rows).step_by(BLOCK) {
        for left in (0..columns).step_by(BLOCK) {
            let right = (left + BLOCK).min(columns);
            for row in top..(top + BLOCK).min(rows) {
                for (column, value) in (left..right).zip(&from[row * columns + left..row * columns + right]) {
                    into[column * rows + row] = *value;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::rng::{SeededRng, Stream};
    use std::f64::consts::TAU;

    const SIZES: [[usize; 2]; 5] = [[4, 6], [5, 7], [6, 5], [1, 8], [7, 1]];

    fn draws(count: usize, stream: u64) -> Vec<f32> {
        let mut rng = SeededRng::new(5, Stream::Test(stream));
        (0..count).map(|_| rng.normal() as f32).collect()
    }

    fn inverse(fourier: &Fourier, spectrum: Vec<Complex32>) -> Vec<f32> {
        let mut plane = vec![0.0; fourier.height * fourier.width];
        fourier.inverse(spectrum, &mut plane);
        plane
    }

    fn spectrum(fourier: &Fourier) -> Vec<Complex32> {
        draws(2 * fourier.len(), 1).chunks_exact(2).map(|pair| Complex32::new(pair[0], pair[1])).collect()
    }

    #[test]
    fn the_inverse_is_the_sum_that_defines_it() {
        for [h, w] in SIZES {
            let fourier = Fourier::new(h, w);
            let z = spectrum(&fourier);
            let plane = inverse(&fourier, z.clone());
            for (i, &found) in plane.iter().enumerate() {
                let (y, x) = (i / w, i % w);
                let wave = |ky: usize, kx: usize| {
                    let weight = if kx == 0 || 2 * kx == w { 1.0 } else { 2.0 };
                    let angle = TAU * ((ky * y) as f64 / h as f64 + (kx * x) as f64 / w as f64);
                    let z = z[ky * fourier.half() + kx];
                    weight * (f64::from(z.re) * angle.cos() - f64::from(z.im) * angle.sin())
                };
                let all = (0..h).flat_map(|ky| (0..fourier.half()).map(move |kx| (ky, kx)));
                let wanted = all.map(|(ky, kx)| wave(ky, kx)).sum::<f64>() / (h * w) as f64;
                assert!((f64::from(found) - wanted).abs() < 1e-5, "{h}x{w} at {i}: {found} {wanted}");
            }
        }
    }

    #[test]
    fn forward_undoes_the_inverse_of_what_is_a_planes_spectrum() {
        for [h, w] in SIZES {
            let fourier = Fourier::new(h, w);
            let plane = draws(h * w, 2);
            let back = inverse(&fourier, fourier.forward(&plane));
            assert!(plane.iter().zip(&back).all(|(a, b)| (a - b).abs() < 1e-5), "{h}x{w}");
        }
    }

    #[test]
    fn the_adjoint_is_the_transpose() {
        for [h, w] in SIZES {
            let fourier = Fourier::new(h, w);
            let (z, u) = (spectrum(&fourier), draws(h * w, 3));
            let forward: f64 =
                inverse(&fourier, z.clone()).iter().zip(&u).map(|(a, b)| f64::from(a * b)).sum();
            let back = fourier.inverse_adjoint(&u);
            let transposed: f64 =
                back.iter().zip(&z).map(|(a, b)| f64::from(a.re * b.re + a.im * b.im)).sum();
            assert!((forward - transposed).abs() < 1e-5, "{h}x{w}: {forward} {transposed}");
        }
    }

    #[test]
    fn frequencies_are_in_cycles_a_pixel() {
        assert_eq!(Fourier::new(4, 4).frequencies()[..3], [0.0, 0.25, 0.5]);
        assert_eq!(Fourier::new(5, 3).frequencies()[2 * 2], 0.4);
        assert_eq!(Fourier::new(5, 3).frequencies()[3 * 2], 0.4);
    }
}
