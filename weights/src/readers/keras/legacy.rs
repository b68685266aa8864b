//! Lists the tensors in files of Keras before version 3: each layer is a group whose attribute names its weights, in the
//! order in which Keras loads them.

use std::collections::HashMap;

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
        for (part, name) in by_layer(&layer, names(&group, WEIGHT_NAMES)?.unwrap_or_default()) {
            let in_layer = |reason| format!("weight \"{name}\" of layer \"{layer}\": {reason}");
            found.add(hdf5, format!("{path}/{name}"), &part, name.clone()).map_err(in_layer)?;
        }
    }
    make_names_unique(found, prefix);
    Ok(())
}

/// The weights of a group, each after its layer. The group of a model inside a model holds the weights of all its layers
/// in one list, first those that are trained and then the moving averages; their names begin with the layers', and the
/// weights of a layer are brought together.
fn by_layer(group: &str, names: Vec<String>) -> Vec<(String, String)> {
    let layer = |name: &str| name.rsplit_once('/').map_or_else(String::new, |(layer, _)| layer.to_owned());
    let mut layers: Vec<(String, Vec<String>)> = Vec::new();
    let mut known = HashMap::new();
    for name in names {
        let at = *known.entry(layer(&name)).or_insert(layers.len());
        if at == layers.len() {
            layers.push((layer(&name), Vec::new()));
        }
        layers[at].1.push(name);
    }
    let is_model = layers.len() > 1;
    let path = |layer: String| if is_model { format!("{group}/{layer}") } else { group.into() };
    let named = |(layer, names): (String, Vec<String>)| {
        let path = path(layer);
        names.into_iter().map(move |name| (path.clone(), name)).collect::<Vec<_>>()
    };
    layers.into_iter().flat_map(named).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_of_a_model_in_a_model_are_brought_together() {
        let names = ["c/kernel:0", "c/bias:0", "n/gamma:0", "d/kernel:0", "n/moving_mean:0"];
        let grouped = by_layer("net", names.map(String::from).into());
        let expected = [
            ("net/c", "c/kernel:0"),
            ("net/c", "c/bias:0"),
            ("net/n", "n/gamma:0"),
            ("net/n", "n/moving_mean:0"),
            ("net/d", "d/kernel:0"),
        ];
        assert_eq!(grouped, expected.map(|(layer, name)| (layer.to_owned(), name.to_owned())));
        let one = by_layer("dense", vec!["sequential/dense/kernel".into()]);
        assert_eq!(one, [("dense".into(), "sequential/dense/kernel".into())]);
    }
}
