//! `trepang lab attribute`: the split of a margin over the channels of a layer.

use std::path::Path;

use anyhow::Result;
use image::RgbImage;
use image::imageops;
use serde::Serialize;
use trepang_api::Array;

use super::photographs;
use super::subject::{Busy, Question, Subject};
use crate::cli::output;
use crate::config::args::{AttributeArgs, BaselineFlag};
use crate::engine::Picture;
use crate::lab::{
    Attribution, ChannelShare, Margin, OnPhotographs, Remover, Tail, attribute, gradient_times_activation,
    sentence,
};
use crate::worker::picture_array;

/// Rows of the table for people.
const ROWS: usize = 10;

/// The deviation of the blur of `--baseline blur`, as a share of the picture's side.
const BLUR: f32 = 1.0 / 16.0;

/// A completeness error above this share of the margin is told: 50 nodes were too few.
const TOLD_ERROR: f64 = 0.01;

/// The answer, for `--json`.
#[derive(Serialize)]
struct Attributed<'a> {
    network: &'a str,
    layer: &'a str,
    class: usize,
    rival: Option<usize>,
    margin: f64,
    bias: f64,
    channels: &'a [ChannelShare],
    completeness_error: f64,
    flip_count: Option<usize>,
    sentence: String,
}

pub(super) fn run(args: &AttributeArgs) -> Result<()> {
    let mut subject = Subject::open(&args.subject)?;
    let picture = subject.picture.clone();
    let (mut tail, trained) = subject.tail()?;
    let question = Question::of(&args.subject, trained, tail.logits())?;
    let margin = tail.margin(question.margin.class, question.margin.against)?;
    let baseline = match args.baseline {
        BaselineFlag::Zero => Array::zeros(tail.activation().shape()),
        BaselineFlag::Black => tail.activation_of(&Array::zeros([1, 3, picture.height, picture.width]))?,
        BaselineFlag::Blur => tail.activation_of(&picture_array(&blurred(&picture))?)?,
    };
    let zero = Array::zeros(tail.activation().shape());
    let found = {
        let _busy = Busy::with(format!("splitting the margin over {} channels", tail.channels()));
        let remover = Remover::new(&mut tail, &trained.weights, zero)?;
        attribute(&mut tail, margin, &baseline, &remover)?
    };
    let photographs = match &args.subject.on {
        Some(folder) => Some(on_photographs(&mut subject, folder, margin)?),
        None => None,
    };
    let sentence = sentence(&found, question.names(subject.layer_name()), photographs.as_ref());
    report(args, &subject, &question, &found, sentence)
}

/// The picture as it looks out of focus.
fn blurred(picture: &Picture) -> Picture {
    let (width, height) = (picture.width, picture.height);
    match RgbImage::from_raw(width as u32, height as u32, picture.rgb.clone()) {
        Some(image) => {
            let rgb = imageops::blur(&image, BLUR * width.min(height) as f32).into_raw();
            Picture { width, height, rgb }
        }
        None => picture.clone(),
    }
}

/// The same attribution on photographs of the class.
pub(super) fn on_photographs(subject: &mut Subject, folder: &Path, margin: Margin) -> Result<OnPhotographs> {
    let files = photographs::of_folder(folder)?;
    let files: Vec<&Path> = files.iter().map(AsRef::as_ref).collect();
    let mut found = OnPhotographs::default();
    photographs::for_each(&files, |file| {
        let photograph = subject.photograph(file)?;
        let layer = subject.layer;
        let mut tail = Tail::new(subject.model.as_mut(), &subject.trained.network, &photograph, layer)?;
        let parts = gradient_times_activation(&mut tail, margin)?;
        found.add(margin.of(tail.logits()), &parts);
        Ok(())
    })?;
    Ok(found)
}

fn report(
    args: &AttributeArgs,
    subject: &Subject,
    question: &Question,
    found: &Attribution,
    sentence: String,
) -> Result<()> {
    let Attribution { value, bias, completeness_error, flip_count, .. } = *found;
    if args.subject.json {
        return output::json(&Attributed {
            network: &subject.trained.name,
            layer: subject.layer_name(),
            class: question.margin.class,
            rival: question.rival(),
            margin: value,
            bias,
            channels: &found.channels,
            completeness_error,
            flip_count,
            sentence,
        });
    }
    output::line(&sentence)?;
    let (name, layer) = (&subject.trained.name, subject.layer_name());
    output::line(format_args!("\n{}, by {layer} of {name}: margin {value:.3}\n", question.title()))?;
    table(found)?;
    let share = 100.0 * (completeness_error / value).abs();
    let warning = if completeness_error.abs() > TOLD_ERROR * value.abs() {
        ", too much to trust that column"
    } else {
        ""
    };
    output::line(format_args!(
        "\nIntegrated gradients miss what they should add up to by {completeness_error:.2e} ({share:.2} % of the \
         margin{warning})."
    ))?;
    output::line(flips(flip_count, found.channels.len()))
}

/// The first channels, the others together, the biases, and what they add up to.
fn table(found: &Attribution) -> Result<()> {
    let heading = ["channel", "attribution", "share", "integrated", "ablation"];
    let [channel, numbers @ ..] = heading;
    output::line(format_args!("{channel:>10}{}", numbers.map(|heading| format!("{heading:>13}")).concat()))?;
    let percent = |part: f64| {
        if found.has_shares() { format!("{:.1} %", 100.0 * part / found.value) } else { "-".into() }
    };
    let row = |name: &str, part: f64, others: [String; 2]| {
        let [integrated, ablation] = others;
        output::line(format_args!(
            "{name:>10}{part:>13.3}{:>13}{integrated:>13}{ablation:>13}",
            percent(part)
        ))
    };
    let (first, others) = found.channels.split_at(ROWS.min(found.channels.len()));
    for channel in first {
        let others = [channel.integrated, channel.ablation].map(|number| format!("{number:.3}"));
        row(&channel.channel.to_string(), channel.attribution, others)?;
    }
    if !others.is_empty() {
        let sum = |number: fn(&ChannelShare) -> f64| others.iter().map(number).sum::<f64>();
        let integrated = format!("{:.3}", sum(|channel| channel.integrated));
        row(
            &format!("{} more", others.len()),
            sum(|channel| channel.attribution),
            [integrated, String::new()],
        )?;
    }
    row("biases", found.bias, Default::default())?;
    row("margin", found.value, Default::default())
}

/// The flip count as a sentence.
pub(super) fn flips(flip_count: Option<usize>, channels: usize) -> String {
    match flip_count {
        Some(0) => "The class is not first in this picture.".into(),
        Some(1) => "Without the first channel the class is no longer first.".into(),
        Some(count) => {
            format!("Without the first {count} of {channels} channels the class is no longer first.")
        }
        None => format!("The class stays first without all {channels} channels."),
    }
}
