//! Suggestions for errors about a name that is not known.

/// Returns the one of some known names that is most like `name`, for an error that helps.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> &'a str {
    let likeness = |other: &&str| strsim::jaro_winkler(name, other);
    known.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).unwrap_or_default()
}

/// The least likeness of a name that is offered for another, of 1.
const LEAST_LIKENESS: f64 = 0.85;

/// Returns the one of some known names that is most like `name`, in whole or in one of its words; none if all are unlike it.
/// Capital letters count as small ones.
pub(crate) fn similar<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let typed = name.trim().to_lowercase();
    let likeness = |other: &str| {
        let other = other.to_lowercase();
        let parts = other.split([' ', '-', '_']).chain([other.as_str()]);
        parts.map(|part| strsim::jaro_winkler(&typed, part)).fold(0.0, f64::max)
    };
    let rated = known.map(|other| (likeness(other), other));
    let (best, other) = rated.reduce(|a, b| if b.0 > a.0 { b } else { a })?;
    (best >= LEAST_LIKENESS).then_some(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_similar_name_is_found_by_its_word_or_its_letters() {
        let known = ["tench", "sea cucumber", "black-and-tan coonhound", "sea lion"];
        let asked = |name| similar(name, known.into_iter());
        assert_eq!(
            (asked("Cucumber"), asked("sea"), asked("seacucmber")),
            (Some(known[1]), Some(known[1]), Some(known[1]))
        );
        assert_eq!((asked("coonhund"), asked("tenhc")), (Some(known[2]), Some(known[0])));
        assert_eq!((asked("submarine"), asked(""), asked("1e9")), (None, None, None));
    }
}
