//! Pictures that have something of another one and nothing of what it shows, to see what that alone does.

use std::f64::consts::TAU;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rustfft::num_complex::Complex64;
use rustfft::{Fft, FftPlanner};

use crate::engine::Picture;

/// Normal noise that has the mean and the deviation of each of a picture's colours, as far as 0 to 255 has room.
pub fn noise_like(picture: &Picture, seed: u64) -> Picture {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let pixels = (picture.width * picture.height).max(1);
    let mut rgb = picture.rgb.clone();
    for colour in 0..3 {
        let own = || picture.rgb.iter().skip(colour).step_by(3).map(|level| f64::from(*level));
        let mean = own().sum::<f64>() / pixels as f64;
        let variance = own().map(|level| (level - mean).powi(2)).sum::<f64>() / pixels as f64;
        let levels = rgb.iter_mut().skip(colour).step_by(3);
        levels.for_each(|into| *into = level(mean + variance.sqrt() * normal(&mut rng)));
    }
    Picture { rgb, ..picture.clone() }
}

/// A picture in which every frequency is as strong as in another one, and in a place of its own: the phases are those of
/// normal noise, the same for all three colours.
pub fn random_phases(picture: &Picture, seed: u64) -> Picture {
    let (width, height) = (picture.width, picture.height);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let noise: Vec<f64> = (0..width * height).map(|_| normal(&mut rng)).collect();
    let mut planner = FftPlanner::new();
    let forward = [planner.plan_fft_forward(width), planner.plan_fft_forward(height)];
    let back = [planner.plan_fft_inverse(width), planner.plan_fft_inverse(height)];
    let transformed = |plane: Vec<f64>| {
        let mut spectrum: Vec<Complex64> = plane.into_iter().map(|x| Complex64::new(x, 0.0)).collect();
        transform(&mut spectrum, (width, height), [&*forward[0], &*forward[1]]);
        spectrum
    };
    let mut phases: Vec<Complex64> =
        transformed(noise).into_iter().map(|number| Complex64::cis(number.arg())).collect();
    // The mean is no structure: it stays.
    if let Some(first) = phases.first_mut() {
        *first = Complex64::ONE;
    }
    let mut rgb = picture.rgb.clone();
    for colour in 0..3 {
        let plane = picture.rgb.iter().skip(colour).step_by(3).map(|level| f64::from(*level)).collect();
        let own = transformed(plane);
        let mut spectrum: Vec<Complex64> =
            own.iter().zip(&phases).map(|(own, phase)| phase * own.norm()).collect();
        transform(&mut spectrum, (width, height), [&*back[0], &*back[1]]);
        let scale = 1.0 / spectrum.len().max(1) as f64;
        let levels = rgb.iter_mut().skip(colour).step_by(3);
        levels.zip(&spectrum).for_each(|(into, number)| *into = level(number.re * scale));
    }
    Picture { rgb, ..picture.clone() }
}

/// Transforms the rows and then the columns of a plane.
fn transform(plane: &mut [Complex64], (width, height): (usize, usize), by: [&dyn Fft<f64>; 2]) {
    plane.chunks_exact_mut(width.max(1)).for_each(|row| by[0].process(row));
    let mut column = vec![Complex64::ZERO; height];
    for x in 0..width {
        (0..height).for_each(|y| column[y] = plane[y * width + x]);
        by[1].process(&mut column);
        (0..height).for_each(|y| plane[y * width + x] = column[y]);
    }
}

fn level(number: f64) -> u8 {
    number.round().clamp(0.0, 255.0) as u8
}

/// A normal number, by Box and Muller.
pub(super) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let unit = |word: u64| ((word >> 11) as f64 + 1.0) / (1_u64 << 53) as f64;
    let (radius, angle) = (unit(rng.next_u64()), unit(rng.next_u64()));
    (-2.0 * radius.ln()).sqrt() * (TAU * angle).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of gentle waves, which no rounding clips.
    fn waves(width: usize, height: usize) -> Picture {
        let level = |at: usize| {
            let (pixel, colour) = (at / 3, (at % 3) as f64);
            let (x, y) = ((pixel % width) as f64, (pixel / width) as f64);
            level(100.0 + 20.0 * colour + 25.0 * (x * 0.7 + colour).sin() + 15.0 * (y * 0.9 + x * 0.2).cos())
        };
        Picture { width, height, rgb: (0..3 * width * height).map(level).collect() }
    }

    fn statistics(picture: &Picture, colour: usize) -> (f64, f64) {
        let levels: Vec<f64> = picture.rgb.iter().skip(colour).step_by(3).map(|x| f64::from(*x)).collect();
        let n = levels.len() as f64;
        let mean = levels.iter().sum::<f64>() / n;
        (mean, (levels.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt())
    }

    #[test]
    fn baselines_have_the_means_and_contrasts_of_their_picture() {
        let picture = waves(31, 22);
        for other in [noise_like(&picture, 1), random_phases(&picture, 1)] {
            assert_ne!(other, picture);
            for colour in 0..3 {
                let ((mean, deviation), (expected, spread)) =
                    (statistics(&other, colour), statistics(&picture, colour));
                assert!((mean - expected).abs() < 2.5 && (deviation / spread - 1.0).abs() < 0.1);
            }
        }
    }

    #[test]
    fn random_phases_keep_how_strong_each_frequency_is() {
        let picture = waves(24, 16);
        let other = random_phases(&picture, 3);
        let strength = |picture: &Picture| {
            let plane = picture.rgb.iter().step_by(3).map(|x| Complex64::new(f64::from(*x), 0.0));
            let mut spectrum: Vec<Complex64> = plane.collect();
            let mut planner = FftPlanner::new();
            let by = [planner.plan_fft_forward(24), planner.plan_fft_forward(16)];
            transform(&mut spectrum, (24, 16), [&*by[0], &*by[1]]);
            spectrum.into_iter().map(Complex64::norm).collect::<Vec<f64>>()
        };
        let (found, expected) = (strength(&other), strength(&picture));
        let largest = expected.iter().skip(1).copied().fold(0.0, f64::max);
        let apart = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(apart < 0.02 * largest, "{apart} of {largest}");
    }

    #[test]
    fn a_seed_gives_a_baseline_again() {
        let picture = waves(9, 8);
        for of in [noise_like, random_phases] {
            assert_eq!(of(&picture, 4), of(&picture, 4));
            assert_ne!(of(&picture, 4), of(&picture, 5));
        }
    }
}
