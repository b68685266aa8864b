//! A line of text that is edited as in a shell. Not here: what the text is for.

use super::key::Key;

/// A line of text with a cursor in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineEditor {
    text: String,
    /// The byte before which is typed.
    cursor: usize,
    /// By how many lines of the history the text is older than what was typed itself, which is kept meanwhile.
    recalled: usize,
    own: String,
}

impl From<&str> for LineEditor {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for LineEditor {
    fn from(text: String) -> Self {
        Self { cursor: text.len(), text, ..Self::default() }
    }
}

impl LineEditor {
    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text before the cursor, and the text from the cursor on.
    pub fn parts(&self) -> (&str, &str) {
        self.text.split_at(self.cursor)
    }

    /// Puts a text in at the cursor. Ends of lines and tabs become spaces, and other control characters are left out.
    pub(super) fn insert(&mut self, text: &str) {
        for c in text.replace("\r\n", " ").chars() {
            match c {
                '\r' | '\n' | '\t' => self.insert_character(' '),
                c if c.is_control() => {}
                c => self.insert_character(c),
            }
        }
    }

    fn insert_character(&mut self, c: char) {
        self.text.insert(self.cursor, c);
        self.cursor += c.len_utf8();
    }

    /// Puts a text in the place of what is between the byte `begin` and the cursor.
    pub(super) fn complete(&mut self, begin: usize, text: &str) {
        self.text.replace_range(begin..self.cursor, text);
        self.cursor = begin + text.len();
    }

    /// Handles a key that edits the line; any other key does nothing. `history` has older lines, the newest last.
    #[expect(clippy::wildcard_enum_match_arm, reason = "every other key does nothing in a line of text")]
    pub(super) fn press(&mut self, key: Key, history: &[String]) {
        let (before, after) = self.parts();
        let (left, right) = (before.char_indices().next_back(), after.chars().next());
        let left = left.map_or(0, |(at, _)| at);
        let right = self.cursor + right.map_or(0, char::len_utf8);
        match key {
            Key::Char(c) => self.insert_character(c),
            Key::Left => self.cursor = left,
            Key::Right => self.cursor = right,
            Key::Home | Key::Ctrl('a') => self.cursor = 0,
            Key::End | Key::Ctrl('e') => self.cursor = self.text.len(),
            Key::Alt('b') => self.cursor = self.word_begin(),
            Key::Alt('f') => self.cursor = self.word_end(),
            Key::Backspace => self.complete(left, ""),
            Key::Delete | Key::Ctrl('d') => self.delete_to(right),
            Key::Ctrl('w') => self.complete(self.blank_before(), ""),
            Key::Alt('d') => self.delete_to(self.word_end()),
            Key::Ctrl('u') => self.complete(0, ""),
            Key::Ctrl('k') => self.text.truncate(self.cursor),
            Key::Up => self.recall(self.recalled + 1, history),
            Key::Down => self.recall(self.recalled.saturating_sub(1), history),
            _ => {}
        }
    }

    /// Deletes from the cursor to the byte `end`.
    fn delete_to(&mut self, end: usize) {
        self.text.replace_range(self.cursor..end, "");
    }

    /// The byte at which the word before the cursor begins: a word has letters, digits and underscores.
    fn word_begin(&self) -> usize {
        let (before, _) = self.parts();
        let word = before.trim_end_matches(|c| !is_of_word(c));
        word.trim_end_matches(is_of_word).len()
    }

    /// The byte after the next word.
    fn word_end(&self) -> usize {
        let (_, after) = self.parts();
        let word = after.trim_start_matches(|c| !is_of_word(c));
        self.text.len() - word.trim_start_matches(is_of_word).len()
    }

    /// The byte at which what is between the last blank and the cursor begins.
    fn blank_before(&self) -> usize {
        let (before, _) = self.parts();
        before.trim_end().trim_end_matches(|c: char| !c.is_whitespace()).len()
    }

    /// Shows the line of the history that is `back` lines old; 0 is what was typed itself.
    fn recall(&mut self, back: usize, history: &[String]) {
        if back == self.recalled || back > history.len() {
            return;
        }
        if self.recalled == 0 {
            self.own.clone_from(&self.text);
        }
        self.text = match back {
            0 => std::mem::take(&mut self.own),
            back => history[history.len() - back].clone(),
        };
        (self.cursor, self.recalled) = (self.text.len(), back);
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line after these keys, with a bar at the cursor.
    fn edited(text: &str, keys: &[Key]) -> String {
        let mut line = LineEditor::from(text);
        for key in keys {
            line.press(*key, &["first".into(), "second".into()]);
        }
        let (before, after) = line.parts();
        format!("{before}|{after}")
    }

    #[test]
    fn keys_edit_as_in_a_shell() {
        use Key::{Alt, Backspace, Char, Ctrl, Delete, End, Home, Left, Right};
        for (keys, expected) in [
            (&[Left, Char('x')][..], "a(b_1, äx|字"),
            (&[Left, Left, Right, Backspace], "a(b_1, |字"),
            (&[Left, Left, Delete], "a(b_1, |字"),
            (&[Home, Left, Delete, Right], "(|b_1, ä字"),
            (&[Ctrl('a'), Ctrl('d'), End, Ctrl('d'), Ctrl('e')], "(b_1, ä字|"),
            (&[Ctrl('w')], "a(b_1, |"),
            (&[Ctrl('w'), Ctrl('w')], "|"),
            (&[Alt('b'), Alt('b')], "a(|b_1, ä字"),
            (&[Home, Alt('f'), Alt('f')], "a(b_1|, ä字"),
            (&[Home, Alt('f'), Alt('d')], "a|, ä字"),
            (&[Alt('b'), Ctrl('u')], "|ä字"),
            (&[Alt('b'), Ctrl('k')], "a(b_1, |"),
            (&[Key::PageUp, Ctrl('x'), Alt('q'), Key::Tab], "a(b_1, ä字|"),
        ] {
            assert_eq!(edited("a(b_1, ä字", keys), expected, "{keys:?}");
        }
    }

    #[test]
    fn older_lines_come_back_and_what_was_typed_is_kept() {
        use Key::{Char, Down, Up};
        for (keys, expected) in [
            (&[Up][..], "second|"),
            (&[Up, Up, Up], "first|"),
            (&[Up, Up, Down], "second|"),
            (&[Up, Up, Down, Down, Down], "own|"),
            (&[Down], "own|"),
            (&[Up, Char('!')], "second!|"),
        ] {
            assert_eq!(edited("own", keys), expected, "{keys:?}");
        }
    }

    #[test]
    fn what_is_put_in_is_one_line() {
        let mut line = LineEditor::from("ab");
        line.press(Key::Left, &[]);
        line.insert("x\r\ny\nz\tw\u{1b}[A\u{7f}\u{9b}\0");
        assert_eq!(line.parts(), ("ax y z w[A", "b"));
    }
}
