//! The list of networks, over the panes: what there is, where it would come from, and which of them classify.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::View;
use super::list::{self, ListStyle};
use crate::dashboard::State;
use crate::worker::protocol::{NetworkEntry, Supply};

const STYLE: ListStyle = ListStyle { title: "networks", width: 69, empty: " looking for networks" };

/// Draws the list inside `area`, which leaves out the message line: that line says how to get a network.
pub(super) fn render(frame: &mut Frame, state: &State, view: &View, area: Rect, cursor: usize) {
    let entries = state.snapshot.networks.iter().enumerate();
    let lines = entries.map(|(index, entry)| line(state, view, entry, index == cursor)).collect();
    list::render(frame, view, area, &STYLE, cursor, lines);
}

fn line<'a>(state: &State, view: &View, entry: &NetworkEntry, selected: bool) -> Line<'a> {
    let mark = if state.is_current(entry) { "\u{25b8}" } else { " " };
    let place = match &entry.supply {
        Supply::Embedded => "built in".into(),
        Supply::Pulled => "pulled".into(),
        Supply::Found(owner) => format!("cache of {owner}"),
        Supply::File => "a file".into(),
        Supply::Published => "not pulled".into(),
    };
    let about = match (state.is_classifying(entry), entry.classifier) {
        (true, _) => "\u{2713} classifies",
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
