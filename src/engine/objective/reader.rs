//! Reads the parts that the text form of objectives is made of, one after the other: numbers, layers, pictures.

/// A part that was read, or what belongs where the reader is.
pub(super) type Read<T> = Result<T, String>;

/// A text and how far it has been read.
#[derive(Debug)]
pub(super) struct Reader {
    text: Vec<char>,
    at: usize,
}

impl Reader {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.chars().collect(), at: 0 }
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
        while self.text.get(self.at).is_some_and(|c| c.is_whitespace()) {
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
        while self.text.get(self.at).is_some_and(|&c| is_part(c)) {
            self.at += 1;
        }
        self.text[begin..self.at].iter().collect()
    }

    /// Reads a layer's name.
    pub(super) fn layer(&mut self) -> Read<String> {
        self.peek();
        let name = self.word(|c| !",()\"".contains(c)).trim_end().to_owned();
        if name.is_empty() { Err("a layer's name belongs".into()) } else { Ok(name) }
    }

    /// Reads a comma and a picture's file in double quotes.
    pub(super) fn next_picture(&mut self) -> Read<String> {
        self.expect(',', "")?;
        self.expect('"', " around a picture's file")?;
        let file = self.word(|c| c != '"');
        self.expect('"', " around a picture's file")?;
        Ok(file)
    }

    /// Reads a number without a sign or a point.
    pub(super) fn whole(&mut self) -> Read<usize> {
        self.peek();
        let digits = self.word(|c| c.is_ascii_digit());
        digits.parse().map_err(|_| "a whole number, counted from 0, belongs".into())
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
