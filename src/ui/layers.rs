//! The layer pane: every layer with its channels and size, scrolled to the cursor.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::list::{first_visible, shortened};
use super::spots::Spot;
use super::{View, pane};
use crate::dashboard::{Pane, PointedAt, Scrolled, State};
use crate::engine::Objective;
use crate::worker::protocol::{LayerInfo, RunView};

pub(super) fn render(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let block = pane("layers", &view.theme, state.pane == Pane::Layers);
    let inner = block.inner(area);
    let height = usize::from(inner.height);
    let first = first_visible(view.first_lines.layers, state.layer, state.layers.len(), height);
    view.spots.borrow_mut().first_lines_mut().layers = Some(first);
    let lines: Vec<Line> = state
        .layers
        .iter()
        .enumerate()
        .skip(first)
        .take(height)
        .map(|(index, layer)| line(state, view, index, layer, usize::from(inner.width)))
        .collect();
    view.put(area, Spot::At(PointedAt::Pane(Pane::Layers)));
    view.scroll(area, Scrolled::Layers);
    view.put_lines(inner, first..state.layers.len(), PointedAt::Layer);
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn line<'a>(state: &State, view: &View, index: usize, layer: &LayerInfo, width: usize) -> Line<'a> {
    let selected = index == state.layer;
    let name = if selected { state.layer_name() } else { layer.name.clone() };
    let mut shape = format!("{} x {}x{}", layer.channels, layer.height, layer.width);
    if name.len() + shape.len() + 2 > width {
        shape = layer.channels.to_string();
    }
    let mark = if is_maximised(state, &layer.name) { "\u{25b8}" } else { " " };
    let room = width.saturating_sub(shape.len() + 2);
    let text = format!("{:<room$} {shape}", shortened(&name, room));
    let style = match (selected, layer.has_pre || layer.kind == "linear") {
        (true, _) => view.theme.cursor,
        (false, true) => Style::default(),
        (false, false) => view.theme.dim,
    };
    Line::from(vec![Span::styled(mark, view.theme.running), Span::styled(text, style)])
}

/// Whether the run maximises a channel of this layer, before or after its ReLU.
fn is_maximised(state: &State, name: &str) -> bool {
    match state.snapshot.run.as_ref().map(RunView::objective) {
        Some(Objective::Channel { layer, .. }) => layer.strip_suffix(":pre").unwrap_or(layer) == name,
        _ => false,
    }
}
