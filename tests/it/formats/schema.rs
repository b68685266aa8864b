//! Reads the tables of `docs/json.md` and holds JSON values against them.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::library::repository;

/// A type as the second column of a table has it.
#[derive(Debug, Clone, PartialEq)]
enum Type {
    Null,
    Boolean,
    Integer,
    Number,
    Text,
    /// This string and no other.
    Literal(String),
    List(Box<Type>),
    Map(Box<Type>),
    /// The table under that heading.
    Table(String),
    Either(Vec<Type>),
}

#[derive(Debug)]
struct Field {
    is: Type,
    optional: bool,
}

/// The tables, by their headings.
#[derive(Debug)]
pub(super) struct Schema(BTreeMap<String, BTreeMap<String, Field>>);

impl Schema {
    pub(super) fn read() -> Self {
        Self::parse(&fs::read_to_string(repository("docs/json.md")).unwrap())
    }

    fn parse(text: &str) -> Self {
        let mut tables: BTreeMap<String, BTreeMap<String, Field>> = BTreeMap::new();
        let mut heading = None;
        for line in text.lines() {
            if line.starts_with('#') {
                heading = line.strip_prefix("### ").map(str::to_owned);
            }
            let (Some(heading), Some(row)) = (&heading, line.strip_prefix("| `")) else { continue };
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            assert!(cells.len() == 4, "{heading}: a row has three cells: {line}");
            let (is, optional) = match cells[1].strip_suffix(", optional") {
                Some(is) => (is, true),
                None => (cells[1], false),
            };
            let field = Field { is: parse_type(is), optional };
            let name = cells[0].trim_end_matches('`').to_owned();
            let twice = tables.entry(heading.clone()).or_default().insert(name, field);
            assert!(twice.is_none(), "{heading} has a field twice: {line}");
        }
        Self(tables)
    }

    /// Fails where `value` is not what the table under the heading `name` says.
    pub(super) fn check(&self, name: &str, value: &Value) {
        if let Err(wrong) = self.fits(&Type::Table(name.into()), value, name) {
            panic!("docs/json.md and the program differ: {wrong}");
        }
    }

    /// Says what is wrong, and where.
    fn fits(&self, is: &Type, value: &Value, place: &str) -> Result<(), String> {
        match (is, value) {
            (Type::Null, Value::Null) | (Type::Boolean, Value::Bool(_)) | (Type::Text, Value::String(_)) => {
                Ok(())
            }
            (Type::Number, Value::Number(_)) => Ok(()),
            (Type::Integer, Value::Number(number)) if number.is_u64() => Ok(()),
            (Type::Literal(literal), Value::String(text)) if literal == text => Ok(()),
            (Type::List(of), Value::Array(values)) => {
                values.iter().try_for_each(|value| self.fits(of, value, &format!("{place}[]")))
            }
            (Type::Map(of), Value::Object(values)) => {
                values.values().try_for_each(|value| self.fits(of, value, &format!("{place}.*")))
            }
            (Type::Table(name), Value::Object(_)) => self.fits_table(name, value, place),
            (Type::Either(types), _) => {
                let tried: Vec<_> = types.iter().map(|is| self.fits(is, value, place)).collect();
                if tried.iter().any(Result::is_ok) {
                    return Ok(());
                }
                // An object has one table that it may be; what is wrong inside it is what matters.
                let inner = tried.into_iter().filter_map(Result::err).max_by_key(String::len);
                Err(inner.unwrap_or_default())
            }
            _ => Err(format!("{place} is not {is:?}: {value}")),
        }
    }

    fn fits_table(&self, name: &str, value: &Value, place: &str) -> Result<(), String> {
        let table = self.0.get(name).ok_or_else(|| format!("there is no table {name}"))?;
        let object = value.as_object().ok_or_else(|| format!("{place} is no object"))?;
        for (key, value) in object {
            let field = table.get(key).ok_or_else(|| format!("{place}.{key} is not documented"))?;
            self.fits(&field.is, value, &format!("{place}.{key}"))?;
        }
        let missing = table.iter().find(|(key, field)| !field.optional && !object.contains_key(*key));
        missing.map_or(Ok(()), |(key, _)| Err(format!("{place}.{key} is documented and not there")))
    }
}

fn parse_type(text: &str) -> Type {
    if let Some(of) = text.strip_prefix("list of ") {
        return Type::List(parse_type(of).into());
    }
    if let Some(of) = text.strip_prefix("map of ") {
        return Type::Map(parse_type(of).into());
    }
    let alternatives: Vec<&str> = text.split(" or ").collect();
    if alternatives.len() > 1 {
        return Type::Either(alternatives.into_iter().map(parse_type).collect());
    }
    if let Some(literal) = text.strip_prefix("`\"").and_then(|text| text.strip_suffix("\"`")) {
        return Type::Literal(literal.into());
    }
    if let Some((name, _)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        return Type::Table(name.into());
    }
    match text {
        "null" => Type::Null,
        "boolean" => Type::Boolean,
        "integer" => Type::Integer,
        "number" => Type::Number,
        "string" => Type::Text,
        _ => panic!("docs/json.md has a type that nobody knows: {text}"),
    }
}

const TABLES: &str = "### A\n\n| field | type | meaning |\n|---|---|---|\n| `x` | integer or null | |\n\
                      | `y` | list of [B](#b), optional | |\n## Text\n| `not a field` | no type |\n\
                      ### B\n| `z` | `\"one\"` or number | |\n";

#[test]
fn values_that_fit_the_tables_pass() {
    let schema = Schema::parse(TABLES);
    for text in [r#"{"x":1}"#, r#"{"x":null,"y":[]}"#, r#"{"x":2,"y":[{"z":"one"},{"z":0.5}]}"#] {
        schema.check("A", &serde_json::from_str(text).unwrap());
    }
}

#[test]
fn a_value_that_does_not_fit_says_where() {
    let schema = Schema::parse(TABLES);
    for (text, wrong) in [
        (r#"{"x":1,"w":2}"#, "A.w is not documented"),
        ("{}", "A.x is documented and not there"),
        (r#"{"x":1.5}"#, "A.x is not"),
        (r#"{"x":1,"y":[{"z":"two"}]}"#, "A.y[].z is not"),
        (r#"{"x":1,"y":[{}]}"#, "A.y[].z is documented and not there"),
    ] {
        let value = serde_json::from_str(text).unwrap();
        let found = schema.fits(&Type::Table("A".into()), &value, "A").unwrap_err();
        assert!(found.contains(wrong), "{found}");
    }
}
