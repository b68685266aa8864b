//! Finds the prefixes under which a file may hold a network's tensors, and which tensors are beside them. A prefix is
//! empty or ends with a separator, as in `state_dict.module.`; nothing is assumed about its names.

use std::collections::BTreeSet;

use crate::TensorInfo;
use crate::index::Index;

/// The separators of names: PyTorch's and Keras's.
const SEPARATORS: [char; 2] = ['.', '/'];

/// Every prefix with which one of `names` is in the file, in the order of the alphabet.
pub(crate) fn prefixes<'a>(index: &Index, names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    let before = |name: &'a str| index.keys().filter_map(move |key| key.strip_suffix(name));
    let all = names.into_iter().flat_map(before);
    all.filter(|prefix| prefix.is_empty() || prefix.ends_with(SEPARATORS)).map(String::from).collect()
}

/// The number of names in a prefix.
pub(crate) fn depth(prefix: &str) -> usize {
    prefix.matches(SEPARATORS).count()
}

/// The name that stands for a prefix in lists and in `--pick`: without its last separator, and `.` for the empty one.
pub(crate) fn key(prefix: &str) -> &str {
    match prefix.strip_suffix(SEPARATORS) {
        Some(key) => key,
        None => ".",
    }
}

/// The place of a tensor in the file's tree of names: in HDF5 its layer, and otherwise its name.
pub(crate) fn place(tensor: &TensorInfo) -> &str {
    tensor.layer.as_deref().unwrap_or(&tensor.name)
}

/// The length in bytes of what a place shares with a prefix, in whole names.
pub(crate) fn shared(place: &str, prefix: &str) -> usize {
    let ends = prefix.match_indices(SEPARATORS).map(|(at, _)| at + 1);
    ends.take_while(|&end| place.as_bytes().starts_with(&prefix.as_bytes()[..end])).last().unwrap_or(0)
}

/// The word that a name begins with: `layer3` for `layer3.5.conv1.weight`, `block2` for `block2_conv1`.
pub(crate) fn first_word(name: &str) -> &str {
    let name = name.trim_start_matches('_');
    name.split(['.', '/', '_']).next().unwrap_or(name)
}

/// The layers of the two auxiliary classifiers in the graph of `inception_v1`.
const AUXILIARY: [&str; 6] = ["head0_bottleneck", "nn0", "softmax0", "head1_bottleneck", "nn1", "softmax1"];

/// Whether a tensor is of no layer: counters, the state of optimizers, Inception's auxiliary classifiers, and layers that
/// somebody added on top of a Keras 3 trunk.
pub(crate) fn is_dispensable(tensor: &TensorInfo) -> bool {
    let (name, dtype) = (&tensor.name, &tensor.dtype);
    let counts = tensor.shape.is_empty() || dtype.starts_with(['I', 'U']) || dtype == "BOOL";
    let is_auxiliary = |layer: &str| AUXILIARY.contains(&layer.rsplit('/').next().unwrap_or(layer));
    counts
        || tensor.layer.as_deref().is_some_and(is_auxiliary)
        || name.ends_with("num_batches_tracked")
        || name
            .split(SEPARATORS)
            .any(|part| matches!(part, "AuxLogits" | "aux1" | "aux2") || part.starts_with("optim"))
        || (name.contains("/vars/") && !name.contains("layers/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_end_with_a_separator() {
        let keys = ["conv1.weight", "a.b.conv1.weight", "aconv1.weight", "r/conv1.weight"];
        let index: Index = keys.into_iter().map(|key| (key.to_owned(), 0)).collect();
        let found: Vec<String> = prefixes(&index, ["conv1.weight"]).into_iter().collect();
        assert_eq!(found, ["", "a.b.", "r/"]);
        assert_eq!((key("a.b."), key(""), depth("a.b."), depth("")), ("a.b", ".", 2, 0));
    }

    #[test]
    fn what_places_share_is_counted_in_whole_names() {
        assert_eq!(shared("student.head", "student.net."), "student.".len());
        assert_eq!(shared("students.head", "student.net."), 0);
        assert_eq!(shared("student.net.fc", "student.net."), "student.net.".len());
    }
}
