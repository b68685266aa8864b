//! The channel pane: the channels around the cursor. Those whose activation is known have the colour of it, on a ramp up to the
//! highest of the layer; dead ones are struck out.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::list::{first_visible, shortened};
use super::spots::Spot;
use super::{View, pane};
use crate::dashboard::{Pane, PointedAt, Scrolled, State};

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
    let title = shortened(&title, usize::from(area.width.saturating_sub(4)));
    let block = pane(&title, &view.theme, state.pane == Pane::Channels);
    let inner = block.inner(area);
    let height = usize::from(inner.height);
    let row = in_a_row(area);
    let rows = count.div_ceil(row);
    let first = first_visible(view.first_lines.channels, state.channel / row, rows, height);
    view.spots.borrow_mut().first_lines_mut().channels = Some(first);
    let highest = state.highest_activation();
    let lines: Vec<Line> = (first..rows.min(first + height))
        .map(|line| {
            let channels = line * row..count.min((line + 1) * row);
            channels.flat_map(|channel| cell(state, view, highest, channel)).collect()
        })
        .collect();
    view.put(area, Spot::At(PointedAt::Pane(Pane::Channels)));
    view.scroll(area, Scrolled::Channels(row));
    for (line, y) in (first..rows).zip(inner.top()..inner.bottom()) {
        let channels = line * row..count.min((line + 1) * row);
        for (x, channel) in (inner.x..inner.right()).step_by(COLUMNS_PER_CHANNEL).zip(channels) {
            let width = COLUMNS_PER_CHANNEL as u16 - 1;
            let number = Rect { x, y, width, height: 1 }.intersection(inner);
            view.put(number, Spot::At(PointedAt::Channel(channel)));
        }
    }
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn cell<'a>(state: &State, view: &View, highest: f64, channel: usize) -> [Span<'a>; 2] {
    let style = match state.activation(channel) {
        _ if channel == state.channel => view.theme.cursor,
        _ if state.is_running(channel) => view.theme.running,
        _ if state.is_dead(channel) => view.theme.dim.add_modifier(Modifier::CROSSED_OUT),
        Some(activation) => view.theme.ramp(activation / highest),
        None => Style::default(),
    };
    [Span::styled(format!("{channel:>4}"), style), Span::raw(" ")]
}
