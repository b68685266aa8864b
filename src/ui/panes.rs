//! The areas of the panes on a screen, as its size and the user's wishes divide it.

use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::widgets::Block;

use super::mosaic::MosaicGrid;
use crate::dashboard::PaneSizes;

/// The rows of the run pane with all its lines.
const RUN_PANE_ROWS: u16 = 18;

/// The narrowest lists, and the columns that are left beside the widest.
const MIN_LISTS: u16 = 18;
const MIN_BESIDE_LISTS: u16 = 48;

/// The lowest curve, and the rows that are left above the highest.
const MIN_CURVE: u16 = 4;
const MIN_ABOVE_CURVE: u16 = 9;

/// The smallest pane for predictions, columns and rows.
const MIN_PREDICTIONS_PANE: (u16, u16) = (24, 6);

/// The areas of the panes.
///
/// ```text
/// minivgg > block5_conv2 > channel 30 of 256   lucid, 64 px, seed 0
/// +- layers -------+- picture --------------------+- run -------+
/// | block1_conv1   |                              | running     |
/// | ...            |                              | ####---45 % |
/// |                |                              | step 57/128 |
/// |                |                              +- classes ---+
/// |                |                              | mushroom    |
/// |                +- loss -----------------------+-------------+
/// +- channels -----+ the curve, and its mean over some steps    |
/// | 136 137 138 .. |                                            |
/// +----------------+--------------------------------------------+
/// saved in ...
/// Enter start  Space pause  ...
/// ```
/// If there is no room below the run pane, the classes are beside the loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Panes {
    /// The line with the place of the cursor, the settings and what computes.
    pub header: Rect,
    /// The list of layers.
    pub layers: Rect,
    /// The channels around the cursor.
    pub channels: Rect,
    /// The picture of the run.
    pub picture: Rect,
    /// The strip of drafts beside the picture; empty where there is none.
    pub strip: Rect,
    /// The numbers of the run.
    pub run: Rect,
    /// The curve of the loss.
    pub loss: Rect,
    /// The predictions; empty if they are turned off or there is no room.
    pub predictions: Rect,
    /// The line with the message for the user.
    pub message: Rect,
    /// The line with the most useful keys.
    pub keys: Rect,
}

impl Panes {
    /// Divides the screen. If the picture is zoomed, only the picture, the line at the top and the last two lines have an area.
    pub fn of(area: Rect, zoomed: bool, sizes: PaneSizes) -> Self {
        let one = Constraint::Length(1);
        let [header, body, message, keys] =
            Layout::vertical([one, Constraint::Fill(1), one, one]).areas(area);
        if zoomed {
            let none = Rect::default();
            let [layers, channels, strip, run, loss, predictions] = [none; 6];
            return Self {
                header,
                layers,
                channels,
                picture: body,
                strip,
                run,
                loss,
                predictions,
                message,
                keys,
            };
        }
        let left = lists_width(area, sizes);
        let [left, right] = Layout::horizontal([Constraint::Length(left), Constraint::Fill(1)]).areas(body);
        let channels = (body.height / 5).clamp(4, 9);
        let [layers, channels] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(channels)]).areas(left);
        let loss = curve_height(area, sizes);
        let [top, loss] = Layout::vertical([Constraint::Fill(1), Constraint::Length(loss)]).areas(right);
        let run = (right.width / 3).clamp(23, 30);
        let [picture, run] = Layout::horizontal([Constraint::Fill(1), Constraint::Length(run)]).areas(top);
        let (strip, predictions) = (Rect::default(), Rect::default());
        Self { header, layers, channels, picture, strip, run, loss, predictions, message, keys }
    }

    /// Gives the right part of the picture's pane to a strip with these places for drafts.
    #[must_use]
    pub fn with_strip(self, grid: Option<&MosaicGrid>) -> Self {
        let Some(width) = grid.map(|grid| grid.area.width + 2).filter(|width| *width < self.picture.width)
        else {
            return self;
        };
        let picture = Rect { width: self.picture.width - width, ..self.picture };
        let strip = Rect { x: picture.right(), width, ..picture };
        Self { picture, strip, ..self }
    }

    /// Adds a pane for predictions below the run, or else beside the loss, or not at all. The picture keeps its area.
    #[must_use]
    pub fn with_predictions(self) -> Self {
        if self.run.height >= RUN_PANE_ROWS + MIN_PREDICTIONS_PANE.1 {
            let rows = [Constraint::Length(RUN_PANE_ROWS), Constraint::Fill(1)];
            let [run, predictions] = Layout::vertical(rows).areas(self.run);
            return Self { run, predictions, ..self };
        }
        if self.loss.width < 2 * MIN_PREDICTIONS_PANE.0 {
            return self;
        }
        let width = (self.loss.width / 2).min(30);
        let columns = [Constraint::Fill(1), Constraint::Length(width)];
        let [loss, predictions] = Layout::horizontal(columns).areas(self.loss);
        Self { loss, predictions, ..self }
    }

    /// The cells that the picture may fill, inside its border.
    pub fn picture_inner(&self) -> Rect {
        Block::bordered().inner(self.picture)
    }
}

/// The columns of the lists of layers and channels, on a screen of this size.
pub(super) fn lists_width(area: Rect, sizes: PaneSizes) -> u16 {
    let own = (area.width * 3 / 10).clamp(27, 36);
    let most = own.max(area.width.saturating_sub(MIN_BESIDE_LISTS));
    own.saturating_add_signed(sizes.lists).clamp(MIN_LISTS, most)
}

/// The rows of the curve, on a screen of this size.
pub(super) fn curve_height(area: Rect, sizes: PaneSizes) -> u16 {
    let body = area.height.saturating_sub(3);
    let own = (body * 3 / 10).clamp(5, 10);
    let most = own.max(body.saturating_sub(MIN_ABOVE_CURVE));
    own.saturating_add_signed(sizes.curve).clamp(MIN_CURVE, most)
}
