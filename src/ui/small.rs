//! Draws the dashboard on screens that have no room for panes: a few lines, with the picture and the curve if they fit.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::list::shortened_inside;
use super::{View, bars, hits, keyline, loss, marks, picture, run, saved_runs};
use crate::dashboard::{ChannelBars, Pane, Shown, State};
use crate::worker::protocol::RunView;

/// The smallest screen for a picture, columns and rows.
const MIN_COMPACT_SCREEN: (u16, u16) = (30, 8);

/// The smallest width of a curve in columns.
const MIN_CURVE_WIDTH: u16 = 14;

/// The areas of a small screen.
///
/// ```text
/// block5_conv2  channel 30 of 256
/// channel(block5_conv2, 30)  running
/// step 57/128  activation 7.550  50.0/s
/// [picture][curve                  ]
/// saved in ...
/// arrows move  Enter start  q quit
/// ```
struct SmallLayout {
    cursor: Rect,
    run: Rect,
    numbers: Rect,
    picture: Rect,
    curve: Rect,
    message: Rect,
    keys: Rect,
}

impl SmallLayout {
    /// Divides the screen; `None` if there is room for text only.
    fn of(area: Rect, zoomed: bool) -> Option<Self> {
        if area.width < MIN_COMPACT_SCREEN.0 || area.height < MIN_COMPACT_SCREEN.1 {
            return None;
        }
        let one = Constraint::Length(1);
        let [cursor, run, numbers, body, message, keys] =
            Layout::vertical([one, one, one, Constraint::Fill(1), one, one]).areas(area);
        // A cell is about twice as high as wide.
        let side = (2 * body.height).min(body.width);
        let beside = !zoomed && body.width - side >= MIN_CURVE_WIDTH;
        let width = Constraint::Length(if beside { side } else { body.width });
        let [picture, curve] = Layout::horizontal([width, Constraint::Fill(1)]).areas(body);
        Some(Self { cursor, run, numbers, picture, curve, message, keys })
    }
}

/// The cells that the picture may fill; empty on the smallest screens.
pub(super) fn picture_room(area: Rect, zoomed: bool) -> Rect {
    SmallLayout::of(area, zoomed).map_or_else(Rect::default, |layout| layout.picture)
}

/// Whether there is room for a picture.
pub(super) fn has_picture(area: Rect) -> bool {
    SmallLayout::of(area, false).is_some()
}

pub(super) fn render(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let Some(layout) = SmallLayout::of(area, state.shown == Shown::Picture) else {
        return draw_text(frame, state, view, area);
    };
    frame.render_widget(Paragraph::new(cursor(state, view)), layout.cursor);
    frame.render_widget(Paragraph::new(running(state, view, area.width.into())), layout.run);
    picture::of_run(frame, state, view, layout.picture);
    if let Some(run) = &state.snapshot.run {
        let style = view.theme.accent;
        frame.render_widget(Paragraph::new(numbers(run)).style(style), layout.numbers);
        if layout.curve.width >= MIN_CURVE_WIDTH {
            match state.closer.bars {
                ChannelBars::Hidden => {
                    loss::chart(frame, view, layout.curve, &run.curve.whole(), &run.changes);
                }
                ChannelBars::Sorted | ChannelBars::InOrder => {
                    bars::inside(frame, state, view, layout.curve);
                }
            }
        }
    }
    let above = Rect { height: area.height - 2, ..area };
    hits::render(frame, state, view, above);
    saved_runs::render(frame, state, view, above);
    marks::render(frame, state, view, above);
    keyline::message(frame, state, view, layout.message);
    keyline::keys(frame, state, view, layout.keys);
}

/// The layer and the channel under the cursor; the one that up and down change is brighter.
fn cursor<'a>(state: &State, view: &View) -> Line<'a> {
    let style = |pane| if state.pane == pane { view.theme.accent } else { Style::default() };
    let channel = match state.class() {
        Some(class) => format!("{}: {class}", state.channel),
        None => format!("channel {} of {}", state.channel, state.channels()),
    };
    Line::from(vec![
        Span::styled(state.layer_name(), style(Pane::Layers)),
        Span::raw("  "),
        Span::styled(channel, style(Pane::Channels)),
    ])
}

fn running<'a>(state: &State, view: &View, width: usize) -> Line<'a> {
    let status = run::status(state, view);
    let Some(run) = &state.snapshot.run else { return status };
    let objective = shortened_inside(&run.objective().to_string(), width.saturating_sub(status.width() + 2));
    let mut line = Line::from(Span::raw(format!("{objective}  ")));
    line.spans.extend(status.spans.into_iter().map(|span| span.style(status.style)));
    line
}

fn numbers(run: &RunView) -> String {
    let rate = run.rate.map_or_else(String::new, |rate| format!("  {rate:.1}/s"));
    format!("step {}/{}{}{rate}", run.step, run.plan.steps, loss_of(run, "  activation "))
}

fn loss_of(run: &RunView, before: &str) -> String {
    run.loss.map_or_else(String::new, |loss| format!("{before}{}", run::number(loss)))
}

/// Draws only text, the most important line first.
fn draw_text(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let width = usize::from(area.width);
    let prompt = keyline::prompt(state, width);
    let first = Line::from(summary(state, width));
    let mut lines =
        match (prompt.or_else(|| saved_runs::line_under_cursor(state)), keyline::message_text(state)) {
            (Some(prompt), _) if area.height == 1 => vec![prompt],
            (Some(prompt), _) => vec![first, prompt.style(view.theme.accent)],
            (None, Some(message_text)) => {
                vec![first, Line::styled(message_text.to_owned(), view.theme.warning)]
            }
            (None, None) => vec![first],
        };
    lines.push(Line::from(state.layer_name()));
    lines.push(Line::from(format!("enlarge to {}x{}", MIN_COMPACT_SCREEN.0, MIN_COMPACT_SCREEN.1)));
    lines.push(Line::from("q quits"));
    frame.render_widget(Paragraph::new(lines), area);
}

/// The channel under the cursor, the step and the loss in one line, in the longest form that fits.
fn summary(state: &State, width: usize) -> String {
    let channel = state.channel;
    let Some(run) = &state.snapshot.run else { return format!("ch {channel}") };
    let (step, loss) = (run.step, loss_of(run, " "));
    let long = [
        format!("channel {channel} step {step}/{}{}", run.plan.steps, loss_of(run, " activation ")),
        format!("ch {channel} {step}/{}{loss}", run.plan.steps),
    ];
    long.into_iter().find(|text| text.len() <= width).unwrap_or_else(|| format!("ch {channel} {step}{loss}"))
}
