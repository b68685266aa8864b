//! Tells kinds of TIFF that the decoder would read wrongly, by the tags of the first picture and by its numbers.

use std::ops::Range;

use image::DynamicImage;

/// The distance that floats may go beyond black and white: half a step of the bytes that they become.
const ROUNDING: f32 = 0.5 / 255.0;

const BITS_PER_SAMPLE: u16 = 258;
const COMPRESSION: u16 = 259;
const STRIP_OFFSETS: u16 = 273;
const STRIP_LENGTHS: u16 = 279;
const PLANAR_CONFIGURATION: u16 = 284;
const TILE_WIDTH: u16 = 322;
const TILE_OFFSETS: u16 = 324;
const TILE_LENGTHS: u16 = 325;
const SAMPLE_FORMAT: u16 = 339;

/// The value of `SAMPLE_FORMAT` for floats, and of `PLANAR_CONFIGURATION` for one plane after another.
const FLOATS: u32 = 3;
const PLANES: u32 = 2;

/// The value of `COMPRESSION` for none.
const UNCOMPRESSED: u32 = 1;

/// Whether the decoder takes the numbers of this TIFF for others or falls over it: whole numbers of 32 bits are taken for
/// floats, and tiles of separate planes or of less than a byte a pixel are not put together.
pub(super) fn is_misread(tiff: &[u8]) -> bool {
    let Some(tags) = Tags::new(tiff) else { return false };
    let bits = tags.first(BITS_PER_SAMPLE).unwrap_or(1);
    let is_split = tags.first(PLANAR_CONFIGURATION) == Some(PLANES) || bits < 8;
    let is_tiled = tags.first(TILE_WIDTH).is_some();
    (is_tiled && is_split) || (bits > 16 && !has_floats(tiff))
}

/// Whether the numbers of this TIFF are floats.
pub(super) fn has_floats(tiff: &[u8]) -> bool {
    Tags::new(tiff).and_then(|tags| tags.first(SAMPLE_FORMAT)) == Some(FLOATS)
}

/// The reason why the floats of a picture cannot be shown, as a clause: 0 is black, 1 is white, and others may mean anything.
pub(super) fn float_fault(image: &DynamicImage) -> Option<String> {
    let (numbers, channels) = match image {
        DynamicImage::ImageRgb32F(image) => (image.as_raw(), 3),
        DynamicImage::ImageRgba32F(image) => (image.as_raw(), 4),
        _ => return None,
    };
    let colors = || numbers.chunks_exact(channels).flat_map(|pixel| &pixel[..3]);
    if colors().any(|number| !number.is_finite()) {
        return Some("that are not all finite".into());
    }
    let (low, high) = colors().fold((0.0_f32, 0.0_f32), |(low, high), &n| (low.min(n), high.max(n)));
    let is_beyond = low < -ROUNDING || high > 1.0 + ROUNDING;
    is_beyond.then(|| format!("from {low} to {high}, where only 0 to 1 is read"))
}

/// The data of a TIFF's pixels, as its directory has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TiffPixels {
    /// The directory is not there: many programs write it behind the pixels.
    Unknown,
    /// Compressed data, which end at this position.
    Compressed(usize),
    /// Pixels as they are, which end at this position.
    Plain(usize),
}

/// The place of the pixels of the first picture in a TIFF file.
pub(super) fn pixels(tiff: &[u8]) -> TiffPixels {
    let end = || {
        let tags = Tags::new(tiff)?;
        let kinds = [[STRIP_OFFSETS, STRIP_LENGTHS], [TILE_OFFSETS, TILE_LENGTHS]];
        let [offsets, lengths] =
            kinds.into_iter().find_map(|[at, len]| Some([tags.all(at)?, tags.all(len)?]))?;
        let ends = offsets.iter().zip(&lengths).map(|(at, len)| *at as usize + *len as usize);
        Some((ends.max()?, tags.first(COMPRESSION).unwrap_or(UNCOMPRESSED)))
    };
    match end() {
        None => TiffPixels::Unknown,
        Some((end, UNCOMPRESSED)) => TiffPixels::Plain(end),
        Some((end, _)) => TiffPixels::Compressed(end),
    }
}

/// The tags of the first picture in a TIFF file.
struct Tags<'a> {
    file: &'a [u8],
    is_little_endian: bool,
    /// The positions of the entries, of twelve bytes each.
    entries: Range<usize>,
}

impl<'a> Tags<'a> {
    fn new(file: &'a [u8]) -> Option<Self> {
        let mut tags = Self { file, is_little_endian: file.starts_with(b"II"), entries: 0..0 };
        let at = tags.number(4, 4)? as usize;
        let count = tags.number(at, 2)? as usize;
        tags.entries = at + 2..at + 2 + 12 * count;
        Some(tags)
    }

    /// The number in `length` bytes at this position of the file.
    fn number(&self, at: usize, length: usize) -> Option<u32> {
        let bytes = self.file.get(at..)?.get(..length)?;
        let join = |number: u32, byte: &u8| number << 8 | u32::from(*byte);
        Some(if self.is_little_endian {
            bytes.iter().rev().fold(0, join)
        } else {
            bytes.iter().fold(0, join)
        })
    }

    /// The first number of a tag of whole numbers.
    fn first(&self, tag: u16) -> Option<u32> {
        let (from, length, _) = self.place(tag)?;
        self.number(from, length)
    }

    /// All numbers of a tag of whole numbers, if they are there.
    fn all(&self, tag: u16) -> Option<Vec<u32>> {
        let (from, length, count) = self.place(tag)?;
        if count > self.file.len() / length {
            return None;
        }
        (0..count).map(|index| self.number(from + index * length, length)).collect()
    }

    /// The position of a tag's first number, the bytes of each, and how many there are.
    fn place(&self, tag: u16) -> Option<(usize, usize, usize)> {
        let at = self.entries.clone().step_by(12).find(|&at| self.number(at, 2) == Some(tag.into()))?;
        let length = match self.number(at + 2, 2)? {
            3 => 2,
            4 => 4,
            _ => return None,
        };
        let count = self.number(at + 4, 4)? as usize;
        let is_inside = count <= 4 / length;
        let from = if is_inside { at + 8 } else { self.number(at + 8, 4)? as usize };
        Some((from, length, count))
    }
}
