//! Images of fixed magnitudes and free phases (`MaCo`: Fel et al. 2023, "Unlocking feature visualization for deeper networks
//! with magnitude constrained optimization"; xplique `maco.py`, horama `maco_fv.py`).
//!
//! Planes are irfft2(r exp(i phi)), brought to mean 0 and deviation 1 together. Both programs also standardise the phases
//! in every step, which the paper does not and which would leave no way back from a picture to its phases; not done here.

use std::f64::consts::PI;

use rustfft::num_complex::Complex32;
use trepang_api::ComputePool;

use super::spectrum::Spectrum;
use crate::engine::fourier::Fourier;
use crate::engine::parallel::for_each;
use crate::engine::rng::SeededRng;

/// Against a division by zero (horama's).
const EPSILON: f64 = 1e-4;

/// The magnitudes of three decorrelated planes of one size.
#[derive(Debug, Clone)]
pub(super) struct Maco {
    area: usize,
    fourier: Fourier,
    magnitudes: [Vec<f32>; 3],
}

/// Planes before and after they were standardised.
struct Standard {
    values: Vec<f32>,
    deviation: f64,
}

impl Maco {
    pub(super) fn new(spectrum: Option<&Spectrum>, [height, width]: [usize; 2]) -> Self {
        let (area, fourier) = (height * width, Fourier::new(height, width));
        let natural = Spectrum::natural();
        let spectrum = spectrum.unwrap_or(&natural);
        let frequencies = fourier.frequencies();
        let of = |plane: usize| {
            let at = |f: &f64| if *f == 0.0 { 0.0 } else { spectrum.magnitude(plane, *f) };
            frequencies.iter().map(at).collect::<Vec<f64>>()
        };
        let raw = [0, 1, 2].map(of);
        // By Parseval planes of any phases then have a deviation near 1, beside which epsilon is nothing.
        let power: f64 = raw.iter().flatten().map(|r| 2.0 * r * r).sum::<f64>() / 3.0;
        let unit = area as f64 / power.sqrt();
        Self { area, magnitudes: raw.map(|raw| raw.iter().map(|r| (r * unit) as f32).collect()), fourier }
    }

    pub(super) fn shape(&self) -> Vec<usize> {
        vec![3, self.fourier.len() / self.fourier.half(), self.fourier.half()]
    }

    /// Uniform phases (the paper's).
    pub(super) fn random(&self, rng: &mut SeededRng) -> Vec<f32> {
        (0..3 * self.fourier.len()).map(|_| rng.between(-PI, PI) as f32).collect()
    }

    pub(super) fn planes(&self, phases: &[f32], into: &mut [f32], pool: &dyn ComputePool) {
        into.copy_from_slice(&self.standard(phases, pool).values);
    }

    fn standard(&self, phases: &[f32], pool: &dyn ComputePool) -> Standard {
        let mut values = vec![0.0; 3 * self.area];
        let planes = phases.chunks_exact(self.fourier.len()).zip(&self.magnitudes);
        for_each(pool, planes.zip(values.chunks_exact_mut(self.area)), |((phases, magnitudes), into)| {
            let turned = phases.iter().zip(magnitudes).map(|(phi, r)| Complex32::from_polar(*r, *phi));
            self.fourier.inverse(turned.collect(), into);
        });
        let count = values.len() as f64;
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / count;
        let square = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / count;
        let deviation = square.sqrt();
        for v in &mut values {
            *v = ((f64::from(*v) - mean) / (deviation + EPSILON)) as f32;
        }
        Standard { values, deviation }
    }

    pub(super) fn pull_back(
        &self,
        phases: &[f32],
        gradient: &[f32],
        into: &mut [f32],
        pool: &dyn ComputePool,
    ) {
        let Standard { values, deviation } = self.standard(phases, pool);
        let before = unstandardise(&values, deviation, gradient);
        let area = before.len() / 3;
        let len = self.fourier.len();
        let planes = before.chunks_exact(area).zip(phases.chunks_exact(len)).zip(&self.magnitudes);
        for_each(pool, planes.zip(into.chunks_exact_mut(len)), |(((gradient, phases), magnitudes), into)| {
            let back = self.fourier.inverse_adjoint(gradient);
            let numbers = back.into_iter().zip(phases).zip(magnitudes);
            for (into, ((z, phi), r)) in into.iter_mut().zip(numbers) {
                // d(r cos phi) / d(phi) = -r sin phi, d(r sin phi) / d(phi) = r cos phi
                *into = r * (z.im * phi.cos() - z.re * phi.sin());
            }
        });
    }

    /// The phases of planes.
    pub(super) fn encode(&self, planes: &[f32]) -> Vec<f32> {
        let phases = |plane: &[f32]| {
            self.fourier.forward(plane).into_iter().map(|z| z.im.atan2(z.re)).collect::<Vec<_>>()
        };
        planes.chunks_exact(planes.len() / 3).flat_map(phases).collect()
    }
}

/// dL/d(before) from dL/d(standardised).
fn unstandardise(values: &[f32], deviation: f64, gradient: &[f32]) -> Vec<f32> {
    let count = values.len() as f64;
    let along = gradient.iter().zip(values).map(|(&g, &v)| f64::from(g) * f64::from(v)).sum::<f64>() / count;
    let mean = gradient.iter().map(|&g| f64::from(g)).sum::<f64>() / count;
    // values are (x - mean) / (deviation + epsilon), so d(deviation) / dx = values (deviation + epsilon) / (N deviation).
    let pull = along * (deviation + EPSILON) / deviation.max(f64::MIN_POSITIVE);
    let slope =
        |(&g, &v): (&f32, &f32)| ((f64::from(g) - mean - pull * f64::from(v)) / (deviation + EPSILON)) as f32;
    gradient.iter().zip(values).map(slope).collect()
}
