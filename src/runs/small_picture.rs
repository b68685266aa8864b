//! Small copies of pictures: with a bounded side, and as the bytes of a JPEG.

use image::imageops::{self, FilterType};
use image::{ImageFormat, RgbImage};

use super::error::BoxedError;
use super::picture_decoder::decode;
use super::picture_format::pixels;
use crate::engine::Picture;

/// The picture with at most so many pixels on its longer side; none where it lacks pixels.
pub fn small(picture: &Picture, longest: u32) -> Option<Picture> {
    let image = RgbImage::from_raw(picture.width as u32, picture.height as u32, picture.rgb.clone())?;
    let longer = image.width().max(image.height());
    if longer <= longest {
        return Some(picture.clone());
    }
    let scaled = |side: u32| (side * longest / longer).max(1);
    let (width, height) = (scaled(image.width()), scaled(image.height()));
    let rgb = imageops::resize(&image, width, height, FilterType::Triangle).into_raw();
    Some(Picture { width: width as usize, height: height as usize, rgb })
}

/// The bytes of a JPEG of a picture. Fails where it lacks pixels.
pub fn to_jpeg(picture: &Picture) -> Result<Vec<u8>, BoxedError> {
    pixels(picture, ImageFormat::Jpeg)
}

/// The picture that bytes hold. Fails where they hold none.
pub fn from_bytes(bytes: &[u8]) -> Result<Picture, BoxedError> {
    let image = decode(bytes, true)?.into_rgb8();
    let (width, height) = (image.width() as usize, image.height() as usize);
    Ok(Picture { width, height, rgb: image.into_raw() })
}
