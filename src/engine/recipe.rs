//! Recipes as data: what is optimised, from where, seen how, how a step is made, and for how long. A recipe is a TOML text;
//! those that are embedded say in comments where each number comes from.

mod changes;
mod read;

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use trepang_api::excerpt;

use super::objective::{Objective, ParseError};
use super::optimizer::Optimizer;
use super::param::{ParamKind, ParamSpec};
use super::transform::{MAX_TRANSFORMS, Transform};

pub use read::read_recipe;

/// The response to a gradient that is zero at the image, which is common after a ReLU.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadChannel {
    /// Stop and say so.
    Stop,
    /// Follow the redirected gradient of the ReLUs (lucid's) until the true one reaches the image again.
    #[default]
    Redirect,
}

/// Growing sizes, each so many times the one before; the last is the picture's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Octaves {
    /// The number of sizes.
    pub count: usize,
    /// The factor from one size to the next.
    pub scale: f64,
}

/// Everything about an ascent but the network, what is raised and the seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The name it is asked for by.
    pub name: String,
    /// One line that says what the recipe is, for listings.
    pub about: String,
    /// The number of steps unless the user gives another.
    pub steps: usize,
    /// The objective in terms of what is asked for: `{target}` stands for the channel, neuron or class, `{layer}` for its
    /// layer, `{picture}` for the start picture's file.
    #[serde(default = "target")]
    pub objective: String,
    /// The side of the picture over that of the network's own input, if nobody says otherwise.
    #[serde(default = "one")]
    pub canvas: f64,
    /// Images that are raised together, for objectives that compare them.
    #[serde(default = "single")]
    pub images: usize,
    /// Views of each image in a step.
    #[serde(default = "single")]
    pub views: usize,
    /// The policy for steps in which no gradient reaches the image.
    #[serde(default)]
    pub dead: DeadChannel,
    /// The transforms of a copy of the image before the network sees it, in this order.
    #[serde(default)]
    pub transforms: Vec<Transform>,
    /// Growing sizes, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub octaves: Option<Octaves>,
    /// The parameterization: what is optimised.
    pub param: ParamSpec,
    /// The optimizer: how a gradient becomes a step.
    pub optimizer: Optimizer,
}

fn target() -> String {
    "{target}".into()
}

fn one() -> f64 {
    1.0
}

fn single() -> usize {
    1
}

/// The most images, and the most views of each, that a step may compute.
const MAX_PER_STEP: usize = 256;

/// The names of all recipes, the default first.
pub const RECIPES: [&str; 7] = ["lucid", "pixel", "original", "maco", "dream", "caricature", "accentuate"];

/// Names that recipes had in earlier versions, each with the name it has now. Both are accepted.
pub const RECIPE_ALIASES: [(&str, &str); 1] = [("seed", "original")];

/// The name that the recipe called `name` has in this version.
fn current_name(name: &str) -> &str {
    RECIPE_ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, current)| current)
}

/// The recipes of [`RECIPES`], read once.
static EMBEDDED: LazyLock<Vec<Recipe>> = LazyLock::new(|| {
    let texts = RECIPES.iter().filter_map(|name| Recipe::text(name));
    texts.filter_map(|text| read_recipe(text, &[]).ok()).collect()
});

impl Recipe {
    /// The TOML text of the embedded recipe called `name`, now or in an earlier version.
    pub fn text(name: &str) -> Option<&'static str> {
        Some(match current_name(name) {
            "lucid" => include_str!("recipes/lucid.toml"),
            "pixel" => include_str!("recipes/pixel.toml"),
            "original" => include_str!("recipes/original.toml"),
            "maco" => include_str!("recipes/maco.toml"),
            "dream" => include_str!("recipes/dream.toml"),
            "caricature" => include_str!("recipes/caricature.toml"),
            "accentuate" => include_str!("recipes/accentuate.toml"),
            _ => return None,
        })
    }

    /// The embedded recipe called `name`, now or in an earlier version.
    pub fn named(name: &str) -> Option<Self> {
        let name = current_name(name);
        EMBEDDED.iter().find(|recipe| recipe.name == name).cloned()
    }

    /// The same recipe with some keys set, as [`read_recipe`] takes them. Fails with one sentence.
    pub fn with(&self, set: &[(String, String)]) -> Result<Self, String> {
        read::changed(self, set)
    }

    /// Tells whether the recipe begins with a picture of the user's.
    pub fn wants_picture(&self) -> bool {
        self.objective.contains("{picture}") || self.octaves.is_some()
    }

    /// Tells whether the recipe raises what is asked for, rather than the whole layer.
    pub fn has_target(&self) -> bool {
        self.objective.contains("{target}")
    }

    /// The objective for what is asked for: `target` and the layer it is in, and the start picture's file. Fails, in one
    /// sentence, where the recipe needs what was not given.
    pub fn resolve_objective(
        &self,
        target: Option<&Objective>,
        layer: Option<&str>,
        picture: Option<&str>,
    ) -> Result<Objective, String> {
        let name = excerpt(&self.name);
        let mut text = self.objective.clone();
        let quoted = picture.map(|file| format!("\"{file}\""));
        let given = [
            ("{target}", target.map(Objective::to_string), "--channel, --neuron, --logit or --objective"),
            ("{layer}", layer.map(Into::into), "--layer"),
            ("{picture}", quoted, "a picture to begin with, --init FILE"),
        ];
        if !self.has_target() && target.is_some() {
            return Err(format!("the recipe {name} raises a whole layer: give --layer alone"));
        }
        for (what, value, flag) in given {
            if text.contains(what) {
                text = text.replace(what, &value.ok_or_else(|| format!("the recipe {name} needs {flag}"))?);
            }
        }
        text.parse().map_err(|error: ParseError| error.to_string())
    }

    /// Checks that the recipe's numbers go together. Fails with one sentence.
    pub fn check(&self) -> Result<(), String> {
        self.param.check()?;
        self.optimizer.check()?;
        self.transforms.iter().try_for_each(Transform::check)?;
        let wrong = match self.octaves {
            _ if self.transforms.len() > MAX_TRANSFORMS => "there can be 64 transforms at most",
            _ if self.steps == 0 => "steps must be at least 1",
            _ if !(0.1..=16.0).contains(&self.canvas) => "canvas must be 0.1 to 16",
            _ if !(1..=MAX_PER_STEP).contains(&self.images) => "images must be 1 to 256",
            _ if !(1..=MAX_PER_STEP).contains(&self.views) => "views must be 1 to 256",
            Some(Octaves { count, scale }) if count == 0 || count > 32 || !(1.0..=4.0).contains(&scale) => {
                "octaves: count must be 1 to 32, scale 1 to 4"
            }
            Some(_) if self.param.kind != ParamKind::Pixel || self.param.sigmoid => {
                "octaves need param.kind = \"pixel\" without a sigmoid"
            }
            Some(_) if !self.transforms.is_empty() || self.views != 1 => {
                "octaves are seen through tiles of their own: no transforms and one view"
            }
            _ => return Ok(()),
        };
        Err(wrong.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_reads_checks_and_says_what_it_is() {
        for name in RECIPES {
            let recipe = read_recipe(Recipe::text(name).unwrap(), &[]).unwrap();
            assert_eq!(recipe.name, name);
            assert!(!recipe.about.is_empty());
        }
        assert_eq!(Recipe::named("lucy"), None);
    }

    #[test]
    fn a_recipe_is_found_by_the_name_it_had_before() {
        for (alias, name) in RECIPE_ALIASES {
            assert!(RECIPES.contains(&name) && !RECIPES.contains(&alias));
            assert_eq!(Recipe::named(alias).unwrap().name, name);
            assert_eq!(Recipe::text(alias), Recipe::text(name));
        }
    }

    #[test]
    fn what_does_not_go_together_is_said() {
        let lucid = || Recipe::named("lucid").unwrap();
        let mut recipe = lucid();
        recipe.param.sigmoid = false;
        assert!(recipe.check().unwrap_err().contains("sigmoid"));
        recipe = lucid();
        recipe.octaves = Some(Octaves { count: 3, scale: 1.3 });
        assert!(recipe.check().unwrap_err().contains("octaves"));
        recipe = lucid();
        recipe.views = 0;
        assert!(recipe.check().unwrap_err().contains("views"));
    }
}
