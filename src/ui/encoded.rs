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
use super::kitty::{self, KittyPicture};
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
    /// The bytes that the line to the terminal carries in a moment: parts are about as large.
    pub piece: usize,
    /// The cells of each picture of a grid. Between them a row of cells, which belongs to text, and a column are not painted.
    pub draft: Option<Size>,
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
    /// The picture by kitty's protocol, or each picture of a grid.
    Kitty(Vec<KittyPicture>),
    /// Rectangles that the terminal paints over its cells.
    Tiles(Vec<PictureTile>),
}

/// A part of a picture that has a place in it.
trait PicturePart {
    /// The cells that it fills, from the picture's first on.
    fn cells_mut(&mut self) -> &mut Rect;
}

impl PicturePart for PictureTile {
    fn cells_mut(&mut self) -> &mut Rect {
        &mut self.cells
    }
}

impl PicturePart for KittyPicture {
    fn cells_mut(&mut self) -> &mut Rect {
        &mut self.cells
    }
}

/// Encodes a picture for the terminal; none for [`Protocol::None`] and for no room. Fails when the picture lacks pixels
/// or its protocol refuses it.
pub fn encode(request: PictureRequest) -> Result<Option<Encoded>> {
    let PictureRequest { picture, cells, graphics, live, piece, draft } = request;
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
        Protocol::Kitty => Form::Kitty(in_grid(image, cells, apart(draft, cells), |image, cells| {
            let image = if live { small(image, piece) } else { image };
            let picture = kitty::transmission(&image, cells, graphics, piece).with_context(failed)?;
            Ok(vec![picture])
        })?),
        Protocol::Iterm2 => Form::Tiles(in_grid(image, cells, draft, |image, cells| {
            let image = if live { small(image, piece) } else { image };
            iterm2(&image, cells, piece, graphics.tmux).with_context(failed)
        })?),
        Protocol::Sixel => Form::Tiles(in_grid(image, cells, draft, |image, cells| {
            sixels(&image, cells, graphics, live, piece).with_context(failed)
        })?),
    };
    Ok(Some(Encoded { cells, form, depth: graphics.depth }))
}

/// The cells of each picture of a grid, if kitty has an id for each of them.
fn apart(draft: Option<Size>, cells: Size) -> Option<Size> {
    let count = |cells: u16, of_each: u16| usize::from(cells.div_ceil(of_each + 1));
    draft.filter(|of_each| {
        count(cells.width, of_each.width) * count(cells.height, of_each.height) < usize::from(kitty::IDS)
    })
}

/// The parts of a picture, or those of each picture of a grid, which are of this size with a row and a column between them: there
/// nothing is painted, and what changes of one leaves the parts of the others as they are.
fn in_grid<P: PicturePart>(
    image: RgbImage,
    cells: Size,
    draft: Option<Size>,
    parts: impl Fn(RgbImage, Size) -> Result<Vec<P>>,
) -> Result<Vec<P>> {
    let Some(draft) = draft.filter(|draft| draft.width > 0 && draft.height < cells.height) else {
        return parts(image, cells);
    };
    let across = |columns: u16| u32::from(columns) * image.width() / u32::from(cells.width);
    let down = |rows: u16| u32::from(rows) * image.height() / u32::from(cells.height);
    let mut all = Vec::new();
    for top in (0..=cells.height - draft.height).step_by(usize::from(draft.height) + 1) {
        for left in (0..cells.width).step_by(usize::from(draft.width) + 1) {
            let size = Size::new(draft.width.min(cells.width - left), draft.height);
            let (width, height) = (across(size.width), down(size.height));
            let part = imageops::crop_imm(&image, across(left), down(top), width, height).to_image();
            for mut part in parts(part, size)? {
                let cells = part.cells_mut();
                (cells.x, cells.y) = (cells.x + left, cells.y + top);
                all.push(part);
            }
        }
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
