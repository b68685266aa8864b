//! Picture files that end before their pixels do: how they are told from damaged ones, and what is there of them.

use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageResult};

use super::jpeg_data::{END, early_end, lacks_only_its_end_mark};
use super::picture_decoder::{decode, open, orientation, png_chunk};
use super::tiff_kind::{self, TiffPixels};

/// The gray level where pixels are missing.
const GRAY: u8 = 128;

/// Another value for the same pixels: what differs between the two is missing.
const OTHER: u8 = 0x55;

/// The remains of a picture file that ends early.
pub(super) struct Remains {
    /// The picture, gray where its pixels are missing; `None` if not even its size can be told.
    pub(super) image: Option<DynamicImage>,
    /// The part of it that is there, as a clause.
    pub(super) there: String,
}

/// Whether a file lacks bytes that it must have, although it may seem to decode: decoders of JPEG and WebP fill up what is
/// missing. A JPEG that was cut may have got an end mark afterwards, and one may lack nothing but its end mark.
pub(super) fn lacks_its_end(bytes: &[u8]) -> bool {
    match image::guess_format(bytes) {
        Ok(ImageFormat::Jpeg) => {
            let is_open = jpeg_scans(bytes).is_some() && !lacks_only_its_end_mark(bytes);
            is_open || early_end(bytes).is_some()
        }
        Ok(ImageFormat::WebP) => {
            let stated = bytes.get(4..8).and_then(|size| size.try_into().ok()).map(u32::from_le_bytes);
            // The byte that makes an odd length even is left out by some writers.
            stated.is_none_or(|size| bytes.len() as u64 + 1 < u64::from(size) + 8)
        }
        _ => false,
    }
}

/// Whether a file that cannot be decoded has been cut, and is not damaged or something else.
pub(super) fn ends_early(bytes: &[u8], error: &ImageError) -> bool {
    let Ok(format) = image::guess_format(bytes) else { return false };
    if matches!(error, ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof) {
        return true;
    }
    match format {
        ImageFormat::Png => png_chunk(bytes, *b"IEND").is_none(),
        ImageFormat::Gif => bytes.last() != Some(&b';'),
        ImageFormat::Tiff => match tiff_kind::pixels(bytes) {
            TiffPixels::Unknown => false,
            TiffPixels::Compressed(end) | TiffPixels::Plain(end) => end > bytes.len(),
        },
        _ => lacks_its_end(bytes),
    }
}

/// The part of a file that ends early.
pub(super) fn remains(bytes: &[u8], as_stored: bool) -> Remains {
    let bytes = &bytes[..early_end(bytes).unwrap_or(bytes.len())];
    let scans = jpeg_scans(bytes);
    let fill = |value| match &scans {
        Some(scans) => fill_jpeg(&bytes[..scans.end], value),
        None => fill_up(bytes, value),
    };
    let Some(mut image) = fill(GRAY) else {
        return Remains { image: None, there: without_rows(bytes) };
    };
    let there = match (&scans, fill(OTHER)) {
        (Some(Scans { count: 0 | 1, .. }) | None, Some(other)) => {
            let (rows, all) = (whole_rows(&image, &other, scans.is_none()), image.height());
            if rows == all as usize {
                format!("all of its {all} rows are there, and the end of their data is not")
            } else {
                format!("{rows} of its {all} rows are there")
            }
        }
        (scans, _) => {
            let scan = scans.as_ref().map_or(1, |scans| scans.count);
            format!("its {} bytes end in scan number {scan}, so detail or color is missing", bytes.len())
        }
    };
    if !as_stored {
        image.apply_orientation(
            open(bytes).map_or(Orientation::NoTransforms, |mut from| orientation(&mut from, bytes)),
        );
    }
    Remains { image: Some(image), there }
}

/// The remains of a file of which no row can be told, as a clause.
fn without_rows(bytes: &[u8]) -> String {
    let length = bytes.len();
    if image::guess_format(bytes).ok() != Some(ImageFormat::Tiff) {
        return format!("only its first {length} bytes are there, without any pixels");
    }
    match tiff_kind::pixels(bytes) {
        TiffPixels::Unknown => {
            format!(
                "its first {length} bytes are there, without the directory that says where its pixels are"
            )
        }
        TiffPixels::Compressed(end) | TiffPixels::Plain(end) => {
            format!(
                "{length} of the {end} bytes up to the end of its pixels are there, and they are compressed"
            )
        }
    }
}

/// The rows that do not depend on what stands where pixels are missing, of the upper ones or, since BMP begins with its
/// lowest row, of the lower ones.
fn whole_rows(a: &DynamicImage, b: &DynamicImage, lower_too: bool) -> usize {
    let length = (a.as_bytes().len() / a.height().max(1) as usize).max(1);
    let equal = |(a, b): &(&[u8], &[u8])| a == b;
    let rows = || a.as_bytes().chunks_exact(length).zip(b.as_bytes().chunks_exact(length));
    let lower = if lower_too { rows().rev().take_while(equal).count() } else { 0 };
    rows().take_while(equal).count().max(lower)
}

/// The picture of a JPEG file that ends early, as it is stored. The decoder itself fills up with gray; a tail that no
/// picture has shows where that begins.
fn fill_jpeg(bytes: &[u8], fill: u8) -> Option<DynamicImage> {
    let with = |tail: &[u8]| decode(&[bytes, tail, &END].concat(), true).ok();
    if fill == GRAY {
        return decode(bytes, true).ok().or_else(|| with(&[]));
    }
    // The zero makes a last byte of 255 a part of the pixels; what follows are codes of all lengths.
    let tail: Vec<u8> = std::iter::once(0).chain((0..2048_u32).map(|i| (i * 97 % 251) as u8)).collect();
    with(&tail)
}

/// The scans of a JPEG file that ends early. A picture of several scans is coarse at first.
struct Scans {
    /// The number of scans that have begun.
    count: usize,
    /// The position where the data of the last one end. Decoders fail for what stands between scans if it is cut.
    end: usize,
}

/// The scans of a JPEG file; `None` if the file has its end.
fn jpeg_scans(bytes: &[u8]) -> Option<Scans> {
    if image::guess_format(bytes).ok()? != ImageFormat::Jpeg {
        return None;
    }
    let (mut at, mut count, mut end) = (2, 0, None);
    // Between markers are pixels, in which 255 is followed by 0, and at times bytes that mean nothing.
    while let Some(gap) = bytes
        .get(at..)
        .and_then(|rest| rest.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff)))
    {
        at += gap;
        let length = match bytes[at + 1] {
            0xd9 => return None,
            0x01 | 0xd0..=0xd8 => 0, // these stand alone
            _ => bytes.get(at + 2..at + 4).map_or(2, |word| usize::from(word[0]) << 8 | usize::from(word[1])),
        };
        if length > 0 && count > 0 {
            end.get_or_insert(at);
        }
        if bytes[at + 1] == 0xda && at + 2 + length < bytes.len() {
            (count, end) = (count + 1, None);
        }
        at += 2 + length;
    }
    Some(Scans { count, end: end.unwrap_or(bytes.len()) })
}

/// The picture as it is stored, with one byte wherever the decoder writes none.
fn fill_up(bytes: &[u8], fill: u8) -> Option<DynamicImage> {
    let inner = open(bytes).ok()?;
    if image::guess_format(bytes).ok() == Some(ImageFormat::Tiff) {
        // Its decoder writes no pixel before it has all; what is not compressed is made whole before.
        let room = usize::try_from(inner.total_bytes()).ok()?.checked_mul(2)?.checked_add(bytes.len())?;
        return match tiff_kind::pixels(bytes) {
            TiffPixels::Plain(end) if (bytes.len()..=room).contains(&end) => {
                decode(&[bytes, &vec![fill; end - bytes.len()]].concat(), true).ok()
            }
            TiffPixels::Plain(_) | TiffPixels::Compressed(_) | TiffPixels::Unknown => None,
        };
    }
    let swaps = image::guess_format(bytes).ok() == Some(ImageFormat::Png) && is_deep(inner.color_type());
    DynamicImage::from_decoder(Lenient { inner, fill, swaps }).ok()
}

fn is_deep(color: ColorType) -> bool {
    color.bytes_per_pixel() / color.channel_count() == 2
}

/// A decoder whose errors leave the pixels that it has written.
struct Lenient<D> {
    inner: D,
    /// The gray level where no pixels are written.
    fill: u8,
    /// Whether an error leaves pixels of two bytes, the higher one first.
    swaps: bool,
}

impl<D: ImageDecoder> ImageDecoder for Lenient<D> {
    fn dimensions(&self) -> (u32, u32) {
        self.inner.dimensions()
    }

    fn color_type(&self) -> ColorType {
        self.inner.color_type()
    }

    fn read_image(self, pixels: &mut [u8]) -> ImageResult<()> {
        pixels.fill(self.fill);
        if self.inner.read_image(pixels).is_err() && self.swaps && cfg!(target_endian = "little") {
            pixels.chunks_exact_mut(2).for_each(|pair| pair.swap(0, 1));
        }
        Ok(())
    }

    fn read_image_boxed(self: Box<Self>, pixels: &mut [u8]) -> ImageResult<()> {
        (*self).read_image(pixels)
    }
}
