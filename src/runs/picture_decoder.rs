//! Decodes picture files in any format that the crate `image` was built to read, and turns them as their orientation says.

use std::borrow::Cow;
use std::io::{self, Cursor};
use std::ops::Range;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, ImageResult};

/// The most bytes of decoded pixels, the crate's own limit, unless more pixels than usual are allowed.
const MAX_PIXEL_BYTES: u64 = 512 << 20;

/// The most pixels that are decoded, which is also PIL's bound.
const MAX_PIXELS: u64 = 89_478_485;

/// The variable that sets another bound of pixels.
const MAX_PIXELS_VARIABLE: &str = "TREPANG_MAX_PIXELS";

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
    let decoder =
        ImageReader::new(Cursor::new(without_profile(bytes))).with_guessed_format()?.into_decoder()?;
    let given = std::env::var(MAX_PIXELS_VARIABLE).ok().filter(|value| !value.is_empty());
    check_pixels(decoder.dimensions(), decoder.total_bytes(), given.as_deref())?;
    Ok(decoder)
}

/// Fails for more pixels than are allowed, by the value of the variable or without one.
fn check_pixels((width, height): (u32, u32), bytes: u64, given: Option<&str>) -> ImageResult<()> {
    let refused = |reason: String| Err(ImageError::IoError(io::Error::other(reason)));
    let allowed = match given.map(str::parse::<u64>) {
        None => MAX_PIXELS,
        Some(Ok(allowed)) => allowed,
        Some(Err(_)) => return refused(format!("{MAX_PIXELS_VARIABLE} is no number of pixels")),
    };
    let pixels = u64::from(width) * u64::from(height);
    if pixels > allowed {
        return refused(format!(
            "it has {width} x {height} pixels, more than {allowed}; {MAX_PIXELS_VARIABLE} allows more"
        ));
    }
    // Who allows more pixels allows the memory that they take: 16 bits and four channels need 8 bytes each.
    let room = if allowed > MAX_PIXELS { allowed.saturating_mul(8) } else { MAX_PIXEL_BYTES };
    if bytes > room {
        return refused(format!(
            "its {width} x {height} pixels take {} MB in memory, more than {}; {MAX_PIXELS_VARIABLE} above {MAX_PIXELS} allows more",
            bytes.div_ceil(1_000_000),
            room / 1_000_000
        ));
    }
    Ok(())
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

/// The file without its color profile, if it is a PNG. Nothing reads the profile, and the decoder would inflate 300 kB of it to
/// 300 MB.
fn without_profile(bytes: &[u8]) -> Cow<'_, [u8]> {
    match png_content(bytes, *b"iCCP") {
        Some(content) => {
            // A chunk has its length and kind before its content, and a checksum after it.
            let end = bytes.len().min(content.end + 4);
            Cow::Owned([&bytes[..content.start - 8], &bytes[end..]].concat())
        }
        None => Cow::Borrowed(bytes),
    }
}

/// The content of the first chunk of this kind, in a PNG file that has it whole.
pub(super) fn png_chunk(bytes: &[u8], kind: [u8; 4]) -> Option<&[u8]> {
    png_content(bytes, kind).map(|content| &bytes[content])
}

/// The place of that content in the file.
fn png_content(bytes: &[u8], kind: [u8; 4]) -> Option<Range<usize>> {
    if image::guess_format(bytes).ok()? != ImageFormat::Png {
        return None;
    }
    let mut start = 8;
    loop {
        let head = bytes.get(start..start + 8)?;
        let length = u32::from_be_bytes(head[..4].try_into().ok()?) as usize;
        let content = start + 8..(start + 8).checked_add(length)?;
        bytes.get(content.clone())?;
        if head[4..] == kind {
            return Some(content);
        }
        start = content.end + 4;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_never_inflated() {
        let mut bytes = Vec::new();
        let picture = DynamicImage::new_rgb8(2, 1);
        picture.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
        let plain = bytes.clone();
        // The header's chunk ends at byte 33, and the profile stands behind it.
        let profile = [&[0, 0, 0, 7][..], b"iCCPp\0\0\x78\x9c\x01\x02", &[1, 2, 3, 4]].concat();
        bytes.splice(33..33, profile);
        assert_eq!(*without_profile(&bytes), plain);
        assert_eq!(*without_profile(&plain), plain);
        assert_eq!(decode(&bytes, true).unwrap(), picture);
        assert_eq!(without_profile(&bytes[..40]).len(), 40, "a file that is cut short");
    }

    #[test]
    fn pixels_are_bounded_before_they_are_decoded() {
        let check = |side, bytes, given| check_pixels((side, side), bytes, given).map_err(|e| e.to_string());
        assert!(check(9459, 3 * 9459 * 9459, None).is_ok());
        let error = check(9460, 3 * 9460 * 9460, None).unwrap_err();
        assert!(error.contains("9460 x 9460 pixels, more than 89478485; TREPANG_MAX_PIXELS"), "{error}");
        assert!(check(9000, 8 * 9000 * 9000, None).is_err(), "16 bits with transparency");
        assert!(check(9460, 3 * 9460 * 9460, Some("100000000")).is_ok());
        assert!(check(9000, 8 * 9000 * 9000, Some("89000000")).is_err(), "fewer pixels allow no more bytes");
        assert!(check(9460, 16 * 9460 * 9460, Some("100000000")).is_err());
        assert!(check(11, 363, Some("120")).is_err());
        assert!(check(u32::MAX, u64::MAX, Some("9")).is_err());
        assert!(check(1, 3, Some("many")).unwrap_err().contains("no number of pixels"));
    }
}
