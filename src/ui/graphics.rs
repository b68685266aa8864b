//! The image protocols, and the one that this terminal uses.

use ratatui::layout::Size;

use super::capabilities::believed;
use super::color_depth::ColorDepth;
use super::surroundings::{let_pictures_through, passes_pictures};

/// The width and height of a character cell in pixels, if they are unknown.
const DEFAULT_CELL_PIXELS: (u16, u16) = (8, 16);

/// The largest picture that is encoded, in pixels and in cells a side: more than any screen has room for, and less than
/// kitty's placeholders can number.
const MAX_PICTURE_PIXELS: u32 = 2048;
pub(super) const MAX_PICTURE_CELLS: u32 = 256;

/// The bytes a second for pictures of pixels and of characters: no more is seen in more frames, and others use the line too.
const PIXEL_RATE: f64 = 290_000.0;
const TEXT_RATE: f64 = 58_000.0;

/// An image protocol: a way to show pictures in a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Two pixels a cell, in two colours.
    Halfblocks,
    /// Four pixels a cell, in two colours.
    Quadrants,
    /// Six pixels a cell, in two colours.
    Sextants,
    /// kitty's graphics, with Unicode placeholders.
    Kitty,
    /// iTerm2's inline images.
    Iterm2,
    /// Sixel graphics, as from DEC's terminals.
    Sixel,
    /// Pictures are not shown.
    None,
}

impl Protocol {
    /// The name of the protocol, as the dashboard shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Halfblocks => "half-blocks",
            Self::Quadrants => "quadrants",
            Self::Sextants => "sextants",
            Self::Kitty => "kitty",
            Self::Iterm2 => "iterm2",
            Self::Sixel => "sixel",
            Self::None => "nothing",
        }
    }

    /// The next protocol in a fixed order, so that the user can try them.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Halfblocks => Self::Quadrants,
            Self::Quadrants => Self::Sextants,
            Self::Sextants => Self::Kitty,
            Self::Kitty => Self::Iterm2,
            Self::Iterm2 => Self::Sixel,
            Self::Sixel => Self::None,
            Self::None => Self::Halfblocks,
        }
    }

    /// The protocol to use if a picture cannot be encoded for this one.
    #[must_use]
    pub fn simpler(self) -> Self {
        match self {
            Self::Kitty | Self::Iterm2 | Self::Sixel | Self::Quadrants | Self::Sextants => Self::Halfblocks,
            Self::Halfblocks | Self::None => Self::None,
        }
    }

    /// Whether the terminal draws the picture over the cells; otherwise the picture consists of cells.
    pub fn paints_over_cells(self) -> bool {
        matches!(self, Self::Iterm2 | Self::Sixel)
    }

    /// Whether the terminal is sent pixels, which tmux would have to pass on; otherwise characters.
    pub fn is_pixels(self) -> bool {
        matches!(self, Self::Iterm2 | Self::Sixel | Self::Kitty)
    }

    /// The most bytes a second that are sent while nobody presses a key.
    pub(super) fn byte_rate(self) -> f64 {
        if self.is_pixels() { PIXEL_RATE } else { TEXT_RATE }
    }
}

/// The image protocol of this terminal with its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Graphics {
    /// The image protocol in use.
    pub protocol: Protocol,
    /// The width and height of a character cell in pixels.
    pub cell: (u16, u16),
    /// Whether sequences must be wrapped to pass through tmux.
    pub tmux: bool,
    /// Whether the terminal accepts deflated kitty pictures.
    pub deflate: bool,
    /// The colours that characters can have.
    pub depth: ColorDepth,
}

impl Graphics {
    /// The user's choice, or half-blocks, which work in every terminal.
    pub fn assumed(choice: Option<Protocol>) -> Self {
        let protocol = choice.unwrap_or(Protocol::Halfblocks);
        // A protocol that was asked for by name must get through tmux.
        let tmux =
            protocol.is_pixels() && passes_pictures().is_some_and(|passes| passes || let_pictures_through());
        let cell = reported_cell().unwrap_or(DEFAULT_CELL_PIXELS);
        Self { protocol, cell, tmux, deflate: choice.is_some(), depth: ColorDepth::from_environment() }
    }

    /// The size in cells of the largest square, in pixels, that fits `room` and is not larger than any picture.
    pub fn square(&self, room: Size) -> Size {
        self.fitted(room, (1, 1))
    }

    /// The same of the largest picture of a shape, given by a width and a height. A thin one fills a row or a column of cells.
    pub fn fitted(&self, room: Size, shape: (usize, usize)) -> Size {
        let (width, height) = believed(self.cell);
        let (width, height) = (u64::from(width), u64::from(height));
        let cells = |room: u16| u64::from(room).min(MAX_PICTURE_CELLS.into());
        let (across, down) = (shape.0.max(1) as u64, shape.1.max(1) as u64);
        let (room_x, room_y) = (cells(room.width) * width, cells(room.height) * height);
        // Of the longer side, all that the room and the other side leave.
        let longest = (room_x * across.max(down) / across).min(room_y * across.max(down) / down);
        let longest = longest.min(MAX_PICTURE_PIXELS.into());
        let side = |own: u64, cell: u64, room: u16| {
            let cells = longest * own / across.max(down) / cell;
            if across == down { cells as u16 } else { (cells as u16).max(1).min(room) }
        };
        Size::new(side(across, width, room.width), side(down, height, room.height))
    }
}

/// The size of a cell in pixels that the terminal has told the operating system.
pub(super) fn reported_cell() -> Option<(u16, u16)> {
    let size = ratatui::crossterm::terminal::window_size().ok()?;
    let cell = (size.width.checked_div(size.columns)?, size.height.checked_div(size.rows)?);
    (cell.0 > 0 && cell.1 > 0).then(|| believed(cell))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simpler_protocols_end_with_none() {
        assert_eq!(Protocol::Sixel.simpler(), Protocol::Halfblocks);
        assert_eq!(Protocol::Halfblocks.simpler(), Protocol::None);
    }

    #[test]
    fn the_square_is_square_in_pixels_and_fits() {
        let graphics = Graphics {
            protocol: Protocol::Kitty,
            cell: (8, 16),
            tmux: false,
            deflate: false,
            depth: ColorDepth::True,
        };
        assert_eq!(graphics.square(Size::new(40, 30)), Size::new(40, 20));
        assert_eq!(graphics.square(Size::new(90, 10)), Size::new(20, 10));
        assert_eq!(graphics.square(Size::new(0, 10)), Size::new(0, 0));
        assert_eq!(graphics.fitted(Size::new(40, 30), (480, 320)), Size::new(40, 13));
        assert_eq!(graphics.fitted(Size::new(90, 10), (320, 480)), Size::new(13, 10));
        assert_eq!(graphics.fitted(Size::new(90, 10), (9000, 3)), Size::new(90, 1));
        assert_eq!(graphics.fitted(Size::new(0, 10), (480, 320)), Size::new(0, 1));
    }

    #[test]
    fn no_room_and_no_cell_makes_a_picture_absurdly_large() {
        for cell in [(0, 0), (1, 1), (8, 16), (4000, 4000), (1, 4000), (65535, 65535)] {
            let graphics = Graphics {
                protocol: Protocol::Sixel,
                cell,
                tmux: false,
                deflate: false,
                depth: ColorDepth::True,
            };
            for room in [(0, 0), (1, 1), (80, 24), (1000, 1000), (65535, 65535), (65535, 1)] {
                let size = graphics.square(Size::new(room.0, room.1));
                assert!(size.width <= room.0.min(256) && size.height <= room.1.min(256), "{cell:?} {room:?}");
                let (width, height) = believed(cell);
                let pixels = u32::from(size.width) * u32::from(width);
                assert!(
                    pixels <= 2048 && u32::from(size.height) * u32::from(height) <= 2048,
                    "{cell:?} {room:?}"
                );
            }
        }
    }
}
