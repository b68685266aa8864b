//! A list over the panes, with a cursor. What its lines say is the list's own.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Clear, Paragraph};

use super::layers::first_visible;
use super::{View, pane};

/// What a list is called, how wide its lines are, and what stands there while it is empty.
pub(super) struct Look {
    pub(super) title: &'static str,
    pub(super) width: u16,
    pub(super) empty: &'static str,
}

/// Draws as many lines as `area` has room for, the one under the cursor among them.
pub(super) fn render(
    frame: &mut Frame,
    view: &View,
    area: Rect,
    look: &Look,
    cursor: usize,
    mut lines: Vec<Line>,
) {
    let block = pane(look.title, &view.theme, true);
    let rows = lines.len().max(1) as u16;
    let area =
        area.centered(Constraint::Length(look.width + 2), Constraint::Length((rows + 2).min(area.height)));
    let height = usize::from(block.inner(area).height);
    let first = first_visible(cursor, lines.len(), height);
    if lines.is_empty() {
        lines.push(Line::styled(look.empty, view.theme.dim));
    }
    let shown: Vec<Line> = lines.into_iter().skip(first).take(height).collect();
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(shown).block(block), area);
}
