//! The channels of an index whose means tell a class's photographs from all others best.

use anyhow::Result;
use serde::Serialize;
use trepang_weights::Trained;

use super::opened_index::{OpenedIndex, label_of, name_of};
use crate::cli::output;
use crate::config::Usage;
use crate::config::args::ExamplesArgs;
use crate::lab::{ChannelArea, IndexedLayer, channel_areas, picture_points};

/// The p below which a channel is counted: of those that are, one in twenty is by chance.
const LEVEL: f64 = 0.05;

/// The answer, for `--json`.
#[derive(Serialize)]
struct SelectiveChannels<'a> {
    network: &'a str,
    layer: &'a str,
    class: &'a str,
    pictures: usize,
    others: usize,
    channels: &'a [ChannelArea],
}

/// Prints the channels that are selective for a class.
pub(super) fn run(
    args: &ExamplesArgs,
    class: &str,
    index: &OpenedIndex,
    (trained, layer): (&Trained, &IndexedLayer),
) -> Result<()> {
    let points = picture_points(&index.folder, &index.manifest, layer)?;
    let known: Vec<&str> = points.iter().filter_map(|point| point.label.as_deref()).collect();
    let label = label_of(class, &known, "the index", trained)?;
    let pictures = known.iter().filter(|known| **known == label).count();
    let others = points.len() - pictures;
    let Some(channels) = channel_areas(&points, &label) else {
        let name = name_of(Some(&label), trained);
        return Err(Usage(format!(
            "all photographs of the index are of {name}, so there are no others to tell it from"
        ))
        .into());
    };
    if args.json {
        let (network, layer) = (trained.name.as_str(), layer.layer.as_str());
        return output::json(&SelectiveChannels {
            network,
            layer,
            class: &label,
            pictures,
            others,
            channels: &channels,
        });
    }
    output::line(format_args!(
        "the channels of {} of {} whose means tell {pictures} photographs of {} from {others} others best\n\n{:>10}{:>10}{:>12}",
        layer.layer,
        trained.name,
        name_of(Some(&label), trained),
        "channel",
        "AUC",
        "p"
    ))?;
    channels.iter().take(args.top.into()).try_for_each(|ChannelArea { channel, auc, p }| {
        output::line(format_args!("{channel:>10}{auc:>10.3}{p:>12.0e}"))
    })?;
    let telling = channels.iter().filter(|area| area.p < LEVEL).count();
    output::line(format_args!(
        "\n{telling} of {} channels answer to it otherwise than to the others (p below {LEVEL}, corrected for their number)",
        channels.len()
    ))
}
