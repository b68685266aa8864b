//! Makes of the mouse's reports what they mean for what was drawn: clicks, double clicks, and what is dragged.

use std::time::{Duration, Instant};

use ratatui::layout::{Position, Rect};

use super::mouse::{MouseAction, MouseEvent};
use super::spots::{PaneBorder, Spot, Spots};
use crate::dashboard::{Message, PaneSizes, PointedAt, Pointing};

/// The longest time between the two clicks of a double click.
const DOUBLE_CLICK: Duration = Duration::from_millis(500);

/// The sizes of panes as they are when the mouse is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DraggedPanes {
    /// By how much panes are larger than by themselves.
    pub sizes: PaneSizes,
    /// The columns of the screen that a column of drafts takes.
    pub draft: u16,
}

/// The mouse as it was last reported.
#[derive(Debug, Default)]
pub struct Pointer {
    /// The thing that the button was pressed on, while it is held.
    held: Option<Held>,
    /// The last click, if another one makes it a double click.
    clicked: Option<(Position, Instant, PointedAt)>,
}

/// The thing that the button was pressed on.
#[derive(Debug, Clone, Copy)]
enum Held {
    /// A border, where it was then and with which sizes.
    Border(PaneBorder, Position, DraggedPanes),
    /// Something that follows the mouse, and its area.
    Thing(Rect, Spot),
}

impl Pointer {
    /// The message for the dashboard that a report comes to, if it comes to any.
    pub fn message(
        &mut self,
        event: MouseEvent,
        spots: &Spots,
        panes: DraggedPanes,
        now: Instant,
    ) -> Option<Message> {
        let position = Position::new(event.column, event.row);
        match event.action {
            MouseAction::Press => self.press(position, spots, panes, now).map(Message::Pointing),
            MouseAction::Drag => self.drag(position),
            MouseAction::Release => {
                self.held = None;
                None
            }
            MouseAction::Wheel(notches) => {
                let scrolled = spots.scrolled_at(position)?;
                Some(Message::Pointing(Pointing::Scroll(scrolled, notches)))
            }
        }
    }

    fn press(
        &mut self,
        position: Position,
        spots: &Spots,
        panes: DraggedPanes,
        now: Instant,
    ) -> Option<Pointing> {
        let before = self.clicked.take();
        let under = spots.at(position);
        self.held = under.map(|(area, spot)| match spot {
            Spot::Border(border) => Held::Border(border, position, panes),
            Spot::At(_) | Spot::Curve(..) | Spot::Picture(_) | Spot::Scatter => Held::Thing(area, spot),
        });
        // The first click may have moved what was clicked on to another place.
        if let Some((_, _, thing)) =
            before.filter(|(at, since, _)| *at == position && now.duration_since(*since) < DOUBLE_CLICK)
        {
            return Some(Pointing::DoubleClick(thing));
        }
        let (area, spot) = under?;
        let thing = spot.pointed_at(area, position)?;
        self.clicked = Some((position, now, thing));
        Some(Pointing::Click(thing))
    }

    fn drag(&mut self, position: Position) -> Option<Message> {
        self.clicked = None;
        match self.held? {
            Held::Border(border, from, DraggedPanes { mut sizes, draft }) => {
                let moved = |to: u16, from: u16| i32::from(to) - i32::from(from);
                let by = |cells: i32| i16::try_from(cells).unwrap_or_default();
                let (across, down) = (moved(position.x, from.x), moved(position.y, from.y));
                match border {
                    PaneBorder::Lists => sizes.lists = sizes.lists.saturating_add(by(across)),
                    PaneBorder::Curve => sizes.curve = sizes.curve.saturating_sub(by(down)),
                    PaneBorder::Strip => {
                        let draft = i32::from(draft.max(1));
                        let half = if across < 0 { -draft / 2 } else { draft / 2 };
                        sizes.strip = sizes.strip.saturating_sub(by((across + half) / draft));
                    }
                }
                Some(Message::Resize(sizes))
            }
            Held::Thing(area, spot @ (Spot::Curve(..) | Spot::Picture(_) | Spot::Scatter)) => {
                Some(Message::Pointing(Pointing::Drag(spot.pointed_at(area, position)?)))
            }
            Held::Thing(_, Spot::At(_) | Spot::Border(_)) => None,
        }
    }
}
