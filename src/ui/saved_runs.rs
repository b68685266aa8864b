//! The list of saved runs, over the panes: their names, what was measured of their pictures, their steps and their age.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};
use unicode_width::UnicodeWidthStr;

use super::list::{first_visible, shortened_inside};
use super::run::{OVER_VIEWS, number};
use super::{View, pane};
use crate::dashboard::{Mode, OpenQuestion, State};
use crate::worker::protocol::{SavedRunEntry, SavedRunPresence};

/// The widest list in columns.
const MAX_WIDTH: u16 = 120;

/// Columns of the mark before a name, and of each number with the space before it: three before a heading of several words.
const MARK: usize = 2;
const ACTIVATION: usize = 12;
const VIEWS: usize = 16;
const STEPS: usize = 11;
const AGE: usize = 8;

/// The narrowest list in columns that has room for all numbers.
const WIDE: usize = 76;

/// The line of the list that the cursor is on, if the list is open.
fn cursor(state: &State) -> Option<usize> {
    match &state.mode {
        Mode::Runs(cursor) | Mode::Question(OpenQuestion::Delete { cursor, .. }) => {
            Some((*cursor).min(state.snapshot.runs.len().saturating_sub(1)))
        }
        _ => None,
    }
}

/// Draws the list in the middle of `area`, if it is open.
pub(super) fn render(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let Some(cursor) = cursor(state) else { return };
    let runs = &state.snapshot.runs;
    let title = match runs.len() {
        0 => "saved runs".to_owned(),
        len => format!("saved runs: {} of {len}", cursor + 1),
    };
    let block = pane(&title, &view.theme, true);
    let width = area.width.min(MAX_WIDTH);
    let height = (runs.len().max(1) as u16).saturating_add(3).min(area.height);
    let list = area.centered(Constraint::Length(width), Constraint::Length(height));
    let inner = block.inner(list);
    let (columns, rows) = (usize::from(inner.width), usize::from(inner.height.saturating_sub(1)));
    let mut lines = vec![Line::styled(heading(columns), view.theme.dim)];
    if runs.is_empty() {
        lines.push(Line::styled("  none yet", view.theme.dim));
    }
    let first = first_visible(cursor, runs.len(), rows);
    let shown = runs.iter().enumerate().skip(first).take(rows);
    lines.extend(shown.map(|(index, entry)| line(state, view, entry, index == cursor, columns)));
    frame.render_widget(Clear, list);
    frame.render_widget(Paragraph::new(lines).block(block), list);
}

/// The line under the cursor, for a screen that has no room for the list.
pub(super) fn line_under_cursor<'a>(state: &State) -> Option<Line<'a>> {
    let entry = state.snapshot.runs.get(cursor(state)?)?;
    Some(Line::from(entry.name.clone()))
}

/// The columns of a name in a list that is so wide.
fn name_columns(columns: usize) -> usize {
    let numbers = if columns >= WIDE { ACTIVATION + VIEWS + STEPS } else { ACTIVATION };
    columns.saturating_sub(MARK + numbers + AGE)
}

fn in_columns(name: &str, numbers: [&str; 3], age: &str, columns: usize) -> String {
    let room = name_columns(columns);
    let name = shortened_inside(name, room);
    let blanks = " ".repeat(room.saturating_sub(name.width()));
    let [activation, robust, steps] = numbers;
    if columns >= WIDE {
        format!("{name}{blanks}{activation:>ACTIVATION$}{robust:>VIEWS$}{steps:>STEPS$}{age:>AGE$}")
    } else {
        format!("{name}{blanks}{activation:>ACTIVATION$}{age:>AGE$}")
    }
}

fn heading(columns: usize) -> String {
    format!("{:MARK$}{}", "", in_columns("run", ["activation", OVER_VIEWS, "steps"], "age", columns))
}

fn line<'a>(state: &State, view: &View, entry: &SavedRunEntry, selected: bool, columns: usize) -> Line<'a> {
    let mark = if state.is_on_screen(entry) { "\u{25b8} " } else { "  " };
    let (activation, robust) = match entry.activation {
        _ if entry.dead => ("dead".to_owned(), String::new()),
        Some((clean, robust)) => (number(clean), number(robust)),
        None => ("-".to_owned(), "-".to_owned()),
    };
    let steps = match entry.presence {
        SavedRunPresence::Finished => entry.step.to_string(),
        SavedRunPresence::Stopped | SavedRunPresence::Stateless => format!("{}/{}", entry.step, entry.steps),
        SavedRunPresence::Open => format!("open {}", entry.step),
    };
    let style = match (selected, entry.presence, entry.dead) {
        (true, _, _) => view.theme.cursor,
        (false, SavedRunPresence::Open, _) => view.theme.running,
        (false, _, true) | (false, SavedRunPresence::Stateless, _) => view.theme.dim,
        (false, SavedRunPresence::Finished | SavedRunPresence::Stopped, false) => Style::default(),
    };
    let text = in_columns(&entry.name, [&activation, &robust, &steps], &age(entry.age), columns);
    Line::from(vec![Span::styled(mark, view.theme.running), Span::styled(text, style)])
}

/// An age in the largest unit of which it holds one.
fn age(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "min")];
    let (length, name) = units.into_iter().find(|(length, _)| seconds >= *length).unwrap_or((1, "s"));
    format!("{} {name}", seconds / length)
}
