//! `trepang recipes`: what there is, and each one's text.

use anyhow::Result;

use super::output;
use crate::config::args::RecipesArgs;
use crate::config::find_recipe;
use crate::engine::{RECIPES, Recipe};

pub(super) fn run(args: &RecipesArgs) -> Result<()> {
    if let Some(name) = &args.show {
        let recipe = find_recipe(name, &[])?;
        return match (args.json, Recipe::text(name)) {
            (false, Some(text)) => output::line(text.trim_end()),
            // A file's own text is where the user has it; what was read of it is told.
            _ => output::json(&recipe),
        };
    }
    for (index, recipe) in RECIPES.iter().filter_map(|name| Recipe::named(name)).enumerate() {
        if args.json {
            output::json(&recipe)?;
        } else {
            let default = if index == 0 { " (default)" } else { "" };
            let Recipe { name, about, steps, .. } = recipe;
            output::line(format_args!("{name:<11} {steps:>4} steps  {about}{default}"))?;
        }
    }
    if args.json {
        return Ok(());
    }
    output::line(
        "\ntrepang recipes --show NAME > mine.toml prints one, to be changed and passed with --recipe mine.toml",
    )
}
