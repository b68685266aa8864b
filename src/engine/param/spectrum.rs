//! The magnitudes of natural images by frequency, for `maco`: a table, and how it is measured. Not here: reading pictures.

use serde::{Deserialize, Serialize};

use super::colour;
use crate::engine::fourier::Fourier;
use crate::engine::picture::Picture;

/// Mean magnitudes of the Fourier transforms of decorrelated colour planes, by distance from zero frequency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spectrum {
    /// Cycles a pixel, rising.
    pub frequencies: Vec<f64>,
    /// The magnitudes of each of the three planes, relative to the first number of the first.
    pub magnitudes: [Vec<f64>; 3],
}

/// The table of natural images, as `trepang spectrum` wrote it; the file says of which pictures.
const NATURAL: &str = include_str!("natural.toml");

impl Spectrum {
    /// The embedded one, of 3200 photographs.
    pub fn natural() -> Self {
        // A test reads the text that is compiled in.
        Self::parse(NATURAL)
            .unwrap_or(Self { frequencies: vec![1.0], magnitudes: [vec![1.0], vec![1.0], vec![1.0]] })
    }

    /// From the table of a recipe.
    fn parse(text: &str) -> Option<Self> {
        let table: toml::Table = text.parse().ok()?;
        table.get("param")?.get("spectrum")?.clone().try_into().ok()
    }

    /// Checks the table. Fails with one sentence.
    pub(super) fn check(&self) -> Result<(), String> {
        let rising = self.frequencies.windows(2).all(|pair| pair[0] < pair[1]);
        let full = self.magnitudes.iter().all(|m| m.len() == self.frequencies.len());
        let positive = |values: &[f64]| values.iter().all(|v| *v > 0.0 && v.is_finite());
        let fit = self.frequencies.len() > 1
            && positive(&self.frequencies)
            && self.magnitudes.iter().all(|m| positive(m));
        if rising && full && fit {
            return Ok(());
        }
        Err("param.spectrum: rising frequencies are needed, and three lists of as many positive magnitudes"
            .into())
    }

    /// The magnitude at a frequency, by straight lines between the logarithms; beyond the table the lines at its ends go on,
    /// as natural spectra do.
    pub(super) fn magnitude(&self, plane: usize, frequency: f64) -> f64 {
        let values = &self.magnitudes[plane];
        let last = self.frequencies.len() - 1;
        if last == 0 {
            return values[0];
        }
        let above = self.frequencies.partition_point(|f| *f < frequency).clamp(1, last);
        let (x0, x1) = (self.frequencies[above - 1].ln(), self.frequencies[above].ln());
        let (y0, y1) = (values[above - 1].ln(), values[above].ln());
        (y0 + (y1 - y0) * (frequency.ln() - x0) / (x1 - x0)).exp()
    }
}

/// Gathers the spectra of pictures.
#[derive(Debug)]
pub struct SpectrumBuilder {
    fourier: Fourier,
    side: usize,
    sums: [Vec<f64>; 3],
    count: usize,
}

/// Numbers in a table: enough for a curve without kinks.
const BINS: usize = 24;

impl SpectrumBuilder {
    /// Pictures are looked at `side` by `side` pixels.
    pub fn new(side: usize) -> Self {
        let fourier = Fourier::new(side, side);
        let sums = [0, 1, 2].map(|_| vec![0.0; fourier.len()]);
        Self { fourier, side, sums, count: 0 }
    }

    /// Adds the middle square of a picture.
    pub fn add(&mut self, picture: &Picture) {
        let mut planes = picture.fitted(self.side.into());
        colour::decorrelate(&mut planes);
        for (plane, sums) in planes.chunks_exact_mut(self.side * self.side).zip(&mut self.sums) {
            // Without their mean, or the edges of the picture would count more than what it shows.
            let mean = plane.iter().sum::<f32>() / plane.len() as f32;
            for v in &mut *plane {
                *v -= mean;
            }
            let spectrum = self.fourier.forward(plane);
            sums.iter_mut().zip(spectrum).for_each(|(sum, z)| *sum += f64::from(z.norm()));
        }
        self.count += 1;
    }

    /// The number of pictures that were added.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The table: means over rings, evenly wide in the logarithm of the frequency. `None` before a picture was added.
    pub fn finish(&self) -> Option<Spectrum> {
        if self.count == 0 {
            return None;
        }
        let (low, high) = ((1.0 / self.side as f64).ln(), 0.5_f64.hypot(0.5).ln());
        let ring = |f: f64| (((f.ln() - low) / (high - low) * BINS as f64).floor() as usize).min(BINS - 1);
        let mut rings = vec![(0.0, 0.0, [0.0; 3]); BINS];
        for (i, f) in self.fourier.frequencies().into_iter().enumerate().filter(|(_, f)| *f > 0.0) {
            let (count, frequency, sums) = &mut rings[ring(f)];
            *count += 1.0;
            *frequency += f;
            sums.iter_mut().zip(&self.sums).for_each(|(sum, all)| *sum += all[i]);
        }
        let kept: Vec<_> = rings
            .into_iter()
            .filter(|(count, _, sums)| *count > 0.0 && sums.iter().all(|s| *s > 0.0))
            .collect();
        let (count, _, sums) = kept.first()?;
        let unit = sums[0] / count;
        let rounded = |v: f64| format!("{v:.4e}").parse().unwrap_or(v);
        let magnitudes =
            [0, 1, 2].map(|c| kept.iter().map(|(n, _, sums)| rounded(sums[c] / n / unit)).collect());
        Some(Spectrum { frequencies: kept.iter().map(|(n, f, _)| rounded(f / n)).collect(), magnitudes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::rng::{SeededRng, Stream};

    #[test]
    fn the_embedded_table_is_a_natural_spectrum() {
        let natural = Spectrum::parse(NATURAL).unwrap();
        natural.check().unwrap();
        // Amplitudes fall about as 1 / f (Field 1987), and brightness is stronger than the two colours.
        let slope = natural.magnitude(0, 0.25).ln() - natural.magnitude(0, 0.03125).ln();
        assert!((-1.6..-0.8).contains(&(slope / 8.0_f64.ln())), "{}", slope / 8.0_f64.ln());
        assert!(natural.magnitude(0, 0.1) > natural.magnitude(1, 0.1));
        // Beyond the table the line goes on.
        assert!(natural.magnitude(0, 0.001) > natural.magnitude(0, 0.01));
    }

    #[test]
    fn white_noise_has_a_flat_spectrum() {
        let mut builder = SpectrumBuilder::new(32);
        let mut rng = SeededRng::new(1, Stream::Test(1));
        for _ in 0..20 {
            let mut rgb = vec![0; 3 * 48 * 32];
            rng.fill(&mut rgb);
            builder.add(&Picture { width: 48, height: 32, rgb });
        }
        let found = builder.finish().unwrap();
        let luma = &found.magnitudes[0];
        assert!(luma.iter().all(|m| (0.8..1.25).contains(m)), "{luma:?}");
        assert_eq!(SpectrumBuilder::new(32).finish(), None);
    }
}
