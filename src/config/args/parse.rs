//! Parsers of flags whose values are more than one word or number.

use crate::engine::as_typed;

pub(super) fn parse_channel(text: &str) -> Result<usize, String> {
    as_typed(text).parse().map_err(|_| "a whole number is needed; channels are counted from 0".into())
}

pub(super) fn parse_setting(text: &str) -> Result<(String, String), String> {
    let text = as_typed(text);
    let (key, value) =
        text.split_once('=').ok_or("a key and a value are needed, as in optimizer.rate=0.1")?;
    Ok((key.trim().into(), value.trim().into()))
}

pub(super) fn parse_neuron(text: &str) -> Result<[usize; 3], String> {
    let text = as_typed(text);
    let numbers: Option<Vec<usize>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
    numbers.and_then(|numbers| <[usize; 3]>::try_from(numbers).ok()).ok_or_else(|| {
        "three numbers are needed, each counted from 0: channel, row, column, as in 7,0,3".into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neuron_is_three_numbers() {
        assert_eq!(parse_neuron("7,0, 3"), Ok([7, 0, 3]));
        assert_eq!(parse_neuron("\u{ff17}\u{ff0c}0,\u{a0}3"), Ok([7, 0, 3]), "as they are pasted");
        for text in ["7", "7,0", "7,0,3,1", "a,b,c", "-1,0,0"] {
            assert!(parse_neuron(text).is_err(), "{text}");
        }
    }
}
