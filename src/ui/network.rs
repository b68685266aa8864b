//! The network pane: the network, its backend, its device and its weights.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::{View, pane};
use crate::dashboard::State;

pub(super) fn render(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let network = &state.network;
    let weights = network.weights.as_deref().unwrap_or("its own weights");
    let threads =
        if network.threads == 1 { "1 thread".into() } else { format!("{} threads", network.threads) };
    let lines = vec![
        Line::from(format!("{} parameters", with_commas(network.parameters))),
        Line::from(format!("{} on {}, {threads}", network.backend, network.device)),
        Line::styled(weights.to_owned(), view.theme.dim),
    ];
    frame.render_widget(Paragraph::new(lines).block(pane(&network.name, &view.theme, false)), area);
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
