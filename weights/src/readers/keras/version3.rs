//! Keras 3's `.weights.h5`: a layer's tensors are `.../vars/0`, `.../vars/1`, and so on. No list says their order,
//! so paths are sorted as people count. Not here: `.keras` archives, which hold such a file.

use std::collections::HashSet;

use hdf5_reader::Hdf5File;
use hdf5_reader::group::Group;

use super::attributes::string;
use super::{Found, Reason};
use crate::readers::natural;

/// Groups in groups: the deepest networks nest a handful.
const DEEPEST: usize = 32;

/// Groups in all: a network has hundreds of layers.
const MOST_GROUPS: usize = 100_000;

/// Adds every tensor. Fails when there is none: then Keras did not write the file.
pub(super) fn list(hdf5: &Hdf5File, found: &mut Found) -> Result<(), Reason> {
    let root = hdf5.root_group().map_err(|error| error.to_string())?;
    let mut walk = Walk::default();
    walk.group(&root, "", 0)?;
    if walk.tensors.is_empty() {
        return Err("it is HDF5, but not Keras's: nothing in it has layer_names or is called vars/0".into());
    }
    walk.tensors.sort_by(|a, b| natural::compare(a, b));
    for path in walk.tensors {
        let layer = layer_of(&path).unwrap_or_default().to_owned();
        found.add(hdf5, path.clone(), &layer, path)?;
    }
    found.contents.metadata.extend(walk.names);
    Ok(())
}

/// The path before `/vars/N`; none for what is not a layer's tensor.
fn layer_of(path: &str) -> Option<&str> {
    let (layer, number) = path.rsplit_once('/')?;
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    if layer == "vars" && digits {
        return Some("");
    }
    layer.strip_suffix("/vars").filter(|_| digits)
}

/// The paths met so far.
#[derive(Default)]
struct Walk {
    /// The addresses of the groups seen, as a group may be in itself.
    seen: HashSet<u64>,
    tensors: Vec<String>,
    /// The names that layers were given, by path.
    names: Vec<(String, String)>,
}

impl Walk {
    fn group(&mut self, group: &Group, path: &str, depth: usize) -> Result<(), Reason> {
        if depth > DEEPEST || self.seen.len() > MOST_GROUPS {
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
