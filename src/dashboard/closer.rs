//! Looking closer at the picture, as part of the state: how large it is drawn, the cursor on it, and what of its layer is shown
//! besides. Not here: what keys do to it.

use crate::worker::protocol::ExaminedChannel;

/// The largest enlargement of the picture.
const MAX_ENLARGEMENT: usize = 4;

/// The part of a window that the cursor moves by.
const STEPS_ACROSS: usize = 32;

/// The mean activation of every channel of the layer, in the place of the curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChannelBars {
    /// The curve is shown.
    #[default]
    Hidden,
    /// A bar a channel, the highest first.
    Sorted,
    /// A bar a channel, in the order of their numbers.
    InOrder,
}

/// A rectangle of a picture in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureWindow {
    /// The first column and the first row.
    pub origin: (usize, usize),
    /// The number of columns and of rows, at least one.
    pub size: (usize, usize),
}

/// The way in which the picture is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closer {
    /// By how much the picture is enlarged: 1, 2 or 4.
    pub enlargement: usize,
    /// Whether the activation map of the channel under the cursor lies over the picture.
    pub shows_map: bool,
    /// The bars of all channels.
    pub bars: ChannelBars,
    /// The pixel under the cursor, column and row, while there is one.
    pub(super) pixel: Option<(usize, usize)>,
    /// The channel that the worker was last asked to measure.
    pub(super) asked: Option<ExaminedChannel>,
}

impl Default for Closer {
    fn default() -> Self {
        Self { enlargement: 1, shows_map: false, bars: ChannelBars::Hidden, pixel: None, asked: None }
    }
}

impl Closer {
    /// Whether anything of it is to be seen.
    pub fn is_on(&self) -> bool {
        self.enlargement > 1 || self.shows_map || self.pixel.is_some()
    }

    /// Enlarges further; false after the largest, and then the whole picture is shown again.
    pub(super) fn enlarge(&mut self) -> bool {
        self.enlargement *= 2;
        let enlarged = self.enlargement <= MAX_ENLARGEMENT;
        if !enlarged {
            self.enlargement = 1;
        }
        enlarged
    }

    /// Whether it cannot be enlarged further.
    pub(super) fn is_largest(&self) -> bool {
        self.enlargement >= MAX_ENLARGEMENT
    }

    /// Enlarges less; false where the whole picture is shown already.
    pub(super) fn reduce(&mut self) -> bool {
        let enlarged = self.enlargement > 1;
        self.enlargement = (self.enlargement / 2).max(1);
        enlarged
    }

    /// Measurements from here on are asked for anew: the network is another one.
    pub(super) fn forget(&mut self) {
        self.asked = None;
    }

    /// The part of a picture of this size that is drawn: around the cursor, or else its middle.
    pub(super) fn window(&self, size: (usize, usize)) -> PictureWindow {
        let middle = self.pixel.unwrap_or((size.0 / 2, size.1 / 2));
        let [(left, width), (top, height)] = [(middle.0, size.0), (middle.1, size.1)].map(|(at, whole)| {
            let shown = (whole / self.enlargement).max(1);
            (at.saturating_sub(shown / 2).min(whole.saturating_sub(shown)), shown)
        });
        PictureWindow { origin: (left, top), size: (width, height) }
    }

    /// Moves the cursor by so many of its steps, which are the smaller the more the picture is enlarged.
    pub(super) fn step(&mut self, size: (usize, usize), (across, down): (isize, isize)) {
        let shown = self.window(size).size;
        let moved = |at: usize, steps: isize, shown: usize, whole: usize| {
            let by = (shown / STEPS_ACROSS).max(1);
            at.saturating_add_signed(steps.saturating_mul(by as isize)).min(whole.saturating_sub(1))
        };
        if let Some((column, row)) = self.pixel {
            self.pixel = Some((moved(column, across, shown.0, size.0), moved(row, down, shown.1, size.1)));
        }
    }
}
