//! Natural sort order: `conv2d_2` comes before `conv2d_10`.

use std::cmp::Ordering;

/// Compares two paths component by component, and digits by their numeric value.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let parts = a.split('/').map(pieces).cmp(b.split('/').map(pieces));
    parts.then_with(|| a.cmp(b)) // orders `a_1` and `a_01`
}

/// A run of digits without leading zeros, which compares by length and then by digits; or a run of other characters.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Piece<'a> {
    Number(usize, &'a str),
    Text(&'a str),
}

fn pieces(mut rest: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    while let Some(first) = rest.chars().next() {
        let digits = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        rest = after;
        let number = piece.trim_start_matches('0');
        pieces.push(if digits { Piece::Number(number.len(), number) } else { Piece::Text(piece) });
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_in_the_order_of_counting() {
        let sorted = [
            "block1/layers/conv2d/vars/0",
            "block1/layers/conv2d/vars/1",
            "block1/layers/conv2d/vars/10",
            "block1/layers/conv2d-1/vars/0",
            "block1/layers/conv2d_2/vars/0",
            "block1/layers/conv2d_10/vars/0",
            "block10/layers/conv2d/vars/0",
        ];
        let mut shuffled = sorted;
        shuffled.reverse();
        shuffled.sort_by(|a, b| compare(a, b));
        assert_eq!(shuffled, sorted);
        assert_eq!(compare("a_01", "a_1"), Ordering::Less);
        assert_eq!(compare("a_99999999999999999999", "a_100000000000000000000"), Ordering::Less);
    }
}
