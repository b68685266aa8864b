//! A line of small text in a picture. Not for paragraphs, and not for scripts other than Latin: what the font
//! lacks becomes a question mark.

use image::{Rgb, RgbImage};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

/// Stands for what was cut out of a label; the font has no character for it.
const ELLIPSIS: &str = "...";

/// A size of text: one that the font was drawn in, each of its pixels as a square of `factor` by `factor`.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    raster: RasterHeight,
    factor: usize,
}

impl Text {
    /// The sizes that labels can have, from small to large.
    pub const SIZES: [Self; 6] = [
        Self { raster: RasterHeight::Size16, factor: 1 },
        Self { raster: RasterHeight::Size20, factor: 1 },
        Self { raster: RasterHeight::Size24, factor: 1 },
        Self { raster: RasterHeight::Size32, factor: 1 },
        Self { raster: RasterHeight::Size24, factor: 2 },
        Self { raster: RasterHeight::Size32, factor: 2 },
    ];

    /// Pixels that a line is high, accents and descenders included.
    pub fn line(self) -> usize {
        self.raster.val() * self.factor
    }

    /// Pixels that so many `characters` are wide.
    pub fn width(self, characters: usize) -> usize {
        characters * get_raster_width(FontWeight::Regular, self.raster) * self.factor
    }

    /// Writes `label` in the middle of the `width` columns from `x`, shortened to fit, its line's top at `y`.
    pub fn draw(
        self,
        canvas: &mut RgbImage,
        label: &str,
        (x, y): (usize, usize),
        width: usize,
        ink: Rgb<u8>,
    ) {
        let shown = shorten(label, width / self.width(1));
        let left = x + (width - self.width(shown.len())) / 2;
        for (i, &c) in shown.iter().enumerate() {
            self.draw_character(canvas, c, (left + self.width(i), y), ink);
        }
    }

    fn draw_character(self, canvas: &mut RgbImage, c: char, (x, y): (usize, usize), ink: Rgb<u8>) {
        let raster = |c| get_raster(c, FontWeight::Regular, self.raster);
        let Some(glyph) = raster(c).or_else(|| raster('?')) else { return };
        for (dy, row) in glyph.rows().enumerate() {
            for (dx, &cover) in row.iter().enumerate().filter(|&(_, &cover)| cover > 0) {
                for i in 0..self.factor * self.factor {
                    let px = x + dx * self.factor + i % self.factor;
                    let py = y + dy * self.factor + i / self.factor;
                    if let Some(pixel) = canvas.get_pixel_mut_checked(px as u32, py as u32) {
                        *pixel = blend(*pixel, ink, cover);
                    }
                }
            }
        }
    }
}

fn blend(under: Rgb<u8>, ink: Rgb<u8>, cover: u8) -> Rgb<u8> {
    let (over, rest) = (u16::from(cover), u16::from(255 - cover));
    Rgb([0, 1, 2].map(|c| ((u16::from(ink[c]) * over + u16::from(under[c]) * rest) / 255) as u8))
}

/// At most `room` characters. What is cut is the middle: a layer's name begins a label, a channel's number ends it,
/// and each is what tells some sheet's cells apart.
fn shorten(label: &str, room: usize) -> Vec<char> {
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    let characters: Vec<char> = label.chars().map(printable).collect();
    if characters.len() <= room {
        return characters;
    }
    let kept = room.saturating_sub(ELLIPSIS.len());
    let (head, tail) = (kept.div_ceil(2), kept / 2);
    let end = &characters[characters.len() - tail..];
    characters[..head].iter().copied().chain(ELLIPSIS.chars()).chain(end.iter().copied()).take(room).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(label: &str, room: usize, shown: &str) {
        assert_eq!(shorten(label, room).iter().collect::<String>(), shown);
    }

    #[test]
    fn a_label_that_is_too_long_keeps_both_its_ends() {
        check("channel 30", 10, "channel 30");
        check("block5_conv2 channel 30", 16, "block5_...nel 30");
        check("channel 30", 4, "c...");
        check("channel 30", 2, "..");
        check("channel 30", 0, "");
        check("a\tb\n", 4, "a b ");
        check("ドーナツ・ドーナツ", 6, "ドー...ツ");
    }

    #[test]
    fn every_character_is_drawn_inside_the_columns_it_was_given() {
        for text in Text::SIZES {
            let mut canvas = RgbImage::new(200, 64);
            text.draw(&mut canvas, "Wgé雪\u{0}\u{1F427}", (50, 0), 100, Rgb([255; 3]));
            let inked = |x: u32| (0..64).any(|y| canvas.get_pixel(x, y).0 != [0; 3]);
            let columns: Vec<u32> = (0..200).filter(|&x| inked(x)).collect();
            assert!(columns.iter().all(|x| (50..150).contains(x)), "{text:?}: {columns:?}");
            assert!(columns.len() > 20, "{text:?}: {columns:?}");
            // Below the canvas there is nothing to draw on.
            text.draw(&mut canvas, "g", (195, 60), 100, Rgb([255; 3]));
        }
    }
}
