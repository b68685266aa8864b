//! From a TOML text and `key=value` overrides to a recipe. A key that is not known is an error that names the nearest one.

use toml::{Table, Value};
use trepang_api::excerpt;

use super::Recipe;
use crate::engine::nearest::nearest;

/// Reads a recipe. `set` holds overrides such as `("optimizer.rate", "0.1")`, with values in TOML's own spelling. Fails with
/// one sentence.
pub fn read_recipe(text: &str, set: &[(String, String)]) -> Result<Recipe, String> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| plainly(&error, Some(text)))?;
    finish(table, set)
}

/// A recipe with overrides.
pub(super) fn changed(recipe: &Recipe, set: &[(String, String)]) -> Result<Recipe, String> {
    finish(Table::try_from(recipe).map_err(|error| error.to_string())?, set)
}

fn finish(mut table: Table, set: &[(String, String)]) -> Result<Recipe, String> {
    for (key, value) in set {
        apply(&mut table, key, value)?;
    }
    let recipe: Recipe =
        Value::Table(table).try_into().map_err(|error: toml::de::Error| plainly(&error, None))?;
    recipe.check()?;
    Ok(recipe)
}

/// Puts a value where a dotted key says.
fn apply(table: &mut Table, key: &str, value: &str) -> Result<(), String> {
    let value = parse(value);
    let mut parts = key.split('.').peekable();
    let mut table = table;
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            table.insert(part.into(), value);
            return Ok(());
        }
        let inner = table.entry(part).or_insert_with(|| Value::Table(Table::new()));
        table = inner.as_table_mut().ok_or_else(|| format!("\"{key}\": {part} is a single value"))?;
    }
    Err("a key is needed before \"=\"".into())
}

/// Reads a value as TOML. What is no TOML is taken as a string: `schedule=linear` needs no quotes.
fn parse(value: &str) -> Value {
    let line = format!("value = {value}");
    let parsed: Option<Value> = line.parse::<Table>().ok().and_then(|mut table| table.remove("value"));
    parsed.unwrap_or_else(|| Value::String(value.into()))
}

/// The error in one line, with the nearest key or value where one is not known, and where it is.
fn plainly(error: &toml::de::Error, text: Option<&str>) -> String {
    let message = without_type_names(&excerpt(error.message().trim()).replace('\n', ", "));
    let place = text.zip(error.span()).map(|(text, span)| {
        let line = text[..span.start.min(text.len())].lines().count().max(1);
        format!("line {line}: ")
    });
    // serde's own words: unknown field `decya`, expected one of `kind`, `decay`
    let mut quoted = message.split('`').skip(1).step_by(2);
    let hint = match quoted.next() {
        Some(unknown) if message.starts_with("unknown ") => {
            let known: Vec<&str> = quoted.collect();
            let hint = format!("; did you mean {}?", nearest(unknown, known.iter().copied()));
            if known.is_empty() { String::new() } else { hint }
        }
        _ => String::new(),
    };
    format!("{}{message}{hint}", place.unwrap_or_default())
}

/// The types that serde names, and the words for them.
const TYPES: [(&str, &str); 6] = [
    ("expected struct ", "expected a table of its settings"),
    ("expected usize", "expected a whole number, 0 or more"),
    ("expected u64", "expected a whole number, 0 or more"),
    ("expected f64", "expected a number"),
    ("expected f32", "expected a number"),
    ("u64 value was too large", "the number is too large"),
];

/// Serde's message without the Rust types that it names: `expected struct ParamSpec` becomes `expected a table`.
fn without_type_names(message: &str) -> String {
    let found = TYPES.iter().find_map(|(name, words)| Some((message.split_once(name)?, words)));
    match found {
        Some(((before, after), words)) => {
            let rest = after.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
            format!("{before}{words}{rest}")
        }
        None => message.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lucid(set: &[(&str, &str)]) -> Result<Recipe, String> {
        let set: Vec<(String, String)> = set.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        read_recipe(Recipe::text("lucid").unwrap(), &set)
    }

    #[test]
    fn messages_name_no_type_of_the_program() {
        let message = lucid(&[("param", "3")]).unwrap_err();
        assert_eq!(message, "invalid type: integer `3`, expected a table of its settings");
        let whole = lucid(&[("transforms", "[{ pad = -3 }]")]).unwrap_err();
        assert_eq!(whole, "invalid value: integer `-3`, expected a whole number, 0 or more");
        let large = lucid(&[("views", "99999999999999999999")]).unwrap_err();
        assert!(!large.contains("u64") && !large.contains("usize"), "{large}");
        let rate = lucid(&[("optimizer.rate", "fast")]).unwrap_err();
        assert_eq!(rate, "invalid type: string \"fast\", expected a number");
    }

    #[test]
    fn keys_are_set_wherever_they_are() {
        let recipe = lucid(&[
            ("steps", "7"),
            ("optimizer.rate", "0.125"),
            ("optimizer.schedule", "linear"),
            ("param.decorrelated", "false"),
            ("transforms", "[{ jitter = 3 }, { noise = [0.1, 0.0] }]"),
        ])
        .unwrap();
        assert_eq!((recipe.steps, recipe.optimizer.rate, recipe.param.decorrelated), (7, 0.125, false));
        assert_eq!(recipe.transforms.len(), 2);
    }

    #[test]
    fn an_unknown_key_names_the_nearest() {
        let wrong = |key: &str, value: &str| lucid(&[(key, value)]).unwrap_err();
        assert!(wrong("param.decya", "2").ends_with("did you mean decay?"), "{}", wrong("param.decya", "2"));
        assert!(wrong("step", "2").ends_with("did you mean steps?"));
        assert!(wrong("optimizer.kind", "adan").ends_with("did you mean adam?"));
        assert!(wrong("transforms", "[{ jiter = 3 }]").ends_with("did you mean jitter?"));
        assert!(wrong("steps", "many").contains("invalid type"));
        assert!(wrong("steps.of", "3").contains("single value"));
        assert!(wrong("steps", "0").contains("at least 1"));
    }

    #[test]
    fn an_error_in_a_text_says_its_line() {
        let error = read_recipe("name = \"x\"\nabout = \n", &[]).unwrap_err();
        assert!(error.starts_with("line 2"), "{error}");
        assert!(read_recipe("name = \"x\"", &[]).unwrap_err().contains("about"));
    }
}
