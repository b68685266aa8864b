//! Colours, as the terminal's own sixteen: they fit light and dark screens alike.

use ratatui::style::{Color, Modifier, Style};

/// Styles by what they mean.
#[derive(Debug, Clone, Copy)]
pub struct Theme {
    /// Where the user is.
    pub accent: Style,
    /// Borders and what is less important.
    pub dim: Style,
    /// The line under the cursor.
    pub cursor: Style,
    /// What runs.
    pub running: Style,
    /// What needs attention.
    pub warning: Style,
    /// The curves.
    pub curve: Style,
}

impl Default for Theme {
    fn default() -> Self {
        let color = |color| Style::default().fg(color);
        Self {
            accent: color(Color::Cyan),
            dim: color(Color::DarkGray),
            cursor: Style::default().add_modifier(Modifier::REVERSED),
            running: color(Color::Green),
            warning: color(Color::Yellow),
            curve: color(Color::Cyan),
        }
    }
}

impl Theme {
    /// Without colours, for `NO_COLOR`. Pictures keep theirs: without, there would be none.
    pub fn plain() -> Self {
        let bold = Style::default().add_modifier(Modifier::BOLD);
        let none = Style::default();
        Self { accent: bold, dim: none, running: bold, warning: bold, curve: none, ..Self::default() }
    }

    /// What the environment asks for (<https://no-color.org>).
    pub fn from_environment() -> Self {
        if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
            Self::plain()
        } else {
            Self::default()
        }
    }
}
