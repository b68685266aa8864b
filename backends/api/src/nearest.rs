//! The known names that a mistyped one may stand for.

use std::fmt::Write as _;

/// The most names that are offered.
const MOST: usize = 3;

/// The shortest name that stands for all that begin with it.
const SHORTEST_BEGINNING: usize = 3;

/// The names within a third of a name's length in edits, the nearest first, or else the first that it is the beginning of; at
/// most three. Capital letters count as small ones.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Vec<String> {
    let typed = name.to_lowercase();
    let length = typed.chars().count();
    let mut close: Vec<(usize, &str)> = Vec::new();
    let mut begun: Vec<(usize, &str)> = Vec::new();
    for candidate in candidates {
        let known = candidate.to_lowercase();
        let distance = edits(&typed, &known);
        if distance * 3 <= length.max(3) {
            close.push((distance, candidate));
        } else if length >= SHORTEST_BEGINNING && known.starts_with(&typed) {
            begun.push((distance, candidate));
        }
    }
    close.sort_by_key(|&(distance, _)| distance);
    let offered = if close.is_empty() { begun } else { close };
    offered.into_iter().take(MOST).map(|(_, candidate)| candidate.into()).collect()
}

/// The question `did you mean "a" or "b"?` for a name that is not known; none if no known name is like it.
pub fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let nearest = nearest(name, known);
    (!nearest.is_empty()).then(|| question(&nearest))
}

/// The question about these names.
pub(crate) fn question(names: &[String]) -> String {
    let mut text = String::new();
    for (i, name) in names.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = write!(text, "{}\"{name}\"", if i == 0 { "did you mean " } else { " or " });
    }
    text + "?"
}

/// Levenshtein's distance: the least number of insertions, deletions and substitutions.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, cb) in b.iter().enumerate() {
            let substitution = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substitution.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_name_is_answered_with_the_nearest() {
        let known = ["vgg16", "vgg16-trunk", "vgg19", "resnet18", "resnet50", "inception_v3"];
        let asked = |name| did_you_mean(name, known.into_iter());
        assert_eq!(asked("Resnet-50").as_deref(), Some("did you mean \"resnet50\" or \"resnet18\"?"));
        assert_eq!(asked("resnet").as_deref(), Some("did you mean \"resnet18\" or \"resnet50\"?"));
        assert_eq!(asked("inc").as_deref(), Some("did you mean \"inception_v3\"?"));
        assert_eq!((asked("alexnet"), asked(""), asked("r")), (None, None, None));
    }

    #[test]
    fn distance_counts_single_edits() {
        for (a, b, distance) in
            [("", "ab", 2), ("kitten", "sitting", 3), ("conv1", "conv1", 0), ("ab", "b", 1)]
        {
            assert_eq!(edits(a, b), distance, "{a} {b}");
        }
    }
}
