//! Pictures as PNG files that carry, in a text chunk, what made them.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::{Origin, write_atomic};
use crate::engine::Picture;

/// The keyword of the text chunk.
const KEYWORD: &str = "trepang";

/// Writes an 8-bit RGB PNG. Equal pictures of equal origin give equal files, to the byte.
pub fn write_picture(path: &Path, picture: &Picture, origin: &Origin) -> Result<()> {
    write_atomic(path, &encode(picture, origin)?)
}

fn encode(picture: &Picture, origin: &Origin) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = encoder(&mut bytes, picture);
    encoder.add_itxt_chunk(KEYWORD.into(), serde_json::to_string(origin)?)?;
    encoder.write_header()?.write_image_data(&picture.rgb)?;
    Ok(bytes)
}

/// For 8-bit RGB pictures of that size.
pub(super) fn encoder<'a>(bytes: &'a mut Vec<u8>, picture: &Picture) -> png::Encoder<'a, &'a mut Vec<u8>> {
    let mut encoder = png::Encoder::new(bytes, picture.width as u32, picture.height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder
}

/// Any picture that the `image` crate was built to read (PNG, JPEG), as RGB bytes.
pub fn read_picture(path: &Path) -> Result<Picture> {
    let image = image::ImageReader::open(path)
        .and_then(image::ImageReader::with_guessed_format)
        .with_context(|| format!("cannot read the picture {}", path.display()))?
        .decode()
        .with_context(|| format!("{} is not a picture that can be read (PNG or JPEG)", path.display()))?
        .into_rgb8();
    Ok(Picture { width: image.width() as usize, height: image.height() as usize, rgb: image.into_raw() })
}

/// What made the picture, from its text.
pub fn read_origin(path: &Path) -> Result<Origin> {
    let file = File::open(path).with_context(|| format!("cannot read the picture {}", path.display()))?;
    let mut reader = png::Decoder::new(BufReader::new(file))
        .read_info()
        .with_context(|| format!("{} is not a PNG file", path.display()))?;
    // Text chunks may stand behind the pixels.
    reader.finish().with_context(|| format!("{} is not a whole PNG file", path.display()))?;
    let chunk = reader.info().utf8_text.iter().find(|chunk| chunk.keyword == KEYWORD);
    let Some(chunk) = chunk else {
        bail!(
            "{} does not say how it was made: it was not saved by trepang, or its text was stripped",
            path.display()
        );
    };
    let text = chunk.get_text().with_context(|| format!("the text of {} is damaged", path.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("the text of {} was written by another version of trepang", path.display()))
}
