//! Pictures that the terminal paints over its cells, by iTerm2's protocol or as sixels. A protocol of this kind sends a
//! picture as one sequence, which nothing can interrupt. So a picture is cut into tiles that the line carries in a moment each.

use std::io::Cursor;

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use icy_sixel::{EncodeOptions, SixelImage};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use ratatui::layout::{Rect, Size};

use super::graphics::Graphics;
use super::surroundings::wrap;

/// JPEG quality of iTerm2 pictures: a third of a PNG's bytes, and no artefact to see at this size.
const JPEG_QUALITY: u8 = 85;

/// About how many bytes of base64 a pixel costs as a JPEG of this quality.
const JPEG_BYTES: f64 = 0.8;

/// The rows of pixels in a row of sixels.
const SIXEL_ROWS: u32 = 6;

/// The colours of a picture as sixels while a run goes on, and when it rests.
const SIXEL_COLORS: (u16, u16) = (64, 256);

/// About how many bytes a pixel costs as a sixel, while a run goes on and when it rests.
const SIXEL_BYTES: (f64, f64) = (0.25, 3.0);

/// The longest side of a sixel picture in pixels. xterm drops one of more than 1000, whole and in silence.
const MAX_SIXEL_SIDE: u32 = 960;

/// The smallest tile, columns and rows: a smaller one costs more for its palette or header than for its pixels.
const MIN_TILE: (u16, u16) = (6, 2);

/// A rectangle of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PictureTile {
    /// Its cells, from the picture's first on.
    pub(super) cells: Rect,
    /// The sequence that paints it where the cursor is.
    pub(super) sequence: String,
}

/// An inline JPEG for each tile, which the terminal scales to the cells.
pub(super) fn iterm2(image: &RgbImage, cells: Size, piece: usize, tmux: bool) -> Result<Vec<PictureTile>> {
    let bytes = JPEG_BYTES * f64::from(image.width() * image.height());
    let places = cut(cells, cells, bytes, piece, 1);
    if let [place] = places[..] {
        let sequence = jpeg(image, cells)?;
        return Ok(vec![PictureTile { cells: place, sequence: wrap(&sequence, tmux) }]);
    }
    // Every cell has the same number of pixels, so that tiles fit without seams.
    let per_cell = |pixels: u32, cells: u16| pixels.div_ceil(cells.into()).max(1);
    let [across, down] = [per_cell(image.width(), cells.width), per_cell(image.height(), cells.height)];
    let image = imageops::resize(
        image,
        across * u32::from(cells.width),
        down * u32::from(cells.height),
        FilterType::Triangle,
    );
    let tile = |place: &Rect| {
        let part = crop(&image, *place, (across, down));
        Ok(PictureTile { cells: *place, sequence: wrap(&jpeg(&part, place.as_size())?, tmux) })
    };
    places.iter().map(tile).collect()
}

fn jpeg(image: &RgbImage, cells: Size) -> Result<String> {
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(Cursor::new(&mut jpeg), JPEG_QUALITY).encode_image(image)?;
    Ok(format!(
        "\x1b]1337;File=inline=1;size={};width={};height={};preserveAspectRatio=0;doNotMoveCursor=1:{}\x07",
        jpeg.len(),
        cells.width,
        cells.height,
        STANDARD.encode(&jpeg)
    ))
}

/// The picture as sixels, which the terminal does not scale: they are sent at the size at which they are shown. While a run
/// goes on, a row of sixels holds one row of pixels, which is a tenth of the bytes.
pub(super) fn sixels(
    image: &RgbImage,
    cells: Size,
    graphics: Graphics,
    live: bool,
    piece: usize,
) -> Result<Vec<PictureTile>> {
    let (across, down) = (u32::from(graphics.cell.0), u32::from(graphics.cell.1));
    let (width, height) = (u32::from(cells.width) * across, u32::from(cells.height) * down);
    // Whole rows of sixels inside the cells, so that the last one does not scroll the screen.
    let height = (height - height % SIXEL_ROWS).max(1);
    let shown = if live {
        let small = |length: u32| (length / SIXEL_ROWS).max(1);
        let coarse = imageops::resize(image, small(width), small(height), FilterType::Triangle);
        imageops::resize(&coarse, width, height, FilterType::Nearest)
    } else {
        imageops::resize(image, width, height, FilterType::CatmullRom)
    };
    let bytes_per_pixel = if live { SIXEL_BYTES.0 } else { SIXEL_BYTES.1 };
    // Tiles begin at whole rows of sixels too.
    let rows = (1..=SIXEL_ROWS).find(|rows| (rows * down).is_multiple_of(SIXEL_ROWS)).unwrap_or(SIXEL_ROWS);
    let most = |cell: u32| (MAX_SIXEL_SIDE / cell.max(1)).max(1) as u16;
    let largest = Size::new(most(across), most(down));
    let places = cut(cells, largest, bytes_per_pixel * f64::from(width * height), piece, rows as u16);
    let tile = |place: &Rect| {
        let part = crop(&shown, *place, (across, down));
        Ok(PictureTile { cells: *place, sequence: wrap(&sixel(&part, live)?, graphics.tmux) })
    };
    places.iter().map(tile).collect()
}

/// A picture as sixels, in fewer colours while a run goes on. Fails if the encoder does.
pub fn sixel(image: &RgbImage, live: bool) -> Result<String> {
    let rgba = image.pixels().flat_map(|&Rgb([r, g, b])| [r, g, b, u8::MAX]).collect();
    let image = SixelImage::try_from_rgba(rgba, image.width() as usize, image.height() as usize)?;
    let options = if live {
        // Dithering would undo what the coarse pixels save.
        EncodeOptions { max_colors: SIXEL_COLORS.0, diffusion: 0.0, ..EncodeOptions::default() }
    } else {
        EncodeOptions { max_colors: SIXEL_COLORS.1, ..EncodeOptions::default() }
    };
    Ok(image.encode_with(&options)?)
}

/// The pixels of some cells, as far as the image has them.
fn crop(image: &RgbImage, place: Rect, (across, down): (u32, u32)) -> RgbImage {
    let (x, y) = (u32::from(place.x) * across, u32::from(place.y) * down);
    let (width, height) = (u32::from(place.width) * across, u32::from(place.height) * down);
    let inside = |from: u32, length: u32, whole: u32| length.min(whole.saturating_sub(from)).max(1);
    let (width, height) = (inside(x, width, image.width()), inside(y, height, image.height()));
    imageops::crop_imm(image, x, y, width, height).to_image()
}

/// Cuts a picture of so many bytes into tiles of about `piece` bytes, each of a multiple of `rows` rows and no larger than
/// `largest`, if that has room for the smallest.
fn cut(cells: Size, largest: Size, bytes: f64, piece: usize, rows: u16) -> Vec<Rect> {
    let area = f64::from(cells.width) * f64::from(cells.height);
    let each = (area * piece as f64 / bytes.max(1.0)).min(area);
    if each >= area && cells.width <= largest.width && cells.height <= largest.height {
        return vec![Rect::new(0, 0, cells.width, cells.height)];
    }
    let least = MIN_TILE.1.div_ceil(rows) * rows;
    // As wide as possible, then as high as possible.
    let widest = cells.width.min(largest.width).max(MIN_TILE.0);
    let width = ((each / f64::from(least)) as u16).clamp(MIN_TILE.0, widest);
    let highest = (largest.height / rows * rows).max(least);
    let height = ((each / f64::from(width)) as u16 / rows * rows).clamp(least, highest);
    let tops = (0..cells.height).step_by(height.into());
    let lefts = |top: u16| (0..cells.width).step_by(width.into()).map(move |left| (left, top));
    let whole = Rect::new(0, 0, cells.width, cells.height);
    tops.flat_map(lefts).map(|(left, top)| Rect::new(left, top, width, height).intersection(whole)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::color_depth::ColorDepth;
    use crate::ui::graphics::Protocol;

    #[test]
    fn tiles_cover_the_picture_once() {
        for (width, height) in [(1, 1), (5, 40), (56, 28), (80, 3)] {
            for (piece, rows) in [(1, 1), (1000, 3), (4000, 2), (1 << 20, 6)] {
                let largest = Size::new(50, 12);
                let tiles = cut(Size::new(width, height), largest, 100_000.0, piece, rows);
                assert!(tiles.iter().all(|tile| tile.width <= 50 && tile.height <= 12), "{tiles:?}");
                let mut covered = vec![0; usize::from(width) * usize::from(height)];
                for cell in tiles.iter().flat_map(|tile| tile.positions()) {
                    covered[usize::from(cell.y) * usize::from(width) + usize::from(cell.x)] += 1;
                }
                assert!(covered.iter().all(|count| *count == 1), "{width} x {height}, {piece}: {tiles:?}");
                assert!(tiles.iter().all(|tile| tile.y.is_multiple_of(rows)), "{tiles:?}");
            }
        }
    }

    fn noise(side: u32) -> RgbImage {
        let level =
            |x: u32, y: u32, c: u32| (x.wrapping_mul(7919) ^ y.wrapping_mul(104_729) ^ (c * 77)) as u8;
        RgbImage::from_fn(side, side, |x, y| {
            Rgb([level(x, y, 0), level(x / 4, y / 4, 1), level(x / 16, y, 2)])
        })
    }

    #[test]
    fn tiles_are_about_as_large_as_the_line_carries() {
        let graphics = Graphics {
            protocol: Protocol::Sixel,
            cell: (8, 16),
            tmux: false,
            deflate: false,
            depth: ColorDepth::True,
        };
        for piece in [4_000, 12_000] {
            let resting = sixels(&noise(224), Size::new(56, 28), graphics, false, piece).unwrap();
            let live = sixels(&noise(224), Size::new(56, 28), graphics, true, piece).unwrap();
            let jpegs = iterm2(&noise(224), Size::new(56, 28), piece, false).unwrap();
            for tiles in [&resting, &live, &jpegs] {
                let longest = tiles.iter().map(|tile| tile.sequence.len()).max().unwrap();
                assert!(tiles.len() > 1 && longest < 4 * piece, "{piece}: {} tiles, {longest}", tiles.len());
            }
            let bytes = |tiles: &[PictureTile]| tiles.iter().map(|tile| tile.sequence.len()).sum::<usize>();
            assert!(bytes(&live) * 5 < bytes(&resting), "{} of {}", bytes(&live), bytes(&resting));
        }
    }

    #[test]
    fn sixel_tiles_begin_at_whole_rows_of_sixels() {
        for cell in [(8, 16), (9, 18), (7, 13), (10, 20)] {
            let graphics = Graphics {
                protocol: Protocol::Sixel,
                cell,
                tmux: false,
                deflate: false,
                depth: ColorDepth::True,
            };
            for tile in sixels(&noise(100), Size::new(40, 20), graphics, false, 2000).unwrap() {
                assert_eq!((u32::from(tile.cells.y) * u32::from(cell.1)) % SIXEL_ROWS, 0, "{cell:?}");
                let decoded = SixelImage::decode(tile.sequence.as_bytes()).unwrap();
                assert_eq!(decoded.width, usize::from(tile.cells.width * cell.0));
                assert!(decoded.height <= usize::from(tile.cells.height * cell.1));
            }
        }
    }
}
