//! The pane of the activation: the curve of the whole run, and its moving mean.

use ratatui::Frame;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::symbols::{Marker, line};
use ratatui::widgets::{Axis, Chart, Dataset, GraphType};

use super::run::number;
use super::spots::Spot;
use super::{View, pane};
use crate::dashboard::State;

/// The segments of the dotted line that marks a change of the run: one for each row of the largest chart.
const MARK_SEGMENTS: u32 = 32;

/// The fewest points of a curve that a moving mean is drawn over.
const MIN_SMOOTHED: usize = 24;

/// The share of the points, one of so many, that the moving mean is about.
const SMOOTHED_SHARE: f64 = 16.0;

pub(super) fn render(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let block = pane("activation, by step", &view.theme, false);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    if let Some(run) = &state.snapshot.run {
        chart(frame, view, inner, &run.curve.whole(), &run.changes);
    }
}

/// The moving mean of a curve, which begins anew at each change.
fn smoothed(points: &[(f64, f64)], changed: &[usize]) -> Vec<(f64, f64)> {
    let weight = 2.0 / (points.len() as f64 / SMOOTHED_SHARE + 1.0);
    let mut mean: Option<(f64, f64)> = None;
    let step = |&(at, loss): &(f64, f64)| {
        let renewed = |from: f64| changed.iter().any(|&change| (from..at).contains(&(change as f64)));
        let before = mean.filter(|(from, _)| !renewed(*from)).map_or(loss, |(_, mean)| mean);
        mean = Some((at, before + weight.min(1.0) * (loss - before)));
        (at, mean.map_or(loss, |(_, mean)| mean))
    };
    points.iter().map(step).collect()
}

/// The lowest and the highest loss since the last change: before that, something else was measured. Of all points, where there
/// are too few since.
fn bounds(points: &[(f64, f64)], changed: &[usize]) -> (f64, f64) {
    let last = changed.last().map_or(0.0, |&change| change as f64);
    let first = points.partition_point(|point| point.0 <= last);
    let since = if points.len() - first > 1 { &points[first..] } else { points };
    since.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), p| (l.min(p.1), h.max(p.1)))
}

/// Draws a curve and, if it is long enough, its moving mean, with a dotted line at each step in `changed`.
pub(super) fn chart(frame: &mut Frame, view: &View, area: Rect, points: &[(f64, f64)], changed: &[usize]) {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return };
    let (low, high) = bounds(points, changed);
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
    let is_long = points.len() >= MIN_SMOOTHED;
    let mean = if is_long { smoothed(points, changed) } else { Vec::new() };
    let curve_of = |points, style| {
        let kind = if is_long || last.0 > first.0 { GraphType::Line } else { GraphType::Scatter };
        Dataset::default().marker(Marker::Braille).graph_type(kind).style(style).data(points)
    };
    let curve = curve_of(points, if is_long { view.theme.dim } else { view.theme.curve });
    let curves = [curve].into_iter().chain(is_long.then(|| curve_of(&mean, view.theme.curve)));
    let axis =
        |bounds, labels: [String; 2]| Axis::default().style(view.theme.dim).bounds(bounds).labels(labels);
    let mark = |points| Dataset::default().marker(Marker::Dot).style(view.theme.warning).data(points);
    let datasets = marks.iter().map(|points| mark(points)).chain(curves).collect();
    let chart = Chart::new(datasets)
        .x_axis(axis([first.0, last.0.max(first.0 + 1.0)], [first.0.to_string(), last.0.to_string()]))
        .y_axis(axis([low - margin, high + margin], [number(low), number(high)]));
    frame.render_widget(chart, area);
    if let Some(curve) = right_of_axis(frame.buffer_mut(), area) {
        view.put(curve, Spot::Curve(first.0 as usize, last.0 as usize));
    }
}

/// The cells of the curve, which are right of the axis that was drawn.
fn right_of_axis(buffer: &Buffer, area: Rect) -> Option<Rect> {
    let symbol = |x: u16| buffer.cell((x, area.top())).map(Cell::symbol);
    let axis = (area.left()..area.right()).find(|x| symbol(*x) == Some(line::VERTICAL))?;
    Some(Rect { x: axis + 1, width: area.right() - axis - 1, ..area })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_follows_the_curve_and_begins_anew_at_a_change() {
        let noisy: Vec<(f64, f64)> = (1..=100u32).map(|at| (at.into(), f64::from(at % 2))).collect();
        let mean = smoothed(&noisy, &[]);
        assert!(mean[50..].iter().all(|(_, mean)| (0.3..0.7).contains(mean)), "{mean:?}");
        let jump: Vec<(f64, f64)> =
            (1..=100u32).map(|at| (at.into(), if at > 50 { 9.0 } else { 1.0 })).collect();
        assert!(smoothed(&jump, &[])[50].1 < 5.0);
        let renewed = smoothed(&jump, &[50]);
        assert_eq!((renewed[49].1, renewed[50].1), (1.0, 9.0));
    }

    #[test]
    fn the_scale_is_that_of_what_is_measured_now() {
        let points = [(1.0, -100.0), (2.0, 50.0), (3.0, 1.0), (4.0, 2.0)];
        assert_eq!(bounds(&points, &[]), (-100.0, 50.0));
        assert_eq!(bounds(&points, &[2]), (1.0, 2.0));
        assert_eq!(bounds(&points, &[3]), (-100.0, 50.0), "one point has no scale");
    }
}
