//! The channel pane: the channels around the cursor. The channels that were maximised in this session are marked.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::{View, pane};
use crate::dashboard::{Pane, State};

/// The columns of a channel's number with the space after it.
const COLUMNS_PER_CHANNEL: usize = 5;

/// The number of channels in a row.
pub(super) fn in_a_row(area: Rect) -> usize {
    (usize::from(Block::bordered().inner(area).width) / COLUMNS_PER_CHANNEL).max(1)
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
    let style = if channel == state.channel {
        view.theme.cursor
    } else if state.is_running(channel) {
        view.theme.running
    } else if state.maximised.contains_key(&(state.layer_name(), channel)) {
        view.theme.accent
    } else {
        Style::default()
    };
    [Span::styled(format!("{channel:>4}"), style), Span::raw(" ")]
}
