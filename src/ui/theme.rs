//! The colours of the dashboard by meaning, in several themes. None of them paints a background.

use ratatui::style::{Color, Modifier, Style};

use super::color_depth::ColorDepth;

/// A theme, as the user names it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ThemeName {
    /// Dark or light, as the terminal is; its own palette, where it does not say.
    #[default]
    Auto,
    /// Bright colours on a dark screen.
    Dark,
    /// Deep colours on a light screen.
    Light,
    /// As much contrast as there is.
    HighContrast,
    /// Colours that people with any vision of colours tell apart, from the set of Okabe and Ito
    /// (<https://jfly.uni-koeln.de/color/>).
    ColorBlind,
    /// The terminal's own foreground and attributes, without any colour. Pictures keep theirs.
    Terminal,
}

impl ThemeName {
    /// Whether the colours depend on the background.
    pub(super) fn follows_background(self) -> bool {
        match self {
            Self::Auto | Self::HighContrast | Self::ColorBlind => true,
            Self::Dark | Self::Light | Self::Terminal => false,
        }
    }
}

/// The background of the terminal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Background {
    /// The terminal has not said.
    #[default]
    Unknown,
    /// Darker than a middle gray.
    Dark,
    /// Lighter than a middle gray.
    Light,
}

/// The styles of the dashboard, by meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// The steps of a ramp, from low to high.
    pub ramp: [Style; RAMP_STEPS],
}

/// The number of steps of a ramp of colours.
const RAMP_STEPS: usize = 5;

/// A colour of a theme: red, green and blue, and which of the 16 colours stands for it in old terminals.
type ThemeColor = ([u8; 3], Color);

/// The colours of a theme for one kind of background.
struct Palette {
    accent: ThemeColor,
    /// Less important text, which is dimmed where there are 16 colours: no gray of those is sure to be seen.
    dim: [u8; 3],
    running: ThemeColor,
    warning: ThemeColor,
}

const DARK: Palette = Palette {
    accent: ([95, 205, 235], Color::Cyan),
    dim: [150, 150, 150],
    running: ([135, 215, 135], Color::Green),
    warning: ([255, 205, 95], Color::Yellow),
};

const LIGHT: Palette = Palette {
    accent: ([0, 95, 135], Color::Blue),
    dim: [95, 95, 95],
    running: ([0, 105, 35], Color::Green),
    warning: ([150, 60, 0], Color::Red),
};

const CONTRAST_DARK: Palette = Palette {
    accent: ([255, 255, 255], Color::White),
    dim: [230, 230, 230],
    running: ([95, 255, 95], Color::LightGreen),
    warning: ([255, 255, 0], Color::LightYellow),
};

const CONTRAST_LIGHT: Palette = Palette {
    accent: ([0, 0, 0], Color::Black),
    dim: [40, 40, 40],
    running: ([0, 75, 0], Color::Green),
    warning: ([120, 0, 0], Color::Red),
};

/// Sky blue, bluish green, orange.
const BLIND_DARK: Palette = Palette {
    accent: ([86, 180, 233], Color::LightBlue),
    dim: [150, 150, 150],
    running: ([0, 175, 135], Color::Cyan),
    warning: ([230, 159, 0], Color::Yellow),
};

/// Blue, bluish green and vermillion, the last two darker than in the set, for the contrast.
const BLIND_LIGHT: Palette = Palette {
    accent: ([0, 114, 178], Color::Blue),
    dim: [95, 95, 95],
    running: ([0, 110, 80], Color::Cyan),
    warning: ([175, 70, 0], Color::Red),
};

impl Default for Theme {
    fn default() -> Self {
        Self::of(ThemeName::Auto, Background::Unknown, ColorDepth::True)
    }
}

impl Theme {
    /// The styles of a theme on a background, in the colours that the terminal has.
    pub fn of(name: ThemeName, background: Background, depth: ColorDepth) -> Self {
        use Background::{Dark, Light, Unknown};
        let colors = |palette| Self::with_palette(palette, depth);
        match (name, background) {
            (ThemeName::Terminal, _) => Self::terminal(),
            (ThemeName::Dark, _) | (ThemeName::Auto, Dark) => colors(&DARK),
            (ThemeName::Light, _) | (ThemeName::Auto, Light) => colors(&LIGHT),
            (ThemeName::Auto, Unknown) => Self::of_the_terminals_palette(),
            (ThemeName::HighContrast, Dark) => colors(&CONTRAST_DARK).strong(),
            (ThemeName::HighContrast, Light) => colors(&CONTRAST_LIGHT).strong(),
            // The terminal's own foreground has the contrast that its user wants.
            (ThemeName::HighContrast, Unknown) => Self::terminal().strong(),
            (ThemeName::ColorBlind, Light) => colors(&BLIND_LIGHT),
            (ThemeName::ColorBlind, Dark | Unknown) => colors(&BLIND_DARK),
        }
    }

    fn with_palette(palette: &Palette, depth: ColorDepth) -> Self {
        let color = |(rgb, old): ThemeColor| match depth {
            ColorDepth::Sixteen => Style::default().fg(old),
            ColorDepth::True | ColorDepth::Palette => Style::default().fg(depth.color(rgb)),
        };
        let dim = match depth {
            ColorDepth::Sixteen => Style::default().add_modifier(Modifier::DIM),
            ColorDepth::True | ColorDepth::Palette => Style::default().fg(depth.color(palette.dim)),
        };
        Self {
            accent: color(palette.accent),
            dim,
            cursor: Style::default().add_modifier(Modifier::REVERSED),
            running: color(palette.running),
            warning: color(palette.warning),
            curve: color(palette.accent),
            ramp: Self::ramp_of(palette, depth),
        }
    }

    /// From less important text to that which needs attention; with 16 colours, only the upper steps stand out.
    fn ramp_of(palette: &Palette, depth: ColorDepth) -> [Style; RAMP_STEPS] {
        let (low, (high, old)) = (palette.dim, palette.warning);
        std::array::from_fn(|step| match depth {
            ColorDepth::Sixteen if step + 2 < RAMP_STEPS => Style::default(),
            ColorDepth::Sixteen => Style::default().fg(old),
            ColorDepth::True | ColorDepth::Palette => {
                let share = step as f32 / (RAMP_STEPS - 1) as f32;
                let mixed = |c: usize| f32::from(low[c]) + share * (f32::from(high[c]) - f32::from(low[c]));
                Style::default().fg(depth.color([0, 1, 2].map(|c| mixed(c).round() as u8)))
            }
        })
    }

    /// The style of a share of the highest value, in 0..1.
    pub fn ramp(&self, share: f64) -> Style {
        let step = (share.clamp(0.0, 1.0) * (RAMP_STEPS - 1) as f64).round() as usize;
        self.ramp[step.min(RAMP_STEPS - 1)]
    }

    /// The steps where colours are not those of a palette: the upper ones stand out.
    fn plain_ramp(high: Style) -> [Style; RAMP_STEPS] {
        std::array::from_fn(|step| if step + 2 < RAMP_STEPS { Style::default() } else { high })
    }

    /// Colours of the terminal's own palette, which suit light and dark screens.
    fn of_the_terminals_palette() -> Self {
        let color = |color| Style::default().fg(color);
        Self {
            accent: color(Color::Cyan),
            // Bright black is the background itself in some palettes.
            dim: Style::default().add_modifier(Modifier::DIM),
            cursor: Style::default().add_modifier(Modifier::REVERSED),
            running: color(Color::Green),
            warning: color(Color::Yellow),
            curve: color(Color::Cyan),
            ramp: Self::plain_ramp(color(Color::Yellow)),
        }
    }

    fn terminal() -> Self {
        let bold = Style::default().add_modifier(Modifier::BOLD);
        let none = Style::default();
        let cursor = none.add_modifier(Modifier::REVERSED);
        let ramp = Self::plain_ramp(bold);
        Self { accent: bold, dim: none, cursor, running: bold, warning: bold, curve: none, ramp }
    }

    /// The same theme with important parts in bold, so that it does not depend on its colour alone.
    fn strong(self) -> Self {
        let bold = |style: Style| style.add_modifier(Modifier::BOLD);
        let warning = bold(self.warning).add_modifier(Modifier::UNDERLINED);
        Self {
            accent: bold(self.accent),
            cursor: bold(self.cursor),
            running: bold(self.running),
            warning,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The relative luminance of a colour, by WCAG 2.
    fn luminance(rgb: [u8; 3]) -> f64 {
        let [r, g, b] = rgb.map(|level| {
            let level = f64::from(level) / 255.0;
            if level <= 0.04045 { level / 12.92 } else { ((level + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        a.max(b) / a.min(b)
    }

    /// WCAG 2 asks for 4.5 for text, and for 7 where contrast is what matters.
    #[test]
    fn every_colour_stands_out_from_its_background() {
        let (dark, light) = ([30; 3], [253, 246, 227]);
        for (palette, background, least) in [
            (&DARK, dark, 4.5),
            (&LIGHT, light, 4.5),
            (&CONTRAST_DARK, dark, 7.0),
            (&CONTRAST_LIGHT, light, 7.0),
            (&BLIND_DARK, dark, 4.5),
            (&BLIND_LIGHT, light, 4.5),
        ] {
            let Palette { accent, dim, running, warning } = palette;
            for color in [accent.0, *dim, running.0, warning.0] {
                let found = contrast(color, background);
                assert!(found >= least, "{color:?} on {background:?}: {found:.1}");
            }
        }
    }
}
