//! The strings that terminals send between control sequences, by their kinds.

/// The kinds of strings that terminals send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StringKind {
    /// An operating system command (OSC), as colours and the clipboard are reported.
    System,
    /// A device control string (DCS), as the terminal's name is reported.
    Device,
    /// An application program command (APC), as kitty answers.
    Application,
    /// A privacy message (PM) or a start of string (SOS), which no known terminal sends.
    Other,
}

impl StringKind {
    /// Whether a string of this kind may begin with this byte. Otherwise the user has pressed Alt and its letter before
    /// another key: strings of the system begin with a number (or, for titles, a letter), those of devices with parameters,
    /// kitty's with a G. The others begin with anything: no key is bound to Alt with their letters.
    pub(super) fn may_begin(self, byte: u8) -> bool {
        match self {
            Self::System => byte.is_ascii_digit() || b"lLI".contains(&byte),
            Self::Device => byte.is_ascii_digit() || b"!<=>?$+;".contains(&byte),
            Self::Application => byte.is_ascii_uppercase(),
            Self::Other => true,
        }
    }
}
