//! Decodes the bytes of the terminal to keys and answers during the probe: at the start, the terminal is queried for its
//! capabilities, and its answers arrive between the keys that the user types.

use crate::dashboard::Key;

/// What a sequence of bytes means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TerminalInput {
    /// A key that was pressed.
    Key(Key),
    /// A control sequence (CSI): its parameters and its final byte.
    Control(String, char),
    /// The text of an application program command (APC), as kitty's answers are.
    String(String),
}

/// The most bytes of a sequence: longer than any answer.
const MAX_ANSWER_BYTES: usize = 256;

/// Decodes a stream of bytes, one byte at a time.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    state: DecoderState,
    /// Bytes of a character that has more than one, or of a sequence.
    held: Vec<u8>,
}

/// The position of the decoder in the stream.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum DecoderState {
    #[default]
    Plain,
    /// After Esc, which can be a key or the start of a sequence.
    Escape,
    /// After Esc `[`, which begins a control sequence.
    Control,
    /// After Esc `O`: a key, as some terminals send arrows.
    Shift3,
    /// After Esc `_`, which begins an application's string.
    String,
    /// In such a command, after an Esc that can end it.
    StringEnd,
}

impl Decoder {
    /// Whether a sequence has started and not ended.
    pub(super) fn is_inside(&self) -> bool {
        !matches!(self.state, DecoderState::Plain | DecoderState::Escape)
    }

    /// Takes the next byte; returns what it completes, if it completes anything.
    pub(super) fn push(&mut self, byte: u8) -> Option<TerminalInput> {
        match (self.state, byte) {
            (DecoderState::Plain, b'\x1b') => self.begin(DecoderState::Escape),
            (DecoderState::Plain, _) => self.character(byte),
            (DecoderState::Escape, b'[') => self.begin(DecoderState::Control),
            (DecoderState::Escape, b'O') => self.begin(DecoderState::Shift3),
            (DecoderState::Escape, b'_') => self.begin(DecoderState::String),
            (DecoderState::Escape, b'\x1b') => Some(TerminalInput::Key(Key::Escape)),
            (DecoderState::Escape, _) => {
                self.state = DecoderState::Plain;
                self.character(byte)
            }
            (DecoderState::Control | DecoderState::Shift3, b'\x40'..=b'\x7e') => {
                let parameters = self.end();
                Some(control(parameters, char::from(byte)))
            }
            (DecoderState::String, b'\x1b') => {
                self.state = DecoderState::StringEnd;
                None
            }
            (DecoderState::StringEnd, b'\\') => Some(TerminalInput::String(self.end())),
            (DecoderState::String, _) if !self.may_follow(byte) => {
                self.end();
                self.character(byte)
            }
            _ => self.hold(byte),
        }
    }

    /// What a lone Esc is when nothing follows.
    pub(super) fn finish(&mut self) -> Option<TerminalInput> {
        let escape = self.state == DecoderState::Escape;
        self.end();
        escape.then_some(TerminalInput::Key(Key::Escape))
    }

    /// Whether a byte can continue a string. kitty's answers start with G and hold no control characters; anything else
    /// is a key after Alt-_.
    fn may_follow(&self, byte: u8) -> bool {
        !byte.is_ascii_control() && (!self.held.is_empty() || byte == b'G')
    }

    fn begin(&mut self, state: DecoderState) -> Option<TerminalInput> {
        self.held.clear();
        self.state = state;
        None
    }

    fn hold(&mut self, byte: u8) -> Option<TerminalInput> {
        self.held.push(byte);
        if self.held.len() > MAX_ANSWER_BYTES {
            self.end();
        }
        None
    }

    fn end(&mut self) -> String {
        self.state = DecoderState::Plain;
        String::from_utf8_lossy(&std::mem::take(&mut self.held)).into_owned()
    }

    fn character(&mut self, byte: u8) -> Option<TerminalInput> {
        self.held.push(byte);
        let key = match std::str::from_utf8(&self.held) {
            Ok(text) => text.chars().next().and_then(character_key),
            // The character is incomplete.
            Err(error) if error.error_len().is_none() => return None,
            Err(_) => None,
        };
        self.held.clear();
        key.map(TerminalInput::Key)
    }
}

fn character_key(c: char) -> Option<Key> {
    Some(match c {
        '\r' | '\n' => Key::Enter,
        '\t' => Key::Tab,
        '\x7f' | '\x08' => Key::Backspace,
        '\x01'..='\x1a' => Key::Ctrl((c as u8 - 1 + b'a').into()),
        c if c.is_control() => return None,
        c => Key::Char(c),
    })
}

/// Decodes a control sequence as a key, or else as an answer.
fn control(parameters: String, last: char) -> TerminalInput {
    let key = match (parameters.as_str(), last) {
        (_, 'A') => Key::Up,
        (_, 'B') => Key::Down,
        (_, 'C') => Key::Right,
        (_, 'D') => Key::Left,
        (_, 'H') | ("1" | "7", '~') => Key::Home,
        (_, 'F') | ("4" | "8", '~') => Key::End,
        ("5", '~') => Key::PageUp,
        ("6", '~') => Key::PageDown,
        (_, 'Z') => Key::BackTab,
        (_, 'M') if parameters.is_empty() => Key::Enter,
        _ => return TerminalInput::Control(parameters, last),
    };
    TerminalInput::Key(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8]) -> Vec<TerminalInput> {
        let mut decoder = Decoder::default();
        let mut input: Vec<TerminalInput> = bytes.iter().filter_map(|&byte| decoder.push(byte)).collect();
        input.extend(decoder.finish());
        input
    }

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let key = |input| match input {
            TerminalInput::Key(key) => Some(key),
            _ => None,
        };
        decode(bytes).into_iter().filter_map(key).collect()
    }

    #[test]
    fn keys_are_decoded() {
        assert_eq!(keys(b"q\x03\x1a"), [Key::Char('q'), Key::Ctrl('c'), Key::Ctrl('z')]);
        assert_eq!(keys(b"\r\t\x7f "), [Key::Enter, Key::Tab, Key::Backspace, Key::Char(' ')]);
        assert_eq!(keys(b"\x1b[A\x1bOB\x1b[5~\x1b[Z"), [Key::Up, Key::Down, Key::PageUp, Key::BackTab]);
        assert_eq!(keys("ä\u{1b}".as_bytes()), [Key::Char('ä'), Key::Escape]);
        assert_eq!(keys(b"\x1b\x1b[B\x1bq"), [Key::Escape, Key::Down, Key::Char('q')]);
        assert_eq!(keys(b"\xff\xffq"), [Key::Char('q')]);
        assert_eq!(keys(b"\x1b_q\x1b_Gx\x03"), [Key::Char('q'), Key::Ctrl('c')]);
    }

    #[test]
    fn answers_between_keys_are_not_keys() {
        let input = decode(b"q\x1b_Gi=31;OK\x1b\\\x1b[?62;4c\x1b[6;16;8tl\x1b[0n");
        let control = |parameters: &str, last| TerminalInput::Control(parameters.into(), last);
        assert_eq!(
            input,
            [
                TerminalInput::Key(Key::Char('q')),
                TerminalInput::String("Gi=31;OK".into()),
                control("?62;4", 'c'),
                control("6;16;8", 't'),
                TerminalInput::Key(Key::Char('l')),
                control("0", 'n'),
            ]
        );
        assert_eq!(keys(b"\x1b[I\x1b[O"), [], "focus");
    }

    #[test]
    fn a_sequence_that_never_ends_is_dropped() {
        let mut bytes = b"\x1b_G".to_vec();
        bytes.extend([b'x'; 2 * MAX_ANSWER_BYTES]);
        assert_eq!(keys(&[&bytes[..], b"q"].concat()).last(), Some(&Key::Char('q')));
    }
}
