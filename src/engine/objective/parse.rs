//! Reads the text form of objectives. The grammar:
//!
//! ```text
//! sum     = product { ("+" | "-") product }
//! product = factor { "*" factor }
//! factor  = number | "-" factor | "(" sum ")" | name "(" argument { "," argument } ")"
//! ```
//!
//! Layers are written as they are called, pictures in double quotes. Not here: which functions there are, and whether a
//! layer exists.

use std::str::FromStr;

use super::Objective;
use super::functions::FUNCTIONS;
use super::reader::{Read, Reader};
use crate::engine::nearest::nearest;

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

/// The deepest nesting that is read: no text by hand comes near it, and none may exhaust the stack.
const MAX_DEPTH: usize = 64;

impl FromStr for Objective {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut parser = Parser { reader: Reader::new(text), depth: 0 };
        let found = parser.sum().and_then(|objective| match parser.reader.peek() {
            None => Ok(objective),
            Some(_) => Err("an operator belongs: +, - or *".to_owned()),
        });
        found.map_err(|wrong| ParseError { text: text.into(), at: parser.reader.position(), wrong })
    }
}

/// The grammar's rules, one method each.
struct Parser {
    reader: Reader,
    /// How many factors are open.
    depth: usize,
}

impl Parser {
    fn sum(&mut self) -> Read<Objective> {
        let mut left = self.product()?;
        loop {
            left = if self.reader.eat('+') {
                left + self.product()?
            } else if self.reader.eat('-') {
                left - self.product()?
            } else {
                return Ok(left);
            };
        }
    }

    fn product(&mut self) -> Read<Objective> {
        let mut left = self.factor()?;
        while self.reader.eat('*') {
            left = left * self.factor()?;
        }
        Ok(left)
    }

    fn factor(&mut self) -> Read<Objective> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("it is nested more than {MAX_DEPTH} deep"));
        }
        let found = match self.reader.peek() {
            Some('(') => {
                self.reader.eat('(');
                let inner = self.sum()?;
                self.reader.expect(')', "")?;
                inner
            }
            Some('-') if !self.reader.is_negative_number() => {
                self.reader.eat('-');
                -1.0 * self.factor()?
            }
            Some(c) if c.is_ascii_digit() || c == '.' || c == '-' => {
                Objective::Constant(self.reader.number()?)
            }
            Some(c) if c.is_ascii_alphabetic() => self.function()?,
            _ => return Err("a number or something like channel(LAYER, CHANNEL) belongs".into()),
        };
        self.depth -= 1;
        Ok(found)
    }

    fn function(&mut self) -> Read<Objective> {
        let begin = self.reader.position();
        let name = self.reader.word(|c| c.is_ascii_alphanumeric() || c == '_');
        let Some(function) = FUNCTIONS.iter().find(|function| function.name == name) else {
            self.reader.go_back(begin);
            let known = FUNCTIONS.iter().map(|function| function.name);
            return Err(format!("there is no \"{name}\"; did you mean {}?", nearest(&name, known)));
        };
        let usage = function.usage();
        self.reader.expect('(', &format!(": {usage}"))?;
        let found = function.read(&mut self.reader).map_err(|wrong| format!("{wrong}: {usage}"))?;
        self.reader.expect(')', &format!(": {usage}"))?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Objective {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn an_objective_is_read_back_as_it_is_printed() {
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
