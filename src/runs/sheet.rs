//! Contact sheets: many pictures on one, in a grid, each over its label. Not here: making or choosing them.

use std::path::Path;

use image::imageops::{self, FilterType};
use image::{ImageBuffer, Rgb, RgbImage};

use super::error::Result;
use super::label::Text;
use super::picture_format::write_plain;
use crate::engine::Picture;

/// The longest side of a sheet, in pixels: every image viewer opens that, and it takes 50 MB in memory.
const MAX_SHEET_SIDE: usize = 4096;

/// The width of the narrowest cell, in pixels, where the sheet has room for it: enough for a short label.
const MIN_CELL_WIDTH: usize = 96;

/// The side of the smallest picture, in pixels: on a smaller one nothing can be seen, so a sheet of thousands is longer.
const MIN_PICTURE_SIDE: usize = 32;

/// The number of characters of the longest label that a cell has room for, where it can: the text is as large as that
/// allows.
const LABEL_CHARACTERS: std::ops::RangeInclusive<usize> = 16..=28;

/// The colour between the pictures: dark and without a hue, so that it changes no colour beside it.
const BACKGROUND: Rgb<u8> = Rgb([24, 24, 24]);

/// The colour of the labels: less than white, which would outshine the pictures.
const INK: Rgb<u8> = Rgb([208, 208, 208]);

/// A picture of a contact sheet and the label under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Any size; all pictures of a sheet are scaled alike.
    pub picture: Picture,
    /// One line, shortened in the middle where it is too long.
    pub label: String,
}

/// The cells row by row, in as many `columns` as asked for, or else in a grid that is near a square. Small pictures
/// are magnified and large sheets made smaller. Of no cells there is a sheet too: a bit of background.
pub fn contact_sheet(cells: &[Cell], columns: Option<usize>) -> Picture {
    let layout = SheetLayout::of(cells, columns);
    let (width, height) = layout.size();
    let mut canvas = RgbImage::from_pixel(width as u32, height as u32, BACKGROUND);
    for (index, cell) in cells.iter().enumerate() {
        let (x, y) = layout.corner(index);
        layout.draw_picture(&mut canvas, &cell.picture, (x, y));
        layout.text.draw(&mut canvas, &cell.label, (x, y + layout.height), layout.width, INK);
    }
    Picture { width, height, rgb: canvas.into_raw() }
}

/// Writes a sheet in the format of its name, whole or not at all. It carries no text: its pictures have many origins.
pub fn write_sheet(path: &Path, sheet: &Picture) -> Result<()> {
    write_plain(path, sheet)
}

/// The places of everything on a sheet, in pixels.
#[derive(Debug)]
struct SheetLayout {
    columns: usize,
    rows: usize,
    text: Text,
    /// The scale of every picture. Above 1 it is whole.
    scale: f64,
    /// Columns of a cell, in pixels.
    width: usize,
    /// Rows of a cell above its label, in pixels.
    height: usize,
}

impl SheetLayout {
    fn of(cells: &[Cell], columns: Option<usize>) -> Self {
        let square = (cells.len() as f64).sqrt().ceil() as usize;
        let columns = columns.unwrap_or(square).clamp(1, cells.len().max(1));
        let rows = cells.len().div_ceil(columns);
        let sizes = cells.iter().filter_map(|cell| view(&cell.picture)).map(|view| view.dimensions());
        let largest = sizes.fold((1, 1), |(w, h), (width, height)| (w.max(width), h.max(height)));
        let largest = (largest.0 as usize, largest.1 as usize);
        let label = cells.iter().map(|cell| cell.label.chars().count()).max().unwrap_or(0);
        let label = label.clamp(*LABEL_CHARACTERS.start(), *LABEL_CHARACTERS.end());
        let [small, larger @ ..] = Text::SIZES;
        let mut layouts = larger.into_iter().rev().map(|text| Self::fit(columns, rows, text, largest));
        let roomy = layouts.find(|layout| layout.width >= layout.text.width(label));
        roomy.unwrap_or_else(|| Self::fit(columns, rows, small, largest))
    }

    /// As large as `MAX_SHEET_SIDE` allows, for pictures of at most `largest`.
    fn fit(columns: usize, rows: usize, text: Text, largest: (usize, usize)) -> Self {
        let mut layout = Self { columns, rows, text, scale: 1.0, width: 0, height: 0 };
        let (edge_x, edge_y) = layout.size();
        let room_x = MAX_SHEET_SIDE.saturating_sub(edge_x) / columns;
        let room_y = MAX_SHEET_SIDE.saturating_sub(edge_y) / rows.max(1);
        let room = f64::min(room_x as f64 / largest.0 as f64, room_y as f64 / largest.1 as f64);
        let longer = largest.0.max(largest.1);
        layout.scale = if room >= 1.0 {
            room.floor().min(MIN_CELL_WIDTH.div_ceil(longer) as f64)
        } else {
            room.max(MIN_PICTURE_SIDE as f64 / longer as f64).min(1.0)
        };
        layout.width = layout.scaled(largest.0).max(MIN_CELL_WIDTH.min(room_x));
        layout.height = layout.scaled(largest.1);
        layout
    }

    fn gutter(&self) -> usize {
        self.text.line() / 2
    }

    fn scaled(&self, side: usize) -> usize {
        ((side as f64 * self.scale).round() as usize).max(1)
    }

    fn size(&self) -> (usize, usize) {
        // No cell is there, but a gutter is behind the last.
        self.corner_of(self.columns, self.rows)
    }

    /// The upper left corner of the cell of that index.
    fn corner(&self, index: usize) -> (usize, usize) {
        self.corner_of(index % self.columns, index / self.columns)
    }

    fn corner_of(&self, column: usize, row: usize) -> (usize, usize) {
        let gutter = self.gutter();
        let (right, down) = (self.width + gutter, self.height + self.text.line() + gutter);
        (gutter + column * right, gutter + row * down)
    }

    /// In the middle of its cell.
    fn draw_picture(&self, canvas: &mut RgbImage, picture: &Picture, (x, y): (usize, usize)) {
        let Some(view) = view(picture) else { return };
        let (width, height) = (self.scaled(picture.width), self.scaled(picture.height));
        let filter = if self.scale > 1.0 { FilterType::Nearest } else { FilterType::Triangle };
        let scaled = imageops::resize(&view, width as u32, height as u32, filter);
        let left = x + (self.width - width) / 2;
        let top = y + (self.height - height) / 2;
        imageops::replace(canvas, &scaled, left as i64, top as i64);
    }
}

/// The picture without a copy of its pixels; none if it has none, or not as many as its size says.
fn view(picture: &Picture) -> Option<ImageBuffer<Rgb<u8>, &[u8]>> {
    let side = |side| u32::try_from(side).ok().filter(|&side| side > 0);
    ImageBuffer::from_raw(side(picture.width)?, side(picture.height)?, &picture.rgb)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: [u8; 3] = [255, 0, 0];

    fn cell(width: usize, height: usize, label: &str) -> Cell {
        let picture = Picture { width, height, rgb: RED.repeat(width * height) };
        Cell { picture, label: label.into() }
    }

    fn cells(count: usize, side: usize) -> Vec<Cell> {
        (0..count).map(|i| cell(side, side, &format!("channel {i}"))).collect()
    }

    /// Columns and rows between the first and the last pixel for which `is` holds, in a part of the sheet.
    fn extent(
        sheet: &Picture,
        (x, y): (usize, usize),
        (width, height): (usize, usize),
        is: fn([u8; 3]) -> bool,
    ) -> Option<(usize, usize, usize, usize)> {
        let at = |x: usize, y: usize| [0, 1, 2].map(|c| sheet.rgb[3 * (y * sheet.width + x) + c]);
        let inside = (y..y + height).flat_map(|y| (x..x + width).map(move |x| (x, y)));
        inside.filter(|&(x, y)| is(at(x, y))).fold(None, |found, (x, y)| {
            let (left, top, right, bottom) = found.unwrap_or((x, y, x, y));
            Some((left.min(x), top.min(y), right.max(x), bottom.max(y)))
        })
    }

    fn red(pixel: [u8; 3]) -> bool {
        pixel == RED
    }

    fn ink(pixel: [u8; 3]) -> bool {
        pixel[0] > 150 && pixel[1] > 150
    }

    #[test]
    fn the_grid_is_near_a_square_or_as_wide_as_asked_for() {
        let of = |count, columns| {
            let layout = SheetLayout::of(&cells(count, 224), columns);
            (layout.columns, layout.rows)
        };
        assert_eq!([of(1, None), of(9, None), of(10, None)], [(1, 1), (3, 3), (4, 3)]);
        assert_eq!([of(10, Some(5)), of(10, Some(0)), of(10, Some(99))], [(5, 2), (1, 10), (10, 1)]);
        let sheet = contact_sheet(&cells(10, 224), None);
        assert!((950..1000).contains(&sheet.width) && (750..850).contains(&sheet.height), "{sheet:?}");
    }

    #[test]
    fn a_label_stands_under_its_picture_and_nowhere_else() {
        let mut cells = cells(4, 100);
        for index in [0, 1, 3] {
            cells[index].label.clear();
        }
        let sheet = contact_sheet(&cells, None);
        let all = (sheet.width, sheet.height);
        let (left, top, right, bottom) = extent(&sheet, (0, 0), all, ink).unwrap();
        let below = extent(&sheet, (0, sheet.height / 2), (sheet.width / 2, sheet.height / 2), red).unwrap();
        assert!(left > below.0 && right < below.2, "{left} to {right} under {below:?}");
        assert!(top > below.3 && bottom < sheet.height, "{top} to {bottom} under {below:?}");
        assert!(right - left > 50, "the label is {} pixels wide", right - left);
    }

    #[test]
    fn a_long_label_stays_in_its_cell() {
        let long = "a label that is far longer than its cell is wide";
        let sheet = contact_sheet(&[cell(100, 100, ""), cell(100, 100, long), cell(100, 100, "")], Some(3));
        let (left, _, right, _) = extent(&sheet, (0, 0), (sheet.width, sheet.height), ink).unwrap();
        let (from, to) = (sheet.width / 3, 2 * sheet.width / 3);
        assert!(left >= from && right < to, "{left} to {right} of {from} to {to}");
        assert!(right - left > 80, "{left} to {right}: the cell is not used");
    }

    #[test]
    fn pictures_of_several_sizes_are_centred() {
        let sheet = contact_sheet(&[cell(200, 200, ""), cell(100, 50, "")], Some(2));
        let half = sheet.width / 2;
        let large = extent(&sheet, (0, 0), (half, sheet.height), red).unwrap();
        let small = extent(&sheet, (half, 0), (half, sheet.height), red).unwrap();
        assert_eq!((large.2 - large.0, large.3 - large.1), (199, 199));
        assert_eq!((small.2 - small.0, small.3 - small.1), (99, 49));
        assert_eq!(small.1 + small.3, large.1 + large.3);
        assert_eq!(
            small.0,
            2 * large.0 + 200 + 50,
            "a gutter, a cell, a gutter and half of what is left of a cell"
        );
    }

    #[test]
    fn tiny_pictures_are_magnified_by_a_whole_factor() {
        let sheet = contact_sheet(&cells(1, 16), None);
        let (left, top, right, bottom) = extent(&sheet, (0, 0), (sheet.width, sheet.height), red).unwrap();
        assert_eq!((right - left + 1, bottom - top + 1), (96, 96));
        // Two of its pixels, side by side, stay sharp.
        let two = Cell {
            picture: Picture { width: 2, height: 1, rgb: vec![255, 0, 0, 0, 0, 255] },
            label: String::new(),
        };
        let sheet = contact_sheet(&[two], None);
        let mixed = |pixel: [u8; 3]| pixel[0] > 30 && pixel[2] > 30;
        assert_eq!(extent(&sheet, (0, 0), (sheet.width, sheet.height), mixed), None);
    }

    #[test]
    fn a_large_sheet_stays_small_enough_to_be_opened() {
        let (width, height) = SheetLayout::of(&cells(512, 224), None).size();
        assert!(width.max(height) <= MAX_SHEET_SIDE, "{width} by {height}");
        assert!(width.max(height) > MAX_SHEET_SIDE * 9 / 10, "{width} by {height}");
        let (width, height) = SheetLayout::of(&cells(1, 5000), None).size();
        assert!(width.max(height) <= MAX_SHEET_SIDE, "{width} by {height}");
        // In one column there is no room for that many: the pictures can still be seen.
        let layout = SheetLayout::of(&cells(512, 64), Some(1));
        assert_eq!((layout.height, layout.width), (MIN_PICTURE_SIDE, MIN_CELL_WIDTH));
    }

    #[test]
    fn of_nothing_there_is_a_sheet_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sheet.png");
        let sheet = contact_sheet(&[], None);
        write_sheet(&path, &sheet).unwrap();
        assert_eq!(crate::runs::read_picture(&path).unwrap(), sheet);
        let other = folder.path().join("sheet.webp");
        write_sheet(&other, &sheet).unwrap();
        assert!(std::fs::read(&other).unwrap().starts_with(b"RIFF"));
        let wrong = Picture { width: 5, ..sheet };
        assert!(write_sheet(&path, &wrong).is_err());
    }

    #[test]
    fn a_picture_that_lies_about_its_size_leaves_its_place_empty() {
        let broken =
            |width, height| Cell { picture: Picture { width, height, rgb: vec![9; 30] }, label: "x".into() };
        let odd = [
            broken(0, 0),
            broken(usize::MAX, 2),
            broken(100, 100),
            cell(1, 4000, "tall"),
            cell(224, 224, "ok"),
        ];
        let sheet = contact_sheet(&odd, None);
        assert!(extent(&sheet, (0, 0), (sheet.width, sheet.height), red).is_some());
    }
}
