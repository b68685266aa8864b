//! Reads the text form of objectives. The grammar:
//!
//! ```text
//! sum     = product { ("+" | "-") product }
//! product = factor { "*" factor }
//! factor  = number | "-" factor | "(" sum ")" | name "(" argument { "," argument } ")" | layer ":" channel
//! ```
//!
//! Layers are written as they are called, pictures in double quotes. Quotation marks around a layer, a class or
//! `layer:channel` do no harm, nor does Lucid's `objectives.` before a name. Not here: which functions there are, and
//! whether a layer exists.

use std::str::FromStr;

use trepang_api::excerpt;

use super::Objective;
use super::functions::FUNCTIONS;
use super::reader::{ClassFinder, Read, Reader, WHOLE};
use super::shorthand;
use crate::engine::nearest::nearest;
use crate::engine::typed::{as_typed, is_quote, without_spaces_at_colons};

/// The fault in a text, and its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the objective \"{}\" cannot be read: at character {} {wrong}", excerpt(.text), at + 1)]
pub struct ParseError {
    /// The whole text.
    pub text: String,
    /// The character, counted from 0.
    pub at: usize,
    /// The fault there, or what belongs there, as a clause.
    pub wrong: String,
}

/// The module of Lucid's functions, whose name stands before them in its notebooks.
const LUCID_MODULE: &str = "objectives";

/// The deepest nesting that is read: no text by hand comes near it, and none may exhaust the stack.
const MAX_DEPTH: usize = 64;

/// The most terms and factors that are read: a sum is a tree as deep as it has terms, which is walked without a limit.
const MAX_FACTORS: usize = 1000;

impl FromStr for Objective {
    type Err = ParseError;

    /// Reads a text whose classes are indices, as the printed form has them.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::read(text, &|_| Err(WHOLE.into()))
    }
}

impl Objective {
    /// Reads a text in which classes may have names, which `find_class` turns into indices.
    pub fn read(text: &str, find_class: ClassFinder) -> Result<Self, ParseError> {
        let mut parser = Parser { reader: Reader::new(text, find_class), depth: 0, count: 0 };
        let found = parser.sum().and_then(|objective| match parser.reader.peek() {
            None => Ok(objective),
            Some(_) => Err("an operator belongs: +, - or *".to_owned()),
        });
        found.map_err(|wrong| ParseError { text: text.into(), at: parser.reader.position(), wrong })
    }
}

/// The grammar's rules, one method each.
struct Parser<'a> {
    reader: Reader<'a>,
    /// The number of factors that are open.
    depth: usize,
    /// The number of factors so far.
    count: usize,
}

impl Parser<'_> {
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
        self.count += 1;
        if self.count > MAX_FACTORS {
            return Err(format!("it has more than {MAX_FACTORS} terms and factors"));
        }
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
            Some(c) if is_quote(c) => self.quoted_shorthand()?,
            _ => return Err("a number or something like channel(LAYER, CHANNEL) belongs".into()),
        };
        self.depth -= 1;
        Ok(found)
    }

    fn function(&mut self) -> Read<Objective> {
        let begin = self.reader.position();
        let name = self.reader.word(|c| c.is_ascii_alphanumeric() || c == '_');
        if name == LUCID_MODULE && self.reader.eat('.') {
            return self.factor();
        }
        let function = FUNCTIONS.iter().find(|function| function.name == name);
        let more = self.rest_of_shorthand();
        match function.filter(|_| more.is_empty()) {
            Some(function) => {
                let usage = function.usage();
                self.reader.expect('(', &format!(": {usage}"))?;
                let found = function.read(&mut self.reader).map_err(|wrong| format!("{wrong}: {usage}"))?;
                self.reader.expect(')', &format!(": {usage}"))?;
                Ok(found)
            }
            None if self.reader.peek() == Some('(') => {
                self.reader.go_back(begin);
                let known = FUNCTIONS.iter().map(|function| function.name);
                let name = format!("{name}{more}");
                let nearest = nearest(&name, known);
                Err(format!("there is no \"{}\"; did you mean {nearest}?", excerpt(&name)))
            }
            None => shorthand::read(&format!("{name}{more}")).inspect_err(|_| self.reader.go_back(begin)),
        }
    }

    /// The rest of LAYER:CHANNEL behind the name that it begins with. Spaces beside its colons are passed over.
    fn rest_of_shorthand(&mut self) -> String {
        let mut rest = self.reader.word(shorthand::is_part);
        loop {
            let more = if rest.ends_with(':') && self.reader.peek().is_some() {
                Some(self.reader.word(shorthand::is_part)).filter(|word| !word.is_empty())
            } else {
                self.reader.colon_and_word(shorthand::is_part)
            };
            match more {
                Some(more) => rest += &more,
                None => return rest,
            }
        }
    }

    /// LAYER:CHANNEL in quotation marks.
    fn quoted_shorthand(&mut self) -> Read<Objective> {
        let begin = self.reader.position();
        let text = self.reader.quoted()?.unwrap_or_default();
        let text = without_spaces_at_colons(&as_typed(&text));
        let found = if text.chars().all(shorthand::is_part) {
            shorthand::read(&text)
        } else {
            Err("what is quoted here is not LAYER:CHANNEL; an objective is written without quotation marks"
                .into())
        };
        found.inspect_err(|_| self.reader.go_back(begin))
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
    fn a_sum_of_very_many_terms_is_refused() {
        let sum = |terms: usize| vec!["logit(3)"; terms].join(" + ");
        assert!(sum(MAX_FACTORS).parse::<Objective>().is_ok());
        for terms in [MAX_FACTORS + 1, 20_000] {
            assert_eq!(
                sum(terms).parse::<Objective>().unwrap_err().wrong,
                "it has more than 1000 terms and factors"
            );
        }
    }

    #[test]
    fn spaces_and_a_leading_minus_are_understood() {
        assert_eq!(read(" channel( a ,4)-tv(1e-2) ").to_string(), "channel(a, 4) - tv(0.01)");
        assert_eq!(read("-channel(a, 4)"), -1.0 * Objective::channel("a", 4));
        assert_eq!(read("1 + 2 * 3 - 4").to_string(), "1 + 2 * 3 - 4");
    }

    #[test]
    fn what_notebooks_write_is_read_and_printed_in_one_form() {
        for (text, printed) in [
            ("mixed4a:476", "channel(mixed4a, 476)"),
            ("-block5_conv2:30", "-1 * channel(block5_conv2, 30)"),
            ("block5_conv2:pre:30 - 0.5*a:7", "channel(block5_conv2:pre, 30) - 0.5 * channel(a, 7)"),
            ("a:1-b:2", "channel(a, 1) - channel(b, 2)"),
            (
                "2 * (features.28:30 + Mixed_6e.branch1x1:4)",
                "2 * (channel(features.28, 30) + channel(Mixed_6e.branch1x1, 4))",
            ),
            ("mixed4d_3x3_bottleneck_pre_relu:139", "channel(mixed4d_3x3_bottleneck:pre, 139)"),
            ("channel(mixed4a_pre_relu, 2)", "channel(mixed4a:pre, 2)"),
            ("layer:3", "channel(layer, 3)"),
            ("logit_head:3", "channel(logit_head, 3)"),
            ("\"mixed4a:476\"", "channel(mixed4a, 476)"),
            ("'mixed4a:476'+tv(1)", "channel(mixed4a, 476) + tv(1)"),
            ("channel(\"block5_conv2\", 30)", "channel(block5_conv2, 30)"),
            ("channel('block5_conv2:pre' , 30)", "channel(block5_conv2:pre, 30)"),
            ("objectives.channel(\u{201c}a\u{201d}, 3)", "channel(a, 3)"),
            ("neuron( ' features.28 ', 2, 1, 5)", "neuron(features.28, 2, 1, 5)"),
            ("inversion('a', 'my photo.png')", "inversion(a, \"my photo.png\")"),
            ("logit(\"31\")", "logit(31)"),
            ("block5_conv2 : 30", "channel(block5_conv2, 30)"),
            ("block5_conv2 :pre: 30 - a:\u{a0}7", "channel(block5_conv2:pre, 30) - channel(a, 7)"),
            ("layer : 3 + layer(a)", "channel(layer, 3) + layer(a)"),
            ("\"mixed4a : 476\"", "channel(mixed4a, 476)"),
            ("a:1 \u{2013} b:2 \u{2014} c:3", "channel(a, 1) - channel(b, 2) - channel(c, 3)"),
            ("\u{2212}0.5 \u{d7} channel(a,\u{a0}7)", "-0.5 * channel(a, 7)"),
            ("\u{a0}block5\u{200b}_conv2\u{ff1a}\u{ff13}\u{ff10}\u{feff}", "channel(block5_conv2, 30)"),
            ("\u{ff43}hannel\u{ff08}a\u{ff0c}\u{ff13}\u{ff09}", "channel(a, 3)"),
            ("channel(a : pre, 3)", "channel(a:pre, 3)"),
            ("`a:3`", "channel(a, 3)"),
            ("channel(\u{201e}a\u{201c}, 3)", "channel(a, 3)"),
            ("inversion(a, \"my \u{2013} photo.png\")", "inversion(a, \"my \u{2013} photo.png\")"),
            ("logit(\u{ff13}\u{ff11})", "logit(31)"),
        ] {
            assert_eq!(read(text).to_string(), printed, "{text}");
            assert_eq!(read(printed), read(text), "{text}");
        }
    }

    #[test]
    fn a_class_is_found_by_its_name_where_names_are_known() {
        let find = |name: &str| match name {
            "em\u{2014}dash"
            | "sea cucumber"
            | "n02321529"
            | "jack-o'-lantern"
            | "sea cucumber, holothurian" => Ok(329),
            _ => Err(format!("there is no class {name}")),
        };
        let read = |text: &str| Objective::read(text, &find);
        for name in [
            "sea cucumber",
            "\"sea cucumber\"",
            " 'sea cucumber' ",
            "n02321529",
            "jack-o'-lantern",
            "\"jack-o'-lantern\"",
            "sea cucumber, holothurian",
            "329",
            "sea\u{a0}cucumber",
            "\u{ab}jack\u{2011}o'-lantern\u{bb}",
            "em\u{2014}dash",
        ] {
            let text = format!("2 * logit({name}) - tv(1)");
            assert_eq!(read(&text).unwrap().to_string(), "2 * logit(329) - tv(1)");
        }
        let error = read("logit(sea urchin)").unwrap_err();
        assert_eq!((error.at, error.wrong.as_str()), (6, "there is no class sea urchin: logit(CLASS)"));
    }

    #[test]
    fn what_is_not_meant_is_answered_with_what_to_type() {
        let wrong = |text: &str| text.parse::<Objective>().unwrap_err();
        for (text, at, part) in [
            ("labels:0", 0, "a class is written logit(CLASS)"),
            ("softmax2:281 + a:1", 0, "a class is written logit(CLASS)"),
            ("1 + block5_conv2", 4, "channel(block5_conv2, CHANNEL), and a whole layer layer(block5_conv2)"),
            ("a:3:4:5", 0, "neuron(a, 3, 4, 5)"),
            ("a:b", 0, "channel(a:b, CHANNEL)"),
            (":3", 0, "a number or something like channel(LAYER, CHANNEL) belongs"),
            ("a::3", 0, "a layer's name belongs"),
            ("a:99999999999999999999999", 0, "too large"),
            ("\"channel(a, 3)\"", 0, "without quotation marks"),
            ("\"a:3", 4, "at the end of what is quoted"),
            ("channel(\"a, 3)", 14, "at the end of what is quoted"),
            ("logit(sea cucumber)", 6, "a whole number"),
            ("logit", 5, "\"(\" belongs: logit(CLASS)"),
            ("chanel.x(a, 3)", 0, "there is no \"chanel.x\"; did you mean channel?"),
        ] {
            let error = wrong(text);
            assert!(error.at == at && error.wrong.contains(part), "{text}: {error}");
        }
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
