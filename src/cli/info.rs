//! `trepang info`: describes a weights file, and recognises the network that it holds.

mod onnx;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use serde::Serialize;
use trepang_api::{excerpt, printable as escaped};
use trepang_weights::{
    Architecture, Error as WeightsError, Fit, InputFormat, MINIVGG_CARD, OnnxModel, PICK_RULE, TensorSource,
    export_lines, find_set, is_onnx, is_published, minivgg, nearest, open, picked, sets,
};

use super::output;
use crate::config::args::InfoArgs;
use crate::config::{InputSource, Usage, find_input, remember, store};

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
    /// The number of classes that can be computed.
    classes: Option<usize>,
    /// The tensors that belong to these weights and are left out.
    left_out: Vec<String>,
    preprocessing: Option<String>,
    preprocessing_from: Option<InputSource>,
    /// Every set of weights of a known network.
    sets: Vec<WeightsInFile>,
    /// The reason why no known network fits.
    misfit: Option<String>,
    /// The two lines that export a model that is not known to ONNX.
    export: Vec<String>,
    parameters: usize,
    metadata: BTreeMap<String, String>,
    tensors: Vec<Tensor>,
}

/// A set of weights in the file, for `--json`.
#[derive(Serialize)]
struct WeightsInFile {
    key: String,
    network: &'static str,
    version: &'static str,
    classes: Option<usize>,
    taken: bool,
}

/// A tensor of the file, for `--json`.
#[derive(Serialize)]
struct Tensor {
    name: String,
    shape: Vec<usize>,
    dtype: String,
}

pub(super) fn run(args: &InfoArgs) -> Result<()> {
    let path = Path::new(&args.what);
    if is_onnx(path) {
        return about_network(path, args);
    }
    let about = about(args)?;
    if args.json {
        return output::json(&about);
    }
    print(&about)
}

/// Describes a file that holds a network of its own, and remembers what is said of its input.
fn about_network(path: &Path, args: &InfoArgs) -> Result<()> {
    if args.pick.is_some() {
        return Err(
            Usage(format!("--pick is for files of several weights, and {} is a network", args.what)).into()
        );
    }
    let input = find_input(path, args.input)?;
    let model = OnnxModel::read(path, input.map(|(input, _)| input))?;
    if let Some((input, InputSource::Given)) = input {
        remember(path, input)?;
    }
    onnx::run(model, input, args.json)
}

/// Describes the file `what` if it exists, or else the network or set of that name.
fn about(args: &InfoArgs) -> Result<About> {
    let what = &args.what;
    let path = Path::new(what);
    let is_name = || what == Architecture::Minivgg.name() || find_set(what).is_ok();
    // A folder, a pipe or a device is no weights file, which is said of it unless it has the name of a network.
    if path.is_file() || (path.symlink_metadata().is_ok() && !is_name()) {
        return of_file(path, args);
    }
    if args.pick.is_some() || args.input.is_some() {
        return Err(
            Usage(format!("--pick and --input are for weights files, and there is no file {what}")).into()
        );
    }
    if what == Architecture::Minivgg.name() {
        return of_embedded();
    }
    match find_set(what) {
        Ok(set) => {
            let (source, _) = store().open(set)?;
            of_source(source.as_ref(), None, None)
        }
        Err(error) => Err(Usage(format!("there is no file {what}, and {error}")).into()),
    }
}

fn of_file(path: &Path, args: &InfoArgs) -> Result<About> {
    let source = open(path).map_err(with_networks)?;
    let input = find_input(path, args.input)?;
    if let Some((input, InputSource::Given)) = input {
        remember(path, input)?;
    }
    of_source(source.as_ref(), args.pick.as_deref(), input)
}

/// An error of a file that is no weights file, told to somebody who may have meant a network.
fn with_networks(error: trepang_weights::Error) -> anyhow::Error {
    match error {
        trepang_weights::Error::UnknownFormat { path, found } => anyhow!(
            "{} is no file that can be described: it begins with {found}, and safetensors, Keras's HDF5, a PyTorch or an \
             ONNX file is needed",
            escaped(&path.display().to_string())
        ),
        other => other.into(),
    }
}

fn of_source(
    source: &dyn TensorSource,
    pick: Option<&str>,
    input: Option<(InputFormat, InputSource)>,
) -> Result<About> {
    let fits = sets(source)?;
    let taken = taken(&fits, pick, source)?;
    let fit = taken.map(|at| &fits[at]);
    let (preprocessing, preprocessing_from) = fit.map(|fit| preprocessing(fit, source, input)).unzip();
    let in_file = |(at, fit): (usize, &Fit)| WeightsInFile {
        key: fit.key().into(),
        network: fit.architecture.name(),
        version: fit.dialect.name(),
        classes: fit.classes(),
        taken: Some(at) == taken,
    };
    let tensor = |tensor: &trepang_weights::TensorInfo| Tensor {
        name: tensor.name.clone(),
        shape: tensor.shape.clone(),
        dtype: tensor.dtype.clone(),
    };
    Ok(About {
        path: Some(source.path().into()),
        format: source.format().to_string(),
        network: fit.map(|fit| fit.architecture.name()),
        version: fit.map(|fit| fit.dialect.name()),
        classifier: fit.map(|fit| fit.classifier),
        classes: fit.and_then(Fit::classes),
        left_out: fit.map(|fit| fit.unused.clone()).unwrap_or_default(),
        preprocessing,
        preprocessing_from,
        sets: fits.iter().enumerate().map(in_file).collect(),
        misfit: if fits.is_empty() { nearest(source) } else { None },
        export: if fits.is_empty() { export_lines(source).to_vec() } else { Vec::new() },
        parameters: source.tensors().iter().map(|tensor| tensor.shape.iter().product::<usize>()).sum(),
        metadata: source.metadata().clone(),
        tensors: source.tensors().iter().map(tensor).collect(),
    })
}

/// The position of the set that is taken; none if no network fits.
fn taken(fits: &[Fit], pick: Option<&str>, source: &dyn TensorSource) -> Result<Option<usize>> {
    match picked(fits, pick) {
        Some(at) => Ok(Some(at)),
        None if fits.is_empty() && pick.is_none() => Ok(None),
        None => Err(WeightsError::NoSuchPick {
            path: source.path().into(),
            name: pick.unwrap_or_default().into(),
            known: fits.iter().map(Fit::key).collect::<Vec<_>>().join(", "),
        }
        .into()),
    }
}

/// The meaning of a preprocessing of RGB for a network whose first kernel reads one channel.
const GRAY: &str = "the mean of R, G and B goes in, and of numbers for each channel their mean counts";

/// The preprocessing of pictures, in words, and where that comes from.
fn preprocessing(
    fit: &Fit,
    source: &dyn TensorSource,
    input: Option<(InputFormat, InputSource)>,
) -> (String, InputSource) {
    let own = fit.architecture.preprocessing(fit.dialect).to_owned();
    let input = input.or_else(|| Some((fit.said_input(source)?, InputSource::Layers)));
    let (words, from) = match input {
        Some((input, from)) => (format!("{} (--input {input})", input.description()), from),
        None if fit.is_certain() || is_published(source.path()) => (own, InputSource::Published),
        None => (own, InputSource::Names),
    };
    if fit.network.is_gray() { (format!("{words}; for gray pictures: {GRAY}"), from) } else { (words, from) }
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
        classes: Some(trained.labels.len()),
        left_out: Vec::new(),
        preprocessing: Some(architecture.preprocessing(dialect).into()),
        preprocessing_from: Some(InputSource::Published),
        sets: Vec::new(),
        misfit: None,
        export: Vec::new(),
        parameters: trained.network.parameters(),
        metadata: [("sha256".into(), trained.sha256()), ("card".into(), MINIVGG_CARD.into())].into(),
        tensors: trained.weights.iter().map(tensor).collect(),
    })
}

/// Makes text from a file safe to print on one line of a terminal.
fn printable(words: &str) -> String {
    excerpt(words).chars().flat_map(char::escape_debug).collect()
}

/// The network and what the file has of its classifier, in words.
fn network(about: &About) -> String {
    let (Some(network), Some(version)) = (about.network, about.version) else {
        return match &about.misfit {
            Some(misfit) => format!("not known to Trepang; nearest is {misfit}"),
            None => "not known to Trepang".into(),
        };
    };
    match (about.classes, about.left_out.is_empty()) {
        (Some(classes), _) => {
            format!("{network}, {version}'s version, with its classifier ({classes} classes)")
        }
        (None, true) => format!("{network}, {version}'s version, without its classifier"),
        (None, false) => format!("{network}, {version}'s version, with another head, which is left out"),
    }
}

/// Lists the sets of weights, if there are several.
fn print_sets(about: &About) -> Result<()> {
    if about.sets.len() < 2 {
        return Ok(());
    }
    output::line(format_args!("weights         --pick takes one of these; {PICK_RULE}:"))?;
    for set in &about.sets {
        let mark = if set.taken { "  <- taken" } else { "" };
        let classes = set.classes.map_or_else(|| "no classes".into(), |classes| format!("{classes} classes"));
        let key = printable(&set.key);
        output::line(format_args!("  {key:<40} {}, {}, {classes}{mark}", set.network, set.version))?;
    }
    Ok(())
}

/// The reason for a preprocessing.
fn why(from: InputSource) -> &'static str {
    match from {
        InputSource::Published => "that of the network's own training",
        InputSource::Layers => "in the first layers of the file's model; --input says otherwise",
        InputSource::Names => "assumed from the names of the tensors; --input says otherwise",
        InputSource::Given => "given by --input, and remembered for this file; --input forget drops it",
        InputSource::Remembered => "remembered from an earlier --input; --input forget drops it",
    }
}

fn print(about: &About) -> Result<()> {
    let path = about.path.as_ref().map_or_else(|| "built in".into(), |path| path.display().to_string());
    let network = network(about);
    output::line(format_args!("file            {path}"))?;
    output::line(format_args!("format          {}", about.format))?;
    output::line(format_args!("network         {network}"))?;
    print_sets(about)?;
    for (heading, line) in ["as ONNX", ""].iter().zip(&about.export) {
        output::line(format_args!("{heading:<15} {line}"))?;
    }
    if !about.left_out.is_empty() {
        let some: Vec<String> =
            about.left_out.iter().take(MAX_SHOWN_TENSORS).map(|name| printable(name)).collect();
        let more = if about.left_out.len() > some.len() { ", ..." } else { "" };
        output::line(format_args!("left out        {}{more}", some.join(", ")))?;
    }
    if let (Some(preprocessing), Some(from)) = (&about.preprocessing, about.preprocessing_from) {
        output::line(format_args!("preprocessing   {preprocessing}"))?;
        output::line(format_args!("                {}", why(from)))?;
    }
    output::line(format_args!("numbers         {} in {} tensors", about.parameters, about.tensors.len()))?;
    for Tensor { name, shape, dtype } in about.tensors.iter().take(MAX_SHOWN_TENSORS) {
        let name = printable(name);
        output::line(format_args!("  {name:<40} {dtype:<5} {shape:?}"))?;
    }
    if let Some(more) = about.tensors.len().checked_sub(MAX_SHOWN_TENSORS).filter(|more| *more > 0) {
        output::line(format_args!("  and {more} more, which --json lists"))?;
    }
    for (key, value) in about.metadata.iter().filter(|(key, _)| !["card", "labels"].contains(&key.as_str())) {
        output::line(format_args!("{:<15} {}", printable(key), printable(value)))?;
    }
    Ok(())
}
