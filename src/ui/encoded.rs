//! Turns a picture into what the terminal understands, in parts that a slow line carries one by one. While a run goes on,
//! pictures are small and the terminal enlarges them, where it can.

use std::sync::Arc;

use anyhow::{Context, Result};
use image::RgbImage;
use image::imageops::{self, FilterType};
use ratatui::layout::{Rect, Size};

use super::blocks::{BlockCell, BlockShape, blocks};
use super::color_depth::ColorDepth;
use super::graphics::{Graphics, Protocol};
use super::kitty;
use super::surroundings::wrap;
use super::tiles::{PictureTile, iterm2, sixels};
use crate::engine::Picture;

/// The longest side that is sent while a run goes on, at most and at least.
const LIVE_SIDE: (u32, u32) = (160, 48);

/// About how many bytes a pixel costs by kitty's protocol: three levels in base64.
const KITTY_BYTES: f64 = 4.0;

/// About how many frames a picture may take while a run goes on.
const LIVE_FRAMES: f64 = 4.0;

/// A picture to be encoded for the terminal.
#[derive(Debug, Clone)]
pub struct PictureRequest {
    /// The picture to be encoded.
    pub picture: Arc<Picture>,
    /// The cells that the picture is to fill.
    pub cells: Size,
    /// The protocol by which the terminal shows it.
    pub graphics: Graphics,
    /// Whether a better one is likely to follow soon.
    pub live: bool,
    /// The id under which kitty knows the picture; unused by other protocols.
    pub kitty_id: u8,
    /// The bytes that the line to the terminal carries in a moment: parts are about as large.
    pub piece: usize,
    /// The rows of cells after each of which one row belongs to text, so that nothing is painted over it.
    pub strip: Option<u16>,
}

/// A picture that is encoded, ready to be sent.
#[derive(Debug)]
pub struct Encoded {
    /// Columns and rows of the terminal that it fills.
    pub(super) cells: Size,
    pub(super) form: Form,
    /// The colours that its characters can have.
    pub(super) depth: ColorDepth,
}

/// The form of an encoded picture.
#[derive(Debug)]
pub(super) enum Form {
    /// Characters in colours, row by row.
    Blocks(Vec<BlockCell>),
    /// Sequences that send the picture, and the id for the cells that show it.
    Kitty { id: u8, sequences: Vec<String> },
    /// Rectangles that the terminal paints over its cells.
    Tiles(Vec<PictureTile>),
}

/// Encodes a picture for the terminal; none for [`Protocol::None`] and for no room. Fails when the picture lacks pixels
/// or its protocol refuses it.
pub fn encode(request: PictureRequest) -> Result<Option<Encoded>> {
    let PictureRequest { picture, cells, graphics, live, kitty_id: id, piece, strip } = request;
    if cells.width == 0 || cells.height == 0 {
        return Ok(None);
    }
    let image = RgbImage::from_raw(picture.width as u32, picture.height as u32, picture.rgb.clone())
        .context("a picture without its pixels")?;
    let failed = || format!("cannot encode the picture for {}", graphics.protocol.name());
    let form = match graphics.protocol {
        Protocol::None => return Ok(None),
        Protocol::Halfblocks => Form::Blocks(blocks(&image, cells, BlockShape::Halves)),
        Protocol::Quadrants => Form::Blocks(blocks(&image, cells, BlockShape::Quadrants)),
        Protocol::Sextants => Form::Blocks(blocks(&image, cells, BlockShape::Sextants)),
        Protocol::Kitty => {
            let image = if live { small(image, piece) } else { image };
            let sequences =
                kitty::transmission(&image, cells, id, graphics.deflate, piece).with_context(failed)?;
            Form::Kitty {
                id,
                sequences: sequences.iter().map(|sequence| wrap(sequence, graphics.tmux)).collect(),
            }
        }
        Protocol::Iterm2 => Form::Tiles(in_strips(image, cells, strip, |image, cells| {
            let image = if live { small(image, piece) } else { image };
            iterm2(&image, cells, piece, graphics.tmux).with_context(failed)
        })?),
        Protocol::Sixel => Form::Tiles(in_strips(image, cells, strip, |image, cells| {
            sixels(&image, cells, graphics, live, piece).with_context(failed)
        })?),
    };
    Ok(Some(Encoded { cells, form, depth: graphics.depth }))
}

/// The tiles of a picture, or of each of its strips: what lies in the row of cells after a strip is not painted.
fn in_strips(
    image: RgbImage,
    cells: Size,
    strip: Option<u16>,
    tiles: impl Fn(RgbImage, Size) -> Result<Vec<PictureTile>>,
) -> Result<Vec<PictureTile>> {
    let Some(strip) = strip.filter(|strip| *strip < cells.height) else { return tiles(image, cells) };
    let rows = |cells_high: u16| u32::from(cells_high) * image.height() / u32::from(cells.height);
    let mut all = Vec::new();
    for top in (0..=cells.height - strip).step_by(usize::from(strip) + 1) {
        let part = imageops::crop_imm(&image, 0, rows(top), image.width(), rows(strip)).to_image();
        let of_strip = tiles(part, Size::new(cells.width, strip))?;
        all.extend(of_strip.into_iter().map(|tile| {
            let cells = Rect { y: tile.cells.y + top, ..tile.cells };
            PictureTile { cells, ..tile }
        }));
    }
    Ok(all)
}

/// The picture in as many pixels as the line carries several times a second.
fn small(image: RgbImage, piece: usize) -> RgbImage {
    let side = (LIVE_FRAMES * piece as f64 / KITTY_BYTES).sqrt() as u32;
    let side = side.clamp(LIVE_SIDE.1, LIVE_SIDE.0);
    let longest = image.width().max(image.height());
    if longest <= side {
        return image;
    }
    let scaled = |length: u32| (length * side / longest).max(1);
    imageops::resize(&image, scaled(image.width()), scaled(image.height()), FilterType::Triangle)
}
