//! The line at the top: where the cursor is, the settings of the next run, and what computes. As much of it as there is room for.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

use super::View;
use super::list::shortened_inside;
use crate::dashboard::State;

/// The blanks between two parts.
const BETWEEN: &str = "   ";

pub(super) fn render(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let width = usize::from(area.width);
    let place = shortened_inside(&place(state), width);
    let mut room = width.saturating_sub(place.width());
    let mut spans = vec![Span::styled(place, view.theme.accent)];
    for (index, part) in parts(state).into_iter().enumerate() {
        let text = format!("{BETWEEN}{part}");
        if text.width() > room {
            break;
        }
        room -= text.width();
        spans.push(if index == 0 { Span::raw(text) } else { Span::styled(text, view.theme.dim) });
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

/// The network, the layer and the channel under the cursor.
pub(super) fn place(state: &State) -> String {
    let (name, layer, channel) = (&state.network.name, state.layer_name(), state.channel);
    let class = state.class().map_or_else(String::new, |class| format!(" ({class})"));
    format!("{name} > {layer} > channel {channel} of {}{class}", state.channels())
}

/// Everything else, the most important first.
fn parts(state: &State) -> Vec<String> {
    let (settings, network) = (&state.settings, &state.network);
    let threads =
        if network.threads == 1 { "1 thread".into() } else { format!("{} threads", network.threads) };
    let mut parts = vec![
        format!("{}, {} px, seed {}", settings.recipe.name, settings.size, settings.seed),
        format!("{} on {}, {threads}", network.backend, network.device),
    ];
    parts.extend(network.weights.clone());
    parts.push(format!("{} parameters", with_commas(network.parameters)));
    parts
}

/// Writes a number with commas: 1483760 becomes `1,483,760`.
fn with_commas(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
