//! Lists the tensors in `.weights.h5` files of Keras 3: a layer's tensors are `.../vars/0`, `.../vars/1`, and so on. The
//! file does not list their order, so the paths are sorted in natural order.

use std::collections::HashSet;

use hdf5_reader::Hdf5File;
use hdf5_reader::group::Group;

use super::attributes::string;
use super::{Reason, TensorListing};
use crate::readers::natural;

/// The largest depth of nested groups. Networks nest a few.
const MAX_GROUP_DEPTH: usize = 32;

/// The largest number of groups. A network has hundreds of layers.
const MAX_GROUPS: usize = 100_000;

/// Adds every tensor. If there is none, Keras did not write the file.
pub(super) fn list(hdf5: &Hdf5File, found: &mut TensorListing) -> Result<(), Reason> {
    let root = hdf5.root_group().map_err(|error| error.to_string())?;
    let mut walk = GroupWalk::default();
    walk.group(&root, "", 0)?;
    walk.tensors.sort_by(|a, b| natural::compare(a, b));
    for path in walk.tensors {
        let layer = layer_of(&path).unwrap_or_default().to_owned();
        found.add(hdf5, path.clone(), &layer, path)?;
    }
    found.contents.metadata.extend(walk.names);
    Ok(())
}

/// The layer's path, before `/vars/N`; none if `path` is not the path of a layer's tensor.
fn layer_of(path: &str) -> Option<&str> {
    let (layer, number) = path.rsplit_once('/')?;
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    if layer == "vars" && digits {
        return Some("");
    }
    layer.strip_suffix("/vars").filter(|_| digits)
}

/// Walks through the groups of a file and collects the paths of tensors.
#[derive(Default)]
struct GroupWalk {
    /// The addresses of the groups that were visited, since a group may contain itself.
    seen: HashSet<u64>,
    tensors: Vec<String>,
    /// The names of layers, each after its path.
    names: Vec<(String, String)>,
}

impl GroupWalk {
    fn group(&mut self, group: &Group, path: &str, depth: usize) -> Result<(), Reason> {
        if depth > MAX_GROUP_DEPTH || self.seen.len() > MAX_GROUPS {
            return Err("it has more groups than a network has layers".into());
        }
        if !self.seen.insert(group.address()) {
            return Ok(());
        }
        let (groups, datasets) = group.member_names().map_err(|error| error.to_string())?;
        let below = |name: &str| if path.is_empty() { name.into() } else { format!("{path}/{name}") };
        let before = self.tensors.len();
        self.tensors.extend(datasets.iter().map(|name| below(name)).filter(|path| layer_of(path).is_some()));
        if self.tensors.len() > before
            && let Some(layer) = path.strip_suffix("/vars")
        {
            self.names.extend(string(group, "name").map(|name| (layer.into(), name)));
        }
        for name in &groups {
            let child = group.group(name).map_err(|error| format!("\"{}\": {error}", below(name)))?;
            self.group(&child, &below(name), depth + 1)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_the_path_before_vars() {
        assert_eq!(layer_of("block1/layers/conv2d/vars/0"), Some("block1/layers/conv2d"));
        assert_eq!(layer_of("vars/12"), Some(""));
        for path in ["layers/conv2d/0", "layers/vars/x", "layers/vars/", "0", "layers/myvars/0"] {
            assert_eq!(layer_of(path), None, "{path}");
        }
    }
}
