//! The picture pane: as much of the picture as has been sent, centred.

use std::num::NonZeroU16;

use ratatui::Frame;
use ratatui::buffer::{Buffer, CellDiffOption};
use ratatui::layout::{Alignment, Constraint, Position, Rect, Size};
use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::blocks::BlockCell;
use super::closer::legend_color;
use super::color_depth::ColorDepth;
use super::delivery::{Content, ShownPicture};
use super::kitty::placeholder;
use super::list::shortened;
use super::run::number;
use super::spots::Spot;
use super::{View, pane};
use crate::dashboard::{PictureWindow, Scrolled, State};
use crate::worker::protocol::{ActivationMap, Status};

/// Each placeholder is one cell wide, whatever the width of its characters is taken for.
const ONE_WIDE: CellDiffOption = CellDiffOption::ForcedWidth(NonZeroU16::MIN);

/// The columns of the colours in the legend of a map.
const LEGEND_COLUMNS: u16 = 12;

pub(super) fn render(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let objective = state.snapshot.run.as_ref().map(|run| run.objective().to_string());
    let earlier = state.looked_back_on().map_or_else(String::new, |(step, _)| format!("step {step}: "));
    let larger = match state.closer.enlargement {
        1 => String::new(),
        times => format!(", {times}x"),
    };
    let over = state.map_shown().map_or_else(String::new, |_| {
        format!(", with the map of {} channel {}", state.layer_name(), state.channel)
    });
    let title = format!("{earlier}{}{larger}{over}", objective.as_deref().unwrap_or("picture"));
    let title = shortened(&title, usize::from(area.width.saturating_sub(4)));
    let mut block = pane(&title, &view.theme, false);
    if let Some((map, picture)) = state.map_shown().zip(view.picture) {
        block = block.title_bottom(legend(map, picture.depth()));
    }
    let inner = block.inner(area);
    frame.render_widget(block, area);
    of_run(frame, state, view, inner);
}

/// Draws the picture of the run without the border of the pane.
pub(super) fn of_run(frame: &mut Frame, state: &State, view: &View, inner: Rect) {
    view.scroll(inner, Scrolled::Picture);
    let drawn = inside(frame, state, view, inner);
    if let Some((drawn, picture)) = drawn.zip(state.picture_shown()) {
        let whole = PictureWindow { origin: (0, 0), size: (picture.width, picture.height) };
        view.put(drawn, Spot::Picture(state.window().unwrap_or(whole)));
    }
}

/// The colours of a map from 0 to its highest activation.
fn legend<'a>(map: &ActivationMap, depth: ColorDepth) -> Line<'a> {
    let highest = map.values.iter().copied().fold(0.0, f32::max);
    if highest <= 0.0 {
        return Line::from(" 0 everywhere ");
    }
    let color = |at: u16| depth.color(legend_color(f32::from(at) / f32::from(LEGEND_COLUMNS - 1)));
    let cell = |at| Span::styled(" ", Style::new().bg(color(at)));
    let (low, high) = (Span::raw(" 0 "), Span::raw(format!(" {} ", number(highest.into()))));
    [low].into_iter().chain((0..LEGEND_COLUMNS).map(cell)).chain([high]).collect()
}

/// Draws the main picture without a border; returns its cells, if it was drawn.
pub(super) fn inside(frame: &mut Frame, state: &State, view: &View, inner: Rect) -> Option<Rect> {
    match view.picture {
        // The terminal itself would draw the picture over the overlay.
        Some(picture) if state.mode.is_overlay() && !picture.is_text() => None,
        Some(picture) => draw(picture, inner, frame.buffer_mut()),
        None => {
            let words = if state.snapshot.status == Status::Loading { "loading the network" } else { "" };
            let middle = inner.centered_vertically(Constraint::Length(1));
            frame.render_widget(
                Paragraph::new(words).style(view.theme.dim).alignment(Alignment::Center),
                middle,
            );
            None
        }
    }
}

/// Draws the picture beside the main one, unless something lies over it that the terminal itself would draw it over.
pub(super) fn beside(frame: &mut Frame, view: &View, area: Rect, overlaid: bool) {
    if let Some(picture) = view.beside.filter(|picture| picture.is_text() || !overlaid) {
        draw(picture, area, frame.buffer_mut());
    }
}

/// Puts the cells of the picture into the buffer, and returns its area. A picture that is too large is not drawn.
fn draw(picture: &ShownPicture, area: Rect, buffer: &mut Buffer) -> Option<Rect> {
    let place = place(picture.cells(), area)?;
    let width = usize::from(place.width);
    for (index, position) in place.positions().enumerate() {
        let Some(cell) = buffer.cell_mut(position) else { continue };
        match picture.content() {
            Content::Blocks(blocks) => {
                if let Some(BlockCell { symbol, colors: [front, back] }) =
                    blocks.get(index).copied().flatten()
                {
                    let color = |rgb| picture.depth().color(rgb);
                    cell.set_char(symbol).set_fg(color(front)).set_bg(color(back));
                }
            }
            // The colour of a placeholder is the picture's id. A number of the palette also works in tmux without true
            // colour.
            Content::Placeholders(pictures) => {
                let here = Position::new((index % width) as u16, (index / width) as u16);
                let Some(picture) = pictures.iter().find(|picture| picture.cells.contains(here)) else {
                    continue;
                };
                cell.set_symbol(&placeholder(here.x - picture.cells.x, here.y - picture.cells.y))
                    .set_fg(Color::Indexed(picture.id))
                    .set_diff_option(ONE_WIDE);
            }
            Content::Painted => {
                cell.set_diff_option(CellDiffOption::Skip);
            }
        }
    }
    Some(place)
}

/// The area of a picture of so many cells in the middle of `area`, if it fits.
pub(super) fn place(cells: Size, area: Rect) -> Option<Rect> {
    let fits = cells.width <= area.width && cells.height <= area.height;
    fits.then(|| area.centered(Constraint::Length(cells.width), Constraint::Length(cells.height)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_legend_goes_from_nothing_to_the_highest_activation() {
        let legend = |values: Vec<f32>| {
            let map = ActivationMap { height: 1, width: values.len(), values };
            legend(&map, ColorDepth::True)
        };
        let line = legend(vec![0.5, 7.25, -3.0]);
        assert_eq!(line.to_string(), format!(" 0 {} 7.250 ", " ".repeat(12)));
        let colors: Vec<Color> = line.spans[1..13].iter().filter_map(|span| span.style.bg).collect();
        assert_eq!((colors[0], colors[11]), (Color::Rgb(20, 10, 60), Color::Rgb(255, 245, 150)));
        assert!(colors.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(legend(vec![0.0, -1.0]).to_string(), " 0 everywhere ");
    }
}
