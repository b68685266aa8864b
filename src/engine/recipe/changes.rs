//! The way from an embedded recipe to one that was changed, as the overrides that a user types.

use toml::{Table, Value};

use super::Recipe;
use super::read::read_recipe;

impl Recipe {
    /// The name of an embedded recipe and the overrides that make this one of it, as [`read_recipe`] takes them; none if there
    /// is no such way.
    pub fn as_changes(&self) -> Option<(&'static str, Vec<(String, String)>)> {
        let own = super::RECIPES.into_iter().filter(|name| *name == self.name);
        own.chain([super::RECIPES[0]]).find_map(|name| {
            let (base, this) = (Table::try_from(Self::named(name)?).ok()?, Table::try_from(self).ok()?);
            let mut set = Vec::new();
            differences("", &base, &this, &mut set);
            // What is only in the other recipe cannot be taken out by an override.
            let made = read_recipe(Self::text(name)?, &set).ok()?;
            (made == *self).then_some((name, set))
        })
    }
}

/// Adds the keys whose values differ. A table that lacks a key of the other is set as a whole.
fn differences(prefix: &str, base: &Table, this: &Table, set: &mut Vec<(String, String)>) {
    for (key, value) in this {
        let key_in_full = format!("{prefix}{key}");
        match (base.get(key), value) {
            (Some(before), _) if before == value => {}
            (Some(Value::Table(before)), Value::Table(now))
                if before.keys().all(|key| now.contains_key(key)) =>
            {
                differences(&format!("{key_in_full}."), before, now, set);
            }
            _ => set.push((key_in_full, inline(value))),
        }
    }
}

/// A value in TOML's spelling, in one line.
fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => serde_json::Value::from(text.as_str()).to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Boolean(is) => is.to_string(),
        Value::Datetime(time) => time.to_string(),
        Value::Array(values) => format!("[{}]", values.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Table(table) => {
            let pairs = table.iter().map(|(key, value)| format!("{key} = {}", inline(value)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::RECIPES;
    use super::*;

    #[test]
    fn what_was_set_is_found_again() {
        for name in RECIPES {
            assert_eq!(Recipe::named(name).unwrap().as_changes(), Some((name, Vec::new())));
        }
        for set in [
            &[("optimizer.rate", "0.125"), ("views", "3")][..],
            &[("optimizer.rate", "1e-7"), ("param.decorrelated", "false")],
            &[("transforms", "[{ jitter = 3 }, { noise = [0.1, 0.0] }]")],
            &[("name", "my \"own\""), ("about", "it's mine"), ("steps", "7")],
        ] {
            let set: Vec<(String, String)> = set.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
            let recipe = Recipe::named("lucid").unwrap().with(&set).unwrap();
            let (name, found) = recipe.as_changes().unwrap();
            assert_eq!(read_recipe(Recipe::text(name).unwrap(), &found).unwrap(), recipe);
            assert_eq!(found.len(), set.len(), "{found:?}");
        }
    }
}
