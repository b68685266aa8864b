//! kitty's graphics protocol: pictures in numbered pieces, and the cells that show them. The formats are those of
//! <https://sw.kovidgoyal.net/kitty/graphics-protocol/>.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use image::RgbImage;
use ratatui::layout::{Rect, Size};

use super::graphics::Graphics;
use super::parts::hash;
use super::surroundings::wrap;

/// The most characters of base64 in one sequence, by kitty's protocol.
pub(super) const MAX_CHUNK_BYTES: usize = 4096;

/// The fewest, so that a slow line carries more pixels than keys.
const MIN_CHUNK_BYTES: usize = 1024;

/// The ids that the pictures of a grid can have: one for each, and one more, since the old picture stays until the new one is
/// complete. A grid of more pictures is sent as one.
pub(super) const IDS: u8 = 59;

/// The key of a picture's id as long as it has none.
const OPEN_ID: &str = "i=0,";

/// The character whose cell shows a part of a picture.
pub(super) const PLACEHOLDER: char = '\u{10EEEE}';

/// The combining characters that number rows and columns from 0 on, as first and last of each range, from kitty's
/// `rowcolumn-diacritics.txt`.
const NUMBER_MARKS: [(u32, u32); 75] = [
    (0x305, 0x305),
    (0x30D, 0x30E),
    (0x310, 0x310),
    (0x312, 0x312),
    (0x33D, 0x33F),
    (0x346, 0x346),
    (0x34A, 0x34C),
    (0x350, 0x352),
    (0x357, 0x357),
    (0x35B, 0x35B),
    (0x363, 0x36F),
    (0x483, 0x487),
    (0x592, 0x595),
    (0x597, 0x599),
    (0x59C, 0x5A1),
    (0x5A8, 0x5A9),
    (0x5AB, 0x5AC),
    (0x5AF, 0x5AF),
    (0x5C4, 0x5C4),
    (0x610, 0x617),
    (0x657, 0x65B),
    (0x65D, 0x65E),
    (0x6D6, 0x6DC),
    (0x6DF, 0x6E2),
    (0x6E4, 0x6E4),
    (0x6E7, 0x6E8),
    (0x6EB, 0x6EC),
    (0x730, 0x730),
    (0x732, 0x733),
    (0x735, 0x736),
    (0x73A, 0x73A),
    (0x73D, 0x73D),
    (0x73F, 0x741),
    (0x743, 0x743),
    (0x745, 0x745),
    (0x747, 0x747),
    (0x749, 0x74A),
    (0x7EB, 0x7F1),
    (0x7F3, 0x7F3),
    (0x816, 0x819),
    (0x81B, 0x823),
    (0x825, 0x827),
    (0x829, 0x82D),
    (0x951, 0x951),
    (0x953, 0x954),
    (0xF82, 0xF83),
    (0xF86, 0xF87),
    (0x135D, 0x135F),
    (0x17DD, 0x17DD),
    (0x193A, 0x193A),
    (0x1A17, 0x1A17),
    (0x1A75, 0x1A7C),
    (0x1B6B, 0x1B6B),
    (0x1B6D, 0x1B73),
    (0x1CD0, 0x1CD2),
    (0x1CDA, 0x1CDB),
    (0x1CE0, 0x1CE0),
    (0x1DC0, 0x1DC1),
    (0x1DC3, 0x1DC9),
    (0x1DCB, 0x1DCC),
    (0x1DD1, 0x1DE6),
    (0x1DFE, 0x1DFE),
    (0x20D0, 0x20D1),
    (0x20D4, 0x20D7),
    (0x20DB, 0x20DC),
    (0x20E1, 0x20E1),
    (0x20E7, 0x20E7),
    (0x20E9, 0x20E9),
    (0x20F0, 0x20F0),
    (0x2CEF, 0x2CF1),
    (0x2DE0, 0x2DFF),
    (0xA66F, 0xA66F),
    (0xA67C, 0xA67D),
    (0xA6F0, 0xA6F1),
    (0xA8E0, 0xA8F1),
];

/// A picture that is to be sent, or one of several, and its cells. Its id is given when it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KittyPicture {
    /// Its cells, from the whole picture's first on.
    pub(super) cells: Rect,
    /// The hash of its pixels: the sequences differ with the line.
    pub(super) hash: u64,
    /// The sequences that send it, with [`OPEN_ID`] in the place of the id.
    sequences: Vec<String>,
}

impl KittyPicture {
    /// The sequences that send it under this id, from one of them on.
    pub(super) fn sequences(&self, from: usize, id: u8) -> impl Iterator<Item = String> {
        let id = format!("i={id},");
        self.sequences[from..].iter().map(move |sequence| sequence.replacen(OPEN_ID, &id, 1))
    }

    /// The number of its sequences.
    pub(super) fn len(&self) -> usize {
        self.sequences.len()
    }
}

/// A picture to be shown by placeholders in so many cells. The previous picture of
/// its id is deleted first, because some terminals keep it. A sequence has about `piece` bytes, if kitty allows it.
pub(super) fn transmission(
    image: &RgbImage,
    cells: Size,
    graphics: Graphics,
    piece: usize,
) -> std::io::Result<KittyPicture> {
    let (pixels, encoding) =
        if graphics.deflate { (deflated(image.as_raw())?, "o=z,") } else { (image.as_raw().clone(), "") };
    let keys = format!(
        "a=T,U=1,f=24,{encoding}q=2,{OPEN_ID}s={},v={},c={},r={},",
        image.width(),
        image.height(),
        cells.width,
        cells.height
    );
    let length = piece.clamp(MIN_CHUNK_BYTES, MAX_CHUNK_BYTES) / 4 * 4;
    let sequences = chunks(&keys, &STANDARD.encode(pixels), length);
    let sequences = std::iter::once(delete(0)).chain(sequences).map(|text| wrap(&text, graphics.tmux));
    let hash = hash(&(image.dimensions(), image.as_raw()));
    Ok(KittyPicture {
        cells: Rect::new(0, 0, cells.width, cells.height),
        hash,
        sequences: sequences.collect(),
    })
}

fn deflated(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    // Pictures of noise hardly shrink, and higher levels save nothing more.
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// The sequence that makes kitty forget a picture, and free its memory.
pub(super) fn delete(id: u8) -> String {
    format!("\x1b_Ga=d,d=I,i={id},q=2\x1b\\")
}

/// Cuts a payload into sequences of at most `length` characters of it; `keys` stand in the first.
pub(super) fn chunks(keys: &str, payload: &str, length: usize) -> Vec<String> {
    let (mut sequences, mut keys, mut rest) = (Vec::new(), keys, payload);
    loop {
        let (chunk, more) = rest.split_at(rest.len().min(length));
        sequences.push(format!("\x1b_G{keys}m={};{chunk}\x1b\\", u8::from(!more.is_empty())));
        if more.is_empty() {
            return sequences;
        }
        // All sequences of a picture must be quiet, or terminals reply to each.
        (keys, rest) = ("q=2,", more);
    }
}

/// The character of a cell that shows a part of a picture, whose id is the cell's colour. The first cell of a row says where
/// it is, and those beside it follow from it.
pub(super) fn placeholder(column: u16, row: u16) -> String {
    match (column, number_mark(row), number_mark(0)) {
        (0, Some(row), Some(first)) => [PLACEHOLDER, row, first].iter().collect(),
        _ => PLACEHOLDER.to_string(),
    }
}

/// The combining character for a row or column; none for more than there are.
fn number_mark(number: u16) -> Option<char> {
    NUMBER_MARKS.iter().flat_map(|(first, last)| *first..=*last).nth(number.into()).and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::color_depth::ColorDepth;
    use crate::ui::graphics::{MAX_PICTURE_CELLS, Protocol};

    #[test]
    fn rows_are_numbered_as_kitty_numbers_them() {
        assert_eq!(placeholder(0, 0), "\u{10EEEE}\u{305}\u{305}");
        assert_eq!(placeholder(0, 1), "\u{10EEEE}\u{30D}\u{305}");
        assert_eq!(placeholder(3, 1), "\u{10EEEE}");
        // The last line of a picture of the largest size.
        let all: Vec<char> = (0..MAX_PICTURE_CELLS as u16).map_while(number_mark).collect();
        let mut distinct = all.clone();
        distinct.dedup();
        assert_eq!((all.len(), distinct.len()), (MAX_PICTURE_CELLS as usize, MAX_PICTURE_CELLS as usize));
    }

    #[test]
    fn pixels_come_whole_in_quiet_pieces_of_the_size_asked_for() {
        let protocol = Protocol::Kitty;
        let (tmux, deflate, depth) = (false, false, ColorDepth::True);
        let graphics = Graphics { protocol, cell: (8, 16), tmux, deflate, depth };
        let image = RgbImage::from_fn(40, 30, |x, y| image::Rgb([x as u8, y as u8, 7]));
        for (piece, most) in [(1, 1024), (2000, 2000), (1 << 20, 4096)] {
            let picture = transmission(&image, Size::new(20, 8), graphics, piece).unwrap();
            let sequences: Vec<String> = picture.sequences(0, 17).collect();
            assert_eq!(sequences[0], "\x1b_Ga=d,d=I,i=17,q=2\x1b\\");
            let bodies: Vec<&str> = sequences[1..]
                .iter()
                .map(|s| s.strip_prefix("\x1b_G").unwrap().strip_suffix("\x1b\\").unwrap())
                .collect();
            assert!(bodies[0].starts_with("a=T,U=1,f=24,q=2,i=17,s=40,v=30,c=20,r=8,m="));
            assert!(bodies.iter().all(|body| body.contains("q=2,")));
            let payloads: Vec<&str> = bodies.iter().map(|body| body.split_once(';').unwrap().1).collect();
            assert!(payloads.iter().all(|payload| payload.len() <= most && payload.len().is_multiple_of(4)));
            assert_eq!(STANDARD.decode(payloads.concat()).unwrap(), *image.as_raw());
        }
    }
}
