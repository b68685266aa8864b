//! A whole picture for a terminal, where the cursor is: kitty's protocol, sixel, iTerm2's, and characters.

use std::io::Cursor;

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::imageops::{self, FilterType};
use image::{ImageFormat, RgbImage};
use ratatui::layout::Size;

use crate::ui::{self, BlockShape, block_lines, kitty_at_cursor};

/// The longest side that is sent, in pixels.
const MAX_SENT_SIDE: f64 = 2048.0;

/// The size that a picture is printed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placed {
    /// The width and height of a character cell in pixels.
    cell: (u16, u16),
    /// The width and height of the picture in pixels.
    pixels: [u32; 2],
    /// The columns and rows that it covers.
    pub(super) cells: [u32; 2],
}

impl Placed {
    /// As many `columns` as asked for, or else its own size or what fits the screen, less a line for the prompt.
    pub(super) fn of(image: &RgbImage, cell: (u16, u16), screen: Option<Size>, columns: Option<u16>) -> Self {
        let size = [f64::from(image.width()), f64::from(image.height())];
        let cells = [f64::from(cell.0.max(1)), f64::from(cell.1.max(1))];
        let fits = screen.map(|screen| {
            let rows = f64::from(screen.height.saturating_sub(1).max(1));
            (f64::from(screen.width) * cells[0] / size[0]).min(rows * cells[1] / size[1])
        });
        let scale = match columns {
            Some(columns) => f64::from(columns) * cells[0] / size[0],
            None => fits.unwrap_or(1.0).min(1.0),
        };
        let scale = scale.min(MAX_SENT_SIDE / size[0]).min(MAX_SENT_SIDE / size[1]);
        let pixels = size.map(|side| (side * scale).round().max(1.0));
        let covered = [0, 1].map(|axis| (pixels[axis] / cells[axis]).ceil() as u32);
        Self { cell, pixels: pixels.map(|side| side as u32), cells: covered }
    }

    /// The picture in that many pixels.
    fn scaled(&self, image: &RgbImage) -> RgbImage {
        let [width, height] = self.pixels;
        if image.dimensions() == (width, height) {
            return image.clone();
        }
        imageops::resize(image, width, height, FilterType::Triangle)
    }

    fn size(&self) -> Size {
        let [columns, rows] = self.cells.map(|cells| u16::try_from(cells).unwrap_or(u16::MAX));
        Size::new(columns, rows)
    }
}

/// By kitty's protocol.
pub(super) fn kitty(image: &RgbImage, placed: &Placed) -> String {
    let Size { width, height } = placed.size();
    // That function leaves a line for the prompt.
    let screen = Size::new(width, height.saturating_add(1));
    format!("{}\n", kitty_at_cursor(&placed.scaled(image), screen, placed.cell))
}

/// As sixels. Fails if the encoder does.
pub(super) fn sixel(image: &RgbImage, placed: &Placed) -> Result<String> {
    Ok(format!("{}\n", ui::sixel(&placed.scaled(image), false)?))
}

/// As characters with several pixels a cell.
pub(super) fn characters(image: &RgbImage, placed: &Placed, shape: BlockShape) -> String {
    block_lines(image, placed.size(), shape)
}

/// By iTerm2's protocol, as a PNG. Fails if that cannot be encoded.
pub(super) fn iterm2(image: &RgbImage, placed: &Placed) -> Result<String> {
    let mut png = Cursor::new(Vec::new());
    placed.scaled(image).write_to(&mut png, ImageFormat::Png)?;
    let (png, [columns, rows]) = (png.into_inner(), placed.cells);
    let keys = format!("inline=1;size={};width={columns};height={rows};preserveAspectRatio=1", png.len());
    Ok(format!("\x1b]1337;File={keys}:{}\x07\n", STANDARD.encode(png)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(size: (u32, u32), screen: Option<(u16, u16)>, columns: Option<u16>) -> ([u32; 2], [u32; 2]) {
        let image = RgbImage::new(size.0, size.1);
        let placed = Placed::of(&image, (8, 16), screen.map(|(w, h)| Size::new(w, h)), columns);
        (placed.pixels, placed.cells)
    }

    #[test]
    fn a_picture_has_the_width_that_is_asked_for() {
        assert_eq!(placed((64, 32), None, Some(4)), ([32, 16], [4, 1]));
        assert_eq!(placed((64, 64), Some((80, 24)), Some(20)), ([160, 160], [20, 10]));
        assert_eq!(placed((64, 64), Some((80, 24)), Some(1000)), ([2048, 2048], [256, 128]));
    }

    #[test]
    fn without_a_width_it_is_as_large_as_it_is_or_fits() {
        assert_eq!(placed((64, 64), None, None), ([64, 64], [8, 4]));
        assert_eq!(placed((64, 64), Some((80, 24)), None), ([64, 64], [8, 4]));
        assert_eq!(placed((640, 640), Some((80, 11)), None), ([160, 160], [20, 10]));
        assert_eq!(placed((5000, 1), Some((0, 0)), None), ([1, 1], [1, 1]));
    }
}
