//! Text as people paste it from documents and chats: other forms of the characters that objectives and flags are written
//! with. Names of files are never touched.

/// A character that takes no room and means nothing here. Text editors and chats put such ones between others.
pub(super) const INVISIBLE: char = '\u{200b}';

/// The character that is meant by one of its other forms: a hyphen for any dash or minus, ASCII for full-width forms, a space
/// for one that does not break, and [`INVISIBLE`] for all that cannot be seen. Every other character stays as it is.
pub(super) fn plain(c: char) -> char {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{2796}' => '-',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xff01 + u32::from('!')).unwrap_or(c),
        '\u{fe55}' | '\u{2236}' | '\u{a789}' => ':',
        '\u{3001}' | '\u{fe50}' => ',',
        '\u{d7}' | '\u{2217}' | '\u{22c5}' | '\u{b7}' => '*',
        '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => INVISIBLE,
        c if c.is_whitespace() && c != '\n' => ' ',
        c => c,
    }
}

/// The quotation marks that are understood: where one begins, the other ends.
pub(super) const QUOTES: [(char, char); 8] = [
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
    ('\u{201c}', '\u{201d}'),
    ('\u{2018}', '\u{2019}'),
    ('\u{201e}', '\u{201c}'),
    ('\u{201a}', '\u{2018}'),
    ('\u{ab}', '\u{bb}'),
];

/// Whether quotation may begin with this character.
pub(super) fn is_quote(c: char) -> bool {
    QUOTES.iter().any(|(begin, _)| *begin == c)
}

/// The text without quotation marks and spaces at its ends.
pub(crate) fn without_quotes(text: &str) -> &str {
    text.trim_matches(|c: char| c == ' ' || QUOTES.iter().any(|(begin, end)| c == *begin || c == *end))
}

/// The name without spaces around its colons.
pub(crate) fn without_spaces_at_colons(name: &str) -> String {
    name.split(':').map(str::trim).collect::<Vec<_>>().join(":")
}

/// The text with the characters that are meant, without spaces at its ends.
pub(crate) fn as_typed(text: &str) -> String {
    let text: String = text.chars().map(plain).filter(|&c| c != INVISIBLE).collect();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pasted_characters_are_those_that_are_typed() {
        for dash in ['\u{2010}', '\u{2011}', '\u{2013}', '\u{2014}', '\u{2212}', '\u{ff0d}'] {
            assert_eq!(as_typed(&format!("1{dash}2")), "1-2");
        }
        assert_eq!(as_typed("\u{a0}block5\u{200b}_conv2\u{ff1a}\u{ff13}\u{ff10}\u{3000}"), "block5_conv2:30");
        assert_eq!(as_typed("\u{feff}2\u{a0}\u{d7}\u{202f}\u{ff08}3\u{ff09}"), "2 * (3)");
        for text in ["naïve", "海鼠", "a\u{301}", "x_1:pre"] {
            assert_eq!(as_typed(text), text);
        }
    }
}
