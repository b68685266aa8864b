//! The colours of the dashboard. They are from the terminal's own, which suit light and dark screens.

use ratatui::style::{Color, Modifier, Style};

/// The styles of the dashboard, by meaning.
#[derive(Debug, Clone, Copy)]
pub struct Theme {
    /// The focused pane, keys and important numbers.
    pub accent: Style,
    /// Borders and less important text.
    pub dim: Style,
    /// The line under the cursor.
    pub cursor: Style,
    /// The network, layer and channel of the current run.
    pub running: Style,
    /// Messages that need attention.
    pub warning: Style,
    /// The curves of the loss pane.
    pub curve: Style,
}

impl Default for Theme {
    fn default() -> Self {
        let color = |color| Style::default().fg(color);
        Self {
            accent: color(Color::Cyan),
            // Bright black is the background itself in some palettes.
            dim: Style::default().add_modifier(Modifier::DIM),
            cursor: Style::default().add_modifier(Modifier::REVERSED),
            running: color(Color::Green),
            warning: color(Color::Yellow),
            curve: color(Color::Cyan),
        }
    }
}

impl Theme {
    /// Styles without colours, for `NO_COLOR`. Pictures keep their colours.
    pub fn plain() -> Self {
        let bold = Style::default().add_modifier(Modifier::BOLD);
        let none = Style::default();
        Self { accent: bold, dim: none, running: bold, warning: bold, curve: none, ..Self::default() }
    }

    /// The styles that the variable `NO_COLOR` asks for (<https://no-color.org>).
    pub fn from_environment() -> Self {
        if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
            Self::plain()
        } else {
            Self::default()
        }
    }
}
