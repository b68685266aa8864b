//! Text that may come from strangers (names in files, errors of libraries), made safe to print on a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a terminal could take a character for a command: the controls C0 and C1 and DEL, and those that change the
/// direction of the text around them or begin a line.
pub fn is_control(c: char) -> bool {
    let directs =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || directs || matches!(c, '\u{2028}' | '\u{2029}')
}

/// The text with every [control](is_control) escaped as Rust does, such as `\u{1b}` and `\n`.
pub fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, |c, out| out.extend(c.escape_default()))
}

/// JSON whose strings hold no [control](is_control) that is not escaped: `serde_json` leaves all but C0 as they are.
pub fn printable_json(json: &str) -> Cow<'_, str> {
    // Outside of strings JSON has no such character but line ends, of which this program prints none.
    escaped(json, |c, out| {
        let mut units = [0; 2];
        for unit in c.encode_utf16(&mut units) {
            let _ = write!(out, "\\u{unit:04x}"); // writing to a string cannot fail
        }
    })
}

/// The most characters of a stranger's text that a message quotes.
const MAX_QUOTED_CHARS: usize = 200;

/// The most characters of a whole message. The longest of this program's own, with the names of all networks, has 2000.
const MAX_MESSAGE_CHARS: usize = 6000;

/// A text to be quoted in a message: of a long one only the beginning and the end, with dots between them.
pub fn excerpt(text: &str) -> Cow<'_, str> {
    cut(text, MAX_QUOTED_CHARS)
}

/// A whole message, in which something may be quoted that is longer than any message should be.
pub fn excerpt_of_message(text: &str) -> Cow<'_, str> {
    cut(text, MAX_MESSAGE_CHARS)
}

/// The text with at most so many characters, of which a third are its last ones.
fn cut(text: &str, limit: usize) -> Cow<'_, str> {
    if text.len() <= limit || text.char_indices().nth(limit).is_none() {
        return Cow::Borrowed(text);
    }
    let tail = limit / 3;
    let end = text.char_indices().nth(limit - tail).map_or(text.len(), |(at, _)| at);
    let begin = text.char_indices().rev().nth(tail - 1).map_or(0, |(at, _)| at);
    Cow::Owned(format!("{}...{}", &text[..end], &text[begin..]))
}

fn escaped(text: &str, escape: impl Fn(char, &mut String)) -> Cow<'_, str> {
    if !text.contains(is_control) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_control(c) {
            escape(c, &mut out);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\u{1b}]52;c;x\u{7}b\u{9b}2Jc\u{7f}d\u{202e}e\r\nf\u{2067}g\u{0}";

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        let text = printable(HOSTILE);
        assert!(!text.contains(is_control), "{text:?}");
        assert_eq!(printable("a\u{1b}[1m\r\n\u{202e}"), "a\\u{1b}[1m\\r\\n\\u{202e}");
    }

    #[test]
    fn other_text_stays_as_it_is() {
        for text in ["", "sea cucumber", "Seegurke, ナマコ, 🥒", "a\u{301}"] {
            assert!(matches!(printable(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn of_a_long_text_its_ends_are_quoted() {
        for text in ["", "sea cucumber", &"\u{e4}".repeat(200)] {
            assert_eq!(excerpt(text), *text);
        }
        let long = format!("begin{}end", "\u{e4}".repeat(10_000_000));
        let short = excerpt(&long);
        assert!(short.starts_with("begin\u{e4}") && short.ends_with("\u{e4}end") && short.contains("..."));
        assert_eq!(short.chars().count(), 203);
        assert_eq!(excerpt_of_message(&long).chars().count(), 6003);
    }

    #[test]
    fn json_keeps_its_meaning() {
        let json = "\"a\u{9b}b\u{7f}c\u{202e}d\"";
        assert_eq!(printable_json(json), "\"a\\u009bb\\u007fc\\u202ed\"");
    }
}
