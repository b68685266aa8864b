//! `trepang info`: describes a weights file, and recognises the network that it holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Serialize;
use trepang_weights::{Architecture, MINIVGG_CARD, TensorSource, find_set, minivgg, open, recognise};

use super::output;
use crate::config::args::InfoArgs;
use crate::config::{Usage, store};

/// The largest number of characters of a name or value that the text output shows.
const MAX_SHOWN_CHARS: usize = 200;

/// The largest number of tensors that the text output shows.
const MAX_SHOWN_TENSORS: usize = 8;

/// The description of a weights file, for `--json`.
#[derive(Serialize)]
struct About {
    path: Option<PathBuf>,
    format: String,
    /// The network that the file holds; none if it is unknown.
    network: Option<&'static str>,
    /// The training that the weights come from.
    version: Option<&'static str>,
    classifier: Option<bool>,
    preprocessing: Option<&'static str>,
    parameters: usize,
    metadata: BTreeMap<String, String>,
    tensors: Vec<Tensor>,
}

/// A tensor of the file, for `--json`.
#[derive(Serialize)]
struct Tensor {
    name: String,
    shape: Vec<usize>,
    dtype: String,
}

pub(super) fn run(args: &InfoArgs) -> Result<()> {
    let about = about(&args.what)?;
    if args.json {
        return output::json(&about);
    }
    print(&about)
}

/// Describes the file `what` if it exists, or else the network or set of that name.
fn about(what: &str) -> Result<About> {
    let path = Path::new(what);
    if path.is_file() {
        return of_file(path);
    }
    if what == Architecture::Minivgg.name() {
        return of_embedded();
    }
    match find_set(what) {
        Ok(set) => {
            let (source, _) = store().open(set)?;
            Ok(of_source(source.as_ref()))
        }
        Err(error) => Err(Usage(format!("there is no file {what}, and {error}")).into()),
    }
}

fn of_file(path: &Path) -> Result<About> {
    Ok(of_source(open(path)?.as_ref()))
}

fn of_source(source: &dyn TensorSource) -> About {
    let fit = recognise(source);
    let tensor = |tensor: &trepang_weights::TensorInfo| Tensor {
        name: tensor.name.clone(),
        shape: tensor.shape.clone(),
        dtype: tensor.dtype.clone(),
    };
    About {
        path: Some(source.path().into()),
        format: source.format().to_string(),
        network: fit.as_ref().map(|fit| fit.architecture.name()),
        version: fit.as_ref().map(|fit| fit.dialect.name()),
        classifier: fit.as_ref().map(|fit| fit.classifier),
        preprocessing: fit.as_ref().map(|fit| fit.architecture.preprocessing(fit.dialect)),
        parameters: source.tensors().iter().map(|tensor| tensor.shape.iter().product::<usize>()).sum(),
        metadata: source.metadata().clone(),
        tensors: source.tensors().iter().map(tensor).collect(),
    }
}

fn of_embedded() -> Result<About> {
    let (architecture, trained) = (Architecture::Minivgg, minivgg()?);
    let dialect = architecture.dialects()[0];
    let tensor = |(name, array): (&str, &trepang_api::Array)| Tensor {
        name: name.into(),
        shape: array.shape().to_vec(),
        dtype: "F16".into(),
    };
    Ok(About {
        path: None,
        format: "safetensors, inside the program".into(),
        network: Some(architecture.name()),
        version: Some(dialect.name()),
        classifier: Some(true),
        preprocessing: Some(architecture.preprocessing(dialect)),
        parameters: trained.network.parameters(),
        metadata: [("sha256".into(), trained.sha256()?), ("card".into(), MINIVGG_CARD.into())].into(),
        tensors: trained.weights.iter().map(tensor).collect(),
    })
}

/// Makes text from a file safe to print on one line of a terminal.
fn printable(words: &str) -> String {
    let mut line: String = words.chars().take(MAX_SHOWN_CHARS).flat_map(char::escape_debug).collect();
    if words.chars().nth(MAX_SHOWN_CHARS).is_some() {
        line.push_str("...");
    }
    line
}

fn print(about: &About) -> Result<()> {
    let path = about.path.as_ref().map_or_else(|| "built in".into(), |path| path.display().to_string());
    let network = match (about.network, about.version, about.classifier) {
        (Some(network), Some(version), Some(classifier)) => {
            format!(
                "{network}, {version}'s version, with{} its classifier",
                if classifier { "" } else { "out" }
            )
        }
        _ => "not known to Trepang".into(),
    };
    output::line(format_args!("file            {path}"))?;
    output::line(format_args!("format          {}", about.format))?;
    output::line(format_args!("network         {network}"))?;
    if let Some(preprocessing) = about.preprocessing {
        output::line(format_args!("preprocessing   {preprocessing}"))?;
    }
    output::line(format_args!("numbers         {} in {} tensors", about.parameters, about.tensors.len()))?;
    for Tensor { name, shape, dtype } in about.tensors.iter().take(MAX_SHOWN_TENSORS) {
        let name = printable(name);
        output::line(format_args!("  {name:<40} {dtype:<5} {shape:?}"))?;
    }
    if let Some(more) = about.tensors.len().checked_sub(MAX_SHOWN_TENSORS).filter(|more| *more > 0) {
        output::line(format_args!("  and {more} more, which --json lists"))?;
    }
    for (key, value) in about.metadata.iter().filter(|(key, _)| *key != "card") {
        output::line(format_args!("{:<15} {}", printable(key), printable(value)))?;
    }
    Ok(())
}
