//! The picture an ascent starts from. Levels are in 0..255, `[3, H, W]`, and not rounded: gray is 127.5.

use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::picture::Pictures;
use super::rng::{SeededRng, Stream};
use super::size::PictureSize;

/// The image before the first step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// Uniform bytes from the seed, drawn pixel by pixel; the recipe says how strongly they show.
    Noise,
    /// Half-way between black and white, everywhere.
    Gray,
    /// A picture from a file.
    Picture {
        /// The file it was read from, as the user named it.
        file: String,
        /// The SHA-256 of its pixels, so that another picture under the same name is found out.
        sha256: String,
    },
}

impl Start {
    /// The levels of a start of this size, of one image. `amplitude` scales noise around gray; `pictures` holds what the
    /// file of [`Start::Picture`] holds, of which the middle part of the same shape is resized to what is needed.
    pub fn levels(
        &self,
        size: impl Into<PictureSize>,
        seed: u64,
        amplitude: f64,
        pictures: &Pictures,
    ) -> Result<Vec<f64>> {
        let size = size.into();
        match self {
            Self::Gray => Ok(vec![127.5; 3 * size.pixels()]),
            Self::Noise => Ok(noise(1, size, seed, amplitude)),
            Self::Picture { file, .. } => {
                let missing = || Error::PictureNotRead { file: file.clone() };
                let picture = pictures.get(file).ok_or_else(missing)?;
                if picture.size() == size {
                    return Ok(planes(&picture.rgb).map(f64::from).collect());
                }
                Ok(picture.fitted(size).into_iter().map(|v| 255.0 * f64::from(v)).collect())
            }
        }
    }
}

/// Uniform bytes for so many images, scaled around gray.
pub(super) fn noise(images: usize, size: PictureSize, seed: u64, amplitude: f64) -> Vec<f64> {
    let mut rng = SeededRng::new(seed, Stream::Start);
    let one = || {
        let mut bytes = vec![0; 3 * size.pixels()];
        rng.fill(&mut bytes);
        planes(&bytes).map(|byte| 127.5 + amplitude * (f64::from(byte) - 127.5)).collect::<Vec<_>>()
    };
    std::iter::repeat_with(one).take(images).flatten().collect()
}

/// Interleaved R, G, B to three planes.
fn planes(rgb: &[u8]) -> impl Iterator<Item = u8> + '_ {
    (0..3).flat_map(|c| rgb.iter().skip(c).step_by(3).copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::picture::Picture;

    #[test]
    fn noise_is_the_seeds_and_uniform() {
        let levels = |seed| Start::Noise.levels(64, seed, 1.0, &Pictures::new()).unwrap();
        assert_eq!(levels(1), levels(1));
        assert_ne!(levels(1), levels(2));
        let mean = levels(3).iter().sum::<f64>() / (3.0 * 64.0 * 64.0);
        assert!((mean - 127.5).abs() < 3.0, "{mean}"); // four standard errors of 12288 uniform bytes
        assert!(levels(3).contains(&0.0) && levels(3).contains(&255.0));
    }

    #[test]
    fn amplitude_scales_noise_around_gray() {
        let faint = Start::Noise.levels(32, 1, 0.1, &Pictures::new()).unwrap();
        assert!(faint.iter().all(|v| (v - 127.5).abs() <= 12.75));
    }

    #[test]
    fn a_picture_that_fits_keeps_its_bytes_others_are_resized() {
        let start = Start::Picture { file: "x.png".into(), sha256: String::new() };
        let picture = Picture { width: 2, height: 2, rgb: (0..12).collect() };
        let pictures = Pictures::from([("x.png".to_owned(), picture)]);
        assert_eq!(start.levels(2, 0, 0.1, &pictures).unwrap()[..5], [0.0, 3.0, 6.0, 9.0, 1.0]);
        let larger = start.levels(4, 0, 0.1, &pictures).unwrap();
        assert!(larger.len() == 48 && larger[0] < 0.1 && (larger[15] - 9.0).abs() < 0.1);
        assert!(start.levels(2, 0, 1.0, &Pictures::new()).is_err());
        let wide = start.levels(PictureSize { width: 2, height: 1 }, 0, 0.1, &pictures).unwrap();
        assert_eq!(wide[..2].iter().map(|v| v.round()).collect::<Vec<_>>(), [0.0, 3.0], "the upper half");
    }
}
