//! The places of what the mouse can be used on, each noted by who drew it.

use std::ops::Range;

use ratatui::layout::{Position, Rect};

use super::mouse::MouseAction;
use crate::dashboard::{PictureWindow, PointedAt, Scrolled};

/// A border between panes that can be dragged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PaneBorder {
    /// The one to the right of the lists.
    Lists,
    /// The one above the curve.
    Curve,
    /// The one to the right of the picture.
    Strip,
}

/// A thing that the mouse can be used on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    /// Something that can be clicked on.
    At(PointedAt),
    /// The curve, from this step at its left end to this one at its right.
    Curve(usize, usize),
    /// The picture, or this part of it.
    Picture(PictureWindow),
    /// The lab's scatter, all of it.
    Scatter,
    /// A border of panes.
    Border(PaneBorder),
}

/// The first line that each list shows. What was clicked on stays under the pointer if the list begins with the same line again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FirstLines {
    /// That of the list of layers.
    pub(super) layers: Option<usize>,
    /// The row of the pane of channels.
    pub(super) channels: Option<usize>,
    /// That of the list that is open over the panes.
    pub(super) open: Option<usize>,
}

impl FirstLines {
    /// The first lines after a use of the mouse: a click leaves lists as they were drawn.
    #[must_use]
    pub fn after(self, action: MouseAction, drawn: &Spots) -> Self {
        match action {
            MouseAction::Press => drawn.first_lines,
            MouseAction::Drag | MouseAction::Release => self,
            MouseAction::Wheel(_) => Self::default(),
        }
    }
}

/// Everything on the screen that the mouse can be used on. What was noted later lies over what was noted before.
#[derive(Debug, Default)]
pub struct Spots {
    places: Vec<(Rect, Spot)>,
    scrolled: Vec<(Rect, Scrolled)>,
    first_lines: FirstLines,
}

impl Spots {
    pub(super) fn put(&mut self, area: Rect, spot: Spot) {
        self.places.push((area, spot));
    }

    pub(super) fn scroll(&mut self, area: Rect, scrolled: Scrolled) {
        self.scrolled.push((area, scrolled));
    }

    pub(super) fn first_lines_mut(&mut self) -> &mut FirstLines {
        &mut self.first_lines
    }

    /// Notes a thing for each line of an area.
    pub(super) fn put_lines(&mut self, area: Rect, indices: Range<usize>, thing: fn(usize) -> PointedAt) {
        for (y, index) in (area.top()..area.bottom()).zip(indices) {
            self.put(Rect { y, height: 1, ..area }, Spot::At(thing(index)));
        }
    }

    /// Forgets everything: something lies over it.
    pub(super) fn cover(&mut self) {
        *self = Self { first_lines: self.first_lines, ..Self::default() };
    }

    /// The topmost thing at a place, with its area.
    pub(super) fn at(&self, position: Position) -> Option<(Rect, Spot)> {
        self.places.iter().rev().find(|(area, _)| area.contains(position)).copied()
    }

    /// The thing that the wheel scrolls at a place.
    pub(super) fn scrolled_at(&self, position: Position) -> Option<Scrolled> {
        self.scrolled.iter().rev().find(|(area, _)| area.contains(position)).map(|(_, scrolled)| *scrolled)
    }
}

impl Spot {
    /// The thing at a place of its area; none for a border.
    pub(super) fn pointed_at(self, area: Rect, position: Position) -> Option<PointedAt> {
        let column = usize::from(position.x.clamp(area.left(), area.right().saturating_sub(1)) - area.x);
        let row = usize::from(position.y.clamp(area.top(), area.bottom().saturating_sub(1)) - area.y);
        let (width, height) = (usize::from(area.width).max(1), usize::from(area.height).max(1));
        Some(match self {
            Self::At(thing) => thing,
            // The ends of a curve are in the middles of its first and its last cell.
            Self::Curve(first, last) => {
                let (cells, steps) = ((width - 1).max(1), last.saturating_sub(first));
                PointedAt::Step(first + (column * steps + cells / 2) / cells)
            }
            Self::Picture(PictureWindow { origin, size }) => {
                // The middle of the cell.
                let across = |at: usize, cells: usize, pixels: usize| (2 * at + 1) * pixels / (2 * cells);
                PointedAt::Pixel(
                    origin.0 + across(column, width, size.0),
                    origin.1 + across(row, height, size.1),
                )
            }
            Self::Scatter => {
                let thousandths = |at: usize, cells: usize| (2 * at + 1) * 1000 / (2 * cells);
                PointedAt::Scatter(thousandths(column, width), thousandths(row, height))
            }
            Self::Border(_) => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_on_the_curve_or_the_picture_is_a_step_or_a_pixel() {
        let area = Rect::new(10, 5, 21, 4);
        let at = |spot: Spot, x, y| spot.pointed_at(area, Position::new(x, y));
        let curve = Spot::Curve(1, 101);
        for (x, step) in [(10, 1), (20, 51), (30, 101), (11, 6), (0, 1), (99, 101)] {
            assert_eq!(at(curve, x, 6), Some(PointedAt::Step(step)), "{x}");
        }
        let whole = Spot::Picture(PictureWindow { origin: (0, 0), size: (42, 8) });
        assert_eq!(at(whole, 10, 5), Some(PointedAt::Pixel(1, 1)));
        assert_eq!(at(whole, 30, 8), Some(PointedAt::Pixel(41, 7)));
        let part = Spot::Picture(PictureWindow { origin: (100, 200), size: (21, 4) });
        assert_eq!(at(part, 12, 7), Some(PointedAt::Pixel(102, 202)));
        assert_eq!(at(Spot::Border(PaneBorder::Lists), 12, 7), None);
    }

    #[test]
    fn what_was_noted_last_lies_above_and_an_overlay_covers_all() {
        let mut spots = Spots::default();
        let area = Rect::new(0, 0, 9, 9);
        spots.put(area, Spot::At(PointedAt::Overlay));
        spots.scroll(area, Scrolled::Layers);
        spots.put_lines(Rect::new(1, 1, 5, 2), 7..40, PointedAt::Layer);
        let at = |spots: &Spots, x, y| spots.at(Position::new(x, y)).map(|(_, spot)| spot);
        assert_eq!(at(&spots, 1, 2), Some(Spot::At(PointedAt::Layer(8))));
        assert_eq!(at(&spots, 1, 3), Some(Spot::At(PointedAt::Overlay)), "lines end with their area");
        assert_eq!(at(&spots, 9, 3), None);
        spots.cover();
        assert_eq!((at(&spots, 1, 2), spots.scrolled_at(Position::new(1, 2))), (None, None));
    }
}
