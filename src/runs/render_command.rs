//! The command that makes the picture of a run again, in words that a shell takes as they are.

use std::path::Path;

use super::folder::slug;
use super::manifest::{Origin, Provenance};
use crate::engine::{AskedSize, Objective, Plan, Recipe, Start};

/// The characters besides letters and digits that mean nothing to a shell.
const PLAIN: &str = "_-./:,=+@%";

/// The words of the `trepang render` command that makes the picture of `origin`'s plan to the bit, each quoted for a shell.
/// `saved` is the picture's file, if it was saved as it is: where flags cannot say what made it (changes on the way), the
/// file can. Fails with a sentence.
pub fn render_command(origin: &Origin, saved: Option<&Path>) -> Result<Vec<String>, String> {
    let Origin { plan, provenance, segments } = origin;
    if !segments.is_empty() {
        return Err(
            "several backends, devices or versions computed this run, so no command makes it again".into()
        );
    }
    let mut words = vec!["trepang".to_owned(), "render".to_owned()];
    let is_as_typed = plan.changes.is_empty() && plan.lengths.is_empty();
    if let Some(flags) = as_typed(plan).filter(|_| is_as_typed) {
        for (flag, value) in flags_of_computation(provenance).into_iter().chain(flags) {
            push(&mut words, flag, &value);
        }
    } else {
        let advice = "no flags say how this picture came about; once the run is saved, its file can";
        push(&mut words, "--from", &saved.ok_or(advice)?.display().to_string());
    }
    let output = format!("{}.png", slug(origin));
    push(&mut words, "-o", output.trim_start_matches('-'));
    Ok(words)
}

/// Adds a flag and its value. A value that could be a flag itself is bound to its own.
fn push(words: &mut Vec<String>, flag: &str, value: &str) {
    if value.starts_with('-') {
        words.push(quoted(&format!("{flag}={value}")));
    } else {
        words.extend([flag.to_owned(), quoted(value)]);
    }
}

/// A word as a shell takes it.
pub fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || PLAIN.contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.into();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The network and what computes it: all that a user's configuration could say otherwise.
fn flags_of_computation(provenance: &Provenance) -> Vec<(&'static str, String)> {
    let Provenance { network, weights, pick, input, backend, device, threads, .. } = provenance;
    let mut flags = vec![("--network", network.clone())];
    let optional = [("--weights", weights), ("--pick", pick), ("--input", input)];
    flags.extend(optional.into_iter().filter_map(|(flag, value)| Some((flag, value.clone()?))));
    flags.extend([
        ("--backend", backend.clone()),
        ("--device", device.clone()),
        ("--threads", threads.to_string()),
    ]);
    flags
}

/// The flags of a plan; none where no flags make it.
fn as_typed(plan: &Plan) -> Option<Vec<(&'static str, String)>> {
    let mut flags = target(plan)?;
    let (recipe, set) = plan.recipe.as_changes()?;
    flags.push(("--recipe", recipe.into()));
    flags.extend(set.into_iter().map(|(key, value)| ("--set", format!("{key}={value}"))));
    // One number would give the picture the start picture's shape.
    let size = AskedSize::of(plan.size, matches!(plan.start, Start::Picture { .. }));
    match &plan.start {
        Start::Noise => {}
        Start::Gray => flags.push(("--init", "gray".into())),
        Start::Picture { file, .. } => flags.push(("--init", file.clone())),
    }
    flags.extend([
        ("--size", size.to_string()),
        ("--seed", plan.seed.to_string()),
        ("--steps", plan.steps.to_string()),
    ]);
    Some(flags)
}

/// The flags that name what the recipe raises: those from which it makes the plan's objective.
fn target(plan: &Plan) -> Option<Vec<(&'static str, String)>> {
    let (recipe, wanted) = (&plan.recipe, &plan.objective);
    if !recipe.has_target() {
        let mut layer = None;
        wanted.for_each_term(&mut |term| layer = layer.or_else(|| term.layer()));
        let layer = layer.filter(|_| makes(plan, recipe, None, layer))?;
        return Some(vec![("--layer", layer.into())]);
    }
    let mut candidates = vec![wanted];
    wanted.for_each_term(&mut |term| candidates.push(term));
    let found = candidates.into_iter().find(|target| makes(plan, recipe, Some(target), target.layer()))?;
    Some(match found {
        Objective::Channel { layer, channel } => {
            vec![("--layer", layer.clone()), ("--channel", channel.to_string())]
        }
        other => vec![("--objective", other.to_string())],
    })
}

fn makes(plan: &Plan, recipe: &Recipe, target: Option<&Objective>, layer: Option<&str>) -> bool {
    let file = match &plan.start {
        Start::Picture { file, .. } => Some(file.as_str()),
        Start::Noise | Start::Gray => None,
    };
    recipe.resolve_objective(target, layer, file).is_ok_and(|made| made == plan.objective)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_read_them() {
        for (text, as_word) in [
            ("block5_conv2:pre", "block5_conv2:pre"),
            ("my dog.png", "'my dog.png'"),
            ("it's", r"'it'\''s'"),
            ("$(rm x)", "'$(rm x)'"),
            ("~/x", "'~/x'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(text), as_word);
        }
    }
}
