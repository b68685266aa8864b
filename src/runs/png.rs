//! Pictures as PNG files that carry, in a text chunk, what made them.

use std::io::{BufRead, BufReader, Cursor, Seek};
use std::path::Path;

use super::atomic::write_own;
use super::error::{BoxedError, Error, Result};
use super::manifest::Origin;
use super::origin_text::parse;
use super::regular::open_regular;
use crate::engine::Picture;

/// The keyword of the text chunk.
const KEYWORD: &str = "trepang";

/// The largest text that is read from a picture, in bytes. A plan with a hundred changes takes about 200 kB.
const MAX_TEXT_BYTES: usize = 16 << 20;

/// The most pixel bytes that [`decode`] takes: more than the largest picture that an ascent makes has.
const MAX_DECODED_BYTES: usize = 512 << 20;

/// Writes an 8-bit RGB PNG. Equal pictures of equal origin give equal files, to the byte.
pub(super) fn write(path: &Path, picture: &Picture, origin: &Origin) -> Result<()> {
    let bytes = encode(picture, origin).map_err(|source| Error::Encode { path: path.into(), source })?;
    write_own(path, &bytes)
}

/// An 8-bit RGB PNG with the origin in its text chunk.
pub fn encode(picture: &Picture, origin: &Origin) -> Result<Vec<u8>, BoxedError> {
    let mut bytes = Vec::new();
    let mut encoder = encoder(&mut bytes, picture);
    encoder.add_itxt_chunk(KEYWORD.into(), serde_json::to_string(origin)?)?;
    encoder.write_header()?.write_image_data(&picture.rgb)?;
    Ok(bytes)
}

/// The picture of an 8-bit RGB PNG, as [`encode`] writes it.
pub fn decode(bytes: &[u8]) -> Result<Picture, BoxedError> {
    let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info()?;
    if reader.output_color_type() != (png::ColorType::Rgb, png::BitDepth::Eight) {
        return Err("it is no RGB picture of 8 bits".into());
    }
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    let room = reader.output_buffer_size().filter(|bytes| *bytes <= MAX_DECODED_BYTES);
    let mut rgb = vec![0; room.ok_or("it is too large")?];
    reader.next_frame(&mut rgb)?;
    Ok(Picture { width, height, rgb })
}

/// The file without any text.
pub fn encode_plain(picture: &Picture) -> Result<Vec<u8>, BoxedError> {
    let mut bytes = Vec::new();
    encoder(&mut bytes, picture).write_header()?.write_image_data(&picture.rgb)?;
    Ok(bytes)
}

/// For 8-bit RGB pictures of that size.
pub(super) fn encoder<'a>(bytes: &'a mut Vec<u8>, picture: &Picture) -> png::Encoder<'a, &'a mut Vec<u8>> {
    let mut encoder = png::Encoder::new(bytes, picture.width as u32, picture.height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder
}

/// The plan and the provenance of the picture, from its text.
pub(super) fn read_origin(path: &Path) -> Result<Origin> {
    let file = open_regular(path).map_err(|source| Error::ReadPicture { path: path.into(), source })?;
    origin_in(BufReader::new(file), path)
}

/// The same of a PNG in memory, which was read from `path`.
pub fn origin_of(bytes: &[u8], path: &Path) -> Result<Origin> {
    origin_in(Cursor::new(bytes), path)
}

fn origin_in(file: impl BufRead + Seek, path: &Path) -> Result<Origin> {
    let mut reader =
        png::Decoder::new(file).read_info().map_err(|source| Error::NotPng { path: path.into(), source })?;
    // Text chunks may stand behind the pixels.
    reader.finish().map_err(|source| Error::CutPng { path: path.into(), source })?;
    let chunk = reader.info().utf8_text.iter().find(|chunk| chunk.keyword == KEYWORD);
    let Some(chunk) = chunk else {
        return Err(Error::NoOrigin { path: path.into() });
    };
    let mut chunk = chunk.clone();
    // A compressed text is unpacked up to this size and no further.
    let text = chunk.decompress_text_with_limit(MAX_TEXT_BYTES).and_then(|()| chunk.get_text());
    let text = text.map_err(|source| Error::DamagedText { path: path.into(), source })?;
    parse(text.as_bytes()).map_err(|fault| Error::UnusableText { path: path.into(), fault })
}
