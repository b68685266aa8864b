//! Reads the parts that the text form of objectives is made of, one after the other: numbers, layers, classes, pictures.

use super::shorthand::layer_name;
use crate::engine::typed::{INVISIBLE, QUOTES, as_typed, plain, without_spaces_at_colons};

/// A part that was read, or what belongs where the reader is.
pub(super) type Read<T> = Result<T, String>;

/// The clause of an error where an index is wanted.
pub(super) const WHOLE: &str = "a whole number, counted from 0, belongs";

/// Finds the index of a class by its WordNet id or its name, or tells what belongs there.
pub type ClassFinder<'a> = &'a dyn Fn(&str) -> Result<usize, String>;

/// A text and how far it has been read.
pub(super) struct Reader<'a> {
    /// The characters that are meant, one for each of the text.
    text: Vec<char>,
    /// The characters as they are, for what is quoted and for names of classes.
    raw: Vec<char>,
    at: usize,
    find_class: ClassFinder<'a>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &str, find_class: ClassFinder<'a>) -> Self {
        Self { text: text.chars().map(plain).collect(), raw: text.chars().collect(), at: 0, find_class }
    }

    /// The character that is read next, counted from 0.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Reads on from an earlier position, which is then what an error is about.
    pub(super) fn go_back(&mut self, position: usize) {
        self.at = position;
    }

    /// The next character that is no space, which is then where the reader is.
    pub(super) fn peek(&mut self) -> Option<char> {
        while self.text.get(self.at).is_some_and(|c| c.is_whitespace() || *c == INVISIBLE) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    /// Tells whether a digit or a point follows the minus that the reader is at.
    pub(super) fn is_negative_number(&self) -> bool {
        self.text.get(self.at + 1).is_some_and(|c| c.is_ascii_digit() || *c == '.')
    }

    /// Takes the next character if it is this one.
    pub(super) fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    /// Takes this character. `why` ends the sentence if there is another one.
    pub(super) fn expect(&mut self, wanted: char, why: &str) -> Read<()> {
        if self.eat(wanted) { Ok(()) } else { Err(format!("\"{wanted}\" belongs{why}")) }
    }

    /// Takes characters as long as they are part of a word.
    pub(super) fn word(&mut self, mut is_part: impl FnMut(char) -> bool) -> String {
        let begin = self.at;
        while self.text.get(self.at).is_some_and(|&c| c == INVISIBLE || is_part(c)) {
            self.at += 1;
        }
        self.text[begin..self.at].iter().filter(|c| **c != INVISIBLE).collect()
    }

    /// Takes the colon and what belongs to the same name behind it, spaces around the colon left out: of `a : 30`, `:30`.
    pub(super) fn colon_and_word(&mut self, is_part: fn(char) -> bool) -> Option<String> {
        let begin = self.at;
        if !self.eat(':') {
            self.at = begin;
            return None;
        }
        self.peek();
        Some(format!(":{}", self.word(is_part)))
    }

    /// Reads a text in quotation marks, as it is; `None` if the reader is not at one.
    pub(super) fn quoted(&mut self) -> Read<Option<String>> {
        let at = self.peek();
        let Some((begin, end)) = QUOTES.into_iter().find(|(begin, _)| at == Some(*begin)) else {
            return Ok(None);
        };
        self.eat(begin);
        let from = self.at;
        while self.text.get(self.at).is_some_and(|&c| c != end) {
            self.at += 1;
        }
        let text = self.raw[from..self.at].iter().collect();
        self.expect(end, " at the end of what is quoted")?;
        Ok(Some(text))
    }

    /// Reads a layer's name, in quotation marks or not.
    pub(super) fn layer(&mut self) -> Read<String> {
        let name = match self.quoted()? {
            Some(name) => name,
            None => self.word(|c| !",()\"".contains(c)),
        };
        let name = without_spaces_at_colons(&as_typed(&name));
        if name.is_empty() || name.contains([',', '(', ')', '"']) {
            return Err("a layer's name belongs".into());
        }
        Ok(layer_name(&name))
    }

    /// Reads a class: its index, or its WordNet id or name, in quotation marks or not.
    pub(super) fn class(&mut self) -> Read<usize> {
        self.peek();
        let begin = self.at;
        let text = if let Some(name) = self.quoted()? {
            name
        } else {
            let from = self.at;
            self.word(|c| !"()\"".contains(c));
            self.raw[from..self.at].iter().collect()
        };
        let meant = as_typed(&text);
        let found = if meant.is_empty() || meant.chars().all(|c| c.is_ascii_digit()) {
            meant.parse().map_err(|_| WHOLE.to_owned())
        } else {
            // A name may have such characters itself.
            (self.find_class)(text.trim()).or_else(|_| (self.find_class)(&meant))
        };
        found.inspect_err(|_| self.at = begin)
    }

    /// Reads a comma and a picture's file in quotation marks.
    pub(super) fn next_picture(&mut self) -> Read<String> {
        self.expect(',', "")?;
        let begin = self.at;
        // The printed form has double quotes around it.
        self.quoted()?.filter(|file| !file.contains('"')).ok_or_else(|| {
            self.at = begin;
            "\"\"\" belongs around a picture's file".to_owned()
        })
    }

    /// Reads a number without a sign or a point.
    pub(super) fn whole(&mut self) -> Read<usize> {
        self.peek();
        let digits = self.word(|c| c.is_ascii_digit());
        digits.parse().map_err(|_| WHOLE.into())
    }

    /// Reads a comma and a whole number.
    pub(super) fn next_whole(&mut self) -> Read<usize> {
        self.expect(',', "")?;
        self.whole()
    }

    /// Reads a finite number.
    pub(super) fn number(&mut self) -> Read<f64> {
        self.peek();
        let begin = self.at;
        let mut before = ' ';
        let text = self.word(|c| {
            let sign = matches!(c, '+' | '-') && (before == ' ' || before == 'e' || before == 'E');
            before = c;
            sign || c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E')
        });
        text.parse().ok().filter(|value: &f64| value.is_finite()).ok_or_else(|| {
            self.at = begin;
            "a number belongs".into()
        })
    }

    /// Reads `cos=` and a power.
    pub(super) fn cosine_power(&mut self) -> Read<f64> {
        self.peek();
        if self.word(char::is_alphabetic) != "cos" {
            return Err("\"cos=\" belongs".into());
        }
        self.expect('=', "")?;
        let power = self.number()?;
        if power >= 0.0 { Ok(power) } else { Err("the power of the cosine must not be negative".into()) }
    }
}
