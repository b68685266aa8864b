//! The run pane: the status of the run and its numbers.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::list::shortened;
use super::{View, pane};
use crate::dashboard::State;
use crate::worker::protocol::{QueueView, RunView, Status};

/// The name of an objective's mean over so many views of the picture.
pub(super) const OVER_VIEWS: &str = "over 32 views";

pub(super) fn render(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let block = pane("run", &view.theme, false);
    let width = usize::from(block.inner(area).width);
    let status = status(state, view);
    let mut lines = vec![Line::styled(shortened(&status.to_string(), width), status.style)];
    if let Some(run) = &state.snapshot.run {
        lines.push(Line::styled(gauge(run, width), view.theme.running));
        lines.extend(numbers(run, state, view, width));
    }
    if let Some((protocol, rate)) = &view.link {
        lines.push(line("shown by", protocol, Style::default(), view, width));
        if state.snapshot.status == Status::Running {
            lines.push(line("link", &format!("{rate:.0} kB/s"), Style::default(), view, width));
        }
    }
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

pub(super) fn status<'a>(state: &State, view: &View) -> Line<'a> {
    let starts = format!("{} starts", state.keys.shown("start"));
    let (word, style) = match (&state.switching, &state.snapshot.status) {
        (Some(_), Status::Running) => ("loads after this step", view.theme.warning),
        (Some((name, _)), _) => return Line::styled(format!("loading {name}"), view.theme.warning),
        (None, Status::Loading) => ("loading the network", view.theme.warning),
        (None, Status::Idle) => (starts.as_str(), Style::default()),
        (None, Status::Running) if state.stopping.is_some() => ("stops after this step", view.theme.warning),
        (None, Status::Running) => ("running", view.theme.running),
        (None, Status::Paused) => ("paused", view.theme.warning),
        (None, Status::Finished) => ("finished", view.theme.accent),
        (None, Status::Stopped | Status::Broken(_)) => ("stopped", view.theme.warning),
    };
    let queue = state.snapshot.queue.as_ref().map_or_else(String::new, |queue| format!(" {}", queued(queue)));
    Line::styled(format!("{word}{queue}"), style)
}

/// The share of the steps that were taken, as a bar with the number.
fn gauge(run: &RunView, width: usize) -> String {
    let share = (run.step as f64 / run.plan.steps.max(1) as f64).min(1.0);
    let room = width.saturating_sub(6);
    let filled = (share * room as f64).floor() as usize;
    let (done, left) = ("\u{2588}".repeat(filled), "\u{2500}".repeat(room - filled));
    format!("{done}{left} {:>3.0} %", (100.0 * share).floor())
}

/// The queue in a few characters: how many channels are left, and about how long they take.
pub(super) fn queued(queue: &QueueView) -> String {
    let time = match queue.seconds.map(|seconds| seconds as u64) {
        None => String::new(),
        Some(seconds @ ..60) => format!(" ({seconds} s)"),
        Some(seconds @ 60..3600) => format!(" ({} min)", seconds / 60),
        Some(seconds) => format!(" ({} h)", seconds / 3600),
    };
    format!("+{}{time}", queue.left)
}

/// The numbers of the run, in `width` columns. What has no room ends in an ellipsis.
fn numbers<'a>(run: &RunView, state: &State, view: &View, width: usize) -> Vec<Line<'a>> {
    let line = |name, value: String, style| line(name, &value, style, view, width);
    let plain = |name, value: String| line(name, value, Style::default());
    let accent = |name, value: f64| line(name, number(value), view.theme.accent);
    let steps = [format!("{} of {}", run.step, run.plan.steps), format!("{}/{}", run.step, run.plan.steps)];
    let steps = steps.iter().find(|text| text.len() + "step ".len() <= width).unwrap_or(&steps[1]).clone();
    let dash = || "-".to_owned();
    let left = run.plan.steps.saturating_sub(run.step);
    let eta = match (run.rate, &state.snapshot.status) {
        (Some(rate), Status::Running | Status::Paused) if left > 0 => duration(left as f64 / rate),
        _ => dash(),
    };
    let mut lines = vec![
        plain("step", steps),
        plain("steps/s", run.rate.map_or_else(dash, |rate| format!("{rate:.1}"))),
        plain("left", eta),
        line("activation", run.loss.map_or_else(dash, number), view.theme.accent),
        plain("gradient", run.gradient_norm.map_or_else(dash, number)),
        plain("saturated", format!("{:.1} %", 100.0 * run.saturated)),
        plain("recipe", run.plan.at(run.step).1.name.clone()),
        plain("size", format!("{} px", run.plan.size)),
        plain("seed", run.plan.seed.to_string()),
    ];
    if let Some(score) = run.score.filter(|score| score.clean.is_finite() && score.robust.is_finite()) {
        lines.push(accent("on file", score.clean));
        lines.push(accent(OVER_VIEWS, score.robust));
    }
    if run.dead_steps > 0 {
        let share = 100.0 * run.dead_steps as f64 / run.step.max(1) as f64;
        let style = if run.dead { view.theme.warning } else { Style::default() };
        let forms = [format!("{share:.0} % of steps"), format!("{share:.0} %")];
        let form = forms.iter().find(|form| form.len() + "no gradient ".len() <= width);
        lines.push(line("no gradient", form.unwrap_or(&forms[1]).clone(), style));
    }
    lines
}

/// A name at the left and its value at the right.
fn line<'a>(name: &'static str, value: &str, style: Style, view: &View, width: usize) -> Line<'a> {
    let value = shortened(value, width.saturating_sub(name.len() + 1));
    let blanks = width.saturating_sub(name.len() + value.chars().count());
    Line::from(vec![
        Span::styled(name, view.theme.dim),
        Span::raw(" ".repeat(blanks)),
        Span::styled(value, style),
    ])
}

/// Writes a number with four significant digits, in scientific notation if it is very small or large.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if !(1e-3..1e6).contains(&size) => format!("{value:.3e}"),
        size => format!("{value:.*}", (3 - size.log10().floor() as i32).clamp(0, 6) as usize),
    }
}

fn duration(seconds: f64) -> String {
    let seconds = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX).as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0) => "under 1 s".into(),
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s:02} s"),
        (h, m, _) => format!("{h} h {m:02} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_views_are_as_many_as_are_measured() {
        assert_eq!(OVER_VIEWS, format!("over {} views", crate::engine::ROBUST_VIEWS));
    }

    #[test]
    fn numbers_keep_four_digits() {
        for (value, text) in [
            (0.0, "0"),
            (12.3456, "12.35"),
            (0.0123, "0.01230"),
            (1234.5, "1234"),
            (1e-5, "1.000e-5"),
            (-3.0, "-3.000"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn durations_are_written_in_words() {
        for (seconds, text) in
            [(0.2, "under 1 s"), (59.0, "59 s"), (61.0, "1 min 01 s"), (7300.0, "2 h 01 min")]
        {
            assert_eq!(duration(seconds), text);
        }
    }
}
