//! `trepang lab ablate`: what a margin loses when channels of a layer are taken out.

use std::path::Path;

use anyhow::Result;
use serde::Serialize;
use trepang_api::{Array, Weights};

use super::attribute::flips;
use super::held_out;
use super::photographs;
use super::subject::{Busy, Question, Subject};
use crate::cli::output;
use crate::config::Usage;
use crate::config::args::{AblateArgs, ReplaceFlag};
use crate::lab::{
    ChannelMeans, Deletion, Error, Group, Margin, Recall, Remover, Single, Tail, deletion, draw, flip_count,
    gradient_times_activation, groups, singles,
};

/// Rows of the table for people.
const ROWS: usize = 10;

/// The sizes of groups if none are typed.
const TOPS: [usize; 5] = [1, 2, 3, 5, 20];

/// A channel, for `--json`.
#[derive(Serialize)]
struct AblatedChannel {
    channel: usize,
    attribution: f64,
    ablation: f64,
    standard_error: Option<f64>,
}

/// The answer, for `--json`.
#[derive(Serialize)]
struct Ablated<'a> {
    network: &'a str,
    layer: &'a str,
    class: usize,
    rival: Option<usize>,
    replace: &'static str,
    photographs: usize,
    margin: f64,
    channels: &'a [AblatedChannel],
    groups: &'a [Group],
    flip_count: Option<usize>,
    deletion: Option<Deletion>,
    recall: Option<Recall>,
}

/// Everything that taking channels out of the picture gives.
struct TakenOut {
    channels: Vec<AblatedChannel>,
    groups: Vec<Group>,
    flip_count: Option<usize>,
    deletion: Option<Deletion>,
}

/// The activations that stand in for channels, and the number of photographs that they come from.
struct StandIns {
    replace: ReplaceFlag,
    activations: Vec<Array>,
    photographs: usize,
}

pub(super) fn run(args: &AblateArgs) -> Result<()> {
    let replace = chosen(args)?;
    let mut subject = Subject::open(&args.subject)?;
    let (question, shape) = {
        let (tail, trained) = subject.tail()?;
        (Question::of(&args.subject, trained, tail.logits())?, tail.activation().shape().to_vec())
    };
    let tops = tops(args, shape[1], subject.layer_name())?;
    let stand_ins = stand_ins(args, replace, &mut subject, &shape)?;
    // The picture's values were let go for those of the photographs.
    let (mut tail, trained) = subject.tail()?;
    let margin = tail.margin(question.margin.class, question.margin.against)?;
    let value = margin.of(tail.logits());
    let taken = {
        let _busy = Busy::with(format!("taking out {} channels", shape[1]));
        measure(args, &mut tail, margin, (&trained.weights, &stand_ins.activations), &tops)?
    };
    let recall = held_out::recall(args, &mut subject, margin, &tops)?;
    let found = Ablated {
        network: &subject.trained.name,
        layer: subject.layer_name(),
        class: margin.class,
        rival: question.rival(),
        replace: replace.name(),
        photographs: stand_ins.photographs,
        margin: value,
        channels: &taken.channels,
        groups: &taken.groups,
        flip_count: taken.flip_count,
        deletion: taken.deletion,
        recall,
    };
    if args.subject.json { output::json(&found) } else { report(&found, &question, stand_ins.replace) }
}

/// The effect of each channel, by its attribution, falling; those of groups; the flip count; and the curve if it is asked for.
fn measure(
    args: &AblateArgs,
    tail: &mut Tail,
    margin: Margin,
    (weights, stand_ins): (&Weights, &[Array]),
    tops: &[usize],
) -> Result<TakenOut> {
    let mut removers = Vec::with_capacity(stand_ins.len());
    for stand_in in stand_ins {
        removers.push(Remover::new(tail, weights, stand_in.clone())?);
    }
    let removers: Vec<&Remover> = removers.iter().collect();
    let attributions = gradient_times_activation(tail, margin)?;
    let mut order: Vec<usize> = (0..attributions.len()).collect();
    order.sort_by(|&a, &b| attributions[b].total_cmp(&attributions[a]));
    let effects = singles(tail, margin, &removers)?;
    let channel = |&channel: &usize| {
        let Single { effect, standard_error, .. } = effects[channel];
        AblatedChannel { channel, attribution: attributions[channel], ablation: effect, standard_error }
    };
    let channels = order.iter().map(channel).collect();
    let groups = groups(tail, margin, &removers, (&order, &effects), tops)?;
    let flip_count = flip_count(tail, margin, &removers, &order)?;
    let curve = args.curve.then(|| deletion(tail, margin, &removers, &order, args.subject.seed));
    Ok(TakenOut { channels, groups, flip_count, deletion: curve.transpose()? })
}

/// The replacement that the flags ask for. Fails where it takes photographs and there are none, and the reverse.
fn chosen(args: &AblateArgs) -> Result<ReplaceFlag> {
    match (args.replace, args.subject.on.is_some()) {
        (None, true) => Ok(ReplaceFlag::Mean),
        (None, false) | (Some(ReplaceFlag::Zero), _) => Ok(ReplaceFlag::Zero),
        (Some(replace @ (ReplaceFlag::Mean | ReplaceFlag::Resample)), true) => Ok(replace),
        (Some(replace @ (ReplaceFlag::Mean | ReplaceFlag::Resample)), false) => {
            let name = replace.name();
            Err(Usage(format!("--replace {name} takes photographs: name a folder of them with --on")).into())
        }
    }
}

/// The sizes of the groups. Those of the default that the layer does not have are left out; typed ones are an error.
fn tops(args: &AblateArgs, channels: usize, layer: &str) -> Result<Vec<usize>> {
    if args.top.is_empty() {
        return Ok(TOPS.into_iter().filter(|&top| top <= channels).collect());
    }
    match args.top.iter().find(|&&top| top > channels) {
        Some(top) => {
            Err(Usage(format!("{layer} has {channels} channels, so {top} cannot be taken out")).into())
        }
        None => Ok(args.top.clone()),
    }
}

fn stand_ins(
    args: &AblateArgs,
    replace: ReplaceFlag,
    subject: &mut Subject,
    shape: &[usize],
) -> Result<StandIns> {
    let folder = match (&args.subject.on, replace) {
        (Some(folder), ReplaceFlag::Mean | ReplaceFlag::Resample) => folder,
        (None, _) | (_, ReplaceFlag::Zero) => {
            return Ok(StandIns { replace, activations: vec![Array::zeros(shape)], photographs: 0 });
        }
    };
    let files = photographs::of_folder(folder)?;
    let files: Vec<&Path> = match replace {
        ReplaceFlag::Resample => {
            draw(files.len(), args.subject.seed).into_iter().map(|drawn| files[drawn].as_path()).collect()
        }
        ReplaceFlag::Zero | ReplaceFlag::Mean => files.iter().map(AsRef::as_ref).collect(),
    };
    let (mut means, mut activations, mut photographs) = (ChannelMeans::default(), Vec::new(), 0);
    photographs::for_each(&files, |file| {
        let photograph = subject.photograph(file)?;
        let found = subject.model.activations(&photograph, &[subject.layer])?.pop().ok_or(Error::NoValues)?;
        photographs += 1;
        match replace {
            ReplaceFlag::Resample => activations.push(found),
            ReplaceFlag::Zero | ReplaceFlag::Mean => means.add(&found)?,
        }
        Ok(())
    })?;
    if activations.is_empty() {
        activations.push(means.activation(shape)?);
    }
    Ok(StandIns { replace, activations, photographs })
}

fn report(found: &Ablated, question: &Question, replace: ReplaceFlag) -> Result<()> {
    let Ablated { network, layer, margin, photographs, .. } = found;
    let place = match replace {
        ReplaceFlag::Zero => "set to zero".into(),
        ReplaceFlag::Mean => format!("set to the mean of {photographs} photographs"),
        ReplaceFlag::Resample => format!("taken from {photographs} photographs in turn"),
    };
    output::line(format_args!(
        "{}, by {layer} of {network}: margin {margin:.3}; what is lost of it with channels {place}\n",
        question.title()
    ))?;
    output::line(format_args!("{:>10}{:>13}{:>13}", "channel", "attribution", "lost alone"))?;
    for AblatedChannel { channel, attribution, ablation, standard_error } in found.channels.iter().take(ROWS)
    {
        let error = standard_error.map_or_else(String::new, |error| format!(" (standard error {error:.3})"));
        output::line(format_args!("{channel:>10}{attribution:>13.3}{ablation:>13.3}{error}"))?;
    }
    let heading = ["lost together", "sum alone", "left by them", "class is no."];
    let heading = heading.map(|heading| format!("{heading:>15}")).concat();
    output::line(format_args!("\n{:>10}{heading}", "channels"))?;
    for Group { top, joint, sum, rank, alone } in found.groups {
        let first = format!("first {top}");
        output::line(format_args!("{first:>10}{joint:>15.3}{sum:>15.3}{alone:>15.3}{rank:>15}"))?;
    }
    output::line(format_args!("\n{}", flips(found.flip_count, found.channels.len())))?;
    if let Some(deletion) = &found.deletion {
        curves(deletion)?;
    }
    found.recall.as_ref().map_or(Ok(()), |recall| held_out::report(recall, question.class()))
}

/// The deletion curves, and the areas under them.
fn curves(Deletion { counts, ordered, random, reversed }: &Deletion) -> Result<()> {
    let heading = ["by attribution", "at random", "in reverse"];
    let heading = heading.map(|heading| format!("{heading:>15}")).concat();
    output::line(format_args!("\n{:>10}{heading}   (what is left of the margin)", "taken out"))?;
    for (at, count) in counts.iter().enumerate() {
        let left = [ordered, random, reversed].map(|curve| format!("{:>15.3}", curve.margins[at])).concat();
        output::line(format_args!("{count:>10}{left}"))?;
    }
    let areas = [ordered, random, reversed].map(|curve| format!("{:>15.3}", curve.area)).concat();
    output::line(format_args!("{:>10}{areas}", "mean"))
}
