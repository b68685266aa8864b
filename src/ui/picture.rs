//! The picture pane: the last encoded picture, centred.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Alignment, Constraint, Rect};
use ratatui::style::Color;
use ratatui::widgets::{Paragraph, Widget};
use ratatui_image::Image;

use super::encoder::Encoded;
use super::{View, pane};
use crate::dashboard::State;
use crate::worker::protocol::Status;

pub(super) fn render(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let objective = state.snapshot.run.as_ref().map(|run| run.objective().to_string());
    let block = pane(objective.as_deref().unwrap_or("picture"), &view.theme, false);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    inside(frame, state, view, inner);
}

/// Draws the picture without the border of the pane.
pub(super) fn inside(frame: &mut Frame, state: &State, view: &View, inner: Rect) {
    match view.picture {
        // The terminal itself would draw the picture over the overlay.
        Some(picture) if state.mode.is_overlay() && !picture.is_text() => {}
        Some(picture) => draw(picture, inner, frame.buffer_mut()),
        None => {
            let words = if state.snapshot.status == Status::Loading { "loading the network" } else { "" };
            let middle = inner.centered_vertically(Constraint::Length(1));
            frame.render_widget(
                Paragraph::new(words).style(view.theme.dim).alignment(Alignment::Center),
                middle,
            );
        }
    }
}

/// Puts the cells of the picture into the buffer. A picture that is too large for the area is not drawn.
fn draw(picture: &Encoded, area: Rect, buffer: &mut Buffer) {
    let size = picture.cells();
    if size.width > area.width || size.height > area.height {
        return;
    }
    let area = area.centered(Constraint::Length(size.width), Constraint::Length(size.height));
    Image::new(picture.protocol()).render(area, buffer);
    if let Some(id) = picture.kitty_id() {
        prepare_placeholders(id, &picture.kitty_delete(), area, buffer);
    }
}

/// Sets the colour of kitty's placeholder cells, which carries the id of the picture. A palette index also works in tmux
/// without true colour. The previous picture with this id is deleted first, because some terminals keep it.
fn prepare_placeholders(id: u8, delete: &str, area: Rect, buffer: &mut Buffer) {
    for position in area.positions() {
        if let Some(cell) = buffer.cell_mut(position) {
            cell.set_fg(Color::Indexed(id));
            if cell.symbol().starts_with('\u{1b}') {
                let transmission = format!("{delete}{}", cell.symbol());
                cell.set_symbol(&transmission);
            }
        }
    }
}
