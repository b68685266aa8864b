//! The lab on the screen: the sentence, what the channels carry as bars, pictures in a row, and the picture among photographs.

use std::sync::Arc;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect, Size};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::graphics::Graphics;
use super::header::place;
use super::lab_scatter::ScatterScene;
use super::list::{shortened, shortened_inside, wrapped};
use super::mosaic::{GridScene, MosaicGrid};
use super::spots::Spot;
use super::{View, is_full, last_lines, pane, picture};
use crate::dashboard::{PointedAt, State};
use crate::worker::protocol::{LabExample, LabFindings, LabMargin, LabShare};

/// The columns of the bars, with their border.
const BARS: u16 = 36;

/// The most pictures in a row: the picture, its map, and photographs.
const PICTURES: u16 = 11;

/// The side of each in pixels, where the terminal takes pixels.
const SENT_SIDE: u32 = 96;

/// The lines below the scatter.
const CAPTION: u16 = 3;

/// The lowest scatter.
const MIN_SCATTER: u16 = 6;

/// The columns of a channel's number and of its share, beside its bar.
const NUMBER: usize = 8;
const SHARE: usize = 9;

/// The places of the lab's parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabLayout {
    header: Rect,
    sentence: Rect,
    bars: Rect,
    /// The pictures in a row; none where there is no room for them.
    pub(super) pictures: Option<MosaicGrid>,
    /// The picture among photographs; empty where there is no room for it.
    pub(super) scatter: Rect,
    caption: Rect,
}

impl LabLayout {
    /// Divides the screen above its last two lines.
    pub fn of(screen: Rect, state: &State, graphics: Graphics) -> Self {
        let rows = [Constraint::Length(1), Constraint::Fill(1), Constraint::Length(2)];
        let [header, body, _] = Layout::vertical(rows).areas(screen);
        let lines = wrapped(&sentence(state), usize::from(body.width)).len() as u16;
        let sentence = lines.clamp(1, (body.height / 2).max(1));
        let rows = [Constraint::Length(sentence), Constraint::Fill(1)];
        let [sentence, rest] = Layout::vertical(rows).areas(body);
        if !is_full(screen) {
            let none = Rect::default();
            return Self { header, sentence, bars: rest, pictures: None, scatter: none, caption: none };
        }
        let [bars, right] = Layout::horizontal([Constraint::Length(BARS), Constraint::Fill(1)]).areas(rest);
        let draft = MosaicGrid::first_draft(Size::new(right.width, right.height / 2), graphics);
        let rows = [Constraint::Length(draft.height + 1), Constraint::Fill(1), Constraint::Length(CAPTION)];
        let [row, scatter, caption] = Layout::vertical(rows).areas(right);
        let count = ((row.width + 1) / (draft.width + 1)).clamp(1, PICTURES);
        let pictures = MosaicGrid::inside(row, draft, (count, 1));
        let scatter = if scatter.height < MIN_SCATTER { Rect::default() } else { scatter };
        Self { header, sentence, bars, pictures: Some(pictures), scatter, caption }
    }

    /// The cells of the scatter inside its border.
    pub(super) fn points(&self) -> Rect {
        Block::bordered().inner(self.scatter)
    }
}

/// The pictures in the row: the one that was asked about, its map, and photographs.
pub(super) fn pictures(state: &State, grid: &MosaicGrid) -> GridScene {
    let map = part(state, |findings| findings.map.as_ref()).map(|map| Arc::clone(&map.picture));
    let shown = photographs(state).iter().map(|example| Some(Arc::clone(&example.picture)));
    let own = state.lab_picture().cloned();
    let pictures = [own, map].into_iter().chain(shown).take(grid.page.0.into()).collect();
    GridScene { grid: *grid, side: SENT_SIDE, pictures }
}

/// The points of the scatter, once they are there.
pub(super) fn points(state: &State) -> Option<ScatterScene> {
    let (scatter, (cursor, _)) = (state.lab_scatter()?, state.lab_point()?);
    Some(ScatterScene { scatter: scatter.clone(), cursor })
}

/// A part of the answer, if it is there.
fn part<T>(state: &State, of: impl Fn(&LabFindings) -> Option<&Result<T, String>>) -> Option<&T> {
    of(state.lab_findings()?)?.as_ref().ok()
}

fn photographs(state: &State) -> &[LabExample] {
    part(state, |findings| findings.examples.as_ref()).map_or(&[], Vec::as_slice)
}

/// The words in the place of a part that is not there.
fn instead<T>(state: &State, of: impl Fn(&LabFindings) -> Option<&Result<T, String>>, work: &str) -> String {
    match state.lab_findings().and_then(of) {
        Some(Err(reason)) => reason.clone(),
        Some(Ok(_)) | None => work.to_owned(),
    }
}

/// The answer in one sentence, or what is said in its place.
fn sentence(state: &State) -> String {
    let found = part(state, |findings| findings.margin.as_ref()).map(|margin| margin.sentence.clone());
    let work = "working out what the channels carry ...";
    found.unwrap_or_else(|| instead(state, |findings| findings.margin.as_ref(), work))
}

pub(super) fn render(frame: &mut Frame, state: &State, view: &View, area: Rect, layout: &LabLayout) {
    let back = state.keys.shown("lab");
    let (by, order) = (state.lab_order().name(), state.keys.shown("lab-order"));
    let title = format!("{}: the lab; {back} goes back; photographs by {by} ({order})", place(state));
    let title = shortened_inside(&title, layout.header.width.into());
    frame.render_widget(Paragraph::new(title).style(view.theme.accent), layout.header);
    let mut lines = wrapped(&sentence(state), usize::from(layout.sentence.width));
    let rows = usize::from(layout.sentence.height);
    if lines.len() > rows {
        lines.truncate(rows);
        if let Some(last) = lines.last_mut() {
            *last = shortened(&format!("{last}\u{2026}"), layout.sentence.width.into());
        }
    }
    let lines: Vec<Line> = lines.into_iter().map(Line::from).collect();
    frame.render_widget(Paragraph::new(lines), layout.sentence);
    bars(frame, state, view, layout.bars);
    if let Some(grid) = &layout.pictures {
        row(frame, state, view, grid);
    }
    if !layout.scatter.is_empty() {
        scatter(frame, state, view, layout);
    }
    last_lines(frame, state, view, area);
}

/// The row of pictures, with a line below each.
fn row(frame: &mut Frame, state: &State, view: &View, grid: &MosaicGrid) {
    picture::inside(frame, state, view, grid.area);
    let map = part(state, |findings| findings.map.as_ref()).map(|map| map.label.as_str());
    let labels = ["this picture", map.unwrap_or("...")].into_iter();
    let labels = labels.chain(photographs(state).iter().map(|example| example.label.as_str()));
    for (index, label) in labels.take(grid.page.0.into()).enumerate() {
        grid.clear_around(index, frame.buffer_mut());
        let area = grid.line(index);
        let text = shortened(label, area.width.into());
        frame.render_widget(Paragraph::new(Line::styled(text, view.theme.dim)), area);
    }
}

/// The picture among photographs, and the words for the point under the cursor.
fn scatter(frame: &mut Frame, state: &State, view: &View, layout: &LabLayout) {
    frame.render_widget(pane("among photographs", &view.theme, true), layout.scatter);
    let inner = layout.points();
    let about = if let Some(scatter) = state.lab_scatter() {
        picture::beside(frame, view, inner, state.mode.is_overlay());
        view.put(inner, Spot::Scatter);
        // The photographs of the row may be missing though their numbers are in the index.
        let missing = instead(state, |findings| findings.examples.as_ref(), "");
        if missing.is_empty() { scatter.about.clone() } else { format!("{missing}; {}", scatter.about) }
    } else {
        let work = "laying out the photographs ...";
        let text = instead(state, |findings| findings.scatter.as_ref(), work);
        let lines = wrapped(&text, usize::from(inner.width)).into_iter().map(Line::from);
        frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), inner);
        String::new()
    };
    let width = usize::from(layout.caption.width);
    let first = Line::styled(shortened(&under_cursor(state), width), view.theme.accent);
    let about = wrapped(&about, width).into_iter().map(|line| Line::styled(line, view.theme.dim));
    let lines: Vec<Line> = [first].into_iter().chain(about).collect();
    frame.render_widget(Paragraph::new(lines), layout.caption);
}

/// The photograph under the cursor, in words.
fn under_cursor(state: &State) -> String {
    let (Some((place, point)), Some(scatter)) = (state.lab_point(), state.lab_scatter()) else {
        return String::new();
    };
    if place == 0 {
        return "this picture: the arrows go among the photographs".into();
    }
    let label = point.label.and_then(|label| scatter.labels.get(label));
    label.map_or_else(|| point.file.clone(), |label| format!("{label}: {}", point.file))
}

/// The part of the margin that each channel carries.
fn bars(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let found = part(state, |findings| findings.margin.as_ref());
    let title = found.map_or_else(|| "channels".to_owned(), |margin| margin.title.clone());
    let block = pane(&shortened(&title, usize::from(area.width.saturating_sub(4))), &view.theme, false);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let Some(margin) = found else { return };
    let (width, rows) = (usize::from(inner.width), usize::from(inner.height));
    let mut lines = vec![Line::styled(shortened(&place_of(state, margin), width), view.theme.dim)];
    let shown: Vec<&LabShare> = shown(margin, state.channel, rows.saturating_sub(1)).collect();
    for (y, share) in (inner.y + 1..inner.bottom()).zip(&shown) {
        view.put(Rect { y, height: 1, ..inner }, Spot::At(PointedAt::Draft(share.channel)));
    }
    lines.extend(shown.into_iter().map(|share| {
        let style = if share.channel == state.channel { view.theme.running } else { Style::default() };
        bar(share, margin, width, style)
    }));
    frame.render_widget(Paragraph::new(lines), inner);
}

fn place_of(state: &State, margin: &LabMargin) -> String {
    format!("channel {} is number {} of {}", state.channel, margin.place, margin.channels)
}

/// The shares that so many lines have room for, always with that of the channel.
fn shown(margin: &LabMargin, channel: usize, rows: usize) -> impl Iterator<Item = &LabShare> {
    let own = margin.shares.iter().position(|share| share.channel == channel);
    let last = rows.saturating_sub(1);
    let is_shown = move |place: usize| {
        place < last || Some(place) == own || place == last && own.is_none_or(|own| own < last)
    };
    margin
        .shares
        .iter()
        .enumerate()
        .filter(move |(place, _)| is_shown(*place))
        .map(|(_, share)| share)
        .take(rows)
}

/// A line with a channel, a bar that is as long as its attribution, and its share of the margin.
fn bar<'a>(share: &LabShare, margin: &LabMargin, width: usize, style: Style) -> Line<'a> {
    let room = width.saturating_sub(NUMBER + SHARE);
    let longest = margin.shares.iter().map(|share| share.attribution.abs()).fold(f64::MIN_POSITIVE, f64::max);
    let length = (room as f64 * share.attribution.abs() / longest).round() as usize;
    let sign = if share.attribution < 0.0 { "\u{2592}" } else { "\u{2588}" };
    let number = match share.share {
        Some(share) => format!("{:.1} %", 100.0 * share),
        None => format!("{:.2}", share.attribution),
    };
    let bar = sign.repeat(length.min(room));
    let text =
        format!("{:>5}  {bar}{:blank$}{number:>SHARE$}", share.channel, "", blank = room - length.min(room));
    Line::from(Span::styled(text, style))
}
