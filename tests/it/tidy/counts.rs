//! Counts of what a reader would stumble over: a type name with two meanings, a doc comment that says nothing, a function
//! that is too long, a test's name that is no sentence to read at once.

use std::collections::{BTreeMap, BTreeSet};

use super::{Source, sources};

/// Names that each crate and each room has by custom.
const CUSTOMARY: [&str; 2] = ["Error", "Result"];

/// The most lines of a function, from its name to its closing brace.
const LONGEST_FUNCTION: usize = 50;

/// The most characters of a test's name.
const LONGEST_TEST_NAME: usize = 60;

/// The lines of a source before its unit tests.
fn lines(source: &Source) -> Vec<&str> {
    source.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().lines().collect()
}

/// The sources that are part of the program: tests and benchmarks have names of their own.
fn program() -> Vec<Source> {
    let outside = |source: &Source| source.path.split('/').any(|part| part == "tests" || part == "benches");
    sources(&["src", "backends", "weights"]).into_iter().filter(|source| !outside(source)).collect()
}

/// The word after `keyword`, on a line that defines something at the left margin, `pub` or not.
fn defined<'a>(line: &'a str, keyword: &str) -> Option<&'a str> {
    let line = line.strip_prefix("pub").map_or(line, |rest| match rest.strip_prefix('(') {
        Some(scope) => scope.split_once(')').map_or(rest, |(_, rest)| rest),
        None => rest,
    });
    let rest = line.trim_start_matches(' ').strip_prefix(keyword)?.strip_prefix(' ')?;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

#[test]
fn a_type_name_has_one_meaning() {
    let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in program() {
        for line in lines(&source).into_iter().filter(|line| !line.starts_with(' ')) {
            let kinds = ["struct", "enum", "trait", "type", "union"];
            for name in kinds.iter().filter_map(|kind| defined(line, kind)) {
                places.entry(name.into()).or_default().insert(source.path.clone());
            }
        }
    }
    assert!(places.len() > 300, "only {} types were found", places.len());
    places.retain(|name, places| places.len() > 1 && !CUSTOMARY.contains(&name.as_str()));
    assert!(places.is_empty(), "{places:#?}");
}

#[test]
fn a_doc_comment_has_more_than_two_words() {
    for source in program() {
        let lines = lines(&source);
        let doc = |index: usize| lines.get(index).is_some_and(|line| line.trim_start().starts_with("///"));
        for (index, line) in lines.iter().enumerate().filter(|(index, _)| doc(*index)) {
            let alone = (index == 0 || !doc(index - 1)) && !doc(index + 1);
            let words = line.trim_start().trim_start_matches('/').split_whitespace().count();
            assert!(!alone || words > 2, "{}:{}: {line}", source.path, index + 1);
        }
    }
}

#[test]
fn no_function_is_too_long() {
    for source in program() {
        let lines = lines(&source);
        for (index, line) in lines.iter().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let begins =
                ["fn", "const fn", "unsafe fn"].iter().any(|kind| defined(line.trim_start(), kind).is_some());
            // A trait's function may have no body.
            let closes = format!("{})", " ".repeat(indent));
            let is_open = line.trim_end().ends_with('(');
            let last =
                if is_open { lines[index..].iter().find(|line| line.starts_with(&closes)) } else { None };
            if !begins || last.unwrap_or(line).trim_end().ends_with(';') {
                continue;
            }
            let end = format!("{}}}", " ".repeat(indent));
            let length = lines[index..].iter().position(|line| line.starts_with(&end)).unwrap_or_default();
            assert!(length <= LONGEST_FUNCTION, "{}:{}: {length} lines", source.path, index + 1);
        }
    }
}

#[test]
fn a_tests_name_can_be_read_at_once() {
    for source in sources(&["src", "backends", "weights", "tests"]) {
        let lines: Vec<&str> = source.text.lines().collect();
        let tests = lines.iter().enumerate().filter(|(_, line)| line.trim() == "#[test]");
        for (index, _) in tests {
            let name = lines[index..].iter().find_map(|line| defined(line.trim_start(), "fn")).unwrap();
            assert!(name.len() <= LONGEST_TEST_NAME, "{}: {name}", source.path);
        }
    }
}

/// Words that begin a question, or a fragment that names no subject.
const QUESTION_WORDS: [&str; 18] = [
    "What", "Who", "Whose", "Which", "Where", "When", "How", "Why", "Is", "Are", "Was", "Were", "Did", "Has",
    "Have", "Can", "May", "Will",
];

#[test]
fn a_doc_comment_is_no_question() {
    for source in program() {
        let lines = lines(&source);
        for (index, line) in lines.iter().enumerate() {
            let text = |line: &str| line.trim_start().strip_prefix("///").map(|text| text.trim().to_owned());
            let Some(doc) = text(line) else { continue };
            let begins = index == 0 || text(lines[index - 1]).is_none_or(|before| before.is_empty());
            let first = doc.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
            let question = doc.ends_with('?') || begins && QUESTION_WORDS.contains(&first);
            assert!(!question, "{}:{}: {line}", source.path, index + 1);
        }
    }
}
