//! A picture by kitty's protocol where the cursor is, for a program that prints and ends. It needs no placeholders, so that
//! terminals of any age show it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::RgbImage;
use image::imageops::{self, FilterType};
use ratatui::layout::Size;

use super::capabilities::believed;
use super::kitty::{MAX_CHUNK_BYTES, chunks};

/// The longest side that is sent, in pixels.
const MAX_SENT_SIDE: u32 = 2048;

/// The sequences that show the picture at its own size, or smaller if the screen has no room for that. `cell` is the
/// width and height of a cell in pixels.
pub fn kitty_at_cursor(image: &RgbImage, screen: Size, cell: (u16, u16)) -> String {
    let (cell_width, cell_height) = believed(cell);
    let room = [screen.width.max(1), screen.height.saturating_sub(1).max(1)];
    let [room_width, room_height] =
        [f64::from(room[0]) * f64::from(cell_width), f64::from(room[1]) * f64::from(cell_height)];
    let (width, height) = (f64::from(image.width()), f64::from(image.height()));
    let most = f64::from(MAX_SENT_SIDE) / width.max(height);
    let scale = (room_width / width).min(room_height / height).min(most).min(1.0);
    let pixels = |side: f64| (side * scale).round().max(1.0) as u32;
    let sent = if scale < 1.0 {
        imageops::resize(image, pixels(width), pixels(height), FilterType::Triangle)
    } else {
        image.clone()
    };
    let cells = |pixels: u32, cell: u16, room: u16| pixels.div_ceil(u32::from(cell)).clamp(1, room.into());
    let (columns, rows) =
        (cells(sent.width(), cell_width, room[0]), cells(sent.height(), cell_height, room[1]));
    let keys = format!("a=T,f=24,q=2,s={},v={},c={columns},r={rows},", sent.width(), sent.height());
    chunks(&keys, &STANDARD.encode(sent.as_raw()), MAX_CHUNK_BYTES).concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_keys(image: (u32, u32), screen: (u16, u16), cell: (u16, u16)) -> String {
        let text = kitty_at_cursor(&RgbImage::new(image.0, image.1), Size::new(screen.0, screen.1), cell);
        text.split_once(',').unwrap().1.split_once(",m=").unwrap().0.to_owned()
    }

    #[test]
    fn a_picture_has_its_own_size_or_what_fits() {
        assert_eq!(first_keys((40, 30), (80, 24), (8, 16)), "f=24,q=2,s=40,v=30,c=5,r=2");
        assert_eq!(first_keys((1280, 320), (80, 24), (8, 16)), "f=24,q=2,s=640,v=160,c=80,r=10");
        assert_eq!(first_keys((100, 736), (80, 24), (8, 16)), "f=24,q=2,s=50,v=368,c=7,r=23");
        assert_eq!(first_keys((40, 30), (0, 0), (0, 9999)), "f=24,q=2,s=2,v=2,c=1,r=1");
        assert_eq!(first_keys((5000, 10), (9999, 9999), (4000, 1)), "f=24,q=2,s=2048,v=4,c=8,r=2");
    }

    #[test]
    fn a_large_picture_comes_in_whole_chunks() {
        let text = kitty_at_cursor(&RgbImage::new(100, 100), Size::new(80, 24), (8, 16));
        let chunks: Vec<&str> = text.split_terminator("\x1b\\").collect();
        assert_eq!(chunks.len(), 40_000_usize.div_ceil(4096));
        let payload: String = chunks.iter().map(|chunk| chunk.split_once(';').unwrap().1).collect();
        assert_eq!(STANDARD.decode(payload).unwrap(), vec![0; 30_000]);
        let ends = |chunk: &str| chunk.split_once(';').unwrap().0.ends_with("m=0");
        assert!(chunks.iter().rev().skip(1).all(|chunk| !ends(chunk)) && ends(chunks.last().unwrap()));
    }
}
