//! The loss pane: the curve of the whole run, and beside it the curve of its recent steps.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::symbols::Marker;
use ratatui::widgets::{Axis, Chart, Dataset, GraphType};

use super::run::number;
use super::{View, pane};
use crate::dashboard::State;

/// The segments of the dotted line that marks a change of the run: one for each row of the largest chart.
const MARK_SEGMENTS: u32 = 32;

/// The smallest width in columns for two charts.
const MIN_WIDTH_FOR_BOTH: u16 = 70;

pub(super) fn render(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let block = pane("loss, by step", &view.theme, false);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let Some(run) = &state.snapshot.run else { return };
    let whole = run.curve.whole();
    if inner.width < MIN_WIDTH_FOR_BOTH {
        return chart(frame, view, inner, &whole, &run.changes);
    }
    let [left, right] = Layout::horizontal([Constraint::Fill(3), Constraint::Fill(2)]).areas(inner);
    chart(frame, view, left, &whole, &run.changes);
    // The newest quarter of the steps, at least 16, and at most those that are kept in full.
    let recent = run.curve.recent();
    let from = recent.len().saturating_sub((run.step / 4).max(16));
    chart(frame, view, right, &recent[from..], &run.changes);
}

/// Draws a curve, with a dotted line at each step in `changed`.
pub(super) fn chart(frame: &mut Frame, view: &View, area: Rect, points: &[(f64, f64)], changed: &[usize]) {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return };
    let (low, high) =
        points.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), p| (l.min(p.1), h.max(p.1)));
    let margin = ((high - low) * 0.05).max(high.abs() * 1e-6).max(1e-12);
    let inside =
        changed.iter().map(|&step| step as f64 + 0.5).filter(|step| (first.0..=last.0).contains(step));
    let marks: Vec<Vec<(f64, f64)>> = inside
        .map(|step| {
            (0..=MARK_SEGMENTS)
                .map(|i| {
                    (
                        step,
                        low - margin + (high - low + 2.0 * margin) * f64::from(i) / f64::from(MARK_SEGMENTS),
                    )
                })
                .collect()
        })
        .collect();
    let dataset = Dataset::default()
        .marker(Marker::Braille)
        .graph_type(if points.len() > 1 { GraphType::Line } else { GraphType::Scatter })
        .style(view.theme.curve)
        .data(points);
    let axis =
        |bounds, labels: [String; 2]| Axis::default().style(view.theme.dim).bounds(bounds).labels(labels);
    let mark = |points| Dataset::default().marker(Marker::Dot).style(view.theme.warning).data(points);
    let datasets = marks.iter().map(|points| mark(points)).chain([dataset]).collect();
    let chart = Chart::new(datasets)
        .x_axis(axis([first.0, last.0.max(first.0 + 1.0)], [first.0.to_string(), last.0.to_string()]))
        .y_axis(axis([low - margin, high + margin], [number(low), number(high)]));
    frame.render_widget(chart, area);
}
