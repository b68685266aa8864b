//! What the terminal can show.

use ratatui::layout::Size;
use ratatui_image::picker::Picker;

/// Pixels of a character cell where nobody says.
const USUAL_CELL: (u16, u16) = (8, 16);

/// A way to show a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Two pixels a cell, in colours.
    Halfblocks,
    /// kitty's graphics, with Unicode placeholders.
    Kitty,
    /// iTerm2's inline images.
    Iterm2,
    /// DEC's sixels.
    Sixel,
    /// No picture.
    None,
}

impl Protocol {
    /// Its name on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Halfblocks => "half-blocks",
            Self::Kitty => "kitty",
            Self::Iterm2 => "iterm2",
            Self::Sixel => "sixel",
            Self::None => "nothing",
        }
    }

    /// The next one, for trying them out.
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

    /// What to try when this one cannot be made ready.
    #[must_use]
    pub fn simpler(self) -> Self {
        match self {
            Self::Kitty | Self::Iterm2 | Self::Sixel => Self::Halfblocks,
            Self::Halfblocks | Self::None => Self::None,
        }
    }

    /// Is the picture painted by the terminal over the cells, instead of made of cells?
    pub fn paints_over_cells(self) -> bool {
        matches!(self, Self::Iterm2 | Self::Sixel)
    }
}

/// How pictures reach this terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Graphics {
    /// The way.
    pub protocol: Protocol,
    /// Pixels of a character cell, width and height.
    pub cell: (u16, u16),
    /// Must sequences be wrapped, to pass through tmux?
    pub tmux: bool,
    /// May kitty pictures be deflated?
    pub deflate: bool,
}

impl Graphics {
    /// The user's word, or half-blocks where there is none: they work everywhere.
    pub fn assumed(choice: Option<Protocol>) -> Self {
        let protocol = choice.unwrap_or(Protocol::Halfblocks);
        let tmux = protocol != Protocol::Halfblocks && Picker::halfblocks().tmux_detected();
        Self { protocol, cell: cell_size(), tmux, deflate: choice.is_some() }
    }

    /// The largest square, in cells, that fits `room`.
    pub fn square(&self, room: Size) -> Size {
        let (width, height) = (u32::from(self.cell.0), u32::from(self.cell.1));
        let side = (u32::from(room.width) * width).min(u32::from(room.height) * height);
        Size::new((side / width) as u16, (side / height) as u16)
    }
}

/// What the system says of the cells, for terminals that are not asked.
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
        _ => USUAL_CELL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_ends_in_showing_nothing_at_last() {
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
