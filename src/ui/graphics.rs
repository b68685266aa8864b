//! What the terminal can show: asked once, before anything else reads its input.

use ratatui::layout::Size;
use ratatui_image::picker::cap_parser::QueryStdioOptions;
use ratatui_image::picker::{Capability, Picker, ProtocolType};

/// How long a terminal may take to say what it can do: a slow link's round trip.
const ANSWER_MS: i32 = 1000;

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
    /// Takes the user's word, or asks the terminal where there is none. In raw mode, before anyone reads keys:
    /// the answer comes that way.
    pub fn detect(choice: Option<Protocol>) -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let protocol = match choice {
            None if dumb => Protocol::Halfblocks,
            None => return Self::ask(),
            Some(protocol) => protocol,
        };
        let tmux = protocol != Protocol::Halfblocks && Picker::halfblocks().tmux_detected();
        Self { protocol, cell: cell_size(), tmux, deflate: true }
    }

    fn ask() -> Self {
        let options = QueryStdioOptions {
            timeout_ms: ANSWER_MS,
            kitty_compression: true,
            ..QueryStdioOptions::default()
        };
        let Ok(picker) = Picker::from_query_stdio_with_options(options) else {
            return Self { protocol: Protocol::Halfblocks, cell: cell_size(), tmux: false, deflate: false };
        };
        let font = picker.font_size();
        let tmux = picker.tmux_detected();
        let protocol = match picker.protocol_type() {
            ProtocolType::Kitty => Protocol::Kitty,
            ProtocolType::Iterm2 => Protocol::Iterm2,
            // tmux does not know of sixels that pass through it, and leaves them behind.
            ProtocolType::Sixel if !tmux => Protocol::Sixel,
            _ => Protocol::Halfblocks,
        };
        let deflate = picker.capabilities().contains(&Capability::KittyCompression);
        Self { protocol, cell: (font.width.max(1), font.height.max(1)), tmux, deflate }
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
    fn the_square_is_square_in_pixels_and_fits() {
        let graphics = Graphics { protocol: Protocol::Kitty, cell: (8, 16), tmux: false, deflate: false };
        assert_eq!(graphics.square(Size::new(40, 30)), Size::new(40, 20));
        assert_eq!(graphics.square(Size::new(90, 10)), Size::new(20, 10));
        assert_eq!(graphics.square(Size::new(0, 10)), Size::new(0, 0));
    }
}
