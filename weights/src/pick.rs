//! Chooses one of several sets of weights in a file that fit a network: by the name that the user gives, or by a rule.

use std::path::Path;

use crate::prefix::depth;
use crate::{Error, Fit, Result};

/// The rule by which a set is chosen, as a clause for messages.
pub const PICK_RULE: &str = "averages and teachers come last, then the shortest path is first";

/// Parts of names that averages of the weights and teachers have: exponential and stochastic moving averages, and the slow
/// copies of self-supervised training.
const SECOND_CHOICES: [&str; 12] = [
    "ema", "swa", "avg", "average", "averaged", "shadow", "teacher", "momentum", "target", "polyak", "mean",
    "k",
];

/// Sorts sets into the order of the choice: what is no average and no teacher before what is, then shorter paths before
/// longer ones, then the order of the file.
pub(crate) fn sort(fits: &mut [Fit]) {
    fits.sort_by_key(|fit| (is_second_choice(&fit.prefix), depth(&fit.prefix), fit.first_position()));
}

/// Whether a prefix says that the weights are an average or a teacher's.
fn is_second_choice(prefix: &str) -> bool {
    let words = prefix.split(|c: char| !c.is_alphanumeric());
    let mut words = words.map(str::to_lowercase);
    words.any(|word| SECOND_CHOICES.contains(&&*word) || word.ends_with("ema") || word.starts_with("ema"))
}

/// The position of the set called `name`: the one with that key, or the only one whose key has `name` as one of its
/// parts, or the only one of the network of that name, since two networks may share a key. Without a name, the first.
/// `fits` are in the order of [`sets`](crate::sets).
pub fn picked(fits: &[Fit], name: Option<&str>) -> Option<usize> {
    match name {
        None => (!fits.is_empty()).then_some(0),
        Some(name) => {
            let has_part =
                |fit: &Fit| format!(".{}.", fit.key().replace('/', ".")).contains(&format!(".{name}."));
            let is_network = |fit: &Fit| fit.architecture.name() == name;
            let same = fits.iter().position(|fit| fit.key() == name);
            same.or_else(|| only(fits, has_part)).or_else(|| only(fits, is_network))
        }
    }
}

/// The set called `name`, as [`picked`] finds it.
pub(crate) fn choose(mut fits: Vec<Fit>, name: Option<&str>, path: &Path) -> Result<Fit> {
    match picked(&fits, name) {
        Some(at) => Ok(fits.swap_remove(at)),
        None => Err(Error::NoSuchPick {
            path: path.into(),
            name: name.unwrap_or_default().into(),
            known: fits.iter().map(Fit::key).collect::<Vec<_>>().join(", "),
        }),
    }
}

/// The position of the only set of which this is true.
fn only(fits: &[Fit], is: impl Fn(&Fit) -> bool) -> Option<usize> {
    let mut found = (0..fits.len()).filter(|&at| is(&fits[at]));
    found.next().filter(|_| found.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_and_teachers_are_told_by_their_words() {
        for prefix in
            ["ema.", "model_ema.", "state_dict_ema.module.", "modelema.", "teacher.backbone.", "encoder_k."]
        {
            assert!(is_second_choice(prefix), "{prefix}");
        }
        for prefix in ["", "model.", "state_dict.", "student.", "encoder_q.", "network.trunk."] {
            assert!(!is_second_choice(prefix), "{prefix}");
        }
    }
}
