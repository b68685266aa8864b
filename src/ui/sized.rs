//! The terminal that is drawn on, with a size that can be drawn: some report no size at all, or one that no memory has
//! room for.

use std::io;

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

/// The size that is assumed where the terminal reports none, columns and rows.
const ASSUMED: (u16, u16) = (80, 24);

/// The largest screen that is drawn on, columns and rows.
const LARGEST: (u16, u16) = (1000, 500);

/// A backend of ratatui whose size is between one cell and the largest screen, and that writes nothing where nothing has
/// changed.
#[derive(Debug)]
pub(super) struct Sized<B> {
    /// The backend that draws.
    pub(super) inner: B,
}

/// The size that is drawn on, of one that the terminal reports.
pub fn drawn(size: Size) -> Size {
    match size {
        Size { width: 0, .. } | Size { height: 0, .. } => Size::new(ASSUMED.0, ASSUMED.1),
        Size { width, height } => Size::new(width.min(LARGEST.0), height.min(LARGEST.1)),
    }
}

impl<B: Backend<Error = io::Error>> Backend for Sized<B> {
    type Error = io::Error;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, content: I) -> io::Result<()> {
        // The inner backend sends the colours back to their defaults, also after nothing.
        let mut content = content.peekable();
        if content.peek().is_some() { self.inner.draw(content) } else { Ok(()) }
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        // It is hidden as long as the terminal is taken over; ratatui would hide it again with each frame.
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.inner.show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.inner.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.inner.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.inner.clear()
    }

    fn clear_region(&mut self, kind: ClearType) -> io::Result<()> {
        self.inner.clear_region(kind)
    }

    fn size(&self) -> io::Result<Size> {
        self.inner.size().map(drawn)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        let WindowSize { columns_rows, pixels } = self.inner.window_size()?;
        Ok(WindowSize { columns_rows: drawn(columns_rows), pixels })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_is_neither_empty_nor_endless() {
        let of = |width, height| drawn(Size::new(width, height));
        assert_eq!(of(0, 0), Size::new(80, 24));
        assert_eq!(of(0, 50), Size::new(80, 24));
        assert_eq!(of(1, 1), Size::new(1, 1));
        assert_eq!(of(1000, 1000), Size::new(1000, 500));
        assert_eq!(of(65535, 3), Size::new(1000, 3));
    }
}
