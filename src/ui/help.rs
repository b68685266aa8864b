//! The help overlay, made from the key table.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::{View, pane};
use crate::app::BINDINGS;

pub(super) fn render(frame: &mut Frame, view: &View, area: Rect) {
    let lines: Vec<Line> = BINDINGS
        .iter()
        .map(|binding| {
            Line::from(vec![
                Span::styled(format!(" {:<7}", binding.shown), view.theme.accent),
                Span::raw(binding.about),
            ])
        })
        .collect();
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX).min(area.height);
    let area = area.centered(Constraint::Length(62.min(area.width)), Constraint::Length(height));
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).block(pane("keys (any key closes)", &view.theme, true)), area);
}
