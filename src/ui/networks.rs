//! The list of networks, over the panes: what there is, where it would come from, and who judges.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::layers::first_visible;
use super::{View, pane};
use crate::app::{NetworkEntry, State, Supply};

/// The cells of a line.
const WIDTH: u16 = 69;

/// `area` is what the list may cover: the message line says how to get a network, and stays in sight.
pub(super) fn render(frame: &mut Frame, state: &State, view: &View, area: Rect, cursor: usize) {
    let networks = &state.snapshot.networks;
    let block = pane("networks", &view.theme, true);
    let rows = networks.len().max(1) as u16;
    let area = area.centered(Constraint::Length(WIDTH + 2), Constraint::Length((rows + 2).min(area.height)));
    let height = usize::from(block.inner(area).height);
    let first = first_visible(cursor, networks.len(), height);
    let shown = networks.iter().enumerate().skip(first).take(height);
    let mut lines: Vec<Line> =
        shown.map(|(index, entry)| line(state, view, entry, index == cursor)).collect();
    if networks.is_empty() {
        lines.push(Line::styled(" looking for networks", view.theme.dim));
    }
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn line<'a>(state: &State, view: &View, entry: &NetworkEntry, selected: bool) -> Line<'a> {
    let mark = if state.is_current(entry) { "\u{25b8}" } else { " " };
    let place = match &entry.supply {
        Supply::Embedded => "built in".into(),
        Supply::Pulled => "pulled".into(),
        Supply::Found(owner) => format!("cache of {owner}"),
        Supply::Published => "not pulled".into(),
    };
    let about = match (state.is_judge(entry), entry.classifier) {
        (true, _) => "\u{2713} judges",
        (false, true) => "classes",
        (false, false) => "features",
    };
    let NetworkEntry { name, megabytes, .. } = entry;
    let text = format!("{name:<26}{place:<18}{megabytes:>4} MB   {about:<10}");
    let style = match (selected, entry.is_here()) {
        (true, _) => view.theme.cursor,
        (false, true) => Style::default(),
        (false, false) => view.theme.dim,
    };
    Line::from(vec![Span::styled(format!(" {mark} "), view.theme.running), Span::styled(text, style)])
}
