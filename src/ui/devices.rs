//! The list of backends and devices, over the panes. The one in use is marked.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::View;
use super::list::{self, ListStyle};
use crate::dashboard::State;
use crate::worker::protocol::DeviceEntry;

const STYLE: ListStyle = ListStyle { title: "devices", width: 69, empty: " looking for devices" };

pub(super) fn render(frame: &mut Frame, state: &State, view: &View, area: Rect, cursor: usize) {
    let entries = state.snapshot.devices.iter().enumerate();
    let lines = entries.map(|(index, entry)| line(state, view, entry, index == cursor)).collect();
    list::render(frame, view, area, &STYLE, cursor, lines);
}

fn line<'a>(state: &State, view: &View, entry: &DeviceEntry, selected: bool) -> Line<'a> {
    let mark = if state.computes_on(entry) { "\u{25b8}" } else { " " };
    let (device, about) = match &entry.device {
        Ok((device, about)) => (device.as_str(), about.as_str()),
        Err(_) => ("", "cannot be used here; Enter shows why"),
    };
    let style = match (selected, &entry.device) {
        (true, _) => view.theme.cursor,
        (false, Ok(_)) => Style::default(),
        (false, Err(_)) => view.theme.dim,
    };
    let text = format!("{:<12}{device:<10}{about:.43}", entry.backend);
    Line::from(vec![Span::styled(format!(" {mark} "), view.theme.running), Span::styled(text, style)])
}
