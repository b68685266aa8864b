//! Whether the terminal is dark or light, from its reply (OSC 11) or from a variable that some set.

use super::theme::Background;

/// The question for the colour of the background.
pub(super) const BACKGROUND_QUESTION: &str = "\x1b]11;?\x1b\\";

/// The background in a terminal's reply, `11;rgb:RRRR/GGGG/BBBB` with one to four hexadecimal digits each; none for other
/// strings.
pub(super) fn replied(text: &str) -> Option<Background> {
    let color = text.strip_prefix("11;")?;
    let levels = color.strip_prefix("rgb:").or_else(|| color.strip_prefix("rgba:"))?;
    let level = |digits: &str| {
        let most = match digits.len() {
            1..=4 => f64::from((1_u32 << (4 * digits.len())) - 1),
            _ => return None,
        };
        let is_hexadecimal = digits.chars().all(|c| c.is_ascii_hexdigit());
        Some(f64::from(u32::from_str_radix(digits, 16).ok().filter(|_| is_hexadecimal)?) / most)
    };
    let levels: Option<Vec<f64>> = levels.split('/').map(level).collect();
    match levels?[..] {
        [red, green, blue] | [red, green, blue, _] => Some(of(0.299 * red + 0.587 * green + 0.114 * blue)),
        _ => None,
    }
}

/// The background of this brightness, of 1.
fn of(brightness: f64) -> Background {
    if brightness < 0.5 { Background::Dark } else { Background::Light }
}

/// The background that `COLORFGBG` tells, as `15;0` or `0;default;15`: the last number is that of the background.
pub(super) fn told(variable: &str) -> Background {
    match variable.rsplit(';').next().and_then(|number| number.parse::<u8>().ok()) {
        Some(0..=6 | 8) => Background::Dark,
        Some(7 | 9..=15) => Background::Light,
        _ => Background::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_dark_or_light() {
        for (reply, background) in [
            ("11;rgb:0000/0000/0000", Some(Background::Dark)),
            ("11;rgb:ffff/ffff/ffff", Some(Background::Light)),
            ("11;rgb:00/2b/36", Some(Background::Dark)),
            ("11;rgb:fdfd/f6f6/e3e3", Some(Background::Light)),
            ("11;rgba:0000/0000/0000/ffff", Some(Background::Dark)),
            ("11;rgb:f/f/f", Some(Background::Light)),
            ("10;rgb:ffff/ffff/ffff", None),
            ("11;?", None),
            ("11;rgb:ffff/ffff", None),
            ("11;rgb:fffff/ffff/ffff", None),
            ("11;rgb:xx/ff/ff", None),
            ("11;#ffffff", None),
        ] {
            assert_eq!(replied(reply), background, "{reply}");
        }
    }

    #[test]
    fn the_variable_names_the_background_last() {
        for (variable, background) in [
            ("15;0", Background::Dark),
            ("0;15", Background::Light),
            ("0;default;15", Background::Light),
            ("12;8", Background::Dark),
            ("15;default", Background::Unknown),
            ("", Background::Unknown),
        ] {
            assert_eq!(told(variable), background, "{variable}");
        }
    }
}
