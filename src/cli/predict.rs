//! `trepang predict`: classifies pictures with a network.

use std::path::Path;

use anyhow::{Error, Result, bail};
use serde::Serialize;
use trepang_weights::Purpose;

use super::output;
use crate::config::args::PredictArgs;
use crate::config::{DEFAULT_NETWORK, find_chosen, find_place};
use crate::runs::{PictureReading, read_picture_as};
use crate::worker::{ClassLogit, Classifier, Framing};

/// The classes of one picture, for `--json`.
#[derive(Serialize)]
struct Predicted<'a> {
    image: String,
    network: &'a str,
    top: Vec<ClassLogit>,
}

pub(super) fn run(args: &PredictArgs) -> Result<()> {
    let mut classifier = open(args)?;
    let framing = if args.exact { Framing::Exact } else { Framing::Crop };
    let reading = PictureReading { allow_cut: args.allow_cut, ..PictureReading::default() };
    let mut failed = Vec::new();
    for image in &args.images {
        let classes = read_picture_as(image, reading)
            .map_err(Error::from)
            .and_then(|picture| Ok(classifier.classify(&picture, framing, args.top.into())?));
        match classes {
            Ok(top) => report(args, image, top)?,
            Err(error) => failed.push(about(image, error)),
        }
    }
    // The results of the other pictures have been printed.
    match failed.len() {
        0 => Ok(()),
        1 => Err(failed.swap_remove(0)),
        count => {
            let all: Vec<String> = failed.iter().map(|error| format!("{error:#}")).collect();
            bail!("{count} pictures were not classified: {}", all.join("; "))
        }
    }
}

/// Adds the name of the picture to the error, unless the error has it already.
fn about(image: &Path, error: Error) -> Error {
    let name = image.display().to_string();
    if format!("{error:#}").contains(&name) { error } else { error.context(name) }
}

fn network(args: &PredictArgs) -> &str {
    args.compute.network.as_deref().unwrap_or(DEFAULT_NETWORK)
}

fn open(args: &PredictArgs) -> Result<Classifier> {
    let compute = &args.compute;
    let trained = find_chosen(compute, Purpose::Classes)?;
    let (backend, device) = find_place(compute)?;
    let model = backend.load(&trained.network, &trained.weights, &device)?;
    Ok(Classifier::new(trained.network, trained.labels, model)?)
}

fn report(args: &PredictArgs, image: &Path, top: Vec<ClassLogit>) -> Result<()> {
    if args.json {
        return output::json(&Predicted { image: image.display().to_string(), network: network(args), top });
    }
    output::line(format_args!("{}, by {}", image.display(), network(args)))?;
    for ClassLogit { wnid, label, probability, logit, .. } in top {
        let gap = if wnid.is_empty() { "" } else { "  " };
        output::line(format_args!("  {:>6.2} %  {logit:>8.3}  {wnid}{gap}{label}", 100.0 * probability))?;
    }
    Ok(())
}
