//! Which key a character or a control sequence of the terminal is.

use crate::dashboard::Key;

/// The key that sends this character; `None` for control characters that no key of the dashboard's sends.
pub(super) fn character_key(c: char) -> Option<Key> {
    Some(match c {
        '\r' | '\n' => Key::Enter,
        '\t' => Key::Tab,
        '\x7f' | '\x08' => Key::Backspace,
        '\x01'..='\x1a' => Key::Ctrl((c as u8 - 1 + b'a').into()),
        c if c.is_control() => return None,
        c => Key::Char(c),
    })
}

/// The key that sends this control sequence; `None` for a reply, whose parameters may have other signs than a key's.
/// `shift3` is true for the short sequences that begin with Esc `O`.
pub(super) fn control_key(parameters: &str, last: char, shift3: bool) -> Option<Key> {
    if !parameters.chars().all(|c| c.is_ascii_digit() || c == ';') {
        return None;
    }
    Some(match (parameters, last) {
        (_, 'A') => Key::Up,
        (_, 'B') => Key::Down,
        (_, 'C') => Key::Right,
        (_, 'D') => Key::Left,
        (_, 'H') | ("1" | "7", '~') => Key::Home,
        (_, 'F') | ("4" | "8", '~') => Key::End,
        ("3", '~') => Key::Delete,
        ("5", '~') => Key::PageUp,
        ("6", '~') => Key::PageDown,
        (_, 'Z') => Key::BackTab,
        ("", 'M') if shift3 => Key::Enter,
        _ => return None,
    })
}
