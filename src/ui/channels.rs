//! The channel pane: the numbers around the cursor, with those that were climbed in this session marked.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::{View, pane};
use crate::app::{Pane, State};
use crate::engine::Objective;

/// Columns of a number with the space behind it.
const CELL: usize = 5;

/// How many numbers fit beside each other.
pub(super) fn in_a_row(area: Rect) -> usize {
    (usize::from(Block::bordered().inner(area).width) / CELL).max(1)
}

pub(super) fn render(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let count = state.channels();
    let title = match state.class() {
        Some(class) => format!("{}: {class}", state.channel),
        None => format!("channel {} of {count}", state.channel),
    };
    let block = pane(&title, &view.theme, state.pane == Pane::Channels);
    let height = usize::from(block.inner(area).height);
    let row = in_a_row(area);
    let rows = count.div_ceil(row);
    let first = (state.channel / row).saturating_sub(height / 2).min(rows.saturating_sub(height));
    let lines: Vec<Line> = (first..rows.min(first + height))
        .map(|line| {
            (line * row..count.min((line + 1) * row)).flat_map(|channel| cell(state, view, channel)).collect()
        })
        .collect();
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn cell<'a>(state: &State, view: &View, channel: usize) -> [Span<'a>; 2] {
    let layer = state.layer_name();
    let climbing = state.snapshot.run.as_ref().is_some_and(|run| {
        matches!(run.objective(), Objective::Channel { layer: l, channel: c } if *l == layer && *c == channel)
    });
    let style = if channel == state.channel {
        view.theme.cursor
    } else if climbing {
        view.theme.running
    } else if state.climbed.contains_key(&(layer, channel)) {
        view.theme.accent
    } else {
        Style::default()
    };
    [Span::styled(format!("{channel:>4}"), style), Span::raw(" ")]
}
