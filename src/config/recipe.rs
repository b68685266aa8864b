//! Finds the recipe that the user named, or reads it from a file, and applies the user's changes.

use std::path::Path;

use anyhow::{Context, Result};
use trepang_api::excerpt;

use super::Usage;
use crate::engine::{RECIPES, Recipe, nearest, read_recipe};
use crate::runs::read_regular;

/// The longest recipe that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// The recipe called `name`, or that of a TOML file, with the changes in `set`. Fails for an unknown name, an unreadable
/// file, and changes that the recipe does not accept.
pub fn find_recipe(name: &str, set: &[(String, String)]) -> Result<Recipe> {
    let is_file = Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
    let text = match Recipe::text(name) {
        Some(text) => text.to_owned(),
        None if is_file => {
            let text = read_regular(Path::new(name), MAX_BYTES).map_err(anyhow::Error::from);
            let text = text.and_then(|bytes| Ok(String::from_utf8(bytes)?));
            text.with_context(|| format!("cannot read the recipe {name}"))?
        }
        None => {
            let (nearest, all) = (nearest(name, RECIPES.into_iter()), RECIPES.join(", "));
            let name = excerpt(name);
            return Err(Usage(format!(
                "there is no recipe \"{name}\"; did you mean {nearest}? The recipes are: {all}; a file's name ends in .toml"
            ))
            .into());
        }
    };
    read_recipe(&text, set).map_err(|error| Usage(format!("the recipe {}: {error}", excerpt(name))).into())
}
