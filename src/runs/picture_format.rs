//! Pictures as files in the format that their names end in, with what made them where the format has a place for it. Not
//! here: reading pixels.

use std::io::{Cursor, Read};
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageDecoder, ImageEncoder, ImageFormat};

use super::atomic::write as write_atomic;
use super::error::{BoxedError, Error, Result};
use super::manifest::Origin;
use super::origin_text::parse;
use super::picture_decoder::open;
use super::regular::{open_regular, read_regular};
use super::replaced::OutputKind;
use super::{png, xmp};
use crate::engine::Picture;

/// The quality of JPEG files, of 100: a value of a picture is then 2 of 255 off in the mean.
const JPEG_QUALITY: u8 = 92;

/// The largest JPEG or WebP file that is read for its text, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// The number of bytes that tell formats apart.
const MAGIC_BYTES: u64 = 16;

/// The format that a picture's name ends in; a name without an ending is a PNG's. Fails for any other ending.
fn format_of(path: &Path) -> Result<ImageFormat> {
    let Some(ending) = path.extension() else { return Ok(ImageFormat::Png) };
    match ending.to_string_lossy().to_ascii_lowercase().as_str() {
        "png" => Ok(ImageFormat::Png),
        "jpg" | "jpeg" => Ok(ImageFormat::Jpeg),
        "webp" => Ok(ImageFormat::WebP),
        "tif" | "tiff" => Ok(ImageFormat::Tiff),
        "bmp" => Ok(ImageFormat::Bmp),
        _ => Err(Error::PictureName { path: path.into() }),
    }
}

/// Fails unless `path` ends as the name of a picture does that can be written, and for a file there that is no picture: to
/// be asked before the work is done.
pub fn check_picture_path(path: &Path) -> Result<()> {
    format_of(path)?;
    OutputKind::Picture.check_place(path)
}

/// Writes a picture in the format of its name, with what made it as a text, and tells whether it has room for that text. Equal
/// pictures of equal origin give equal files, to the byte.
pub fn write_picture(path: &Path, picture: &Picture, origin: &Origin) -> Result<bool> {
    let format = format_of(path)?;
    let encoded = || -> Result<(Vec<u8>, bool), BoxedError> {
        if format == ImageFormat::Png {
            return Ok((png::encode(picture, origin)?, true));
        }
        let bytes = pixels(picture, format)?;
        let packet = xmp::packet(&serde_json::to_string(origin)?);
        Ok(match with_text(format, &bytes, &packet, picture) {
            Some(with_text) => (with_text, true),
            None => (bytes, false),
        })
    };
    let (bytes, carries_origin) = encoded().map_err(|source| Error::Encode { path: path.into(), source })?;
    write_atomic(path, &bytes)?;
    Ok(carries_origin)
}

/// Writes a picture in the format of its name, without any text.
pub(super) fn write_plain(path: &Path, picture: &Picture) -> Result<()> {
    let bytes = match format_of(path)? {
        ImageFormat::Png => png::encode_plain(picture),
        format => pixels(picture, format),
    };
    write_atomic(path, &bytes.map_err(|source| Error::Encode { path: path.into(), source })?)
}

/// The file of a picture, without any text.
pub(super) fn pixels(picture: &Picture, format: ImageFormat) -> Result<Vec<u8>, BoxedError> {
    let Picture { width, height, rgb } = picture;
    // The encoders panic where these differ.
    if rgb.is_empty() || Some(rgb.len()) != width.checked_mul(3 * height) {
        return Err("the picture has not as many pixels as its size says".into());
    }
    let (width, height) = (u32::try_from(*width)?, u32::try_from(*height)?);
    let mut bytes = Cursor::new(Vec::new());
    let colour = ExtendedColorType::Rgb8;
    if format == ImageFormat::Jpeg {
        let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
        encoder.write_image(rgb, width, height, colour)?;
    } else {
        image::write_buffer_with_format(&mut bytes, rgb, width, height, colour, format)?;
    }
    Ok(bytes.into_inner())
}

/// The same file with a text; none where the format, or this file, has no room for it.
fn with_text(format: ImageFormat, bytes: &[u8], packet: &str, picture: &Picture) -> Option<Vec<u8>> {
    match format {
        ImageFormat::Jpeg => xmp::into_jpeg(bytes, packet),
        ImageFormat::WebP => xmp::into_webp(bytes, packet, [picture.width, picture.height]),
        _ => None,
    }
}

/// Tells whether a picture file keeps the pixels that it was given: every kind but JPEG.
pub fn is_lossless(path: &Path) -> Result<bool> {
    Ok(guessed_format(path)? != Some(ImageFormat::Jpeg))
}

/// The format that a file begins like; none for an unknown one.
fn guessed_format(path: &Path) -> Result<Option<ImageFormat>> {
    let mut magic = Vec::new();
    let read = open_regular(path).and_then(|file| file.take(MAGIC_BYTES).read_to_end(&mut magic));
    read.map_err(|source| Error::ReadPicture { path: path.into(), source })?;
    Ok(image::guess_format(&magic).ok())
}

/// The plan and the provenance of a picture, from the text of its PNG, JPEG or WebP file.
pub fn read_origin(path: &Path) -> Result<Origin> {
    let Some(ImageFormat::Jpeg | ImageFormat::WebP) = guessed_format(path)? else {
        return png::read_origin(path);
    };
    let unread = |source| Error::ReadPicture { path: path.into(), source };
    let bytes = read_regular(path, MAX_FILE_BYTES).map_err(unread)?;
    let packet = open(&bytes).and_then(|mut decoder| decoder.xmp_metadata());
    let packet = packet.map_err(|source| Error::NotPicture { path: path.into(), source })?;
    let text = packet.as_deref().and_then(xmp::text).ok_or_else(|| Error::NoOrigin { path: path.into() })?;
    parse(text.as_bytes()).map_err(|fault| Error::UnusableText { path: path.into(), fault })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Objective, Plan, Recipe};
    use crate::runs::{Provenance, read_picture};
    use trepang_api::{Reference, find_device};

    fn origin(objective: Objective) -> Origin {
        let cpu = find_device(&Reference, "cpu").unwrap();
        let provenance = Provenance::new(("minivgg", None, "<&\">".into()), (&Reference, &cpu));
        Origin::new(Plan::new(objective, Recipe::named("pixel").unwrap(), 32), provenance)
    }

    fn picture(side: usize) -> Picture {
        let rgb = (0..3 * side * side).map(|i| (i / 3 % side * 255 / side) as u8).collect();
        Picture { width: side, height: side, rgb }
    }

    #[test]
    fn a_file_is_what_its_name_says_and_tells_its_origin() {
        let folder = tempfile::tempdir().unwrap();
        let origin = origin(Objective::channel("block1_conv1", 3));
        for (name, format, is_exact, tells) in [
            ("a.png", ImageFormat::Png, true, true),
            ("noending", ImageFormat::Png, true, true),
            ("a.jpg", ImageFormat::Jpeg, false, true),
            ("a.JPEG", ImageFormat::Jpeg, false, true),
            ("a.webp", ImageFormat::WebP, true, true),
            ("a.tif", ImageFormat::Tiff, true, false),
            ("a.bmp", ImageFormat::Bmp, true, false),
        ] {
            let path = folder.path().join(name);
            // An odd side makes chunks of odd length.
            for side in [31, 32] {
                assert_eq!(write_picture(&path, &picture(side), &origin).unwrap(), tells, "{name}");
                let bytes = std::fs::read(&path).unwrap();
                assert_eq!(image::guess_format(&bytes).unwrap(), format, "{name}");
                let read = read_picture(&path).unwrap();
                assert!(!is_exact || read == picture(side), "{name}");
                let off = read.rgb.iter().zip(&picture(side).rgb).map(|(a, b)| a.abs_diff(*b)).max();
                assert!(off < Some(40), "{name}: {off:?}");
                assert_eq!(read_origin(&path).ok(), tells.then(|| origin.clone()), "{name}");
            }
        }
    }

    #[test]
    fn a_text_that_is_too_long_for_jpeg_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let term = |channel| Objective::channel("block1_conv1", channel);
        let long = (0..4000).fold(term(0), |sum, channel| sum + term(channel));
        let path = folder.path().join("a.jpg");
        assert!(!write_picture(&path, &picture(32), &origin(long)).unwrap());
        assert_eq!(read_picture(&path).unwrap().width, 32);
        assert!(matches!(read_origin(&path), Err(Error::NoOrigin { .. })));
    }

    #[test]
    fn what_no_picture_can_be_written_as_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let origin = origin(Objective::channel("block1_conv1", 3));
        for name in ["a.gif", "b.xyz", "c.png.part"] {
            let error = write_picture(&folder.path().join(name), &picture(32), &origin).unwrap_err();
            assert!(error.is_usage() && error.to_string().contains("end in .png, .jpg"), "{error}");
        }
        let lie = Picture { width: 33, ..picture(32) };
        for name in ["a.png", "a.jpg", "a.webp", "a.tiff", "a.bmp"] {
            assert!(write_picture(&folder.path().join(name), &lie, &origin).is_err(), "{name}");
        }
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }
}
