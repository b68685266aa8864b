//! How many colours the terminal shows, and the nearest of them to a colour of a picture.

use std::env;

use ratatui::style::Color;

/// The colours that a terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorDepth {
    /// Any red, green and blue: 24 bits.
    True,
    /// The palette of 256 colours: 16 of the terminal's own, a cube of 6 levels a side, and 24 grays.
    Palette,
    /// The 16 colours of old terminals.
    Sixteen,
}

/// The levels of the palette's cube.
const CUBE_LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The 16 colours as xterm has them. A terminal may have others.
const SIXTEEN: [[u8; 3]; 16] = [
    [0, 0, 0],
    [205, 0, 0],
    [0, 205, 0],
    [205, 205, 0],
    [0, 0, 238],
    [205, 0, 205],
    [0, 205, 205],
    [229, 229, 229],
    [127, 127, 127],
    [255, 0, 0],
    [0, 255, 0],
    [255, 255, 0],
    [92, 92, 255],
    [255, 0, 255],
    [0, 255, 255],
    [255, 255, 255],
];

impl ColorDepth {
    /// The depth that the environment tells, until the terminal says more. tmux takes all colours, and shows those that the
    /// terminal around it has.
    pub(super) fn from_environment() -> Self {
        let variable = |name| env::var(name).unwrap_or_default();
        Self::told(&variable("COLORTERM"), &variable("TERM"), !variable("TMUX").is_empty())
    }

    fn told(colorterm: &str, term: &str, tmux: bool) -> Self {
        if tmux || ["truecolor", "24bit"].contains(&colorterm) || term.ends_with("-direct") {
            Self::True
        } else if term.contains("256color") || !colorterm.is_empty() {
            Self::Palette
        } else {
            Self::Sixteen
        }
    }

    /// The nearest colour that is shown.
    pub(super) fn color(self, rgb @ [red, green, blue]: [u8; 3]) -> Color {
        match self {
            Self::True => Color::Rgb(red, green, blue),
            Self::Palette => Color::Indexed(palette_index(rgb)),
            Self::Sixteen => {
                let nearest = (0..16).min_by_key(|index| distance(SIXTEEN[usize::from(*index)], rgb));
                Color::Indexed(nearest.unwrap_or(0))
            }
        }
    }
}

/// The index of the nearest colour of the cube or of the grays.
fn palette_index(rgb: [u8; 3]) -> u8 {
    let nearest = |level: u8| {
        (0..6_u8).min_by_key(|index| CUBE_LEVELS[usize::from(*index)].abs_diff(level)).unwrap_or(0)
    };
    let [red, green, blue] = rgb.map(nearest);
    let in_cube = [red, green, blue].map(|index| CUBE_LEVELS[usize::from(index)]);
    let mean = rgb.iter().map(|level| u16::from(*level)).sum::<u16>() / 3;
    // The grays are 8, 18, and so on to 238.
    let gray = (mean.saturating_sub(3) / 10).min(23) as u8;
    if distance([8 + 10 * gray; 3], rgb) < distance(in_cube, rgb) {
        232 + gray
    } else {
        16 + 36 * red + 6 * green + blue
    }
}

fn distance(a: [u8; 3], b: [u8; 3]) -> u32 {
    a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The levels of a colour of the palette, from its definition.
    fn levels(index: u8) -> [u8; 3] {
        match index {
            0..16 => SIXTEEN[usize::from(index)],
            16..232 => {
                let index = usize::from(index - 16);
                [index / 36, index / 6 % 6, index % 6].map(|level| CUBE_LEVELS[level])
            }
            232.. => [8 + 10 * (index - 232); 3],
        }
    }

    #[test]
    fn the_nearest_colour_of_the_palette_is_chosen() {
        for rgb in (0..4096_u32).map(|i| [i * 7 % 256, i * 61 % 256, i * 151 % 256].map(|level| level as u8))
        {
            let chosen = distance(levels(palette_index(rgb)), rgb);
            let least = (16..=255).map(|index| distance(levels(index), rgb)).min().unwrap();
            assert!(chosen <= least + 30, "{rgb:?}: {chosen}, not {least}");
        }
        for index in 16..=255 {
            assert_eq!(levels(palette_index(levels(index))), levels(index));
        }
    }

    #[test]
    fn sixteen_colours_are_themselves() {
        for (index, rgb) in SIXTEEN.into_iter().enumerate() {
            assert_eq!(ColorDepth::Sixteen.color(rgb), Color::Indexed(index as u8));
        }
    }

    #[test]
    fn the_environment_tells_the_depth() {
        for (colorterm, term, tmux, depth) in [
            ("truecolor", "xterm-256color", false, ColorDepth::True),
            ("24bit", "xterm", false, ColorDepth::True),
            ("", "xterm-direct", false, ColorDepth::True),
            ("", "tmux-256color", true, ColorDepth::True),
            ("", "xterm-256color", false, ColorDepth::Palette),
            ("yes", "rxvt", false, ColorDepth::Palette),
            ("", "xterm", false, ColorDepth::Sixteen),
            ("", "linux", false, ColorDepth::Sixteen),
        ] {
            assert_eq!(ColorDepth::told(colorterm, term, tmux), depth, "{colorterm} {term}");
        }
    }
}
