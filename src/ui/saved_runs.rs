//! The list of saved runs, over the panes: their names, what was measured of their pictures, their steps and their age, and beside it
//! the pictures of those around the cursor.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};
use unicode_width::UnicodeWidthStr;

use super::graphics::Graphics;
use super::list::shortened_inside;
use super::mosaic::{GridScene, MosaicGrid, SENT_SIDE};
use super::run::{OVER_VIEWS, number};
use super::spots::Spot;
use super::{View, pane, picture};
use crate::dashboard::{PointedAt, State};
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

/// The narrowest list that has pictures beside it: the numbers keep their room.
const WITH_PICTURES: u16 = 100;

/// The fewest pictures beside a list of that many runs, where the screen is high enough.
const MIN_PICTURES: u16 = 3;

/// The places of the pictures of runs, beside the list above the last two lines of a screen; none if it is not open, or where it has
/// no room for them.
pub(super) fn grid(screen: Rect, state: &State, graphics: Graphics) -> Option<MosaicGrid> {
    state.run_cursor()?;
    let above = Rect { height: screen.height.saturating_sub(2), ..screen };
    let len = state.snapshot.runs.len() as u16;
    let draft = MosaicGrid::first_draft(above.as_size(), graphics);
    let inner = Block::bordered().inner(place(above, len, Some(draft.height)));
    let rows = (inner.height.saturating_sub(1) / (draft.height + 1)).min(len);
    let left = inner.right().saturating_sub(draft.width);
    let area = Rect { x: left, y: inner.y + 1, width: draft.width, height: inner.height.saturating_sub(1) };
    (above.width >= WITH_PICTURES && rows > 0).then(|| MosaicGrid::inside(area, draft, (1, rows)))
}

/// The pictures of the runs around the cursor.
pub(super) fn scene(state: &State, grid: &MosaicGrid) -> GridScene {
    let runs = &state.snapshot.runs[state.runs_in_pictures()];
    let pictures = runs.iter().map(|entry| state.run_pictures.picture(&entry.name).cloned()).collect();
    GridScene { grid: *grid, side: SENT_SIDE, pictures }
}

/// The list of so many runs in the middle of `area`, high enough for some pictures of so many rows.
fn place(area: Rect, len: u16, picture: Option<u16>) -> Rect {
    let least = picture.map_or(0, |rows| len.clamp(1, MIN_PICTURES) * (rows + 1) + 3);
    let height = len.max(1).saturating_add(3).max(least).min(area.height);
    area.centered(Constraint::Length(area.width.min(MAX_WIDTH)), Constraint::Length(height))
}

/// Draws the list in the middle of `area`, if it is open.
pub(super) fn render(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let Some(cursor) = state.run_cursor() else { return };
    let runs = &state.snapshot.runs;
    let title = match runs.len() {
        0 => "saved runs".to_owned(),
        len => format!("saved runs: {} of {len}", cursor + 1),
    };
    let block = pane(&title, &view.theme, true);
    let list = place(area, runs.len() as u16, view.thumbnails.map(|grid| grid.draft.height));
    let inner = block.inner(list);
    let beside = view.thumbnails.map_or(0, |grid| grid.area.width + 1);
    let (columns, rows) =
        (usize::from(inner.width.saturating_sub(beside)), usize::from(inner.height.saturating_sub(1)));
    let mut lines = vec![Line::styled(heading(columns), view.theme.dim)];
    if runs.is_empty() {
        lines.push(Line::styled("  none yet", view.theme.dim));
    }
    let first = view.first_of_open(cursor, runs.len(), rows);
    let shown = runs.iter().enumerate().skip(first).take(rows);
    lines.extend(shown.map(|(index, entry)| line(state, view, entry, index == cursor, columns)));
    let named = Rect { y: inner.y + 1, width: columns as u16, height: rows as u16, ..inner };
    view.cover_with_lines(list, named, first..runs.len());
    frame.render_widget(Clear, list);
    frame.render_widget(Paragraph::new(lines).block(block), list);
    if let Some(grid) = &view.thumbnails {
        pictures(frame, state, view, grid, cursor);
    }
}

/// Draws the pictures of the runs around the cursor, each with the end of its name below.
fn pictures(frame: &mut Frame, state: &State, view: &View, grid: &MosaicGrid, cursor: usize) {
    picture::beside(frame, view, grid.area, false);
    for (place, index) in state.runs_in_pictures().enumerate() {
        grid.clear_around(place, frame.buffer_mut());
        let Some(entry) = state.snapshot.runs.get(index) else { continue };
        view.put(grid.place(place), Spot::At(PointedAt::Line(index)));
        let area = grid.line(place);
        let columns = usize::from(area.width);
        let style = if index == cursor { view.theme.cursor } else { view.theme.dim };
        let name = format!("{:<columns$}", shortened_inside(&entry.name, columns));
        frame.render_widget(Paragraph::new(Line::styled(name, style)), area);
    }
}

/// The line under the cursor, for a screen that has no room for the list.
pub(super) fn line_under_cursor<'a>(state: &State) -> Option<Line<'a>> {
    let entry = state.snapshot.runs.get(state.run_cursor()?)?;
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
