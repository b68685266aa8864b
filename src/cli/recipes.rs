//! `trepang recipes`: what there is, and each one's text.

use anyhow::Result;

use super::output;
use crate::config::args::RecipesArgs;
use crate::config::find_recipe;
use serde::Serialize;

use crate::engine::{RECIPE_ALIASES, RECIPES, Recipe};

/// A recipe of the list, with the names that it had before.
#[derive(Serialize)]
struct RecipeEntry {
    #[serde(flatten)]
    recipe: Recipe,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<&'static str>,
}

pub(super) fn run(args: &RecipesArgs) -> Result<()> {
    if let Some(name) = &args.show {
        let recipe = find_recipe(name, &[])?;
        return match (args.json, Recipe::text(name)) {
            (false, Some(text)) => output::line(text.trim_end()),
            // A file's own text is where the user has it; the recipe that was read from it is printed.
            _ => output::json(&recipe),
        };
    }
    for (index, recipe) in RECIPES.iter().filter_map(|name| Recipe::named(name)).enumerate() {
        let aliases = aliases(&recipe.name);
        if args.json {
            output::json(&RecipeEntry { recipe, aliases })?;
            continue;
        }
        let default = if index == 0 { " (default)" } else { "" };
        let also =
            if aliases.is_empty() { String::new() } else { format!(" (also: {})", aliases.join(", ")) };
        let Recipe { name, about, steps, .. } = recipe;
        output::line(format_args!("{name:<11} {steps:>4} steps  {about}{default}{also}"))?;
    }
    if args.json {
        return Ok(());
    }
    output::line(
        "\ntrepang recipes --show NAME > mine.toml prints one, to be changed and passed with --recipe mine.toml",
    )
}

/// Names that the recipe `name` had in earlier versions, which `--recipe` still takes.
fn aliases(name: &str) -> Vec<&'static str> {
    RECIPE_ALIASES.iter().filter(|(_, current)| *current == name).map(|(alias, _)| *alias).collect()
}
