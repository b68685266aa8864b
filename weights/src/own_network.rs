//! A network of the user's own, which is named by the path of its ONNX file wherever a network is named.

use std::path::Path;

use trepang_api::{LayerId, Network};

use crate::export::export_clause;
use crate::onnx::unusable;
use crate::readers::{is_saved_model, open, printable};
use crate::{
    Error, FileChoices, Labels, OnnxModel, Purpose, Result, Taken, Trained, WeightsOrigin, architecture,
    is_onnx,
};

/// The number of ImageNet's classes.
const IMAGENET_CLASSES: usize = 1000;

/// The file that `name` is the path of, where a network is named; none for the name of a network or a set.
pub fn network_file(name: &str) -> Option<&Path> {
    let path = Path::new(name);
    let is_path = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("onnx"))
        || path.is_file()
        || is_saved_model(path);
    (is_path && architecture(name).is_err()).then_some(path)
}

/// Whether `path` is a network of the user's, and not weights for the network called `name`. A file that has gone may be
/// either, and is the network if there is none of that name.
pub(crate) fn is_network(name: &str, path: &Path) -> bool {
    architecture(name).is_err() && (is_onnx(path) || !(path.is_file() || is_saved_model(path)))
}

/// The reason why a file that is there is no network.
pub(crate) fn not_a_network(path: &Path) -> Error {
    match open(path) {
        Ok(source) => Error::NoNetwork { path: path.into(), export: export_clause(source.as_ref()) },
        Err(Error::UnknownFormat { path, found }) => Error::NotOnnx { path, found },
        Err(error) => error,
    }
}

/// The network in an ONNX file. Fails if neither the user nor the file says what it was trained to see.
pub(crate) fn from_onnx(path: &Path, choices: &FileChoices, purpose: Purpose) -> Result<Trained> {
    let model = OnnxModel::read(path, choices.input)?;
    let shown = printable(path.display());
    if choices.input.is_none() && model.found.is_none() {
        return Err(Error::UnknownInput { path: path.into() });
    }
    let network = &model.network;
    let classes = match network.logits() {
        Some(logits) => network.shape(network.input().native, network.input().native, logits)?.channels,
        None if purpose == Purpose::Classes => {
            return Err(match model.cut.first() {
                Some(cut) => unusable(path, format!("its classes cannot be computed: {}", cut.reason)),
                None => Error::NoClassifier { name: shown },
            });
        }
        None => 0,
    };
    let mut remarks: Vec<String> = Vec::new();
    if let (None, Some(found)) = (choices.input, &model.found) {
        remarks.push(format!("{shown} {}; --input says otherwise", found.because));
    }
    if classes == IMAGENET_CLASSES && choices.labels.is_none() && purpose == Purpose::Classes {
        remarks.push(format!(
            "{shown} does not name its classes; if they are ImageNet's, --labels imagenet does"
        ));
    }
    if model.is_newer() {
        remarks.push(format!(
            "{shown} has operations of opset {}, newer than those that were tried",
            model.opset
        ));
    }
    let name = path.file_name().map_or_else(|| shown.clone(), |name| printable(name.to_string_lossy()));
    Ok(Trained {
        name,
        first_look: (middle_layer(network), 0),
        labels: Labels::numbers(classes),
        network: model.network,
        weights: model.weights,
        origin: WeightsOrigin::File { path: path.into(), sha256: model.sha256 },
        taken: Taken { pick: None, input: choices.input, remarks },
    })
}

/// The layer in the middle of those with more than one position, for the first picture.
fn middle_layer(network: &Network) -> String {
    let size = network.input().native;
    let is_grid = |&id: &LayerId| {
        let shape = network.shape(size, size, id);
        shape.is_ok_and(|shape| shape.height * shape.width > 1)
    };
    let name = |id: LayerId| network.node(id).map(|node| node.name.clone());
    let all: Vec<LayerId> = network.layers().collect();
    let grids: Vec<String> = all.iter().copied().filter(is_grid).filter_map(|id| name(id).ok()).collect();
    let shown: Vec<&String> = grids.iter().filter(|name| !name.ends_with(":pre")).collect();
    let first = || all.first().and_then(|&id| name(id).ok()).unwrap_or_default();
    shown.get(shown.len() / 2).map_or_else(first, |name| (*name).clone())
}
