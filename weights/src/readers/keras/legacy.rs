//! Lists the tensors in files of Keras before version 3: each layer is a group whose attribute names its weights, in the
//! order in which Keras loads them.

use hdf5_reader::Hdf5File;
use hdf5_reader::group::Group;

use super::attributes::{string, strings};
use super::{Reason, TensorListing};

/// The attributes that list the layers of a file and the weights of a layer.
const LAYER_NAMES: &str = "layer_names";
const WEIGHT_NAMES: &str = "weight_names";

/// The attributes that become the metadata of the file.
const METADATA_KEYS: [&str; 2] = ["keras_version", "backend"];

/// The group that lists the layers, and its path: the root in a file of weights, `model_weights` in a file of a whole model.
/// None if Keras 2 did not write the file.
pub(super) fn group_of_layers(hdf5: &Hdf5File) -> Result<Option<(String, Group)>, Reason> {
    let root = hdf5.root_group().map_err(|error| error.to_string())?;
    if names(&root, LAYER_NAMES)?.is_some() {
        return Ok(Some((String::new(), root)));
    }
    let Ok(model) = root.group("model_weights") else { return Ok(None) };
    Ok(names(&model, LAYER_NAMES)?.map(|_| ("model_weights/".into(), model)))
}

/// Adds the tensors of all layers, in the order of the file.
pub(super) fn list(
    hdf5: &Hdf5File,
    prefix: &str,
    layers: &Group,
    found: &mut TensorListing,
) -> Result<(), Reason> {
    for key in METADATA_KEYS {
        found.contents.metadata.extend(string(layers, key).map(|text| (key.into(), text)));
    }
    for layer in names(layers, LAYER_NAMES)?.unwrap_or_default() {
        let path = format!("{prefix}{layer}");
        let group = hdf5.group(&path).map_err(|error| format!("layer \"{layer}\": {error}"))?;
        for name in names(&group, WEIGHT_NAMES)?.unwrap_or_default() {
            let in_layer = |reason| format!("weight \"{name}\" of layer \"{layer}\": {reason}");
            found.add(hdf5, format!("{path}/{name}"), &layer, name.clone()).map_err(in_layer)?;
        }
    }
    make_names_unique(found, prefix);
    Ok(())
}

/// Reads a list of names. Keras splits a list that is too long for HDF5 into `layer_names0`, `layer_names1`, ...
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

/// Names tensors by their paths if two have the same name: some versions of Keras write `kernel` in every layer.
fn make_names_unique(found: &mut TensorListing, prefix: &str) {
    let mut names: Vec<&str> = found.contents.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        for (tensor, path) in found.contents.tensors.iter_mut().zip(&found.paths) {
            tensor.name = path[prefix.len()..].into();
        }
    }
}
