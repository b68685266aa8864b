//! The bars pane, in the place of the curve: the mean activation of every channel of the layer, with the one under the cursor
//! marked.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::widgets::Paragraph;

use super::list::shortened;
use super::run::number;
use super::spots::Spot;
use super::{View, pane};
use crate::dashboard::{ChannelBars, PointedAt, State};

/// The parts of a cell's height that a bar can end at.
const EIGHTHS: usize = 8;

/// The characters that fill so many eighths of a cell from below.
const BLOCKS: [char; EIGHTHS + 1] =
    [' ', '\u{2581}', '\u{2582}', '\u{2583}', '\u{2584}', '\u{2585}', '\u{2586}', '\u{2587}', '\u{2588}'];

/// The channels of a layer in the order in which they are drawn.
struct Ordered<'a> {
    means: &'a [f32],
    /// The numbers of the channels.
    order: Vec<usize>,
    /// The place of the marked channel.
    marked: Option<usize>,
}

impl<'a> Ordered<'a> {
    fn new(means: &'a [f32], bars: ChannelBars, marked: usize) -> Self {
        let mut order: Vec<usize> = (0..means.len()).collect();
        if bars == ChannelBars::Sorted {
            order.sort_by(|&a, &b| means[b].total_cmp(&means[a]));
        }
        let marked = order.iter().position(|channel| *channel == marked);
        Self { means, order, marked }
    }

    /// The channel of each of so many columns, and whether it is the marked one. A column of several channels has the one whose mean
    /// is farthest from 0, or the marked one.
    fn columns(&self, width: usize) -> Vec<Option<(usize, bool)>> {
        let len = self.order.len();
        // Bars with a gap between them, where there is room.
        let wide = (width / len.max(1)).max(1);
        let column = |x: usize| {
            if len <= width {
                let place = x / wide;
                let gap = wide > 2 && x % wide == wide - 1;
                let channel = self.order.get(place).filter(|_| !gap)?;
                return Some((*channel, Some(place) == self.marked));
            }
            let places = x * len / width..(x + 1) * len / width;
            if let Some(marked) = self.marked.filter(|marked| places.contains(marked)) {
                return Some((self.order[marked], true));
            }
            let far = |channel: usize| self.means[channel].abs();
            let channels = self.order[places].iter().copied();
            channels.max_by(|a, b| far(*a).total_cmp(&far(*b))).map(|channel| (channel, false))
        };
        (0..width).map(column).collect()
    }
}

pub(super) fn render(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let title = shortened(&title(state), usize::from(area.width.saturating_sub(4)));
    let block = pane(&title, &view.theme, false);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    inside(frame, state, view, inner);
}

/// The layer with the mean of the channel under the cursor, and its place among all.
fn title(state: &State) -> String {
    let (layer, channel) = (state.layer_name(), state.channel);
    let order = match state.closer.bars {
        ChannelBars::Sorted => "sorted",
        ChannelBars::InOrder | ChannelBars::Hidden => "in order",
    };
    let Some(means) = state.layer_activation().map(|activation| &activation.means) else {
        return format!("mean activations of {layer}");
    };
    let Some(mean) = means.get(channel) else { return format!("mean activations of {layer}, {order}") };
    let rank = 1 + means.iter().filter(|other| **other > *mean).count();
    let value = number((*mean).into());
    format!("mean activation: channel {channel} has {value}, {rank} of {} in {layer}, {order}", means.len())
}

/// Draws the bars without a border, or why there are none.
pub(super) fn inside(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let found = state.examination().map(|known| &known.found);
    let means = match found {
        Some(Ok(activation)) => &activation.means,
        Some(Err(reason)) => {
            frame.render_widget(Paragraph::new(reason.as_str()).style(view.theme.warning), area);
            return;
        }
        None => {
            frame.render_widget(Paragraph::new("measuring").style(view.theme.dim), area);
            return;
        }
    };
    let range = means.iter().fold((0.0_f32, 0.0_f32), |(low, high), mean| (low.min(*mean), high.max(*mean)));
    let labels = [number(range.1.into()), number(range.0.into())];
    let margin = labels.iter().map(String::len).max().unwrap_or_default() as u16 + 1;
    let buffer = frame.buffer_mut();
    let bars =
        Rect { x: area.x + margin, width: area.width.saturating_sub(margin), ..area }.intersection(area);
    if bars.is_empty() {
        return;
    }
    buffer.set_stringn(area.x, area.y, &labels[0], area.width.into(), view.theme.dim);
    if area.height > 1 {
        buffer.set_stringn(area.x, area.bottom() - 1, &labels[1], area.width.into(), view.theme.dim);
    }
    let ordered = Ordered::new(means, state.closer.bars, state.channel);
    for (x, column) in (bars.left()..bars.right()).zip(ordered.columns(bars.width.into())) {
        if let Some((channel, marked)) = column {
            let style = if marked { view.theme.warning } else { view.theme.curve };
            let column = Rect { x, width: 1, ..bars };
            draw_bar(buffer, column, (means[channel], range), (marked, style));
            view.put(column, Spot::At(PointedAt::Draft(channel)));
        }
    }
}

/// Draws a bar from 0 to a mean into a column. That of the marked channel is seen even where it has no height.
fn draw_bar(
    buffer: &mut Buffer,
    column: Rect,
    (mean, (low, high)): (f32, (f32, f32)),
    (marked, style): (bool, Style),
) {
    let eighths = usize::from(column.height) * EIGHTHS;
    let place = |value: f32| {
        let share = f64::from(value - low) / f64::from((high - low).max(f32::MIN_POSITIVE));
        (share * eighths as f64).round() as usize
    };
    let (zero, end) = (place(0.0), place(mean));
    let (from, to) = (zero.min(end), zero.max(end).max(zero.min(end) + usize::from(marked)));
    for row in 0..usize::from(column.height) {
        let bottom = row * EIGHTHS;
        let (first, last) = (from.max(bottom), to.min(bottom + EIGHTHS));
        if first >= last {
            continue;
        }
        let Some(cell) = buffer.cell_mut((column.x, column.bottom() - 1 - row as u16)) else { continue };
        if first > bottom && last == bottom + EIGHTHS {
            // From above: what is left free is drawn, in exchanged colours.
            cell.set_char(BLOCKS[first - bottom]).set_style(style.add_modifier(Modifier::REVERSED));
        } else {
            cell.set_char(BLOCKS[last - first]).set_style(style);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The column as text from above to below.
    fn bar(height: u16, mean: f32, range: (f32, f32), marked: bool) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 1, height));
        draw_bar(&mut buffer, Rect::new(0, 0, 1, height), (mean, range), (marked, Style::default()));
        buffer.content().iter().map(ratatui::buffer::Cell::symbol).collect()
    }

    #[test]
    fn bars_begin_at_zero_and_end_at_their_mean() {
        assert_eq!(bar(2, 8.0, (0.0, 8.0), false), "\u{2588}\u{2588}");
        assert_eq!(bar(2, 6.0, (0.0, 8.0), false), "\u{2584}\u{2588}");
        assert_eq!(bar(2, 0.0, (0.0, 8.0), false), "  ");
        assert_eq!(bar(2, 0.0, (0.0, 8.0), true), " \u{2581}", "the marked one is always there");
        assert_eq!(bar(2, -4.0, (-4.0, 4.0), false), " \u{2588}");
        assert_eq!(bar(2, -2.0, (-4.0, 4.0), false), " \u{2584}", "exchanged: the upper half");
        assert_eq!(bar(1, 0.0, (0.0, 0.0), false), " ", "all of them are 0");
    }

    #[test]
    fn every_channel_has_its_place_sorted_or_in_order() {
        let means = [1.0, 5.0, 3.0];
        let heights = |bars, width| -> Vec<f32> {
            let columns = Ordered::new(&means, bars, 2).columns(width);
            columns.into_iter().map(|column| column.map_or(f32::NAN, |(channel, _)| means[channel])).collect()
        };
        assert_eq!(heights(ChannelBars::InOrder, 3), [1.0, 5.0, 3.0]);
        assert_eq!(heights(ChannelBars::Sorted, 3), [5.0, 3.0, 1.0]);
        assert_eq!(heights(ChannelBars::Sorted, 6), [5.0, 5.0, 3.0, 3.0, 1.0, 1.0]);
        let marked: Vec<bool> = Ordered::new(&means, ChannelBars::Sorted, 2)
            .columns(3)
            .into_iter()
            .map(|column| column.is_some_and(|(_, marked)| marked))
            .collect();
        assert_eq!(marked, [false, true, false]);
    }

    #[test]
    fn where_channels_share_a_column_the_marked_one_is_seen() {
        let means: Vec<f32> = (0..100).map(|channel| channel as f32).collect();
        let columns = Ordered::new(&means, ChannelBars::InOrder, 41).columns(10);
        assert_eq!(columns.len(), 10);
        assert_eq!(columns[4], Some((41, true)));
        assert_eq!(columns[5], Some((59, false)), "the highest of its ten");
    }
}
