//! Keras before version 3: every layer is a group that names its weights, in the order in which Keras loads them.
//! Not here: what order or names a network expects.

use hdf5_reader::Hdf5File;
use hdf5_reader::group::Group;

use super::attributes::{string, strings};
use super::{Found, Reason};

/// The names of a group's layers, or of a layer's weights.
const LAYERS: &str = "layer_names";
const WEIGHTS: &str = "weight_names";

/// What else the file says that is worth keeping.
const METADATA: [&str; 2] = ["keras_version", "backend"];

/// The group that names its layers, and its path: the root of a file of weights, `model_weights` in that of a whole
/// model. None when it is not such a file.
pub(super) fn group_of_layers(hdf5: &Hdf5File) -> Result<Option<(String, Group)>, Reason> {
    let root = hdf5.root_group().map_err(|error| error.to_string())?;
    if names(&root, LAYERS)?.is_some() {
        return Ok(Some((String::new(), root)));
    }
    let Ok(model) = root.group("model_weights") else { return Ok(None) };
    Ok(names(&model, LAYERS)?.map(|_| ("model_weights/".into(), model)))
}

/// Adds the tensors of all layers, in the file's order.
pub(super) fn list(hdf5: &Hdf5File, prefix: &str, layers: &Group, found: &mut Found) -> Result<(), Reason> {
    for key in METADATA {
        found.contents.metadata.extend(string(layers, key).map(|text| (key.into(), text)));
    }
    for layer in names(layers, LAYERS)?.unwrap_or_default() {
        let path = format!("{prefix}{layer}");
        let group = hdf5.group(&path).map_err(|error| format!("layer \"{layer}\": {error}"))?;
        for name in names(&group, WEIGHTS)?.unwrap_or_default() {
            let in_layer = |reason| format!("weight \"{name}\" of layer \"{layer}\": {reason}");
            found.add(hdf5, format!("{path}/{name}"), &layer, name.clone()).map_err(in_layer)?;
        }
    }
    make_names_unique(found, prefix);
    Ok(())
}

/// Names as a list, or as lists `layer_names0`, `layer_names1`, ... where one would be too long for HDF5.
fn names(group: &Group, attribute: &str) -> Result<Option<Vec<String>>, Reason> {
    if let Some(whole) = strings(group, attribute)? {
        return Ok(Some(whole));
    }
    let mut all = None;
    for part in 0.. {
        let Some(names) = strings(group, &format!("{attribute}{part}"))? else { break };
        all.get_or_insert_with(Vec::new).extend(names);
    }
    Ok(all)
}

/// Some versions write `kernel` in every layer: then a tensor goes by its path.
fn make_names_unique(found: &mut Found, prefix: &str) {
    let mut names: Vec<&str> = found.contents.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        for (tensor, path) in found.contents.tensors.iter_mut().zip(&found.paths) {
            tensor.name = path[prefix.len()..].into();
        }
    }
}
