//! The help overlay, which is generated from the keys in use. Its two columns fit the smallest screen that shows all panes.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::spots::Spot;
use super::{View, pane};
use crate::dashboard::{BINDINGS, BoundCommand, KeyMap, PointedAt};

/// The width of a column in cells: a space, the keys and their action.
const COLUMN_WIDTH: usize = 35;

/// The number of pages that the help has on a screen of so many rows.
pub(super) fn pages(rows: u16) -> usize {
    BINDINGS.len().div_ceil(per_page(rows))
}

/// The number of keys on a page, in two columns inside a border.
fn per_page(rows: u16) -> usize {
    (2 * usize::from(rows.saturating_sub(2))).max(2)
}

pub(super) fn render(frame: &mut Frame, view: &View, keys: &KeyMap, area: Rect, page: usize) {
    let (pages, count) = (pages(area.height), per_page(area.height));
    let page = page.min(pages - 1);
    let all = keys.all();
    let shown = &all[page * count..all.len().min((page + 1) * count)];
    let rows = shown.len().div_ceil(2);
    let (left, right) = shown.split_at(rows);
    let beside = right.iter().map(Some).chain(std::iter::repeat(None));
    let lines: Vec<Line> =
        left.iter().zip(beside).map(|(left, right)| line(Some(left), right, view)).collect();
    let title = if page + 1 == pages {
        "keys (any key closes)".to_owned()
    } else {
        format!("keys, page {} of {pages} ({} goes on, any other key closes)", page + 1, keys.shown("help"))
    };
    let (width, height) = (2 * COLUMN_WIDTH + 2, rows + 2);
    let area = area.centered(Constraint::Length(width as u16), Constraint::Length(height as u16));
    view.cover(area, Some(Spot::At(PointedAt::Overlay)));
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).block(pane(&title, &view.theme, true)), area);
}

fn line<'a>(left: Option<&BoundCommand>, right: Option<&BoundCommand>, view: &View) -> Line<'a> {
    let spans = |bound: &BoundCommand| {
        let about = COLUMN_WIDTH - 8;
        [
            Span::styled(format!(" {:<7}", bound.shown), view.theme.accent),
            Span::raw(format!("{:<about$}", bound.binding.about)),
        ]
    };
    left.into_iter().chain(right).flat_map(spans).collect()
}
