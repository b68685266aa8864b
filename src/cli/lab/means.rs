//! `trepang lab means`: the mean of every channel of a layer for a picture.

use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;

use super::figure_files::{check_figures, show_figure};
use super::framed::read_framed;
use super::opened_index::any_trained;
use super::typed::typed_command;
use crate::cli::output;
use crate::config::args::MeansArgs;
use crate::config::{Usage, find_layer, find_place};
use crate::lab::{BarPlot, ChannelNumbers, Error, MeanBars};
use crate::worker::picture_array;

/// Channels of the table.
const ROWS: usize = 10;

/// The answer, for `--json`.
#[derive(Serialize)]
struct PictureMeans<'a> {
    picture: String,
    network: &'a str,
    layer: &'a str,
    channel: Option<usize>,
    rank: Option<usize>,
    average: f64,
    means: &'a [f64],
    maxima: &'a [f64],
    order: &'a [usize],
    files: &'a [PathBuf],
}

/// The bars, and the largest value of each channel.
struct FoundMeans {
    bars: MeanBars,
    maxima: Vec<f64>,
}

pub(super) fn run(args: &MeansArgs) -> Result<()> {
    check_figures(&args.drawn.output)?;
    let trained = any_trained(&args.compute)?;
    let at = find_layer(&trained.network, &args.layer)?;
    let layer = trained.network.nodes()[at.index()].name.clone();
    let picture = read_framed(&trained.network, &args.picture, args.framing)?;
    let (backend, device) = find_place(&args.compute)?;
    let mut model = backend.load(&trained.network, &trained.weights, &device)?;
    let found = model.activations(&picture_array(&picture)?, &[at])?.pop().ok_or(Error::NoValues)?;
    let numbers = ChannelNumbers::of(&found, 0, &trained.name)?;
    let wide = |numbers: Vec<f32>| numbers.into_iter().map(f64::from).collect::<Vec<_>>();
    let (means, maxima) = (wide(numbers.means), wide(numbers.maxima));
    if let Some(channel) = args.channel.filter(|channel| *channel >= means.len()) {
        let last = means.len().saturating_sub(1);
        return Err(
            Usage(format!("{layer} has the channels 0 to {last}, and {channel} is none of them")).into()
        );
    }
    let found = FoundMeans { bars: MeanBars::of(means, args.channel, args.sorted), maxima };
    let figure = plot(args, &found.bars, (&layer, &trained.name)).figure();
    let files = show_figure(&args.drawn, (&figure, &csv(&found)), "the means")?;
    if args.drawn.json {
        let FoundMeans { bars, maxima } = &found;
        return output::json(&PictureMeans {
            picture: args.picture.display().to_string(),
            network: &trained.name,
            layer: &layer,
            channel: args.channel,
            rank: args.channel.map(|channel| bars.rank(channel)),
            average: bars.average(),
            means: &bars.means,
            maxima,
            order: &bars.order,
            files: &files,
        });
    }
    report(&found, (&layer, &trained.name))?;
    if files.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    output::line(format_args!("\n{}", names.join(", ")))
}

/// The number of the marked channel's place, in words.
fn place(bars: &MeanBars, channel: usize) -> String {
    format!("channel {channel} is number {} of {} by its mean", bars.rank(channel), bars.means.len())
}

fn plot(args: &MeansArgs, bars: &MeanBars, (layer, network): (&str, &str)) -> BarPlot {
    let name = args.picture.file_name().unwrap_or(args.picture.as_os_str()).to_string_lossy();
    let highest =
        bars.highest(ROWS).into_iter().map(|channel| format!("{channel} ({:.3})", bars.means[channel]));
    let marked = bars.chosen.map_or_else(String::new, |channel| format!("{}. ", place(bars, channel)));
    let marked = marked.replacen("channel", "Channel", 1);
    BarPlot {
        title: format!("The channels of {layer} of {network} for {name}"),
        across: if args.sorted { "place by the mean".into() } else { "channel".into() },
        first: usize::from(args.sorted),
        bars: bars.clone(),
        notes: vec![
            format!(
                "{marked}The highest: {}. The mean over all {} channels is {:.3}.",
                highest.collect::<Vec<_>>().join(", "),
                bars.means.len(),
                bars.average()
            ),
            format!("{}    (trepang {})", typed_command(), env!("CARGO_PKG_VERSION")),
        ],
    }
}

/// Every bar as a row, in the order in which they are drawn.
fn csv(FoundMeans { bars, maxima }: &FoundMeans) -> String {
    let row = |&channel: &usize| {
        format!("{channel},{},{},{}\n", bars.means[channel], maxima[channel], Some(channel) == bars.chosen)
    };
    let rows: String = bars.order.iter().map(row).collect();
    format!("channel,mean,max,marked\n{rows}")
}

fn report(FoundMeans { bars, maxima }: &FoundMeans, (layer, network): (&str, &str)) -> Result<()> {
    let all = bars.means.len();
    let marked = bars.chosen.map_or_else(String::new, |channel| format!("{}; ", place(bars, channel)));
    output::line(format_args!(
        "{layer} of {network}: {marked}the mean over all {all} channels is {:.3}\n\n{:>7}{:>10}{:>12}{:>12}",
        bars.average(),
        "place",
        "channel",
        "mean",
        "max"
    ))?;
    let mut shown = bars.highest(ROWS);
    shown.extend(bars.chosen.filter(|channel| bars.rank(*channel) > ROWS));
    shown.into_iter().try_for_each(|channel| {
        let mark = if Some(channel) == bars.chosen { "  <" } else { "" };
        output::line(format_args!(
            "{:>7}{channel:>10}{:>12.3}{:>12.3}{mark}",
            bars.rank(channel),
            bars.means[channel],
            maxima[channel]
        ))
    })
}
