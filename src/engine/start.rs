//! The picture an ascent starts from. Levels are in 0..255, `[3, H, W]`, and not rounded: gray is 127.5.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

use super::{Error, Picture, Result};

/// What the image is before the first step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// Uniform bytes from the seed, drawn pixel by pixel; the recipe says how strongly they show.
    Noise,
    /// Half-way between black and white, everywhere.
    Gray,
    /// A picture from a file.
    Picture {
        /// Where it was read.
        file: String,
        /// What it held, so that another picture under the same name is found out.
        sha256: String,
    },
}

impl Start {
    /// The levels of a `size` x `size` start. `amplitude` scales noise around gray; `picture` is what the file
    /// of [`Start::Picture`] holds.
    pub fn levels(
        &self,
        size: usize,
        seed: u64,
        amplitude: f64,
        picture: Option<&Picture>,
    ) -> Result<Vec<f64>> {
        match (self, picture) {
            (Self::Gray, _) => Ok(vec![127.5; 3 * size * size]),
            (Self::Noise, _) => {
                let mut bytes = vec![0; 3 * size * size];
                ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut bytes);
                Ok(planes(&bytes).map(|byte| 127.5 + amplitude * (f64::from(byte) - 127.5)).collect())
            }
            (Self::Picture { .. }, Some(Picture { width, height, rgb })) => {
                match (*width, *height) == (size, size) {
                    true => Ok(planes(rgb).map(f64::from).collect()),
                    false => Err(Error::StartSize { width: *width, height: *height, size }),
                }
            }
            (Self::Picture { file, .. }, None) => {
                Err(Error::State(format!("the start picture {file} was not read")))
            }
        }
    }
}

/// Interleaved R, G, B to three planes.
fn planes(rgb: &[u8]) -> impl Iterator<Item = u8> + '_ {
    (0..3).flat_map(|c| rgb.iter().skip(c).step_by(3).copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_the_seeds_and_uniform() {
        let levels = |seed| Start::Noise.levels(64, seed, 1.0, None).unwrap();
        assert_eq!(levels(1), levels(1));
        assert_ne!(levels(1), levels(2));
        let mean = levels(3).iter().sum::<f64>() / (3.0 * 64.0 * 64.0);
        assert!((mean - 127.5).abs() < 3.0, "{mean}"); // four standard errors of 12288 uniform bytes
        assert!(levels(3).contains(&0.0) && levels(3).contains(&255.0));
    }

    #[test]
    fn amplitude_scales_noise_around_gray() {
        let faint = Start::Noise.levels(32, 1, 0.1, None).unwrap();
        assert!(faint.iter().all(|v| (v - 127.5).abs() <= 12.75));
    }

    #[test]
    fn a_picture_keeps_its_bytes_and_must_fit() {
        let start = Start::Picture { file: "x.png".into(), sha256: String::new() };
        let picture = Picture { width: 2, height: 2, rgb: (0..12).collect() };
        let levels = start.levels(2, 0, 0.1, Some(&picture)).unwrap();
        assert_eq!(levels[..5], [0.0, 3.0, 6.0, 9.0, 1.0]);
        assert!(start.levels(4, 0, 1.0, Some(&picture)).is_err());
    }
}
