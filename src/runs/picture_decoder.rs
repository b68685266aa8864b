//! Decodes picture files in any format that the crate `image` was built to read, and turns them as their orientation says.

use std::io::Cursor;

use image::error::{LimitError, LimitErrorKind};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, ImageResult};

/// The most bytes of decoded pixels, the crate's own limit.
const MAX_PIXEL_BYTES: u64 = 512 << 20;

/// Decodes a file, upright unless its pixels are to stay as they are stored.
pub(super) fn decode(bytes: &[u8], as_stored: bool) -> ImageResult<DynamicImage> {
    let mut decoder = open(bytes)?;
    let turn = if as_stored { Orientation::NoTransforms } else { orientation(&mut decoder, bytes) };
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(turn);
    Ok(image)
}

/// A decoder for the file, if its pixels have room.
pub(super) fn open(bytes: &[u8]) -> ImageResult<impl ImageDecoder> {
    let decoder = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?.into_decoder()?;
    if decoder.total_bytes() > MAX_PIXEL_BYTES {
        return Err(ImageError::Limits(LimitError::from_kind(LimitErrorKind::InsufficientMemory)));
    }
    Ok(decoder)
}

/// The turn that makes the picture stand upright. Damaged metadata turn nothing.
pub(super) fn orientation(decoder: &mut impl ImageDecoder, bytes: &[u8]) -> Orientation {
    let exif = decoder.exif_metadata().ok().flatten();
    // In PNG it may stand behind the pixels, which the decoder has not read yet.
    let exif = exif.as_deref().or_else(|| png_chunk(bytes, *b"eXIf"));
    match exif {
        // Some writers of WebP and PNG keep the prefix that belongs to JPEG.
        Some(exif) => Orientation::from_exif_chunk(exif.strip_prefix(b"Exif\0\0").unwrap_or(exif)),
        None => decoder.orientation().ok(),
    }
    .unwrap_or(Orientation::NoTransforms)
}

/// The content of the first chunk of this kind, in a PNG file that has it whole.
pub(super) fn png_chunk(bytes: &[u8], kind: [u8; 4]) -> Option<&[u8]> {
    if image::guess_format(bytes).ok()? != ImageFormat::Png {
        return None;
    }
    let mut rest = &bytes[8..];
    loop {
        let length = u32::from_be_bytes(rest.get(..4)?.try_into().ok()?) as usize;
        let content = rest.get(8..length.checked_add(8)?)?;
        if rest[4..8] == kind {
            return Some(content);
        }
        rest = rest.get(length + 12..)?;
    }
}
