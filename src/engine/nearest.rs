//! Suggestions for errors about a name that is not known.

/// Returns the one of some known names that is most like `name`, for an error that helps.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> &'a str {
    let likeness = |other: &&str| strsim::jaro_winkler(name, other);
    known.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).unwrap_or_default()
}

/// The least likeness of a name that is offered for another, of 1.
const LEAST_LIKENESS: f64 = 0.8;

/// Returns the first of some known names that holds `name`, or else the one that is most like it; none if all are unlike it.
pub(crate) fn similar<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let typed = name.trim().to_lowercase();
    let holds = |other: &&str| other.to_lowercase().split([' ', '-']).any(|word| word == typed);
    if let Some(holder) = known.clone().find(holds) {
        return Some(holder);
    }
    let likeness = |other: &str| strsim::jaro_winkler(&typed, &other.to_lowercase());
    known.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).filter(|other| likeness(other) >= LEAST_LIKENESS)
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
        assert_eq!((asked("coonhound"), asked("tenhc")), (Some(known[2]), Some(known[0])));
        assert_eq!((asked("submarine"), asked(""), asked("1e9")), (None, None, None));
    }
}
