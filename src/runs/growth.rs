//! How a run's picture grew: small pictures of steps at even distances, a bounded number of them whatever the length of the run, as
//! one JPEG of the run's folder.

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use image::codecs::jpeg::JpegEncoder;
use image::imageops;
use image::{ExtendedColorType, ImageDecoder, ImageEncoder, RgbImage};
use serde::{Deserialize, Serialize};

use super::atomic::write_own;
use super::error::{BoxedError, Error, Result};
use super::picture_decoder::{decode, open};
use super::regular::read_regular;
use super::small_picture::small;
use super::xmp;
use crate::engine::{Ascent, Picture};

/// The file of a run's folder.
pub(super) const GROWTH: &str = "growth.jpg";

/// The most pictures that are kept of a run.
const MAX_FRAMES: usize = 32;

/// The longest side of a picture, in pixels.
const MAX_SIDE: u32 = 128;

/// The pictures stand in the file on squares of a multiple of so many pixels, so that no block of the JPEG has parts of two.
const BLOCK: u32 = 16;

/// The number of pictures in a row of the file.
const ROW: u32 = 8;

/// The quality of the file, of 100.
const QUALITY: u8 = 88;

/// The largest file that is read, in bytes.
const MAX_BYTES: u64 = 16 << 20;

/// The picture after so many steps, made small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrowthFrame {
    /// The number of steps taken by then.
    pub step: usize,
    /// The picture with at most 128 pixels on a side.
    pub picture: Arc<Picture>,
}

/// The pictures that are kept of a run, by their steps.
#[derive(Debug, Clone)]
pub struct Growth {
    frames: Vec<GrowthFrame>,
    /// The steps between two pictures.
    stride: usize,
}

impl Default for Growth {
    fn default() -> Self {
        Self { frames: Vec::new(), stride: 1 }
    }
}

/// The text of the file.
#[derive(Serialize, Deserialize)]
struct GrowthText {
    steps: Vec<usize>,
    stride: usize,
    width: u32,
    height: u32,
}

impl Growth {
    /// Keeps the picture of an ascent, if it is its turn. Where there are too many, every other one is dropped.
    pub(super) fn note(&mut self, ascent: &Ascent) {
        let step = ascent.step_count();
        if !step.is_multiple_of(self.stride) || self.frames.last().is_some_and(|last| last.step >= step) {
            return;
        }
        if self.frames.len() == MAX_FRAMES {
            self.stride *= 2;
            let stride = self.stride;
            self.frames.retain(|frame| frame.step.is_multiple_of(stride));
            return self.note(ascent);
        }
        if let Some(picture) = small(&ascent.picture(), MAX_SIDE) {
            self.frames.push(GrowthFrame { step, picture: Arc::new(picture) });
        }
    }

    /// Forgets what came after so many steps: the run was taken back.
    pub(super) fn back(&mut self, step: usize) {
        self.frames.retain(|frame| frame.step <= step);
    }

    /// The pictures, in the order of their steps.
    pub fn frames(&self) -> &[GrowthFrame] {
        &self.frames
    }

    /// Writes the file of a run's folder, if there is something to be kept.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(GROWTH);
        match self.encoded().map_err(|source| Error::Encode { path: path.clone(), source })? {
            Some(bytes) => write_own(&path, &bytes),
            None => Ok(()),
        }
    }

    /// The pictures of a run's folder up to so many steps; none where the file is not there, or is not what is written.
    pub fn read(folder: &Path, steps: usize) -> Self {
        let read =
            || -> Result<Self, BoxedError> { Self::decoded(&read_regular(&folder.join(GROWTH), MAX_BYTES)?) };
        let mut growth = read().unwrap_or_default();
        growth.back(steps);
        growth
    }

    fn encoded(&self) -> Result<Option<Vec<u8>>, BoxedError> {
        let Some(GrowthFrame { picture, .. }) = self.frames.first() else { return Ok(None) };
        let (width, height) = (u32::try_from(picture.width)?, u32::try_from(picture.height)?);
        let count = u32::try_from(self.frames.len())?;
        let (x, y) = (width.next_multiple_of(BLOCK), height.next_multiple_of(BLOCK));
        let mut sheet = RgbImage::new(x * count.min(ROW), y * count.div_ceil(ROW));
        for (index, frame) in (0..).zip(&self.frames) {
            let image = image_of(&frame.picture).filter(|image| image.dimensions() == (width, height));
            let image = image.ok_or("its pictures have several sizes")?;
            // What fills the square has the colours of the picture's edge, so that they do not bleed.
            let square =
                RgbImage::from_fn(x, y, |i, j| *image.get_pixel(i.min(width - 1), j.min(height - 1)));
            imageops::replace(&mut sheet, &square, (x * (index % ROW)).into(), (y * (index / ROW)).into());
        }
        let mut bytes = Cursor::new(Vec::new());
        let (columns, rows) = sheet.dimensions();
        JpegEncoder::new_with_quality(&mut bytes, QUALITY).write_image(
            sheet.as_raw(),
            columns,
            rows,
            ExtendedColorType::Rgb8,
        )?;
        let steps = self.frames.iter().map(|frame| frame.step).collect();
        let text = serde_json::to_string(&GrowthText { steps, stride: self.stride, width, height })?;
        let with_text = xmp::into_jpeg(&bytes.into_inner(), &xmp::packet(&text));
        Ok(Some(with_text.ok_or("its text is too long")?))
    }

    fn decoded(bytes: &[u8]) -> Result<Self, BoxedError> {
        let packet = open(bytes)?.xmp_metadata()?.ok_or("it has no text")?;
        let text = xmp::text(&packet).ok_or("it has no text")?;
        let GrowthText { steps, stride, width, height } = serde_json::from_str(&text)?;
        if width.min(height) == 0
            || steps.len() > MAX_FRAMES
            || stride == 0
            || width.max(height) > MAX_SIDE
            || !steps.is_sorted()
        {
            return Err("its text is not what is written".into());
        }
        let sheet = decode(bytes, true)?.into_rgb8();
        let (x, y) = (width.next_multiple_of(BLOCK), height.next_multiple_of(BLOCK));
        let frame = |(index, step): (u32, usize)| {
            let cut =
                imageops::crop_imm(&sheet, x * (index % ROW), y * (index / ROW), width, height).to_image();
            let (width, height) = (cut.width() as usize, cut.height() as usize);
            GrowthFrame { step, picture: Arc::new(Picture { width, height, rgb: cut.into_raw() }) }
        };
        Ok(Self { frames: (0..).zip(steps).map(frame).collect(), stride })
    }
}

fn image_of(picture: &Picture) -> Option<RgbImage> {
    RgbImage::from_raw(picture.width as u32, picture.height as u32, picture.rgb.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn growth(steps: &[usize], side: usize) -> Growth {
        let frame = |&step: &usize| {
            let rgb = [step as u8, 100, 200].repeat(side * side);
            GrowthFrame { step, picture: Arc::new(Picture { width: side, height: side, rgb }) }
        };
        Growth { frames: steps.iter().map(frame).collect(), stride: 4 }
    }

    #[test]
    fn what_is_written_is_read_again_and_is_small() {
        let folder = tempfile::tempdir().unwrap();
        let steps: Vec<usize> = (0..MAX_FRAMES).map(|step| 4 * step).collect();
        for side in [1, 20, 128] {
            growth(&steps, side).write(folder.path()).unwrap();
            let read = Growth::read(folder.path(), usize::MAX);
            assert_eq!((read.frames.len(), read.stride), (MAX_FRAMES, 4));
            for (frame, &step) in read.frames.iter().zip(&steps) {
                assert_eq!((frame.step, frame.picture.width), (step, side));
                let pixel = [step as u8, 100, 200];
                let off = frame.picture.rgb.iter().zip(pixel.iter().cycle());
                assert!(off.map(|(a, b)| a.abs_diff(*b)).max() < Some(8), "{step} at {side}");
            }
        }
        let size = std::fs::metadata(folder.path().join(GROWTH)).unwrap().len();
        assert!(size < 100_000, "{size} bytes");
        assert_eq!(Growth::read(folder.path(), 9).frames.len(), 3);
    }

    #[test]
    fn what_is_not_there_or_damaged_is_no_growth() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Growth::read(folder.path(), 9).frames.is_empty());
        let path = folder.path().join(GROWTH);
        growth(&[0, 4, 8], 16).write(folder.path()).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for bytes in [&whole[..whole.len() / 2], &whole[..9], b"", b"a text"] {
            std::fs::write(&path, bytes).unwrap();
            assert!(Growth::read(folder.path(), 9).frames.len() <= 3);
        }
    }

    #[test]
    fn large_pictures_are_made_small() {
        let picture = Picture { width: 512, height: 256, rgb: vec![9; 3 * 512 * 256] };
        let small = small(&picture, MAX_SIDE).unwrap();
        assert_eq!((small.width, small.height, small.rgb.len()), (128, 64, 3 * 128 * 64));
        assert_eq!(super::small(&Picture { width: 2, height: 2, rgb: vec![1] }, MAX_SIDE), None);
    }
}
