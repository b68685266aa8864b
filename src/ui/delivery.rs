//! Brings encoded pictures onto the screen, a part with each frame, and knows what of them is there.

use std::ops::Range;

use ratatui::layout::{Position, Rect, Size};

use super::blocks::BlockCell;
use super::color_depth::ColorDepth;
use super::encoded::{Encoded, Form};
use super::kitty_sender::{KittyCells, KittySender};
use super::parts::{hash, push_some};
use super::tiles::PictureTile;

/// About how many bytes a character in two colours costs.
const CELL_BYTES: usize = 40;

/// The picture that is on the screen.
#[derive(Debug)]
pub struct ShownPicture {
    cells: Size,
    content: Content,
    depth: ColorDepth,
}

/// The cells of a picture on the screen.
#[derive(Debug)]
pub(super) enum Content {
    /// Characters in colours, row by row; none where nothing has come yet.
    Blocks(Vec<Option<BlockCell>>),
    /// The cells of kitty's pictures.
    Placeholders(Vec<KittyCells>),
    /// The terminal has painted over the cells, or will.
    Painted,
}

impl ShownPicture {
    /// The whole picture, as if all of it had been sent.
    pub fn whole(picture: Encoded) -> Self {
        let content = match picture.form {
            Form::Blocks(blocks) => Content::Blocks(blocks.into_iter().map(Some).collect()),
            Form::Kitty(pictures) => {
                let cells = (1..).zip(&pictures).map(|(id, picture)| KittyCells::of(picture, id));
                Content::Placeholders(cells.collect())
            }
            Form::Tiles(_) => Content::Painted,
        };
        Self { cells: picture.cells, content, depth: picture.depth }
    }

    /// Columns and rows of the terminal that the picture fills.
    pub fn cells(&self) -> Size {
        self.cells
    }

    pub(super) fn content(&self) -> &Content {
        &self.content
    }

    /// The colours that its characters can have.
    pub(super) fn depth(&self) -> ColorDepth {
        self.depth
    }

    /// Whether the picture is made of characters and colours.
    pub fn is_text(&self) -> bool {
        matches!(self.content, Content::Blocks(_))
    }
}

/// The sequences that go to the terminal beside the cells of a frame.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sequences {
    /// Before the cells: what they refer to.
    pub(super) before: String,
    /// After the cells: what is painted over them.
    pub(super) after: String,
}

impl Sequences {
    /// Adds the sequences of another picture.
    pub(super) fn append(&mut self, other: &Self) {
        self.before.push_str(&other.before);
        self.after.push_str(&other.after);
    }
}

/// The picture on the screen, and the one that is on its way there.
#[derive(Debug)]
pub(super) struct Delivery {
    on_screen: Option<ShownPicture>,
    /// The next picture, and how many of its parts have been sent.
    arriving: Option<(Encoded, usize)>,
    kitty: KittySender,
    /// The tiles that are on the screen: their cells there, and what they were painted with.
    painted: Vec<(Rect, u64)>,
}

impl Delivery {
    /// Nothing yet. Pictures by kitty's protocol are to have these ids.
    pub(super) fn new(kitty_ids: Range<u8>) -> Self {
        Self { on_screen: None, arriving: None, kitty: KittySender::new(kitty_ids), painted: Vec::new() }
    }

    /// Begins to bring a picture; none takes the one on the screen away.
    pub(super) fn begin(&mut self, picture: Option<Encoded>) {
        let Some(picture) = picture else {
            (self.on_screen, self.arriving) = (None, None);
            self.painted.clear();
            return;
        };
        if let Form::Blocks(blocks) = &picture.form
            && self.on_screen.as_ref().is_none_or(|shown| {
                !shown.is_text() || (shown.cells, shown.depth) != (picture.cells, picture.depth)
            })
        {
            let content = Content::Blocks(vec![None; blocks.len()]);
            self.on_screen = Some(ShownPicture { cells: picture.cells, content, depth: picture.depth });
        }
        self.kitty.begin();
        self.arriving = Some((picture, 0));
    }

    /// Whether parts of a picture are still to be sent.
    pub(super) fn is_busy(&self) -> bool {
        self.arriving.is_some()
    }

    /// The picture that is on the screen.
    pub(super) fn on_screen(&self) -> Option<&ShownPicture> {
        self.on_screen.as_ref()
    }

    /// Forgets what was sent: the screen is drawn anew.
    pub(super) fn forget(&mut self) {
        self.arriving = None;
        self.painted.clear();
        if let Some(ShownPicture { content: Content::Placeholders(pictures), .. }) = &mut self.on_screen {
            pictures.iter_mut().for_each(KittyCells::doubt);
        }
    }

    /// Sends parts of about so many bytes, at least one; tiles that are on the screen already are passed over. `origin` is the place of the picture's first cell.
    pub(super) fn advance(&mut self, budget: usize, origin: impl Fn(Size) -> Position) -> Sequences {
        let mut sequences = Sequences::default();
        let Some((picture, sent)) = &mut self.arriving else { return sequences };
        let (cells, depth) = (picture.cells, picture.depth);
        let finished = match &picture.form {
            Form::Blocks(blocks) => {
                if let Some(ShownPicture { content: Content::Blocks(shown), .. }) = &mut self.on_screen {
                    *sent = show_rows(shown, blocks, cells, *sent, budget);
                }
                *sent >= cells.height.into()
            }
            Form::Kitty(pictures) => {
                let (before, mut shown) = match &self.on_screen {
                    Some(ShownPicture { cells, content: Content::Placeholders(shown), .. }) => {
                        (Some(*cells), shown.clone())
                    }
                    _ => (None, Vec::new()),
                };
                let screen = (&mut shown, before != Some(cells));
                let (there, changed) =
                    self.kitty.send(&mut sequences.before, &pictures[*sent..], budget, screen);
                if changed {
                    let content = Content::Placeholders(shown);
                    self.on_screen = Some(ShownPicture { cells, content, depth });
                }
                *sent += there;
                *sent == pictures.len()
            }
            Form::Tiles(tiles) => {
                self.on_screen = Some(ShownPicture { cells, content: Content::Painted, depth });
                *sent +=
                    paint(&mut sequences.after, &mut self.painted, &tiles[*sent..], budget, origin(cells));
                *sent == tiles.len()
            }
        };
        if finished {
            self.arriving = None;
        }
        sequences
    }
}

/// Paints tiles of about so many bytes, and notes that they are on the screen; returns how many.
fn paint(
    text: &mut String,
    painted: &mut Vec<(Rect, u64)>,
    tiles: &[PictureTile],
    budget: usize,
    origin: Position,
) -> usize {
    let place =
        |tile: &PictureTile| Rect { x: origin.x + tile.cells.x, y: origin.y + tile.cells.y, ..tile.cells };
    let parts = tiles.iter().map(|tile| {
        let place = place(tile);
        if painted.contains(&(place, hash(&tile.sequence))) {
            return String::new();
        }
        format!("\x1b[{};{}H{}", place.y + 1, place.x + 1, tile.sequence)
    });
    let count = push_some(text, parts, budget);
    for tile in &tiles[..count] {
        painted.retain(|(area, _)| !area.intersects(place(tile)));
        painted.push((place(tile), hash(&tile.sequence)));
    }
    count
}

/// Shows the next rows, as many as differ in about `budget` bytes; returns how many have been shown.
fn show_rows(
    shown: &mut [Option<BlockCell>],
    blocks: &[BlockCell],
    cells: Size,
    first: usize,
    budget: usize,
) -> usize {
    let (width, mut row, mut bytes) = (usize::from(cells.width), first, 0);
    while row < cells.height.into() && bytes < budget {
        let range = row * width..(row + 1) * width;
        for (shown, new) in shown[range.clone()].iter_mut().zip(&blocks[range]) {
            bytes += if *shown == Some(*new) { 0 } else { CELL_BYTES };
            *shown = Some(*new);
        }
        row += 1;
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(_: Size) -> Position {
        Position::new(10, 5)
    }

    fn block(level: u8) -> BlockCell {
        BlockCell { symbol: 'x', colors: [[level; 3]; 2] }
    }

    fn rows_shown(delivery: &Delivery) -> usize {
        match delivery.on_screen().map(ShownPicture::content) {
            Some(Content::Blocks(cells)) => cells.iter().filter(|cell| cell.is_some()).count() / 10,
            _ => 0,
        }
    }

    #[test]
    fn characters_come_row_by_row_and_equal_ones_at_once() {
        let picture = |level| Encoded {
            cells: Size::new(10, 8),
            form: Form::Blocks(vec![block(level); 80]),
            depth: ColorDepth::True,
        };
        let mut delivery = Delivery::new(17..20);
        delivery.begin(Some(picture(1)));
        assert_eq!(delivery.advance(2 * 10 * CELL_BYTES, origin), Sequences::default());
        assert_eq!((rows_shown(&delivery), delivery.is_busy()), (2, true));
        delivery.advance(1, origin);
        assert_eq!(rows_shown(&delivery), 3);
        delivery.advance(1 << 20, origin);
        assert_eq!((rows_shown(&delivery), delivery.is_busy()), (8, false));
        delivery.begin(Some(picture(1)));
        delivery.advance(1, origin);
        assert!(!delivery.is_busy(), "nothing has changed");
    }

    #[test]
    fn tiles_are_painted_at_their_places() {
        let tile = |x, name: &str| PictureTile { cells: Rect::new(x, 1, 2, 1), sequence: name.into() };
        let form = Form::Tiles(vec![tile(0, "a"), tile(2, "b")]);
        let mut delivery = Delivery::new(17..20);
        delivery.begin(Some(Encoded { cells: Size::new(4, 2), form, depth: ColorDepth::True }));
        assert_eq!(delivery.advance(1, origin).after, "\x1b[7;11Ha");
        assert_eq!(delivery.advance(1, origin).after, "\x1b[7;13Hb");
        assert!(!delivery.is_busy());
    }

    #[test]
    fn tiles_that_are_on_the_screen_are_not_sent_again() {
        let tile = |x, name: &str| PictureTile { cells: Rect::new(x, 1, 2, 1), sequence: name.into() };
        let mut delivery = Delivery::new(17..20);
        let mut sent = |tiles: Vec<PictureTile>, at: Option<u16>| {
            let form = Form::Tiles(tiles);
            if at.is_none() {
                delivery.forget();
            }
            delivery.begin(Some(Encoded { cells: Size::new(6, 2), form, depth: ColorDepth::True }));
            let origin = |_| Position::new(at.unwrap_or(0), 0);
            let after = delivery.advance(1 << 20, origin).after;
            assert!(!delivery.is_busy());
            after
        };
        let row = |middle: &str| vec![tile(0, "a"), tile(2, middle), tile(4, "c")];
        assert_eq!(sent(row("b"), Some(0)).matches('H').count(), 3);
        assert_eq!(sent(row("d"), Some(0)), "\x1b[2;3Hd");
        assert_eq!(sent(row("d"), Some(0)), "");
        // Elsewhere, or after the screen was drawn anew, all of them are.
        assert_eq!(sent(row("d"), Some(10)).matches('H').count(), 3);
        assert_eq!(sent(row("d"), None).matches('H').count(), 3);
        // A larger tile covers what lay under it.
        let large = PictureTile { cells: Rect::new(0, 0, 4, 2), sequence: "e".into() };
        assert_eq!(sent(vec![large], Some(0)), "\x1b[1;1He");
        assert_eq!(sent(row("d"), Some(0)), "\x1b[2;1Ha\x1b[2;3Hd");
    }
}
