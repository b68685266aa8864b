//! The list of marked pictures, over the panes.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::list::shortened_inside;
use super::{View, pane};
use crate::dashboard::{Mode, State};

/// The widest list in columns.
const MAX_WIDTH: u16 = 90;

/// Draws the list in the middle of `area`, if it is open.
pub(super) fn render(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let Mode::Marks(cursor) = state.mode else { return };
    let marks = state.marks.all();
    let block = pane("marked pictures", &view.theme, true);
    let height = (marks.len().max(1) as u16).saturating_add(2).min(area.height);
    let list = area.centered(Constraint::Length(area.width.min(MAX_WIDTH)), Constraint::Length(height));
    let inner = block.inner(list);
    let (columns, rows) = (usize::from(inner.width), usize::from(inner.height));
    let first = view.first_of_open(cursor, marks.len(), rows);
    let line = |(index, mark): (usize, &crate::dashboard::Mark)| {
        let (sign, style) = (if mark.chosen { "\u{2713} " } else { "  " }, Style::default());
        let style = if index == cursor { view.theme.cursor } else { style };
        let text = shortened_inside(&mark.label, columns.saturating_sub(2));
        Line::from(vec![Span::styled(sign, view.theme.running), Span::styled(text, style)])
    };
    let mut lines: Vec<Line> = marks.iter().enumerate().skip(first).take(rows).map(line).collect();
    if lines.is_empty() {
        lines.push(Line::styled("  none yet", view.theme.dim));
    }
    view.cover_with_lines(list, inner, first..marks.len());
    frame.render_widget(Clear, list);
    frame.render_widget(Paragraph::new(lines).block(block), list);
}
