//! Reads the picture files that people bring, or says why one cannot be read. Not here: decoding, and what is there of a
//! file that ends early.

use std::io::{self, Read};
use std::path::Path;

use image::{ImageError, ImageFormat};

use super::cut_picture::{self, Remains};
use super::error::{Error, Result};
use super::picture_decoder::decode;
use super::regular::open_regular;
use super::tiff_kind::{float_fault, has_floats, is_misread};
use super::unread_kind::{RARE_TIFF, SVG_BYTES, unread_kind};
use crate::engine::Picture;

/// The largest file that is read, in bytes. It keeps a device without an end from filling the memory.
pub const MAX_FILE_BYTES: u64 = 1 << 30;

/// The bytes that tell formats apart.
const MAGIC_BYTES: u64 = SVG_BYTES as u64;

/// The options for reading a picture file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PictureReading {
    /// Whether a file that ends early is taken; what is missing of it is gray.
    pub allow_cut: bool,
    /// Whether the pixels stay as the file stores them, instead of being turned as its orientation says.
    pub as_stored: bool,
}

/// Reads a whole picture (PNG, JPEG, WebP, TIFF, BMP or the first frame of a GIF), turned upright, as RGB bytes.
pub fn read_picture(path: &Path) -> Result<Picture> {
    read_picture_as(path, PictureReading::default())
}

/// Reads a picture in a chosen way. Fails for a file that is no picture, and for one that ends early, unless that is
/// allowed.
pub fn read_picture_as(path: &Path, reading: PictureReading) -> Result<Picture> {
    let bytes = read_bytes(path).map_err(|source| Error::ReadPicture { path: path.into(), source })?;
    decode_picture(path, &bytes, reading)
}

/// The picture of a file that has been read already; `path` names it in errors.
pub fn decode_picture(path: &Path, bytes: &[u8], reading: PictureReading) -> Result<Picture> {
    if let Some(error) = unread(path, bytes) {
        return Err(error);
    }
    let image = match decode(bytes, reading.as_stored) {
        Ok(image) if !cut_picture::lacks_its_end(bytes) => image,
        Err(ImageError::Unsupported(_)) if is_tiff(bytes) => return Err(unread_tiff(path, bytes)),
        Err(source) if !cut_picture::ends_early(bytes, &source) => {
            return Err(Error::NotPicture { path: path.into(), source });
        }
        Ok(_) | Err(_) => match cut_picture::remains(bytes, reading.as_stored) {
            Remains { image: Some(image), .. } if reading.allow_cut => image,
            Remains { image, there } => {
                return Err(Error::CutPicture { path: path.into(), there, is_usable: image.is_some() });
            }
        },
    };
    if let Some(fault) = float_fault(&image) {
        return Err(Error::FloatTiff { path: path.into(), fault });
    }
    let image = image.into_rgb8();
    Ok(Picture { width: image.width() as usize, height: image.height() as usize, rgb: image.into_raw() })
}

/// Whether a file begins as a picture of pixels does, whether its format is read or not.
pub(super) fn is_picture(bytes: &[u8]) -> bool {
    image::guess_format(bytes).is_ok()
}

/// The error for a picture of a kind that the decoder does not know, or would read wrongly.
fn unread(path: &Path, bytes: &[u8]) -> Option<Error> {
    if is_tiff(bytes) && is_misread(bytes) {
        return Some(unread_tiff(path, bytes));
    }
    let kind = unread_kind(bytes)?;
    Some(Error::UnreadFormat { path: path.into(), kind })
}

fn is_tiff(bytes: &[u8]) -> bool {
    image::guess_format(bytes).ok() == Some(ImageFormat::Tiff)
}

fn unread_tiff(path: &Path, bytes: &[u8]) -> Error {
    if has_floats(bytes) {
        return Error::FloatTiff { path: path.into(), fault: "of a kind that is not read".into() };
    }
    Error::UnreadFormat { path: path.into(), kind: RARE_TIFF }
}

/// The bytes of a file; of one that is no picture, only the first.
fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = open_regular(path)?;
    let mut bytes = Vec::new();
    file.by_ref().take(MAGIC_BYTES).read_to_end(&mut bytes)?;
    if image::guess_format(&bytes).is_ok() {
        file.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
