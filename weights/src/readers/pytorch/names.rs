//! Cleans the names of a PyTorch file's tensors and restores their order. Some files wrap a `state_dict` in another dictionary,
//! and training on several GPUs puts `module.` before every name.

use std::collections::HashMap;

use pytorch_reader::{PickleValue, Tensor};

use crate::readers::natural;

/// The name of a tensor in the tree of values that the reader returns.
const TENSOR_KIND: &str = "torch.Tensor";

/// The largest number of keys that an error lists.
const MAX_KEYS_NAMED: usize = 10;

/// Sorts tensors into the order of the file, in which their names first appear in the pickle. Names with the same position, as
/// the `weight` of every layer of a module, are sorted in natural order.
pub(super) fn sort(tensors: &mut [Tensor], texts: &HashMap<String, usize>) {
    let rank = |name: &str| {
        let mut starts = std::iter::once(0).chain(name.match_indices('.').map(|(dot, _)| dot + 1));
        starts.find_map(|start| texts.get(&name[start..])).copied()
    };
    tensors
        .sort_by_cached_key(|tensor| Position(rank(&tensor.name).unwrap_or(usize::MAX), tensor.name.clone()));
}

/// The sort key of a tensor: the position of its name in the pickle, and the name.
#[derive(PartialEq, Eq)]
struct Position(usize, String);

impl Ord for Position {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0).then_with(|| natural::compare(&self.1, &other.1))
    }
}

impl PartialOrd for Position {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The number of tensors in a value. `pytorch_reader` bounds the depth of the recursion.
pub(super) fn count(value: &PickleValue) -> usize {
    match value {
        PickleValue::Dict(dict) => dict.values().map(count).sum(),
        PickleValue::List(items) => items.iter().map(count).sum(),
        PickleValue::Unsupported(kind) => usize::from(kind == TENSOR_KIND),
        _ => 0,
    }
}

/// Describes the outermost value of a file in words.
pub(super) fn keys(tree: &PickleValue) -> String {
    let PickleValue::Dict(dict) = tree else { return "a value that has no keys".into() };
    let mut keys: Vec<&str> = dict.keys().map(String::as_str).collect();
    keys.sort_unstable();
    let more = if keys.len() > MAX_KEYS_NAMED { ", ..." } else { "" };
    keys.truncate(MAX_KEYS_NAMED);
    if keys.is_empty() { "an empty dictionary".into() } else { format!("the keys {}{more}", keys.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dict<const N: usize>(entries: [(&str, PickleValue); N]) -> PickleValue {
        PickleValue::Dict(entries.map(|(key, value)| (key.into(), value)).into())
    }

    #[test]
    fn keys_are_named_up_to_ten() {
        assert_eq!(
            keys(&dict([("lr", PickleValue::None), ("epoch", PickleValue::None)])),
            "the keys epoch, lr"
        );
        assert_eq!(keys(&dict([])), "an empty dictionary");
        let many = (0..11).map(|key| (key.to_string(), PickleValue::None)).collect();
        assert_eq!(keys(&PickleValue::Dict(many)), "the keys 0, 1, 10, 2, 3, 4, 5, 6, 7, 8, ...");
    }
}
