//! Decodes the bytes of the terminal, one at a time, to keys and to replies. A terminal replies between the keys that
//! the user types, early or late, and in any number of pieces: what is begun as a reply is never taken for keys.

use super::keys::{character_key, control_key};
use super::paste::PasteBuffer;
use super::string_kind::StringKind;
use crate::dashboard::Key;

/// The meaning of a sequence of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TerminalInput {
    /// A key that was pressed.
    Key(Key),
    /// A control sequence (CSI) that is no key: its parameters and its final byte.
    Control(String, char),
    /// A string from the terminal, such as kitty's answers.
    String(StringKind, String),
    /// A text that was pasted.
    Paste(String),
}

/// The most bytes of a sequence that are kept: longer than any answer that matters. Of a longer one, the rest is passed
/// over.
const MAX_ANSWER_BYTES: usize = 256;

/// The byte that goes before each control character of eight bits in UTF-8.
const UTF8_OF_C1: u8 = 0xc2;

/// Decodes a stream of bytes, one byte at a time.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    state: DecoderState,
    /// Bytes of a character that has more than one, or of a sequence.
    held: Vec<u8>,
    paste: PasteBuffer,
}

/// The position of the decoder in the stream.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum DecoderState {
    #[default]
    Plain,
    /// After Esc, which can be a key or the start of a sequence.
    Escape,
    /// In a control sequence, which Esc `[` begins.
    Control,
    /// After Esc `O`: a key, as some terminals send arrows.
    Shift3,
    /// After Esc and the letter of a string, which can also be a key that was pressed with Alt.
    StringStart(StringKind),
    /// In a string.
    String(StringKind),
    /// In a string, after an Esc that can end it.
    StringEnd(StringKind),
    /// In a text that is being pasted, in which nothing is a key.
    Paste,
    /// In a report of the mouse by three bytes, as terminals send it that know no other.
    Mouse,
}

impl Decoder {
    /// Whether a sequence has started and not ended, a lone Esc included.
    pub(super) fn is_inside(&self) -> bool {
        self.state != DecoderState::Plain
    }

    /// Whether the last byte was an Esc that is a key if nothing follows.
    pub(super) fn is_after_escape(&self) -> bool {
        self.state == DecoderState::Escape
    }

    /// Whether a text is being pasted.
    pub(super) fn is_pasting(&self) -> bool {
        self.state == DecoderState::Paste
    }

    /// Takes the next byte; returns what it completes, if it completes anything.
    pub(super) fn push(&mut self, byte: u8) -> Option<TerminalInput> {
        match self.state {
            DecoderState::Plain => self.plain(byte),
            DecoderState::Escape => self.after_escape(byte),
            DecoderState::Control | DecoderState::Shift3 => self.inside_control(byte),
            DecoderState::Mouse => self.inside_mouse(byte),
            DecoderState::StringStart(kind) => self.begin_string(kind, byte),
            DecoderState::String(kind) => self.inside_string(kind, byte),
            DecoderState::StringEnd(kind) if byte == b'\\' => self.end_string(kind),
            DecoderState::Paste => {
                let text = self.paste.push(byte)?;
                self.begin(DecoderState::Plain);
                Some(TerminalInput::Paste(text))
            }
            // The Esc broke the string off and begins something else.
            DecoderState::StringEnd(_) => {
                self.begin(DecoderState::Escape);
                self.after_escape(byte)
            }
        }
    }

    /// Gives up what has begun and does not go on: a lone Esc is a key, a paste is what came of it, and the beginning of a
    /// reply is nothing.
    pub(super) fn finish(&mut self) -> Option<TerminalInput> {
        let given_up = match self.state {
            DecoderState::Escape => Some(TerminalInput::Key(Key::Escape)),
            DecoderState::Paste => Some(TerminalInput::Paste(self.paste.finish())),
            DecoderState::Plain
            | DecoderState::Control
            | DecoderState::Shift3
            | DecoderState::Mouse
            | DecoderState::StringStart(_)
            | DecoderState::String(_)
            | DecoderState::StringEnd(_) => None,
        };
        self.begin(DecoderState::Plain);
        given_up
    }

    fn plain(&mut self, byte: u8) -> Option<TerminalInput> {
        // Terminals that send eight bits begin sequences with one byte, which begins no character of UTF-8, or with that
        // control character's UTF-8, which is no key.
        let is_control = matches!(self.held[..], [] | [UTF8_OF_C1]);
        let eight_bits = if is_control { eight_bit_state(byte) } else { None };
        match (byte, eight_bits) {
            (b'\x1b', _) => self.begin(DecoderState::Escape),
            (_, Some(state)) => self.begin(state),
            (_, None) => self.character(byte),
        }
    }

    fn after_escape(&mut self, byte: u8) -> Option<TerminalInput> {
        match byte {
            b'[' => self.begin(DecoderState::Control),
            b'O' => self.begin(DecoderState::Shift3),
            b']' => self.begin(DecoderState::StringStart(StringKind::System)),
            b'P' => self.begin(DecoderState::StringStart(StringKind::Device)),
            b'_' => self.begin(DecoderState::StringStart(StringKind::Application)),
            b'^' | b'X' => self.begin(DecoderState::StringStart(StringKind::Other)),
            b'\x1b' => Some(TerminalInput::Key(Key::Escape)),
            // The end of a string that began before.
            b'\\' => self.begin(DecoderState::Plain),
            b'b' | b'd' | b'f' => {
                self.begin(DecoderState::Plain);
                Some(TerminalInput::Key(Key::Alt(byte.into())))
            }
            // A key with Alt, which the dashboard does not tell from the key alone.
            _ => {
                self.begin(DecoderState::Plain);
                self.character(byte)
            }
        }
    }

    fn inside_control(&mut self, byte: u8) -> Option<TerminalInput> {
        match byte {
            b'\x40'..=b'\x7e' => {
                let shift3 = self.state == DecoderState::Shift3;
                let parameters = self.end()?;
                let last = char::from(byte);
                if !shift3 && (&*parameters, last) == ("200", '~') {
                    return self.begin(DecoderState::Paste);
                }
                if !shift3 && (&*parameters, last) == ("", 'M') {
                    return self.begin(DecoderState::Mouse);
                }
                let key = control_key(&parameters, last, shift3);
                Some(key.map_or(TerminalInput::Control(parameters, last), TerminalInput::Key))
            }
            b' '..=b'?' => self.hold(byte),
            // Nothing else is part of a control sequence: what was begun is broken off.
            _ => self.restart(byte),
        }
    }

    /// A byte of a report of the mouse, which is told in the form that has numbers.
    fn inside_mouse(&mut self, byte: u8) -> Option<TerminalInput> {
        if byte < b' ' {
            return self.restart(byte);
        }
        self.held.push(byte - b' ');
        let &[sign, column, row] = &self.held[..] else { return None };
        self.begin(DecoderState::Plain);
        Some(TerminalInput::Control(format!("<{sign};{column};{row}"), 'M'))
    }

    /// The first byte of a string that two bytes have begun.
    fn begin_string(&mut self, kind: StringKind, byte: u8) -> Option<TerminalInput> {
        if byte.is_ascii_graphic() && !kind.may_begin(byte) {
            return self.restart(byte);
        }
        self.state = DecoderState::String(kind);
        self.inside_string(kind, byte)
    }

    fn inside_string(&mut self, kind: StringKind, byte: u8) -> Option<TerminalInput> {
        match byte {
            b'\x1b' => {
                self.state = DecoderState::StringEnd(kind);
                None
            }
            b'\x07' if kind == StringKind::System => self.end_string(kind),
            // The one byte that ends a string of eight bits, if it is not inside a character.
            b'\x9c' if self.held.last().is_none_or(u8::is_ascii) => self.end_string(kind),
            // The same control character in UTF-8.
            b'\x9c' if self.held.last() == Some(&UTF8_OF_C1) => {
                self.held.pop();
                self.end_string(kind)
            }
            b'\x00'..=b'\x1f' | b'\x7f' => self.restart(byte),
            _ => self.hold(byte),
        }
    }

    /// Drops what was begun, and takes a byte as the first of something else.
    fn restart(&mut self, byte: u8) -> Option<TerminalInput> {
        self.begin(DecoderState::Plain);
        self.plain(byte)
    }

    fn begin(&mut self, state: DecoderState) -> Option<TerminalInput> {
        self.held.clear();
        self.state = state;
        None
    }

    fn hold(&mut self, byte: u8) -> Option<TerminalInput> {
        if self.held.len() <= MAX_ANSWER_BYTES {
            self.held.push(byte);
        }
        None
    }

    fn end_string(&mut self, kind: StringKind) -> Option<TerminalInput> {
        Some(TerminalInput::String(kind, self.end()?))
    }

    /// The bytes of a sequence that has ended; `None` if they were more than are kept.
    fn end(&mut self) -> Option<String> {
        self.state = DecoderState::Plain;
        let held = std::mem::take(&mut self.held);
        (held.len() <= MAX_ANSWER_BYTES).then(|| String::from_utf8_lossy(&held).into_owned())
    }

    fn character(&mut self, byte: u8) -> Option<TerminalInput> {
        self.held.push(byte);
        let key = match std::str::from_utf8(&self.held) {
            Ok(text) => text.chars().next().and_then(character_key),
            // The character is incomplete.
            Err(error) if error.error_len().is_none() => return None,
            // The last byte may be one of its own, after a character that was cut off.
            Err(_) if self.held.len() > 1 => return self.restart(byte),
            Err(_) => None,
        };
        self.held.clear();
        key.map(TerminalInput::Key)
    }
}

/// The sequence that a byte of C1, the control characters of eight bits, begins.
fn eight_bit_state(byte: u8) -> Option<DecoderState> {
    Some(match byte {
        0x9b => DecoderState::Control,
        0x9d => DecoderState::String(StringKind::System),
        0x90 => DecoderState::String(StringKind::Device),
        0x9f => DecoderState::String(StringKind::Application),
        0x98 | 0x9e => DecoderState::String(StringKind::Other),
        _ => return None,
    })
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
            TerminalInput::Control(..) | TerminalInput::String(..) | TerminalInput::Paste(_) => None,
        };
        decode(bytes).into_iter().filter_map(key).collect()
    }

    #[test]
    fn keys_are_decoded() {
        assert_eq!(keys(b"q\x03\x1a"), [Key::Char('q'), Key::Ctrl('c'), Key::Ctrl('z')]);
        assert_eq!(keys(b"\r\t\x7f "), [Key::Enter, Key::Tab, Key::Backspace, Key::Char(' ')]);
        assert_eq!(keys(b"\x1b[A\x1bOB\x1b[5~\x1b[Z"), [Key::Up, Key::Down, Key::PageUp, Key::BackTab]);
        assert_eq!(keys(b"\x1b[1;5A\x1b[1;2H\x1bOM"), [Key::Up, Key::Home, Key::Enter]);
        assert_eq!(keys("ä\u{1b}".as_bytes()), [Key::Char('ä'), Key::Escape]);
        assert_eq!(keys(b"\x1b\x1b[B\x1bq"), [Key::Escape, Key::Down, Key::Char('q')]);
        assert_eq!(keys(b"\x1bf\x1b[3~"), [Key::Alt('f'), Key::Delete]);
        assert_eq!(keys(b"\xff\xffq\xc3q"), [Key::Char('q'), Key::Char('q')]);
        assert_eq!(keys(b"\x1b_q\x1b_Gx\x03"), [Key::Char('q'), Key::Ctrl('c')]);
        assert_eq!(keys(b"\x1b]q\x1bPj\x1b[5\r"), [Key::Char('q'), Key::Char('j'), Key::Enter]);
    }

    #[test]
    fn answers_between_keys_are_not_keys() {
        let input = decode(b"q\x1b_Gi=31;OK\x1b\\\x1b[?62;4c\x1b[6;16;8tl\x1bP>|kitty(0.26.5)\x1b\\\x1b[0n");
        let control = |parameters: &str, last| TerminalInput::Control(parameters.into(), last);
        assert_eq!(
            input,
            [
                TerminalInput::Key(Key::Char('q')),
                TerminalInput::String(StringKind::Application, "Gi=31;OK".into()),
                control("?62;4", 'c'),
                control("6;16;8", 't'),
                TerminalInput::Key(Key::Char('l')),
                TerminalInput::String(StringKind::Device, ">|kitty(0.26.5)".into()),
                control("0", 'n'),
            ]
        );
        assert_eq!(keys(b"\x1b[I\x1b[O"), [], "focus");
    }

    #[test]
    fn every_kind_of_reply_is_recognised() {
        for reply in [
            "\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\",
            "\x1b]11;rgb:1e1e/1e1e/2e2e\x07",
            "\x1b]4;1;rgb:cc/00/00\x07",
            "\x1b]52;c;aGVsbG8=\x07",
            "\x1b]lmy title ä\x1b\\",
            "\x1b]L\x1b\\",
            "\x1bP1$r0m\x1b\\",
            "\x1bP0$r\x1b\\",
            "\x1bP1+r544e=787465726d\x1b\\",
            "\x1bP!|00000000\x1b\\",
            "\x1bP>|tmux 3.3a\x1b\\",
            "\x1b_Gi=31;ENOTSUPPORTED:no\x1b\\",
            "\x1b[?1;2c",
            "\x1b[>1;4000;29c",
            "\x1b[=0c",
            "\x1b[3;1R",
            "\x1b[?3;1R",
            "\x1b[4;600;800t",
            "\x1b[8;24;80t",
            "\x1b[?2026;2$y",
            "\x1b[?1u",
            "\x1b[?997;1n",
            "\x1b[?1;0;256S",
            "\x1b[0n",
            "\x1b[I",
            "\x1b[?0;4;1H",
            "\x1b[>4;1A",
            "\u{1b}^PM\x1b\\",
            "\x1bXSOS\x1b\\",
        ] {
            assert_eq!(keys(format!("{reply}q").as_bytes()), [Key::Char('q')], "{reply:?}");
        }
        let [q, j, k] = ['q', 'j', 'k'].map(Key::Char);
        assert_eq!(keys(b"\x9b?62;4cq\x9d11;rgb:0/0/0\x9cj\x90>|x\x9ck"), [q, j, k]);
    }

    #[test]
    fn reports_of_the_mouse_are_no_keys() {
        let report = |parameters: &str, last| TerminalInput::Control(parameters.into(), last);
        let q = TerminalInput::Key(Key::Char('q'));
        assert_eq!(
            decode(b"\x1b[<0;12;5M\x1b[<0;12;5mq\x1b[M !qq"),
            [report("<0;12;5", 'M'), report("<0;12;5", 'm'), q.clone(), report("<0;1;81", 'M'), q]
        );
        assert_eq!(keys(b"\x1b[M \x1b[A\x1b[M\x03"), [Key::Up, Key::Ctrl('c')], "broken off");
    }

    #[test]
    fn a_string_of_any_text_is_no_keys() {
        for begin in ["\u{9d}", "\u{90}", "\u{9f}", "\u{98}", "\u{9e}", "\x1b^", "\x1bX"] {
            for text in ["quit", " q", "4;q", "\u{e4}q", "?"] {
                for end in ["\x1b\\", "\u{9c}"] {
                    let utf8 = format!("{begin}{text}{end}l");
                    assert_eq!(keys(utf8.as_bytes()), [Key::Char('l')], "{utf8:?}");
                    // The same where control characters are single bytes.
                    let bytes = utf8.bytes().enumerate().filter(|(at, byte)| {
                        let next = utf8.as_bytes().get(at + 1);
                        *byte != UTF8_OF_C1 || next.is_none_or(|next| !(0x80..0xa0).contains(next))
                    });
                    let bytes: Vec<u8> = bytes.map(|(_, byte)| byte).collect();
                    assert_eq!(keys(&bytes), [Key::Char('l')], "{bytes:x?}");
                }
            }
        }
    }

    #[test]
    fn nothing_that_is_pasted_is_a_key() {
        let paste = |text: &str| TerminalInput::Paste(text.into());
        assert_eq!(
            decode(b"\x1b[200~q\r\x1b[A\x03 \xc3\xa4\x1b[201~l"),
            [paste("q\r\x1b[A\x03 \u{e4}"), TerminalInput::Key(Key::Char('l'))]
        );
        assert_eq!(decode(b"\x1b[200~\x1b[201~"), [paste("")]);
        assert_eq!(decode(b"\x1b[200~a\x1b[20\x1b[201~"), [paste("a\x1b[20")]);
        // A paste that does not end is given up after a while, and was no keys.
        assert_eq!(decode(b"\x1b[200~qq\x1b[2"), [paste("qq\x1b[2")]);
        assert_eq!(
            decode(b"\x1b[201~q"),
            [TerminalInput::Control("201".into(), '~'), TerminalInput::Key(Key::Char('q'))]
        );
        let long = [b"\x1b[200~", &*vec![b'q'; 1 << 18], b"\x1b[201~l"].concat();
        assert_eq!(decode(&long), [paste(&"q".repeat(1 << 16)), TerminalInput::Key(Key::Char('l'))]);
    }

    #[test]
    fn a_reply_that_is_broken_off_takes_no_key_with_it() {
        assert_eq!(keys(b"\x1b]11;rgb:00\x1b[Aq"), [Key::Up, Key::Char('q')]);
        assert_eq!(keys(b"\x1b_Gi=31\rq"), [Key::Enter, Key::Char('q')]);
        assert_eq!(keys(b"\x1b[6;16\x1b[Bq"), [Key::Down, Key::Char('q')]);
        assert_eq!(keys(b"\x1bP1$r\x03"), [Key::Ctrl('c')]);
        assert_eq!(keys(b"\x1b_Gi=31;OK"), [], "given up");
    }

    #[test]
    fn what_is_too_long_is_passed_over_whole() {
        for (begin, end) in
            [("\x1b_G", "\x1b\\"), ("\x1b]52;c;", "\x07"), ("\x1bP1$r", "\x1b\\"), ("\x1b[", "n")]
        {
            let reply = format!("{begin}{}{end}q", "7".repeat(5 * MAX_ANSWER_BYTES));
            assert_eq!(decode(reply.as_bytes()), [TerminalInput::Key(Key::Char('q'))], "{begin:?}");
        }
    }
}
