//! Draws with ASCII alone, for terminals and fonts that have no other characters. Cells of pictures keep their colours.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Color;
use unicode_width::UnicodeWidthStr;

use super::kitty::PLACEHOLDER;

/// Replaces every character that is not ASCII by one that looks like it.
pub(super) fn reduce(buffer: &mut Buffer) {
    for cell in buffer.content.iter_mut().filter(|cell| !cell.symbol().is_ascii()) {
        if cell.symbol().starts_with(PLACEHOLDER) {
            continue; // the place of a picture, which is no character to be seen
        }
        match cell.symbol().chars().next() {
            Some('\u{2580}'..='\u{259F}' | '\u{1FB00}'..='\u{1FB3B}') if cell.bg != Color::Reset => {
                fill(cell);
            }
            Some(c) => {
                let ascii = like(c);
                let text = String::from(ascii).repeat(cell.symbol().width().max(1));
                cell.set_symbol(&text);
            }
            None => {}
        }
    }
}

/// Makes one pixel of a cell of pixels: its background has the mean of its two colours.
fn fill(cell: &mut Cell) {
    if let (Color::Rgb(r, g, b), Color::Rgb(behind_r, behind_g, behind_b)) = (cell.fg, cell.bg) {
        cell.bg = Color::Rgb(r.midpoint(behind_r), g.midpoint(behind_g), b.midpoint(behind_b));
    }
    cell.set_symbol(" ");
}

/// The ASCII character that is most like this one.
fn like(c: char) -> char {
    match c {
        '\u{2500}' | '\u{2501}' | '\u{2574}' | '\u{2576}' | '\u{2013}' | '\u{2014}' => '-',
        '\u{2502}' | '\u{2503}' => '|',
        '\u{2504}'..='\u{257F}' => '+',
        '\u{2190}' | '\u{25C2}' => '<',
        '\u{2191}' => '^',
        '\u{2192}' | '\u{25B8}' => '>',
        '\u{2193}' => 'v',
        '\u{2026}' => '~',
        '\u{2581}' => '_',
        '\u{2580}'..='\u{259F}' => '#',
        '\u{2022}' | '\u{00B7}' => '.',
        '\u{2800}' => ' ',
        '\u{2801}'..='\u{28FF}' => dots(c as u32 - 0x2800),
        _ => '?',
    }
}

/// A mark where the dots of a Braille character are: in its upper half, in its lower half, or in both.
fn dots(dots: u32) -> char {
    const UPPER: u32 = 0b0001_1011;
    match (dots & UPPER > 0, dots & !UPPER > 0) {
        (true, true) => ':',
        (true, false) => '\'',
        (false, _) => '.',
    }
}
