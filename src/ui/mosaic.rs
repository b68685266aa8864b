//! The mosaic: the drafts of a page of channels as one picture, with a line of text under each draft.

use std::ops::Range;
use std::sync::Arc;

use image::RgbImage;
use image::imageops::{self, FilterType};
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Alignment, Constraint, Layout, Position, Rect, Size};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::graphics::{Graphics, Protocol};
use super::header::place;
use super::list::shortened;
use super::run::{number, queued};
use super::spots::Spot;
use super::{View, picture};
use crate::dashboard::{PointedAt, Scrolled, State};
use crate::engine::Picture;
use crate::worker::protocol::{DraftView, READABLE_STEPS};

/// Rows of a draft that is made of pixels, and of one that is made of characters, as it is drawn at first.
const DRAFT_ROWS: (u16, u16) = (6, 8);

/// Each enlargement makes drafts this much higher, in halves.
const HALVES: u16 = 3;

/// The most columns of a mosaic: what kitty's placeholders can count is not much more.
const MAX_COLUMNS: u16 = 250;

/// The side of a draft in the picture of a page, in pixels, where the terminal takes pixels.
pub(super) const SENT_SIDE: u32 = 64;

/// The level of a place whose draft has not come yet.
const EMPTY: u8 = 40;

/// The fewest columns of a draft whose line has room for steps.
const STEP_COLUMNS: usize = 16;

/// The places of drafts on the screen.
///
/// ```text
/// minivgg > block5_conv2 > channel 30 of 256
/// [draft] [draft] [draft]
/// 28 7.31 29 dead 30 6.02
/// [draft] [draft] [draft]
/// ...
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MosaicGrid {
    /// The line about the layer and the channel.
    header: Rect,
    /// The drafts with their lines.
    pub(super) area: Rect,
    /// Columns and rows of a draft, without its line.
    pub(super) draft: Size,
    /// The number of drafts in a row, and of rows.
    pub page: (u16, u16),
}

impl MosaicGrid {
    /// Divides what is above the last two lines of the screen. There is room for one draft at least, on any screen that
    /// shows pictures.
    pub fn of(screen: Rect, enlarged: usize, graphics: &Graphics) -> Self {
        let [header, body, _] = Self::rows(screen);
        let first = if graphics.protocol.is_pixels() { DRAFT_ROWS.0 } else { DRAFT_ROWS.1 };
        let rows = (0..enlarged).fold(first, |rows, _| rows * HALVES / 2);
        let width = body.width.min(MAX_COLUMNS);
        let draft = graphics.square(Size::new(width, rows.min(body.height.saturating_sub(1))));
        let draft = Size::new(draft.width.max(1), draft.height.max(1));
        let page = (((width + 1) / (draft.width + 1)).max(1), (body.height / (draft.height + 1)).max(1));
        Self { header, area: Self::area(body, draft, page), draft, page }
    }

    /// So many pictures of this size, each with its line, inside an area that has room for them.
    pub(super) fn inside(area: Rect, draft: Size, page: (u16, u16)) -> Self {
        Self { header: Rect::default(), area: Self::area(area, draft, page), draft, page }
    }

    /// The size of a draft that is as large as at first, in so much room.
    pub(super) fn first_draft(room: Size, graphics: Graphics) -> Size {
        let first = if graphics.protocol.is_pixels() { DRAFT_ROWS.0 } else { DRAFT_ROWS.1 };
        let draft = graphics.square(Size::new(room.width, first.min(room.height.saturating_sub(1))));
        Size::new(draft.width.max(1), draft.height.max(1))
    }

    /// So many pictures of this size, each with its line, on a screen that has room for them.
    pub(super) fn with(screen: Rect, draft: Size, page: (u16, u16)) -> Self {
        let [header, body, _] = Self::rows(screen);
        Self { header, area: Self::area(body, draft, page), draft, page }
    }

    fn area(body: Rect, draft: Size, page: (u16, u16)) -> Rect {
        Rect {
            width: (page.0 * (draft.width + 1) - 1).min(body.width),
            height: (page.1 * (draft.height + 1)).min(body.height),
            ..body
        }
    }

    /// The line at the top of a screen, the cells for pictures, and the last two lines.
    fn rows(screen: Rect) -> [Rect; 3] {
        Layout::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(2)]).areas(screen)
    }

    /// The cells that pictures may fill, with their lines, on a screen.
    pub(super) fn body(screen: Rect) -> Rect {
        let [_, body, _] = Self::rows(screen);
        Rect { width: body.width.min(MAX_COLUMNS), ..body }
    }

    /// The line at the top.
    pub(super) fn header(&self) -> Rect {
        self.header
    }

    /// Empties the cells around a picture of the page, which the picture of all has too, as black.
    pub(super) fn clear_around(&self, index: usize, buffer: &mut Buffer) {
        let (place, area) = (self.place(index), self.line(index));
        let between = |at: &Position| at.y == area.y || at.x == place.x + self.draft.width;
        for position in place.positions().filter(between) {
            if let Some(cell) = buffer.cell_mut(position) {
                cell.reset();
            }
        }
    }

    /// The cells of a draft of the page with the line below it and the column to its right.
    pub(super) fn place(&self, index: usize) -> Rect {
        let (column, row) = (index as u16 % self.page.0, index as u16 / self.page.0);
        let (width, height) = (self.draft.width + 1, self.draft.height + 1);
        Rect { x: self.area.x + column * width, y: self.area.y + row * height, width, height }
            .intersection(self.area)
    }

    /// The cells of the line below a draft of the page.
    pub(super) fn line(&self, index: usize) -> Rect {
        let place = self.place(index);
        let y = place.y + self.draft.height;
        Rect { y, height: 1, width: self.draft.width, ..place }.intersection(self.area)
    }
}

/// The pixels that a cell of the mosaic's picture has in each direction.
fn cell_pixels(protocol: Protocol, draft: Size, side: u32) -> (u32, u32) {
    match protocol {
        Protocol::Halfblocks | Protocol::None => (1, 2),
        Protocol::Quadrants => (2, 2),
        Protocol::Sextants => (2, 3),
        Protocol::Kitty | Protocol::Iterm2 | Protocol::Sixel => {
            (side.div_ceil(draft.width.into()), side.div_ceil(draft.height.into()))
        }
    }
}

/// Pictures in a grid; none where one has not come.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct GridScene {
    pub(super) grid: MosaicGrid,
    /// The side of each in pixels, where the terminal takes pixels.
    pub(super) side: u32,
    pub(super) pictures: Vec<Option<Arc<Picture>>>,
}

/// The drafts of the page, each to be drawn over a row of cells that is left black for its line.
pub(super) fn scene(state: &State, grid: &MosaicGrid) -> GridScene {
    scene_of(state, grid, state.page_channels())
}

/// The drafts of these channels.
pub(super) fn scene_of(state: &State, grid: &MosaicGrid, channels: Range<usize>) -> GridScene {
    let draft = |channel| state.draft(channel).map(|draft| Arc::clone(&draft.picture));
    GridScene { grid: *grid, side: SENT_SIDE, pictures: channels.map(draft).collect() }
}

/// One picture of several, each scaled to its place; a place whose picture has not come is gray, and so is what an oblong picture
/// leaves of its place.
pub(super) fn compose(scene: &GridScene, protocol: Protocol) -> Arc<Picture> {
    let GridScene { grid, side, pictures } = scene;
    let (x, y) = cell_pixels(protocol, grid.draft, *side);
    let pixels = |cells: Size| (u32::from(cells.width) * x, u32::from(cells.height) * y);
    let (width, height) = pixels(grid.area.as_size());
    let draft = pixels(grid.draft);
    let mut page = RgbImage::new(width, height);
    for (index, picture) in (0..).zip(pictures) {
        let (column, row) = (index % u32::from(grid.page.0), index / u32::from(grid.page.0));
        let left = column * (draft.0 + x);
        let top = row * (draft.1 + y);
        let mut place = RgbImage::from_pixel(draft.0, draft.1, image::Rgb([EMPTY; 3]));
        if let Some(image) = picture.as_deref().and_then(image) {
            let longer = image.width().max(image.height());
            let part = |own: u32, room: u32| (own * room).div_ceil(longer).clamp(1, room);
            let (width, height) = (part(image.width(), draft.0), part(image.height(), draft.1));
            let scaled = imageops::resize(&image, width, height, FilterType::Triangle);
            let middle = |room: u32, own: u32| i64::from((room - own) / 2);
            imageops::replace(&mut place, &scaled, middle(draft.0, width), middle(draft.1, height));
        }
        imageops::replace(&mut page, &place, left.into(), top.into());
    }
    Arc::new(Picture { width: width as usize, height: height as usize, rgb: page.into_raw() })
}

fn image(Picture { width, height, rgb }: &Picture) -> Option<RgbImage> {
    let image = RgbImage::from_raw(*width as u32, *height as u32, rgb.clone())?;
    (image.width() * image.height() > 0).then_some(image)
}

/// Whether drafts of the page cannot be recognised yet, so that a coarse picture of them will do.
pub(super) fn is_live(state: &State) -> bool {
    are_live(state, state.page_channels())
}

/// Whether drafts of these channels cannot be recognised yet.
pub(super) fn are_live(state: &State, mut channels: Range<usize>) -> bool {
    let steps = state.sheet().map_or(0, |sheet| sheet.series.settings.steps.min(READABLE_STEPS));
    channels.any(|channel| state.draft(channel).is_none_or(|draft| !is_done(draft, steps)))
}

/// Whether a draft is as good as it gets, or shows nothing.
fn is_done(draft: &DraftView, steps: usize) -> bool {
    draft.dead || draft.step >= steps
}

pub(super) fn render(frame: &mut Frame, state: &State, view: &View, grid: &MosaicGrid) {
    header(frame, state, view, grid.header);
    picture::inside(frame, state, view, grid.area);
    lines(frame, state, view, grid, state.page_channels());
}

/// Draws the lines below the drafts of these channels.
pub(super) fn lines(
    frame: &mut Frame,
    state: &State,
    view: &View,
    grid: &MosaicGrid,
    channels: Range<usize>,
) {
    view.scroll(grid.area, Scrolled::Channels(grid.page.0.into()));
    for (index, channel) in channels.enumerate() {
        view.put(grid.place(index), Spot::At(PointedAt::Draft(channel)));
        grid.clear_around(index, frame.buffer_mut());
        let area = grid.line(index);
        let line = line(state, view, channel, area.width.into());
        frame.render_widget(Paragraph::new(line).alignment(Alignment::Left), area);
    }
}

/// The layer, the channel and the progress of the page, as far as there is room.
fn header(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let place = place(state);
    let queue =
        state.snapshot.queue.as_ref().map_or_else(String::new, |queue| format!("   queue {}", queued(queue)));
    let place = format!("{place}{queue}");
    let mut spans = vec![Span::styled(shortened(&place, area.width.into()), view.theme.accent)];
    if let Some(sheet) = state.sheet() {
        let settings = &sheet.series.settings;
        let page = state.page_channels();
        let done =
            page.clone().filter(|c| state.draft(*c).is_some_and(|draft| is_done(draft, settings.steps)));
        let text = format!(
            "   {} of {} drafts done: {}, seed {}",
            done.count(),
            page.len(),
            settings.recipe.name,
            settings.seed
        );
        if place.chars().count() + text.chars().count() <= area.width.into() {
            spans.push(Span::styled(text, view.theme.dim));
        }
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

/// The channel's number, and what is known of it: that it is dead, or its activation.
fn line<'a>(state: &State, view: &View, channel: usize, width: usize) -> Line<'a> {
    let runs = state.is_running(channel);
    let draft = state.draft(channel);
    let style = match draft {
        _ if channel == state.channel => view.theme.cursor,
        _ if runs => view.theme.running,
        Some(draft) if draft.dead => view.theme.dim,
        Some(_) => Style::default(),
        None => view.theme.dim,
    };
    let steps = state.sheet().map_or(0, |sheet| sheet.series.settings.steps);
    let text = format!("{channel} {}", draft.map_or_else(String::new, |draft| words(draft, steps, width)));
    // The cursor is as wide as the draft.
    Line::styled(format!("{:<width$}", shortened(text.trim_end(), width)), style)
}

fn words(draft: &DraftView, steps: usize, width: usize) -> String {
    if draft.dead {
        let long = "nothing woke it";
        return if width >= STEP_COLUMNS + 4 { long.into() } else { "dead".into() };
    }
    let value = draft.loss.map_or_else(String::new, number);
    if draft.step < steps && width >= STEP_COLUMNS {
        format!("{value} {}/{steps}", draft.step)
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graphics(protocol: Protocol) -> Graphics {
        Graphics { protocol, cell: (8, 16), ..Graphics::assumed(Some(Protocol::None)) }
    }

    fn grid(width: u16, height: u16, enlarged: usize, protocol: Protocol) -> MosaicGrid {
        MosaicGrid::of(Rect::new(0, 0, width, height), enlarged, &graphics(protocol))
    }

    #[test]
    fn a_page_fits_the_screen_and_has_a_draft_on_the_smallest() {
        let kitty = grid(120, 40, 0, Protocol::Kitty);
        assert_eq!((kitty.draft, kitty.page), (Size::new(12, 6), (9, 5)));
        assert_eq!(grid(120, 40, 0, Protocol::Halfblocks).page, (7, 4));
        assert_eq!(grid(120, 40, 2, Protocol::Halfblocks).draft, Size::new(36, 18));
        for (width, height) in [(1, 1), (20, 5), (30, 8), (80, 24), (400, 120), (1000, 500)] {
            for enlarged in 0..3 {
                let grid = grid(width, height, enlarged, Protocol::Kitty);
                assert!(grid.page.0 >= 1 && grid.page.1 >= 1, "{width}x{height}");
                assert!(grid.area.right() <= width && grid.area.bottom() <= height, "{width}x{height}");
            }
        }
    }

    #[test]
    fn each_draft_has_its_line_below_it() {
        let grid = grid(120, 40, 0, Protocol::Kitty);
        assert_eq!(grid.line(0), Rect::new(0, 7, 12, 1));
        assert_eq!(grid.line(1), Rect::new(13, 7, 12, 1));
        assert_eq!(grid.line(9), Rect::new(0, 14, 12, 1));
    }
}
