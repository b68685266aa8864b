//! The channels of a layer that the user names: one, several, a range or all.

use std::str::FromStr;

use crate::engine::as_typed;

/// Channels as the user typed them, before the number of channels of the layer is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Channels {
    /// A list of channels, `4` or `4,7,9`.
    These(Vec<usize>),
    /// A range without its end, `0..64`.
    Range(usize, usize),
    /// Every channel of the layer, `all`.
    All,
}

impl FromStr for Channels {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "channels are counted from 0: write 4, or 4,7,9, or 0..64, or all".to_owned();
        let number = |part: &str| part.trim().parse::<usize>().map_err(|_| wrong());
        let text = as_typed(text).replace('\u{2026}', "..").replace("...", "..");
        match (&*text, text.split_once("..")) {
            ("all", _) => Ok(Self::All),
            (_, Some((first, end))) => {
                let (first, end) = (number(first)?, number(end)?);
                if first < end {
                    Ok(Self::Range(first, end))
                } else {
                    Err(format!("{first}..{end} holds no channel"))
                }
            }
            (list, None) => list.split(',').map(number).collect::<Result<_, _>>().map(Self::These),
        }
    }
}

impl Channels {
    /// The channels in order and without duplicates, for a layer with `count` channels. Fails for a channel that the
    /// layer does not have; a single channel is checked later, by the ascent.
    pub fn numbers(&self, count: usize) -> Result<Vec<usize>, String> {
        let none = |channel: usize| {
            format!("there are {count} channels, 0 to {}, and no channel {channel}", count - 1)
        };
        let mut numbers: Vec<usize> = match self {
            Self::These(numbers) => numbers.clone(),
            // Checked before a list of that length is made.
            Self::Range(_, end) if *end > count => return Err(none(end - 1)),
            Self::Range(first, end) => (*first..*end).collect(),
            Self::All => (0..count).collect(),
        };
        numbers.sort_unstable();
        numbers.dedup();
        match numbers.last() {
            Some(last) if *last >= count && numbers.len() > 1 => Err(none(*last)),
            _ => Ok(numbers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_are_read() {
        let numbers = |text: &str| text.parse::<Channels>().and_then(|channels| channels.numbers(8));
        assert_eq!(numbers("4"), Ok(vec![4]));
        assert_eq!(numbers("4, 7,2,4"), Ok(vec![2, 4, 7]));
        assert_eq!(numbers("0..3"), Ok(vec![0, 1, 2]));
        assert_eq!(numbers("\u{ff14}\u{ff0c}\u{a0}2"), Ok(vec![2, 4]));
        assert_eq!(numbers("0\u{2026}3"), Ok(vec![0, 1, 2]));
        assert_eq!(numbers("all").unwrap().len(), 8);
        for wrong in ["", "a", "-1", "3..3", "5..2", "1,,2", "0..9", "1,9", "0..18446744073709551615"] {
            assert!(numbers(wrong).is_err(), "{wrong}");
        }
    }
}
