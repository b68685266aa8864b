//! The image protocols, and the one that this terminal uses.

use ratatui::layout::Size;
use ratatui_image::picker::Picker;

/// The width and height of a character cell in pixels, if they are unknown.
const DEFAULT_CELL_PIXELS: (u16, u16) = (8, 16);

/// An image protocol: a way to show pictures in a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Two pixels a cell, in colours.
    Halfblocks,
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
            Self::Halfblocks => Self::Kitty,
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
            Self::Kitty | Self::Iterm2 | Self::Sixel => Self::Halfblocks,
            Self::Halfblocks | Self::None => Self::None,
        }
    }

    /// Whether the terminal draws the picture over the cells; otherwise the picture consists of cells.
    pub fn paints_over_cells(self) -> bool {
        matches!(self, Self::Iterm2 | Self::Sixel)
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
}

impl Graphics {
    /// The user's choice, or half-blocks, which work in every terminal.
    pub fn assumed(choice: Option<Protocol>) -> Self {
        let protocol = choice.unwrap_or(Protocol::Halfblocks);
        let tmux = protocol != Protocol::Halfblocks && Picker::halfblocks().tmux_detected();
        Self { protocol, cell: cell_size(), tmux, deflate: choice.is_some() }
    }

    /// The size in cells of the largest square, in pixels, that fits `room`.
    pub fn square(&self, room: Size) -> Size {
        let (width, height) = (u32::from(self.cell.0), u32::from(self.cell.1));
        let side = (u32::from(room.width) * width).min(u32::from(room.height) * height);
        Size::new((side / width) as u16, (side / height) as u16)
    }
}

/// The size of a cell in pixels that the operating system reports, or else the default.
fn cell_size() -> (u16, u16) {
    match ratatui::crossterm::terminal::window_size() {
        Ok(size)
            if size.width >= size.columns
                && size.height >= size.rows
                && size.columns > 0
                && size.rows > 0 =>
        {
            (size.width / size.columns, size.height / size.rows)
        }
        _ => DEFAULT_CELL_PIXELS,
    }
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
        let graphics = Graphics { protocol: Protocol::Kitty, cell: (8, 16), tmux: false, deflate: false };
        assert_eq!(graphics.square(Size::new(40, 30)), Size::new(40, 20));
        assert_eq!(graphics.square(Size::new(90, 10)), Size::new(20, 10));
        assert_eq!(graphics.square(Size::new(0, 10)), Size::new(0, 0));
    }
}
