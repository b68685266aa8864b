//! The strip beside the picture, on screens that are wide enough: drafts of the channels around the cursor.

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::widgets::Block;

use super::graphics::Graphics;
use super::mosaic::{self, MosaicGrid};
use super::panes::Panes;
use super::{View, is_full, pane, picture};
use crate::dashboard::{PaneSizes, Shown, State};

/// The fewest columns that the picture keeps beside the widest strip.
const MIN_PICTURE: u16 = 24;

/// The places of the drafts; none where the picture takes all there is, or where the user wants none.
pub(super) fn grid(screen: Rect, state: &State, graphics: Graphics) -> Option<MosaicGrid> {
    if !is_full(screen) || state.shown != Shown::Panes {
        return None;
    }
    let room = Panes::of(screen, false, state.sizes).picture;
    let (draft, own, most) = columns(room, graphics);
    let columns = own.saturating_add_signed(state.sizes.strip).min(most);
    let width = columns * (draft.width + 1) + 1;
    let strip = Rect { x: room.right().saturating_sub(width), width, ..room };
    let inner = Block::bordered().inner(strip);
    let rows = inner.height / (draft.height + 1);
    (columns > 0 && rows > 0).then(|| MosaicGrid::inside(inner, draft, (columns, rows)))
}

/// The size of a draft, the columns of drafts that the largest picture leaves room for, and the most that there can be.
fn columns(room: Rect, graphics: Graphics) -> (Size, u16, u16) {
    let inner = Block::bordered().inner(room);
    let draft = MosaicGrid::first_draft(inner.as_size(), graphics);
    let fitting = |left: u16| left.saturating_sub(1) / (draft.width + 1);
    let largest = graphics.square(inner.as_size()).width;
    (draft, fitting(inner.width.saturating_sub(largest)), fitting(room.width.saturating_sub(MIN_PICTURE)))
}

/// The user's wish, as far as this screen follows it.
pub(super) fn fitted(screen: Rect, sizes: PaneSizes, graphics: Graphics) -> i16 {
    let (_, own, most) = columns(Panes::of(screen, false, sizes).picture, graphics);
    own.saturating_add_signed(sizes.strip).min(most) as i16 - own as i16
}

/// The columns of the screen that one more column of drafts would take.
pub(super) fn draft_width(screen: Rect, sizes: PaneSizes, graphics: Graphics) -> u16 {
    columns(Panes::of(screen, false, sizes).picture, graphics).0.width + 1
}

pub(super) fn render(frame: &mut Frame, state: &State, view: &View, area: Rect, grid: &MosaicGrid) {
    let channels = state.strip_channels();
    let title = format!("{} to {}", channels.start, channels.end.saturating_sub(1));
    frame.render_widget(pane(&title, &view.theme, false), area);
    if view.thumbnails.is_none() {
        picture::beside(frame, view, grid.area, state.mode.is_overlay());
    }
    mosaic::lines(frame, state, view, grid, channels);
}
