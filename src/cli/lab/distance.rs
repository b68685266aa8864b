//! `trepang lab distance`: how far pictures are from each class's photographs.

use std::path::Path;

use anyhow::Result;
use serde::Serialize;
use trepang_api::{Array, Model};
use trepang_weights::Trained;

use super::framed::read_framed;
use super::opened_index::{OpenedIndex, name_of};
use crate::cli::output;
use crate::config::args::DistanceArgs;
use crate::config::{find_layer, find_place};
use crate::lab::{ChannelNumbers, ClassDistance, Distances, Error, IndexedLayer, PhotographPoints};
use crate::worker::picture_array;

/// Rows of the table for people.
const ROWS: usize = 8;

/// A picture is outside if at most that share of a class's photographs is as far away; of few photographs, if none is.
const OUTSIDE: f64 = 0.05;

/// The answer, for `--json`.
#[derive(Serialize)]
struct MeasuredPicture<'a> {
    picture: String,
    network: &'a str,
    layer: &'a str,
    #[serde(flatten)]
    distances: &'a Distances,
    sentence: &'a str,
}

pub(super) fn run(args: &DistanceArgs) -> Result<()> {
    let index = OpenedIndex::open(args.indexed.index.as_deref())?;
    let trained = index.trained(&args.compute)?;
    let layer = index.layer(args.indexed.layer.as_deref())?;
    let points = PhotographPoints::read(&index.folder, &index.manifest, &layer)?;
    let (backend, device) = find_place(&args.compute)?;
    let mut model = backend.load(&trained.network, &trained.weights, &device)?;
    for file in &args.pictures {
        let activation = activation(args, file, (&trained, model.as_mut()), &layer)?;
        let means = ChannelNumbers::of(&activation, 0, &trained.name)?.means;
        let means: Vec<f64> = means.into_iter().map(f64::from).collect();
        let place = (index.folder.as_path(), &index.manifest, &layer);
        let is_alike = activation.shape()[1..] == [layer.channels, layer.height, layer.width];
        let tensors = if is_alike { points.tensor_distances(place, &activation)? } else { None };
        let distances = points.measure(&means, tensors.as_deref(), args.seed);
        let sentence = sentence(&distances, &trained);
        if args.json {
            output::json(&MeasuredPicture {
                picture: file.display().to_string(),
                network: &trained.name,
                layer: &layer.layer,
                distances: &distances,
                sentence: &sentence,
            })?;
        } else {
            report(file, &distances, &sentence, (&trained, &layer))?;
        }
    }
    Ok(())
}

/// The activation of the index's layer for a picture.
fn activation(
    args: &DistanceArgs,
    file: &Path,
    (trained, model): (&Trained, &mut dyn Model),
    layer: &IndexedLayer,
) -> Result<Array> {
    let network = &trained.network;
    let framed = read_framed(network, file, args.framing)?;
    let at = find_layer(network, &layer.layer)?;
    Ok(model.activations(&picture_array(&framed)?, &[at])?.pop().ok_or(Error::NoValues)?)
}

/// The answer in words: that the picture lies among photographs, or else in which direction and how far outside.
pub(super) fn sentence(found: &Distances, trained: &Trained) -> String {
    let Some(nearest) = found.classes.first() else { return String::new() };
    let ClassDistance { label, photographs, mahalanobis, own_mean, z, rank, .. } = nearest;
    let name = name_of(Some(label), trained);
    let own = own_mean
        .map_or_else(String::new, |own| format!(", where its own {photographs} photographs are at {own:.1}"));
    let place = match z {
        Some(z) if *rank <= OUTSIDE.max(1.0 / (*photographs + 1) as f64) => {
            format!("outside of the photographs, nearest to {name}: at {mahalanobis:.1}{own} (z {z:.1})")
        }
        Some(z) => format!("among the photographs of {name}: at {mahalanobis:.1}{own} (z {z:.1})"),
        None => format!("nearest to {name}, at {mahalanobis:.1}"),
    };
    let second = found.classes.get(1).zip(found.lead).map_or_else(String::new, |(second, lead)| {
        let (second, low, high) = (name_of(Some(&second.label), trained), lead.low, lead.high);
        let doubt = if low <= 0.0 { ", so which is nearer is not certain" } else { "" };
        format!("; {second} is {low:.2} to {high:.2} farther{doubt}")
    });
    format!(
        "the picture is {place}{second}; its activations are {:.1} times as long as theirs",
        found.length_ratio
    )
}

fn report(
    file: &Path,
    found: &Distances,
    sentence: &str,
    (trained, layer): (&Trained, &IndexedLayer),
) -> Result<()> {
    let Distances { photographs, shrinkage, effective_dimension, chance, .. } = found;
    let (file, layer, network) = (file.display(), &layer.layer, &trained.name);
    output::line(format_args!(
        "{file}, by {layer} of {network}, among {photographs} photographs:\n{sentence}\n"
    ))?;
    let heading = ["Mahalanobis", "relative", "their own", "z", "rank", "cosine", "L2 means", "L2"];
    let heading = heading.map(|heading| format!("{heading:>12}")).concat();
    output::line(format_args!("{:<24}{:>5}{heading}", "class", "n"))?;
    for class in found.classes.iter().take(ROWS) {
        let name: String = name_of(Some(&class.label), trained).chars().take(23).collect();
        let maybe = |number: Option<f64>| number.map_or_else(|| "-".into(), |number| format!("{number:.2}"));
        let ClassDistance {
            photographs, l2, l2_means, cosine, mahalanobis, relative, own_mean, z, rank, ..
        } = class;
        output::line(format_args!(
            "{name:<24}{photographs:>5}{mahalanobis:>12.2}{relative:>12.2}{:>12}{:>12}{rank:>12.4}{cosine:>12.3}{l2_means:>12.2}{:>12}",
            maybe(*own_mean),
            maybe(*z),
            maybe(*l2)
        ))?;
    }
    let votes = found.votes.iter().take(ROWS);
    let votes: Vec<String> = votes
        .map(|vote| format!("{} {:.0} %", name_of(Some(&vote.label), trained), 100.0 * vote.share))
        .collect();
    output::line(format_args!(
        "\nThe ten nearest photographs by cosine: {} (by chance {:.1} %)",
        votes.join(", "),
        100.0 * chance
    ))?;
    output::line(format_args!(
        "One covariance for all classes, shrunk by {shrinkage:.3}; photographs go into {effective_dimension:.1} directions\n"
    ))
}
