//! Draws a list with a cursor over the panes. The caller makes the lines.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Clear, Paragraph};
use unicode_width::UnicodeWidthStr;

use super::{View, pane};

/// The title of a list, the width of its lines in columns, and the text of an empty list.
pub(super) struct ListStyle {
    pub(super) title: &'static str,
    pub(super) width: u16,
    pub(super) empty: &'static str,
}

/// The first visible line: `held` if the cursor is visible then, or else the one that has the cursor in the middle, if not all
/// lines fit.
pub(super) fn first_visible(held: Option<usize>, cursor: usize, len: usize, height: usize) -> usize {
    if let Some(first) = held.filter(|first| (*first..first + height).contains(&cursor)) {
        return first.min(len.saturating_sub(height));
    }
    cursor.saturating_sub(height / 2).min(len.saturating_sub(height))
}

/// The text, or as much of it as fits into so many columns with an ellipsis.
pub(super) fn shortened(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    text.chars().take(columns.saturating_sub(1)).chain(['\u{2026}']).collect()
}

/// The text, or as much of its two ends as fits into so many columns: the ends of names are what tells them apart.
pub(super) fn shortened_inside(text: &str, columns: usize) -> String {
    let count = text.chars().count();
    if count <= columns {
        return text.to_owned();
    }
    let kept = columns.saturating_sub(1);
    let (head, tail) = (kept / 3, kept - kept / 3);
    text.chars().take(head).chain(['\u{2026}']).chain(text.chars().skip(count - tail)).take(columns).collect()
}

/// A text in lines of so many columns; a longer word has a line of its own.
pub(super) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    filled(text.split_whitespace(), columns)
}

/// Words in lines of so many columns, a blank between them.
pub(super) fn filled<'a>(words: impl Iterator<Item = &'a str>, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.into()),
        }
    }
    lines
}

/// Draws the lines that fit into `area`, always with the one under the cursor.
pub(super) fn render(
    frame: &mut Frame,
    view: &View,
    area: Rect,
    style: &ListStyle,
    cursor: usize,
    mut lines: Vec<Line>,
) {
    let block = pane(style.title, &view.theme, true);
    let count = lines.len();
    let rows = count.max(1) as u16;
    let area =
        area.centered(Constraint::Length(style.width + 2), Constraint::Length((rows + 2).min(area.height)));
    let height = usize::from(block.inner(area).height);
    let first = view.first_of_open(cursor, lines.len(), height);
    if lines.is_empty() {
        lines.push(Line::styled(style.empty, view.theme.dim));
    }
    view.cover_with_lines(area, block.inner(area), first..count);
    let shown: Vec<Line> = lines.into_iter().skip(first).take(height).collect();
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(shown).block(block), area);
}
