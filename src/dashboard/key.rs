//! The keys that the dashboard knows, independent of the terminal library.

/// A key press.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// A printable character.
    Char(char),
    /// Ctrl and a lower-case letter.
    Ctrl(char),
    /// Alt and a lower-case letter, where that is told from the letter alone.
    Alt(char),
    /// The arrow key up.
    Up,
    /// The arrow key down.
    Down,
    /// The arrow key left.
    Left,
    /// The arrow key right.
    Right,
    /// Tab, which moves to the next pane or completes a word.
    Tab,
    /// Shift and Tab, which move to the previous pane.
    BackTab,
    /// The Return or Enter key.
    Enter,
    /// The Escape key, which cancels.
    Escape,
    /// Backspace, which deletes to the left.
    Backspace,
    /// Delete, which deletes to the right.
    Delete,
    /// Page up, which moves back by a page.
    PageUp,
    /// Page down, which moves forward by a page.
    PageDown,
    /// Home, which moves to the first item.
    Home,
    /// End, which moves to the last item.
    End,
}
