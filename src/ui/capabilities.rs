//! What the terminal has said of itself, from its replies alone.

use super::decoder::TerminalInput;
use super::string_kind::StringKind;

/// The first version of kitty whose pictures can be placed by Unicode placeholders.
const FIRST_PLACEHOLDERS: (u32, u32) = (0, 28);

/// The smallest and the largest side of a cell in pixels that is believed.
const CELL_PIXELS: (u16, u16) = (2, 256);

/// The capabilities that the terminal has reported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is something that a terminal states or not")]
pub(super) struct Capabilities {
    /// Whether it takes kitty's pictures.
    pub(super) kitty: bool,
    /// Whether it takes them deflated.
    pub(super) deflate: bool,
    /// Whether it takes sixels.
    pub(super) sixel: bool,
    /// Whether it has repeated a colour of 24 bits that it was given.
    pub(super) true_color: bool,
    /// The width and height of a cell in pixels.
    pub(super) cell: Option<(u16, u16)>,
    /// Its name and version in its own words, such as `kitty(0.26.5)`.
    pub(super) name: Option<String>,
    /// Whether it has replied to the question that is put last.
    pub(super) answered: bool,
}

impl Capabilities {
    /// Learns from a reply; what is none of those that were asked for teaches nothing.
    pub(super) fn take(&mut self, input: &TerminalInput) {
        match input {
            TerminalInput::String(StringKind::Application, text) if text == "Gi=31;OK" => self.kitty = true,
            TerminalInput::String(StringKind::Application, text) if text == "Gi=32;OK" => self.deflate = true,
            TerminalInput::String(StringKind::Device, text) => {
                if let Some(name) = text.strip_prefix(">|") {
                    self.name = Some(name.into());
                }
                self.true_color |= text.strip_prefix("1$r").is_some_and(repeats_color);
            }
            // The first number is the kind of terminal, and those after it are what it can do.
            TerminalInput::Control(parameters, 'c') => {
                if let Some(numbers) = parameters.strip_prefix('?') {
                    self.sixel = numbers.split(';').skip(1).any(|number| number == "4");
                }
            }
            TerminalInput::Control(parameters, 't') => self.cell = cell(parameters).or(self.cell),
            input => self.answered |= is_status(input),
        }
    }

    /// Whether kitty's pictures can be placed by Unicode placeholders. A terminal that does not say who it is may be too
    /// old, and would show boxes.
    pub(super) fn has_placeholders(&self) -> bool {
        let name = self.name.as_deref().unwrap_or_default().to_ascii_lowercase();
        let is = |wanted: &str| name.split(|c: char| !c.is_ascii_alphanumeric()).next() == Some(wanted);
        let version = name.strip_prefix("kitty(").and_then(version);
        self.kitty
            && (version.is_some_and(|version| version >= FIRST_PLACEHOLDERS) || is("ghostty") || is("rio"))
    }

    /// Whether it calls itself so.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name.as_deref().is_some_and(|own| own.starts_with(name))
    }
}

/// Whether a reply is the one to the question for the terminal's status, which is put last: that it is well, or that it
/// is not.
pub(super) fn is_status(input: &TerminalInput) -> bool {
    matches!(input, TerminalInput::Control(parameters, 'n') if parameters == "0" || parameters == "3")
}

/// Whether these attributes have the background that the probe gives, red 1, green 2, blue 3.
fn repeats_color(attributes: &str) -> bool {
    let begin = ["48:2:", "48;2;"].iter().find_map(|begin| attributes.split_once(begin));
    begin.is_some_and(|(_, rest)| {
        let levels = rest.trim_start_matches(':').trim_end_matches('m').split([':', ';']);
        levels.take(3).eq(["1", "2", "3"])
    })
}

/// The first two numbers of a version such as `0.26.5)`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Parses `6;height;width`, the size of a cell in pixels. A size that no font has is brought to the nearest that is
/// believed.
fn cell(parameters: &str) -> Option<(u16, u16)> {
    let numbers: Option<Vec<u16>> = parameters.split(';').map(|number| number.parse().ok()).collect();
    match numbers?[..] {
        [6, height, width] if height > 0 && width > 0 => Some(believed((width, height))),
        _ => None,
    }
}

/// The nearest size of a cell, width and height in pixels, that a font may have.
pub(super) fn believed((width, height): (u16, u16)) -> (u16, u16) {
    let (least, most) = CELL_PIXELS;
    (width.clamp(least, most), height.clamp(least, most))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::decoder::Decoder;

    fn told(bytes: &str) -> Capabilities {
        let (mut decoder, mut capabilities) = (Decoder::default(), Capabilities::default());
        for input in bytes.bytes().filter_map(|byte| decoder.push(byte)) {
            capabilities.take(&input);
        }
        capabilities
    }

    #[test]
    fn placeholders_are_for_terminals_that_say_who_they_are() {
        for (name, wanted) in [
            ("kitty(0.26.5)", false),
            ("kitty(0.27.1)", false),
            ("kitty(0.28.0)", true),
            ("kitty(0.42.2)", true),
            ("kitty(1.0)", true),
            ("kitty", false),
            ("kitty(new)", false),
            ("kitty(99999999999.1)", false),
            ("ghostty 1.2.3", true),
            ("Rio 0.2.30", true),
            ("riot 1", false),
            ("WezTerm 20240203-110809-5046fc22", false),
            ("Konsole 23.08.5", false),
            ("foot(1.16.2)", false),
            ("", false),
        ] {
            let told = told(&format!("\x1bP>|{name}\x1b\\\x1b_Gi=31;OK\x1b\\"));
            assert_eq!(told.has_placeholders(), wanted, "{name}");
        }
        assert!(!told("\x1b_Gi=31;OK\x1b\\").has_placeholders(), "no name");
        assert!(!told("\x1bP>|kitty(0.35.0)\x1b\\").has_placeholders(), "no pictures");
    }

    #[test]
    fn nothing_is_taken_for_a_capability_that_is_not_stated() {
        for reply in [
            "\x1b_Gi=31;ENOTSUPPORTED\x1b\\",
            "\x1b_Gi=31;OKAY\x1b\\",
            "\x1b_Gi=310;OK\x1b\\",
            "\x1b]Gi=31;OK\x07",
            "\x1b]31;Gi=31;OK\x07",
            "\x1bP0Gi=31;OK\x1b\\",
            "\x1b[>1;4;4c",
            "\x1b[4;4c",
            "\x1b[?4c",
            "\x1b[?64;14;44c",
            "\x1b[=4c",
            "\x1b[?6;4n",
            "\x1b[6;16t",
            "\x1b[4;16;8t",
            "\x1b[6;16;8;1t",
            "\x1b[6;0;8t",
            "\x1b[6;99999;8t",
            "\x1b[?6;16;8t",
            "\x1b[?0n",
            "\x1b[1n",
            "\x1bP1$r>|kitty(0.35)\x1b\\",
            "\x1b]2;>|kitty(0.35)\x07",
        ] {
            assert_eq!(told(reply), Capabilities::default(), "{reply:?}");
        }
    }

    #[test]
    fn a_cell_has_a_size_that_a_font_may_have() {
        for (height, width, cell) in
            [(16, 8, (8, 16)), (4000, 4000, (256, 256)), (1, 1, (2, 2)), (40, 1, (2, 40))]
        {
            assert_eq!(told(&format!("\x1b[6;{height};{width}t")).cell, Some(cell));
        }
    }
}
