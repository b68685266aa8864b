//! Pictures made of characters: each cell shows a few pixels, in two colours.

use std::fmt::Write as _;

use image::RgbImage;
use image::imageops::{self, FilterType};
use ratatui::layout::Size;

/// A cell of such a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BlockCell {
    /// The character, which is drawn in the first of the colours.
    pub(super) symbol: char,
    /// The colour of the character, and that behind it: red, green, blue.
    pub(super) colors: [[u8; 3]; 2],
}

/// The division of a cell into pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockShape {
    /// One beside one, two rows of them: U+2580. Every terminal's font has it.
    Halves,
    /// Two rows of two: U+2596 to U+259F.
    Quadrants,
    /// Three rows of two: U+1FB00 to U+1FB3B, of Unicode 13.
    Sextants,
}

impl BlockShape {
    /// The pixels of a cell, across and down.
    fn pixels(self) -> (u32, u32) {
        match self {
            Self::Halves => (1, 2),
            Self::Quadrants => (2, 2),
            Self::Sextants => (2, 3),
        }
    }

    /// The character that fills these pixels of the cell, of which bit 0 is the first in the first row.
    fn symbol(self, filled: u32) -> char {
        const QUADRANTS: [char; 16] = [
            ' ', '\u{2598}', '\u{259D}', '\u{2580}', '\u{2596}', '\u{258C}', '\u{259E}', '\u{259B}',
            '\u{2597}', '\u{259A}', '\u{2590}', '\u{259C}', '\u{2584}', '\u{2599}', '\u{259F}', '\u{2588}',
        ];
        match (self, filled) {
            (Self::Halves | Self::Sextants, 0) => ' ',
            (Self::Halves, 1) => '\u{2580}',
            (Self::Halves, 2) => '\u{2584}',
            (Self::Halves, _) | (Self::Sextants, 63) => '\u{2588}',
            (Self::Quadrants, filled) => QUADRANTS[filled as usize % 16],
            // The left and the right half were characters before, and are left out of the row.
            (Self::Sextants, 21) => '\u{258C}',
            (Self::Sextants, 42) => '\u{2590}',
            (Self::Sextants, filled) => {
                let before = 1 + u32::from(filled > 21) + u32::from(filled > 42);
                char::from_u32(0x1FB00 + filled - before).unwrap_or(' ')
            }
        }
    }
}

/// The cells of a picture, row by row.
pub(super) fn blocks(image: &RgbImage, cells: Size, shape: BlockShape) -> Vec<BlockCell> {
    let (across, down) = shape.pixels();
    let (width, height) = (u32::from(cells.width) * across, u32::from(cells.height) * down);
    // Smooth in both directions: small pictures of many cells would be squares of cells.
    let image = imageops::resize(image, width, height, FilterType::Triangle);
    let cell = |row: u32, column: u32| {
        let pixels = (0..down).flat_map(|y| (0..across).map(move |x| (x, y)));
        let pixels = pixels.map(|(x, y)| image.get_pixel(column * across + x, row * down + y).0);
        two_colors(&pixels.collect::<Vec<_>>(), shape)
    };
    (0..u32::from(cells.height))
        .flat_map(|row| (0..u32::from(cells.width)).map(move |column| (row, column)))
        .map(|(row, column)| cell(row, column))
        .collect()
}

/// The picture as lines of text in colours, for a program that prints and ends.
pub fn block_lines(image: &RgbImage, cells: Size, shape: BlockShape) -> String {
    let mut text = String::new();
    for row in blocks(image, cells, shape).chunks(usize::from(cells.width).max(1)) {
        for BlockCell { symbol, colors: [[r, g, b], [behind_r, behind_g, behind_b]] } in row {
            // Writing to a string does not fail.
            let _ = write!(text, "\x1b[38;2;{r};{g};{b};48;2;{behind_r};{behind_g};{behind_b}m{symbol}");
        }
        text.push_str("\x1b[0m\n");
    }
    text
}

/// The character and the two colours that are nearest to these pixels, by the sum of squares.
fn two_colors(pixels: &[[u8; 3]], shape: BlockShape) -> BlockCell {
    let all = (1_u32 << pixels.len()) - 1;
    // The first pixel is always filled: the rest of the divisions are the same with the colours exchanged.
    let divisions = (1..all).filter(|filled| filled & 1 == 1);
    let best = divisions.map(|filled| divided(pixels, filled)).min_by(|a, b| a.0.total_cmp(&b.0));
    let (_, filled, colors) = best.unwrap_or_else(|| divided(pixels, all));
    BlockCell { symbol: shape.symbol(filled), colors }
}

/// The squared error of a division, the division, and the mean colours of its parts.
fn divided(pixels: &[[u8; 3]], filled: u32) -> (f64, u32, [[u8; 3]; 2]) {
    let is_in = |index: usize, part: usize| (filled >> index & 1 == 1) == (part == 0);
    let (mut error, mut colors) = (0.0, [[0; 3]; 2]);
    for (part, color) in colors.iter_mut().enumerate() {
        for (channel, level) in color.iter_mut().enumerate() {
            let levels = pixels.iter().enumerate().filter(|(index, _)| is_in(*index, part));
            let levels: Vec<f64> = levels.map(|(_, pixel)| f64::from(pixel[channel])).collect();
            let mean = levels.iter().sum::<f64>() / levels.len().max(1) as f64;
            error += levels.iter().map(|level| (level - mean).powi(2)).sum::<f64>();
            *level = mean.round() as u8;
        }
    }
    (error, filled, colors)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLACK: [u8; 3] = [0; 3];
    const RED: [u8; 3] = [200, 0, 0];

    /// The character for a cell in which these pixels are red, and where it is red when it is drawn.
    fn drawn(shape: BlockShape, red: u32) -> (char, bool) {
        let (across, down) = shape.pixels();
        let is_red = |x: u32, y: u32| red >> (y * across + x) & 1 == 1;
        let image =
            RgbImage::from_fn(across, down, |x, y| image::Rgb(if is_red(x, y) { RED } else { BLACK }));
        let block = blocks(&image, Size::new(1, 1), shape)[0];
        assert!(block.colors.iter().all(|color| [RED, BLACK].contains(color)), "{block:?}");
        (block.symbol, block.colors[0] == RED)
    }

    #[test]
    fn pixels_of_two_colours_are_shown_as_they_are() {
        assert_eq!(drawn(BlockShape::Halves, 0b01), ('\u{2580}', true));
        assert_eq!(drawn(BlockShape::Halves, 0b10), ('\u{2580}', false));
        assert_eq!(drawn(BlockShape::Quadrants, 0b0001), ('\u{2598}', true));
        assert_eq!(drawn(BlockShape::Quadrants, 0b1001), ('\u{259A}', true));
        assert_eq!(drawn(BlockShape::Quadrants, 0b1000), ('\u{259B}', false));
        assert_eq!(drawn(BlockShape::Sextants, 0b00_00_01), ('\u{1FB00}', true));
        assert_eq!(drawn(BlockShape::Sextants, 0b01_01_01), ('\u{258C}', true));
        assert_eq!(drawn(BlockShape::Sextants, 0b01_11_01), ('\u{1FB1B}', true));
        assert_eq!(drawn(BlockShape::Sextants, 0b10_10_10), ('\u{258C}', false));
        assert_eq!(drawn(BlockShape::Sextants, 0b10_00_00), ('\u{1FB1D}', false));
    }

    #[test]
    fn every_division_has_a_character_of_its_own() {
        for (shape, count) in
            [(BlockShape::Halves, 4), (BlockShape::Quadrants, 16), (BlockShape::Sextants, 64)]
        {
            let symbols: std::collections::BTreeSet<char> =
                (0..count).map(|filled| shape.symbol(filled)).collect();
            assert_eq!(symbols.len(), count as usize, "{shape:?}");
        }
    }

    #[test]
    fn halves_use_two_characters_of_any_font() {
        let image = RgbImage::from_fn(9, 7, |x, y| image::Rgb([(x * 20) as u8, (y * 30) as u8, 90]));
        let all = blocks(&image, Size::new(30, 12), BlockShape::Halves);
        assert_eq!(all.len(), 360);
        assert!(all.iter().all(|block| ['\u{2580}', '\u{2584}'].contains(&block.symbol)));
    }
}
