//! The list of settings, over the panes.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::View;
use super::list::{self, ListStyle};
use crate::dashboard::{Setting, State};

/// Columns of the longest name, with a space after it.
const NAME_WIDTH: usize = 8;

/// Columns of a value. A longer one shows its end, which tells files apart.
const VALUE_WIDTH: usize = 24;

const STYLE: ListStyle = ListStyle { title: "settings of the next run", width: 69, empty: "" };

pub(super) fn render(frame: &mut Frame, state: &State, view: &View, area: Rect, cursor: usize) {
    let line = |(index, setting): (usize, Setting)| {
        let style = if index == cursor { view.theme.cursor } else { Style::default() };
        let value = state.setting(setting);
        let skipped = value.chars().count().saturating_sub(VALUE_WIDTH - 1);
        let mark = if skipped > 0 { "\u{2026}" } else { "" };
        let shown: String = mark.chars().chain(value.chars().skip(skipped)).collect();
        let text = format!(" {:<NAME_WIDTH$}{shown:<VALUE_WIDTH$} ", setting.name());
        Line::from(vec![Span::styled(text, style), Span::styled(setting.hint(), view.theme.dim)])
    };
    let lines = Setting::ALL.into_iter().enumerate().map(line).collect();
    list::render(frame, view, area, &STYLE, cursor, lines);
}
