//! Marked pictures side by side, as one picture, with a line of text under each.

use std::sync::Arc;

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::graphics::Graphics;
use super::list::shortened_inside;
use super::mosaic::{GridScene, MosaicGrid};
use super::{View, picture};
use crate::dashboard::State;

/// The side of a picture in the picture of all, in pixels, where the terminal takes pixels.
const SENT_SIDE: u32 = 224;

/// The places of so many pictures that are as large as the screen allows.
pub(super) fn grid(screen: Rect, count: usize, graphics: Graphics) -> MosaicGrid {
    let body = MosaicGrid::body(screen);
    let count = u16::try_from(count).unwrap_or(u16::MAX).max(1);
    let sized = |columns: u16| {
        let rows = count.div_ceil(columns);
        let room = Size::new((body.width + 1) / columns, body.height / rows);
        let room = Size::new(room.width.saturating_sub(1).max(1), room.height.saturating_sub(1).max(1));
        (graphics.square(room), (columns, rows))
    };
    let largest =
        (1..=count).map(sized).max_by_key(|(draft, _)| u32::from(draft.width) * u32::from(draft.height));
    let (draft, page) = largest.unwrap_or((Size::new(1, 1), (1, 1)));
    MosaicGrid::with(screen, draft, page)
}

/// The marked pictures that are to stand side by side.
pub(super) fn scene(state: &State, grid: &MosaicGrid) -> GridScene {
    let pictures = state.marks.beside().into_iter().map(|mark| Some(Arc::clone(&mark.picture))).collect();
    GridScene { grid: *grid, side: SENT_SIDE, pictures }
}

pub(super) fn render(frame: &mut Frame, state: &State, view: &View, grid: &MosaicGrid) {
    let key = state.keys.shown("compare");
    let marks = state.marks.beside();
    let text = format!("{} marked pictures side by side; {key} goes back", marks.len());
    frame.render_widget(Paragraph::new(text).style(view.theme.accent), grid.header());
    picture::inside(frame, state, view, grid.area);
    for (index, mark) in marks.into_iter().enumerate() {
        grid.clear_around(index, frame.buffer_mut());
        let area = grid.line(index);
        let text = shortened_inside(&mark.label, area.width.into());
        frame.render_widget(Paragraph::new(Line::from(text)), area);
    }
}
