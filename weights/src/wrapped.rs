//! Leaves out names in the middle of a file's names: those of modules that somebody put around a part of a network, such as
//! `module` in `layer1.module.0.conv1.weight`. Nothing is assumed about such a name, but that the network has none like it.

use std::collections::HashSet;

use crate::index::Index;

/// The index without the names that the network does not have, behind the first one that it has. None if there is no
/// such name, or if two tensors would have the same name without it.
pub(crate) fn without_wrappers(index: &Index, own: &HashSet<&str>) -> Option<Index> {
    let mut found = Index::new();
    let mut is_other = false;
    for (name, &at) in index {
        let short = unwrapped(name, own);
        is_other |= short != *name;
        if found.insert(short, at).is_some() {
            return None;
        }
    }
    is_other.then_some(found)
}

/// A name without the parts between its first own part and its last part that are not the network's.
fn unwrapped(name: &str, own: &HashSet<&str>) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    let (first, last) = (parts.iter().position(|part| own.contains(part)), parts.len() - 1);
    let is_kept =
        |at: usize, part: &str| at == last || first.is_none_or(|first| at <= first) || own.contains(part);
    let kept: Vec<&str> =
        parts.iter().enumerate().filter(|(at, part)| is_kept(*at, part)).map(|(_, part)| *part).collect();
    kept.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(names: &[&str]) -> Option<Vec<String>> {
        let index = names.iter().enumerate().map(|(at, name)| ((*name).to_owned(), at)).collect();
        let found = without_wrappers(&index, &HashSet::from(["layer1", "0", "conv1", "weight"]))?;
        let mut names: Vec<String> = found.into_keys().collect();
        names.sort_unstable();
        Some(names)
    }

    #[test]
    fn only_unknown_names_in_the_middle_are_left_out() {
        let found = short(&["net.layer1.m.0.x.y.conv1.weight", "head.m.bias"]);
        assert_eq!(found.unwrap(), ["head.m.bias", "net.layer1.0.conv1.weight"]);
        assert_eq!(short(&["net.layer1.0.conv1.weight"]), None);
        assert_eq!(short(&["layer1.0.conv1.lora.weight", "layer1.0.conv1.weight"]), None, "two of one name");
    }
}
