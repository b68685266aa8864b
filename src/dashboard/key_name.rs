//! The names of keys: those of the user's configuration, and the shorter ones of the help.

use trepang_api::did_you_mean;

use super::key::Key;

/// The keys that have a name of several letters, with the words for the help.
const NAMED: [(&str, Key, &str); 15] = [
    ("up", Key::Up, "\u{2191}"),
    ("down", Key::Down, "\u{2193}"),
    ("left", Key::Left, "\u{2190}"),
    ("right", Key::Right, "\u{2192}"),
    ("tab", Key::Tab, "Tab"),
    ("shift-tab", Key::BackTab, "S-Tab"),
    ("enter", Key::Enter, "Enter"),
    ("esc", Key::Escape, "Esc"),
    ("space", Key::Char(' '), "Space"),
    ("backspace", Key::Backspace, "BkSp"),
    ("delete", Key::Delete, "Del"),
    ("pgup", Key::PageUp, "PgUp"),
    ("pgdn", Key::PageDown, "PgDn"),
    ("home", Key::Home, "Home"),
    ("end", Key::End, "End"),
];

/// The letters that a terminal sends for a key of another name when they are pressed with Ctrl.
const SAME_AS: [(char, &str); 4] = [('h', "backspace"), ('i', "tab"), ('j', "enter"), ('m', "enter")];

impl Key {
    /// The key of this name: a character, or one of those with longer names, or Ctrl and a letter. Fails, in one clause,
    /// for what is no key, or none that can be bound.
    pub fn named(name: &str) -> Result<Self, String> {
        let mut characters = name.chars();
        if let (Some(character), None) = (characters.next(), characters.next()) {
            return match character {
                ' ' => Ok(Self::Char(' ')),
                c if c.is_control() || c.is_whitespace() => {
                    Err("a control character is no key's name".into())
                }
                c => Ok(Self::Char(c)),
            };
        }
        let lower = name.to_lowercase();
        if let Some((_, key, _)) = NAMED.iter().find(|(known, ..)| *known == lower) {
            return Ok(*key);
        }
        if let Some(letter) = lower.strip_prefix("ctrl-") {
            return with_ctrl(letter);
        }
        if lower.starts_with("alt-") {
            return Err(format!("\"{name}\" cannot be bound: with Alt a letter is the letter itself here"));
        }
        let question = did_you_mean(&lower, NAMED.iter().map(|(known, ..)| *known));
        let question = question.map_or_else(String::new, |question| format!("; {question}"));
        Err(format!(
            "there is no key \"{name}\"{question} (a key is a character, ctrl-x, or one of {})",
            NAMED.map(|(known, ..)| known).join(", ")
        ))
    }

    /// The name of the key in the user's configuration.
    pub fn name(self) -> String {
        match (NAMED.iter().find(|(_, key, _)| *key == self), self) {
            (Some((name, ..)), _) => (*name).to_owned(),
            (None, Self::Ctrl(letter)) => format!("ctrl-{letter}"),
            (None, Self::Alt(letter)) => format!("alt-{letter}"),
            (None, other) => other.character().to_string(),
        }
    }

    /// The name of the key in the help, at most six columns wide.
    pub fn shown(self) -> String {
        match (NAMED.iter().find(|(_, key, _)| *key == self), self) {
            (Some((_, _, shown)), _) => (*shown).to_owned(),
            (None, Self::Ctrl(letter)) => format!("Ctrl-{}", letter.to_ascii_uppercase()),
            (None, Self::Alt(letter)) => format!("Alt-{}", letter.to_ascii_uppercase()),
            (None, other) => other.character().to_string(),
        }
    }

    /// Whether the user's configuration can bind the key: Ctrl-C always quits.
    pub fn can_be_bound(self) -> bool {
        Self::named(&self.name()).is_ok()
    }

    /// The character that is typed with the key; a replacement for keys that type none.
    #[expect(clippy::wildcard_enum_match_arm, reason = "every other key has a name")]
    fn character(self) -> char {
        match self {
            Self::Char(c) => c,
            _ => char::REPLACEMENT_CHARACTER,
        }
    }
}

fn with_ctrl(letter: &str) -> Result<Key, String> {
    let mut letters = letter.chars();
    match (letters.next(), letters.next()) {
        (Some('c'), None) => Err("ctrl-c always quits, and cannot be bound".into()),
        (Some(letter @ 'a'..='z'), None) => match SAME_AS.iter().find(|(same, _)| *same == letter) {
            Some((_, other)) => {
                Err(format!("terminals send the same for ctrl-{letter} as for {other}: write {other}"))
            }
            None => Ok(Key::Ctrl(letter)),
        },
        _ => Err(format!("with ctrl a key is one of the letters a to z, not \"{letter}\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        let keys = NAMED.iter().map(|(_, key, _)| *key);
        for key in keys.chain([Key::Char('q'), Key::Char('Q'), Key::Char('ä'), Key::Ctrl('l')]) {
            assert_eq!(Key::named(&key.name()), Ok(key));
            assert!(key.shown().chars().count() <= 6, "{key:?}");
        }
        assert_eq!(Key::named("PgDn"), Ok(Key::PageDown));
        assert_eq!(Key::named("Ctrl-L"), Ok(Key::Ctrl('l')));
    }

    #[test]
    fn a_wrong_name_is_answered_with_what_to_write() {
        for (name, part) in [
            ("pgdwn", "did you mean \"pgdn\""),
            ("f1", "there is no key \"f1\""),
            ("ctrl-c", "always quits"),
            ("ctrl-i", "write tab"),
            ("ctrl-7", "a to z"),
            ("alt-x", "cannot be bound"),
            ("", "there is no key"),
            ("\t", "control character"),
        ] {
            let reason = Key::named(name).unwrap_err();
            assert!(reason.contains(part), "{name}: {reason}");
        }
    }
}
