//! Reads the text form of objectives. The grammar:
//!
//! ```text
//! sum     = product { ("+" | "-") product }
//! product = factor { "*" factor }
//! factor  = number | "-" factor | "(" sum ")" | name "(" argument { "," argument } ")"
//! ```
//!
//! Layers are written as they are called, pictures in double quotes. Not here: whether a layer exists.

use std::str::FromStr;

use super::{Objective, Penalty};
use crate::engine::nearest;

/// What is wrong with a text, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the objective \"{text}\" cannot be read: at character {} {wrong}", at + 1)]
pub struct ParseError {
    /// The whole text.
    pub text: String,
    /// The character, counted from 0.
    pub at: usize,
    /// What is wrong there, or what belongs there.
    pub wrong: String,
}

/// The functions and how each is called.
pub(super) const FUNCTIONS: [(&str, &str); 15] = [
    ("channel", "channel(LAYER, CHANNEL)"),
    ("neuron", "neuron(LAYER, CHANNEL, ROW, COLUMN)"),
    ("layer", "layer(LAYER)"),
    ("direction", "direction(LAYER, CHANNEL:WEIGHT, ..., cos=POWER)"),
    ("logit", "logit(CLASS)"),
    ("diversity", "diversity(LAYER)"),
    ("alignment", "alignment(LAYER)"),
    ("interpolation", "interpolation(LAYER, CHANNEL, CHANNEL)"),
    ("inversion", "inversion(LAYER, \"FILE\")"),
    ("caricature", "caricature(LAYER, \"FILE\", cos=POWER)"),
    ("l1", "l1(WEIGHT)"),
    ("l2", "l2(WEIGHT)"),
    ("tv", "tv(WEIGHT)"),
    ("blur", "blur(WEIGHT)"),
    ("boundary", "boundary(WEIGHT)"),
];

/// The longest nesting that is read: no text by hand comes near it, and none may exhaust the stack.
const DEEPEST: usize = 64;

impl FromStr for Objective {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut reader = Reader { text: text.chars().collect(), at: 0, depth: 0 };
        let found = reader.sum().and_then(|objective| match reader.peek() {
            None => Ok(objective),
            Some(_) => Err("an operator belongs: +, - or *".to_owned()),
        });
        found.map_err(|wrong| ParseError { text: text.into(), at: reader.at, wrong })
    }
}

struct Reader {
    text: Vec<char>,
    at: usize,
    depth: usize,
}

type Read<T> = Result<T, String>;

impl Reader {
    /// The next character that is no space, which is then where the reader is.
    fn peek(&mut self) -> Option<char> {
        while self.text.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, wanted: char, why: &str) -> Read<()> {
        if self.eat(wanted) { Ok(()) } else { Err(format!("\"{wanted}\" belongs{why}")) }
    }

    fn sum(&mut self) -> Read<Objective> {
        let mut left = self.product()?;
        loop {
            left = if self.eat('+') {
                left + self.product()?
            } else if self.eat('-') {
                left - self.product()?
            } else {
                return Ok(left);
            };
        }
    }

    fn product(&mut self) -> Read<Objective> {
        let mut left = self.factor()?;
        while self.eat('*') {
            left = left * self.factor()?;
        }
        Ok(left)
    }

    fn factor(&mut self) -> Read<Objective> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("it is nested more than {DEEPEST} deep"));
        }
        let found = match self.peek() {
            Some('(') => {
                self.at += 1;
                let inner = self.sum()?;
                self.expect(')', "")?;
                inner
            }
            Some('-') if !self.text.get(self.at + 1).is_some_and(|c| c.is_ascii_digit() || *c == '.') => {
                self.at += 1;
                -1.0 * self.factor()?
            }
            Some(c) if c.is_ascii_digit() || c == '.' || c == '-' => Objective::Constant(self.number()?),
            Some(c) if c.is_ascii_alphabetic() => self.function()?,
            _ => return Err("a number or something like channel(LAYER, CHANNEL) belongs".into()),
        };
        self.depth -= 1;
        Ok(found)
    }

    fn function(&mut self) -> Read<Objective> {
        let begin = self.at;
        let name = self.word(|c| c.is_ascii_alphanumeric() || c == '_');
        let Some((_, usage)) = FUNCTIONS.iter().find(|(known, _)| *known == name) else {
            self.at = begin;
            let known = FUNCTIONS.iter().map(|(name, _)| *name);
            return Err(format!("there is no \"{name}\"; did you mean {}?", nearest(&name, known)));
        };
        self.expect('(', &format!(": {usage}"))?;
        let found = self.arguments(&name).map_err(|wrong| format!("{wrong}: {usage}"))?;
        self.expect(')', &format!(": {usage}"))?;
        Ok(found)
    }

    fn arguments(&mut self, name: &str) -> Read<Objective> {
        if let Some((_, of)) = Penalty::ALL.iter().find(|(penalty, _)| *penalty == name) {
            return Ok(Objective::Penalty { of: *of, weight: self.number()? });
        }
        if name == "logit" {
            return Ok(Objective::Logit { class: self.whole()? });
        }
        let layer = self.layer()?;
        Ok(match name {
            "channel" => Objective::Channel { layer, channel: self.next_whole()? },
            "neuron" => {
                let [channel, y, x] = [self.next_whole()?, self.next_whole()?, self.next_whole()?];
                Objective::Neuron { layer, channel, y, x }
            }
            "layer" => Objective::Layer { layer },
            "direction" => {
                let (weights, cosine) = self.weights()?;
                Objective::Direction { layer, weights, cosine }
            }
            "diversity" => Objective::Diversity { layer },
            "alignment" => Objective::Alignment { layer },
            "interpolation" => {
                Objective::Interpolation { layer, from: self.next_whole()?, to: self.next_whole()? }
            }
            "inversion" => Objective::Inversion { layer, picture: self.picture()? },
            _ => {
                let picture = self.picture()?;
                let cosine = if self.eat(',') { self.cosine()? } else { 0.0 };
                Objective::Caricature { layer, picture, cosine }
            }
        })
    }

    fn weights(&mut self) -> Read<(Vec<(usize, f64)>, f64)> {
        let mut weights = Vec::new();
        while self.eat(',') {
            if self.peek() == Some('c') {
                return Ok((weights, self.cosine()?));
            }
            let channel = self.whole()?;
            self.expect(':', " between a channel and its weight")?;
            weights.push((channel, self.number()?));
        }
        match weights.is_empty() {
            true => Err("a channel and its weight belong".into()),
            false => Ok((weights, 0.0)),
        }
    }

    fn cosine(&mut self) -> Read<f64> {
        self.peek();
        match self.word(char::is_alphabetic).as_str() {
            "cos" => {}
            _ => return Err("\"cos=\" belongs".into()),
        }
        self.expect('=', "")?;
        let power = self.number()?;
        if power >= 0.0 { Ok(power) } else { Err("the power of the cosine must not be negative".into()) }
    }

    fn layer(&mut self) -> Read<String> {
        self.peek();
        let name = self.word(|c| !",()\"".contains(c)).trim_end().to_owned();
        if name.is_empty() { Err("a layer's name belongs".into()) } else { Ok(name) }
    }

    fn picture(&mut self) -> Read<String> {
        self.expect(',', "")?;
        self.expect('"', " around a picture's file")?;
        let file = self.word(|c| c != '"');
        self.expect('"', " around a picture's file")?;
        Ok(file)
    }

    fn next_whole(&mut self) -> Read<usize> {
        self.expect(',', "")?;
        self.whole()
    }

    fn whole(&mut self) -> Read<usize> {
        self.peek();
        let digits = self.word(|c| c.is_ascii_digit());
        digits.parse().map_err(|_| "a whole number, counted from 0, belongs".into())
    }

    fn number(&mut self) -> Read<f64> {
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

    fn word(&mut self, mut is_part: impl FnMut(char) -> bool) -> String {
        let begin = self.at;
        while self.text.get(self.at).is_some_and(|&c| is_part(c)) {
            self.at += 1;
        }
        self.text[begin..self.at].iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Objective {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn what_it_prints_parses_back_to_the_same() {
        for text in [
            "channel(block5_conv4, 4) - 0.5 * channel(block5_conv4:pre, 7) - tv(0.25)",
            "neuron(features.28, 2, 1, 5)",
            "2 * (layer(mixed4) + logit(31))",
            "channel(a, 3) - (channel(a, 2) - channel(a, 1)) + (l1(1) + l2(0.5))",
            "-1 * channel(a, 3) * (channel(a, 2) * 0.000001)",
            "direction(a, 4:1, 7:-0.5, cos=2) + direction(a, 0:1)",
            "diversity(a) + alignment(b) + interpolation(c, 1, 2)",
            "inversion(a, \"my photo, (1).png\") + caricature(b, \"p.png\", cos=4) + caricature(b, \"p.png\")",
            "channel(a, 1) - blur(1) - boundary(0.01) - -3",
        ] {
            assert_eq!(read(text).to_string(), text);
            assert_eq!(read(&read(text).to_string()), read(text));
        }
    }

    #[test]
    fn spaces_and_a_leading_minus_are_understood() {
        assert_eq!(read(" channel( a ,4)-tv(1e-2) ").to_string(), "channel(a, 4) - tv(0.01)");
        assert_eq!(read("-channel(a, 4)"), -1.0 * Objective::channel("a", 4));
        assert_eq!(read("1 + 2 * 3 - 4").to_string(), "1 + 2 * 3 - 4");
    }

    #[test]
    fn an_error_says_where_and_what() {
        let wrong = |text: &str| text.parse::<Objective>().unwrap_err().to_string();
        assert!(
            wrong("chanel(a, 3)").contains("at character 1 there is no \"chanel\"; did you mean channel?")
        );
        assert!(wrong("channel(a)").contains("at character 10 \",\" belongs: channel(LAYER, CHANNEL)"));
        assert!(wrong("channel(a, -1)").contains("a whole number, counted from 0, belongs"));
        assert!(wrong("channel(a, 1) channel(a, 2)").contains("an operator belongs"));
        assert!(wrong("tv(1e999)").contains("a number belongs"));
        assert!(wrong("inversion(a, photo.png)").contains("around a picture's file"));
        assert!(wrong("").contains("channel(LAYER, CHANNEL) belongs"));
        assert!(wrong(&"(".repeat(10_000)).contains("nested more than 64 deep"));
        assert!(wrong(&"-".repeat(10_000)).contains("nested more than 64 deep"));
    }
}
