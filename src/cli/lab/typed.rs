//! The command line as it was typed, for figures and pages: whoever sees one can make it again.

use std::env;
use std::path::PathBuf;

use crate::config::args::{ComputeArgs, InputFlag};
use crate::runs::quoted;

/// Flags that say where results go, and those of them that have a value.
const PLACES: [&str; 4] = ["-o", "--output", "--image-protocol", "--json"];
const FLAGS_WITHOUT_VALUE: [&str; 1] = ["--json"];

/// The words of this process, each as a shell takes it, without those that say where results go.
pub(super) fn typed_command() -> String {
    command(env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()))
}

fn command(words: impl Iterator<Item = String>) -> String {
    let mut kept = vec!["trepang".to_owned()];
    let mut is_value = false;
    for word in words {
        let name = word.split('=').next().unwrap_or_default();
        if std::mem::take(&mut is_value) {
            continue;
        }
        if PLACES.contains(&name) {
            is_value = name == word && !FLAGS_WITHOUT_VALUE.contains(&name);
        } else if !word.starts_with("-o") {
            kept.push(quoted(&word));
        }
    }
    kept.join(" ")
}

/// The flags that say which network a command runs, each as a shell takes it.
pub(super) fn network_flags(args: &ComputeArgs, network: &str) -> String {
    let mut flags = format!("--network {}", quoted(args.network.as_deref().unwrap_or(network)));
    let path = |path: &PathBuf| path.display().to_string();
    let input = args.input.map(|input| match input {
        InputFlag::Set(input) => input.to_string(),
        InputFlag::Forget => "forget".into(),
    });
    let named = [
        ("--weights", args.weights.as_ref().map(path)),
        ("--pick", args.pick.clone()),
        ("--input", input),
        ("--labels", args.labels.as_ref().map(path)),
    ];
    for (flag, value) in named {
        flags += &value.map_or_else(String::new, |value| format!(" {flag} {}", quoted(&value)));
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_has_no_places_and_can_be_typed_again() {
        let words = "lab project a|my picture.png|-o|x.svg|--output=y.png|-oz.png|--json|--seed|3";
        let words = words.split('|').flat_map(|word| match word {
            "lab project a" => vec!["lab", "project", "a"],
            word => vec![word],
        });
        let found = command(words.map(String::from));
        assert_eq!(found, "trepang lab project a 'my picture.png' --seed 3");
    }
}
