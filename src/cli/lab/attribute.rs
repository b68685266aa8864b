//! `trepang lab attribute`: the split of a margin over the channels of a layer.

use std::path::Path;

use anyhow::Result;
use image::RgbImage;
use image::imageops;
use serde::Serialize;
use trepang_api::Array;
use trepang_weights::Trained;

use super::control::in_random_order;
use super::photographs;
use super::subject::{Busy, Question, Subject};
use crate::cli::output;
use crate::config::args::{AttributeArgs, BaselineFlag};
use crate::config::find_place;
use crate::engine::Picture;
use crate::lab::{
    Attribution, ChannelShare, Margin, OnPhotographs, Remover, Tail, attribute, gradient_times_activation,
    sentence, slopes, spearman,
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
    sentence: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    saved_file: Option<&'a SavedFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    photographs: Option<&'a OnPhotographs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    randomised: Option<f64>,
}

/// The same question about the picture as it was saved, where it is asked about the picture as it was before.
#[derive(Serialize)]
struct SavedFile {
    margin: f64,
    attributions: Vec<f64>,
    sentence: String,
}

/// All that was found.
struct SplitAnswer {
    attribution: Attribution,
    sentence: String,
    saved_file: Option<SavedFile>,
    photographs: Option<OnPhotographs>,
    randomised: Option<f64>,
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
    let attribution = split((tail, trained), margin, &baseline)?;
    let photographs = match &args.subject.on {
        Some(folder) => Some(on_photographs(&mut subject, folder, margin)?),
        None => None,
    };
    let saved_file = if args.subject.seen { Some(saved_file(&mut subject, &question)?) } else { None };
    let randomised = if args.randomised { alike(args, &mut subject, margin, &attribution)? } else { None };
    let sentence = sentence(&attribution, question.names(subject.layer_name()), photographs.as_ref());
    let answer = SplitAnswer { attribution, sentence, saved_file, photographs, randomised };
    if args.subject.json {
        json(&subject, &question, &answer)
    } else {
        report(args, &subject, &question, &answer)
    }
}

fn split((mut tail, trained): (Tail, &Trained), margin: Margin, baseline: &Array) -> Result<Attribution> {
    let _busy = Busy::with(format!("splitting the margin over {} channels", tail.channels()));
    let zero = Array::zeros(tail.activation().shape());
    let remover = Remover::new(&mut tail, &trained.weights, zero)?;
    Ok(attribute(&mut tail, margin, baseline, &remover)?)
}

/// The same margin, of the same rival, in the file.
fn saved_file(subject: &mut Subject, question: &Question) -> Result<SavedFile> {
    let layer = subject.layer_name().to_owned();
    let (tail, trained) = subject.tail_of_file()?;
    let zero = Array::zeros(tail.activation().shape());
    let found = split((tail, trained), question.margin, &zero)?;
    let mut attributions = vec![0.0; found.channels.len()];
    found.channels.iter().for_each(|channel| attributions[channel.channel] = channel.attribution);
    Ok(SavedFile {
        margin: found.value,
        attributions,
        sentence: sentence(&found, question.names(&layer), None),
    })
}

/// The rank correlation of the attributions with those of the same weights in a random order.
fn alike(
    args: &AttributeArgs,
    subject: &mut Subject,
    margin: Margin,
    found: &Attribution,
) -> Result<Option<f64>> {
    let _busy = Busy::with("splitting it with the weights in a random order");
    let weights = in_random_order(&subject.trained.weights, args.subject.seed)?;
    let (backend, device) = find_place(&args.subject.compute)?;
    subject.model = backend.load(&subject.trained.network, &weights, &device)?;
    let (mut tail, _) = subject.tail()?;
    let other = gradient_times_activation(&mut tail, margin)?;
    let own: Vec<f64> = found.channels.iter().map(|channel| channel.attribution).collect();
    let other: Vec<f64> = found.channels.iter().map(|channel| other[channel.channel]).collect();
    Ok(spearman(&own, &other))
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
        let (mut tail, _) = subject.tail_of(file)?;
        let slopes = slopes(&mut tail, margin)?;
        found.add(margin.of(tail.logits()), &slopes);
        Ok(())
    })?;
    Ok(found)
}

fn json(subject: &Subject, question: &Question, answer: &SplitAnswer) -> Result<()> {
    let SplitAnswer { attribution, sentence, saved_file, photographs, randomised } = answer;
    output::json(&Attributed {
        network: &subject.trained.name,
        layer: subject.layer_name(),
        class: question.margin.class,
        rival: question.rival(),
        margin: attribution.value,
        bias: attribution.bias,
        channels: &attribution.channels,
        completeness_error: attribution.completeness_error,
        flip_count: attribution.flip_count,
        sentence,
        saved_file: saved_file.as_ref(),
        photographs: photographs.as_ref(),
        randomised: *randomised,
    })
}

fn report(args: &AttributeArgs, subject: &Subject, question: &Question, answer: &SplitAnswer) -> Result<()> {
    let found = &answer.attribution;
    let Attribution { value, completeness_error, flip_count, .. } = *found;
    match &answer.saved_file {
        Some(file) => output::line(format_args!(
            "as its network saw it: {}\nas it is saved: {}",
            answer.sentence, file.sentence
        ))?,
        None => output::line(&answer.sentence)?,
    }
    let (name, layer) = (&subject.trained.name, subject.layer_name());
    output::line(format_args!("\n{}, by {layer} of {name}: margin {value:.3}\n", question.title()))?;
    table(found, answer.photographs.as_ref())?;
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
    output::line(flips(flip_count, found.channels.len()))?;
    match (answer.randomised, args.randomised) {
        (Some(alike), _) => output::line(format_args!(
            "With the weights in a random order the attributions are alike by {alike:.2} (rank correlation; 0 is not at all)."
        )),
        (None, true) => {
            output::line("With the weights in a random order all attributions are the same number.")
        }
        (None, false) => Ok(()),
    }
}

/// The first channels, the others together, the biases, and what they add up to; with photographs, what each channel carries of
/// the mean margin there.
fn table(found: &Attribution, photographs: Option<&OnPhotographs>) -> Result<()> {
    let heading = ["channel", "attribution", "share", "integrated", "ablation", "weight", "on photos"];
    let [channel, numbers @ ..] = heading;
    let numbers = &numbers[..numbers.len() - usize::from(photographs.is_none())];
    let cells =
        |texts: &[String]| texts.iter().map(|text| format!("{text:>13}")).collect::<Vec<_>>().concat();
    let heading: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    output::line(format_args!("{channel:>10}{}", cells(&heading)))?;
    let percent = |part: f64| {
        if found.has_shares() { format!("{:.1} %", 100.0 * part / found.value) } else { "-".into() }
    };
    let row = |name: &str, part: f64, others: &[String]| {
        let cells = cells(&[&[format!("{part:.3}"), percent(part)], others].concat());
        output::line(format_args!("{name:>10}{}", cells.trim_end()))
    };
    let number = |number: f64| format!("{number:.3}");
    let (first, others) = found.channels.split_at(ROWS.min(found.channels.len()));
    for &ChannelShare { channel, attribution, integrated, ablation, weight, .. } in first {
        let on = photographs.map(|photographs| number(photographs.attributions[channel]));
        let numbers = [integrated, ablation, weight].map(number);
        row(&channel.to_string(), attribution, &numbers.into_iter().chain(on).collect::<Vec<_>>())?;
    }
    if !others.is_empty() {
        let sum = |number: fn(&ChannelShare) -> f64| others.iter().map(number).sum::<f64>();
        let integrated = number(sum(|channel| channel.integrated));
        row(&format!("{} more", others.len()), sum(|channel| channel.attribution), &[integrated])?;
    }
    row("biases", found.bias, &[])?;
    row("margin", found.value, &[])
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
