//! `trepang lab examples`: the photographs of an index that a channel answers to most.

use anyhow::{Context, Result};
use serde::Serialize;
use trepang_weights::Trained;

use super::opened_index::{OpenedIndex, name_of};
use super::selective;
use crate::cli::output;
use crate::config::args::{ByFlag, ExamplesArgs};
use crate::config::{Usage, find_place, find_run};
use crate::engine::Picture;
use crate::lab::{
    ChannelRow, IndexedLayer, LabelArea, LabelCount, RankedBy, channel_rows, first, label_areas, label_mix,
};
use crate::runs::{Cell, check_picture_path, contact_sheet, read_picture, write_sheet};
use crate::worker::{Photographs, resized, square};

/// Labels of the mix and of the selectivity that people are shown.
const ROWS: usize = 5;

/// A photograph, for `--json`.
#[derive(Serialize)]
struct Example<'a> {
    file: &'a str,
    label: Option<&'a str>,
    class: Option<usize>,
    mean: f32,
    max: f32,
    relevance: Option<f32>,
    position: [usize; 2],
}

/// The answer, for `--json`.
#[derive(Serialize)]
struct Examples<'a> {
    network: &'a str,
    layer: &'a str,
    channel: usize,
    by: &'static str,
    class: Option<&'a str>,
    pictures: usize,
    #[serde(rename = "examples")]
    photographs: Vec<Example<'a>>,
    class_mix: Vec<LabelCount>,
    selectivity: Vec<LabelArea>,
}

pub(super) fn run(args: &ExamplesArgs) -> Result<()> {
    if let Some(output) = &args.output {
        check_picture_path(output)?;
    }
    let index = OpenedIndex::open(args.indexed.index.as_deref())?;
    let trained = index.trained(&args.compute)?;
    let layer = index.layer(args.indexed.layer.as_deref())?;
    match (args.channel, &args.class) {
        (Some(channel), _) => of_channel(args, channel, &index, (&trained, &layer)),
        (None, Some(class)) => selective::run(args, class, &index, (&trained, &layer)),
        (None, None) => Err(Usage("name a channel with --channel, or a class with --class".into()).into()),
    }
}

fn of_channel(
    args: &ExamplesArgs,
    channel: usize,
    index: &OpenedIndex,
    (trained, layer): (&Trained, &IndexedLayer),
) -> Result<()> {
    if channel >= layer.channels {
        let (name, last) = (&layer.layer, layer.channels - 1);
        let told = format!("{name} has the channels 0 to {last}, and {channel} is none of them");
        return Err(Usage(told).into());
    }
    let rows = channel_rows(&index.folder, &index.manifest, layer, channel)?;
    let by = ranked_by(args.by);
    if rows.iter().all(|row| row.value(by).is_none()) {
        return Err(Usage(format!(
            "the index in {} has no relevances; `trepang lab index` with --relevance and the same pictures adds them",
            index.folder.display()
        ))
        .into());
    }
    let within = args.class.as_deref().map(|class| label_of(class, &rows, trained)).transpose()?;
    let chosen: Vec<ChannelRow> = match &within {
        Some(label) => rows.iter().filter(|row| row.label.as_ref() == Some(label)).cloned().collect(),
        None => rows.clone(),
    };
    let examples = first(&chosen, by, args.top.into());
    if let Some(output) = &args.output {
        let sheet = sheet((args, channel), index, (trained, layer), &examples)?;
        write_sheet(output, &sheet)?;
    }
    let found = Examples {
        network: &trained.name,
        layer: &layer.layer,
        channel,
        by: args.by.name(),
        class: within.as_deref(),
        pictures: chosen.len(),
        photographs: examples.iter().map(|row| example(row, layer)).collect(),
        class_mix: label_mix(&chosen, by),
        selectivity: label_areas(&rows),
    };
    if args.json { output::json(&found) } else { report(args, &found, trained) }
}

fn ranked_by(flag: ByFlag) -> RankedBy {
    match flag {
        ByFlag::Mean => RankedBy::Mean,
        ByFlag::Max => RankedBy::Max,
        ByFlag::Relevance => RankedBy::Relevance,
    }
}

fn example<'a>(row: &'a ChannelRow, layer: &IndexedLayer) -> Example<'a> {
    let position = [row.at / layer.width.max(1), row.at % layer.width.max(1)];
    let ChannelRow { file, label, class, mean, max, relevance, .. } = row;
    Example {
        file,
        label: label.as_deref(),
        class: *class,
        mean: *mean,
        max: *max,
        relevance: *relevance,
        position,
    }
}

/// The label of the data set that is meant by a label, or by a class of the network.
fn label_of(text: &str, rows: &[ChannelRow], trained: &Trained) -> Result<String> {
    let of_class =
        |class: usize| rows.iter().find(|row| row.class == Some(class)).and_then(|row| row.label.clone());
    let labelled =
        rows.iter().find(|row| row.label.as_deref() == Some(text)).and_then(|row| row.label.clone());
    labelled.or_else(|| trained.labels.find(text).and_then(of_class)).ok_or_else(|| {
        Usage(format!(
            "no picture of the index is of the class {text}; `trepang lab index` says what has one"
        ))
        .into()
    })
}

/// The photographs as a sheet, after the picture that they are beside.
fn sheet(
    (args, channel): (&ExamplesArgs, usize),
    index: &OpenedIndex,
    (trained, layer): (&Trained, &IndexedLayer),
    examples: &[&ChannelRow],
) -> Result<Picture> {
    let photographs = Photographs::open(&index.manifest, args.data.as_deref())
        .with_context(|| "the index keeps no pictures; name the folder that has them with --data")?;
    let native = trained.network.input().native;
    let mut cells = Vec::new();
    if let Some(beside) = &args.beside {
        let run = find_run(beside, None)?;
        let file = if run.is_dir() { run.join("image.png") } else { run };
        let picture = square(&read_picture(&file)?);
        cells.push(Cell { picture: resized(&picture, native), label: format!("{} {channel}", layer.layer) });
    }
    let (backend, device) = find_place(&args.compute)?;
    let mut model =
        if args.whole { None } else { Some(backend.load(&trained.network, &trained.weights, &device)?) };
    for row in examples {
        let part = match &mut model {
            Some(model) => photographs.part((model.as_mut(), &trained.network), (layer, channel), row)?,
            None => photographs.whole(row)?,
        };
        let value = row.value(ranked_by(args.by)).unwrap_or_default();
        let label = format!("{value:.3} {}", name_of(row.label.as_deref(), trained));
        cells.push(Cell { picture: resized(&part, native), label });
    }
    Ok(contact_sheet(&cells, None))
}

fn report(args: &ExamplesArgs, found: &Examples, trained: &Trained) -> Result<()> {
    let Examples { network, layer, channel, by, pictures, .. } = found;
    let within =
        found.class.map_or_else(String::new, |label| format!(" of {}", name_of(Some(label), trained)));
    output::line(format_args!(
        "channel {channel} of {layer} of {network}: the first by {by} of {pictures} pictures{within}\n"
    ))?;
    output::line(format_args!("{:>10}{:>10}{:>12}  {:<24}picture", "mean", "max", "relevance", "label"))?;
    for Example { file, label, mean, max, relevance, .. } in &found.photographs {
        let relevance = relevance.map_or_else(|| "-".into(), |value| format!("{value:.3}"));
        let label: String = name_of(*label, trained).chars().take(22).collect();
        output::line(format_args!("{mean:>10.3}{max:>10.3}{relevance:>12}  {label:<24}{file}"))?;
    }
    let counted: usize = found.class_mix.iter().map(|count| count.pictures).sum();
    if counted > 0 && found.class.is_none() {
        let mix = found.class_mix.iter().take(ROWS);
        let mix: Vec<String> =
            mix.map(|count| format!("{} {}", count.pictures, name_of(Some(&count.label), trained))).collect();
        let labels = found.class_mix.len();
        output::line(format_args!("\nThe first {counted} are of {labels} classes: {}", mix.join(", ")))?;
    }
    if !found.selectivity.is_empty() {
        let best = found.selectivity.iter().take(ROWS).map(|area| {
            let LabelArea { label, auc, p, pictures, .. } = area;
            format!("{} {auc:.3} (n = {pictures}, p {p:.0e})", name_of(Some(label), trained))
        });
        let best: Vec<String> = best.collect();
        output::line(format_args!("Its mean tells a class from all others best (AUC): {}", best.join(", ")))?;
    }
    match &args.output {
        Some(output) => output::line(format_args!("\nsheet: {}", output.display())),
        None => Ok(()),
    }
}
