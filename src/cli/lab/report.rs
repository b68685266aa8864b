//! `trepang lab report`: one page about a channel and a class in a picture.

use std::path::{Path, PathBuf};

use anyhow::{Error, Result};
use serde::Serialize;
use trepang_api::Array;

use super::attribute::on_photographs;
use super::opened_index::OpenedIndex;
use super::report_index::index_parts;
use super::subject::{Question, Subject};
use super::typed::network_flags;
use crate::cli::output;
use crate::config::Usage;
use crate::config::args::{LabReportArgs, SubjectArgs};
use crate::lab::{
    Attribution, ChannelNumbers, Group, Remover, ReportPart, ReportPicture, Single, attribute, groups,
    hires_cam, html, markdown, overlay, sentence, singles,
};
use crate::runs::{check_target, encode_plain_png, quoted, write_atomic};

/// Channels of the table, besides the one that the page is about.
const ROWS: usize = 10;

/// The sentence in the place of what an index brings.
const WITHOUT_INDEX: &str =
    "The photographs that the channel answers to, and how far the picture is from them, come with an index:";

/// Channels that are taken out together.
const TOPS: [usize; 5] = [1, 2, 3, 5, 20];

/// The answer, for `--json`.
#[derive(Serialize)]
struct Reported {
    report: String,
    markdown: String,
    sentence: String,
}

/// The numbers that the picture alone gives.
struct Explained {
    attribution: Attribution,
    groups: Vec<Group>,
    sentence: String,
    means: Vec<f64>,
    map: ReportPicture,
}

pub(super) fn run(args: &LabReportArgs) -> Result<()> {
    let beside = checked_outputs(&args.output)?;
    let mut subject = Subject::open(&args.subject)?;
    let (question, explained) = explain(args, &mut subject)?;
    let title = format!(
        "Channel {} of {} of {}, and {}",
        args.channel,
        subject.layer_name(),
        subject.trained.name,
        question.title()
    );
    let mut parts = picture_parts(args, &subject, &question, &explained);
    let (of_index, has_index) = index_of(args, &mut subject, &explained.means)?;
    parts.extend(of_index);
    parts.extend(origin(args, &subject, &question, has_index));
    write_atomic(&args.output, html(&title, &parts).as_bytes())?;
    write_atomic(&beside, markdown(&title, &parts).as_bytes())?;
    let (report, markdown) = (args.output.display().to_string(), beside.display().to_string());
    if args.subject.json {
        return output::json(&Reported { report, markdown, sentence: explained.sentence });
    }
    output::line(format_args!("{}\n\n{report}, and as Markdown {markdown}", explained.sentence))
}

/// The place of the Markdown. Fails where the page is not named as one, or cannot be put there.
fn checked_outputs(output: &Path) -> Result<PathBuf> {
    if output.extension().is_none_or(|ending| ending != "html" && ending != "htm") {
        return Err(
            Usage(format!("{} is no name for a page: it has to end in .html", output.display())).into()
        );
    }
    let beside = output.with_extension("md");
    check_target(output)?;
    check_target(&beside)?;
    Ok(beside)
}

fn explain(args: &LabReportArgs, subject: &mut Subject) -> Result<(Question, Explained)> {
    let picture = subject.picture.clone();
    let (layer, network) = (subject.layer_name().to_owned(), subject.trained.name.clone());
    let (mut tail, trained) = subject.tail()?;
    if args.channel >= tail.channels() {
        let last = tail.channels() - 1;
        return Err(Usage(format!(
            "{layer} has the channels 0 to {last}, and {} is none of them",
            args.channel
        ))
        .into());
    }
    let question = Question::of(&args.subject, trained, tail.logits())?;
    let margin = tail.margin(question.margin.class, question.margin.against)?;
    let zero = Array::zeros(tail.activation().shape());
    let remover = Remover::new(&mut tail, &trained.weights, zero.clone())?;
    let attribution = attribute(&mut tail, margin, &zero, &remover)?;
    let effects: Vec<Single> = singles(&mut tail, margin, &[&remover])?;
    let tops: Vec<usize> = TOPS.into_iter().filter(|&top| top <= tail.channels()).collect();
    let groups = groups(&mut tail, margin, &[&remover], (&attribution.order(), &effects), &tops)?;
    let map = overlay(&picture, &hires_cam(&mut tail, margin.class)?);
    let means = ChannelNumbers::of(tail.activation(), 0, &network)?.means;
    let photographs = match &args.subject.on {
        Some(folder) => Some(on_photographs(subject, folder, margin)?),
        None => None,
    };
    let caption =
        format!("where {} is seen, by HiResCAM at {layer}: warm for it, blue against it", question.class());
    let explained = Explained {
        sentence: sentence(&attribution, question.names(&layer), photographs.as_ref()),
        attribution,
        groups,
        means: means.into_iter().map(f64::from).collect(),
        map: ReportPicture {
            bytes: encode_plain_png(&map).map_err(Error::from_boxed)?,
            kind: "image/png",
            caption,
        },
    };
    Ok((question, explained))
}

/// The parts that need no photographs.
fn picture_parts(
    args: &LabReportArgs,
    subject: &Subject,
    question: &Question,
    found: &Explained,
) -> Vec<ReportPart> {
    let Explained { attribution, groups, sentence, means, map } = found;
    let place = attribution.order().iter().position(|&channel| channel == args.channel).unwrap_or_default();
    let own = &attribution.channels[place];
    let layer = subject.layer_name();
    let of_all = format!("{} of {} by its attribution", place + 1, attribution.channels.len());
    let share = own.share.map_or_else(String::new, |share| format!(", {:.0} % of the margin", 100.0 * share));
    let flip = super::attribute::flips(attribution.flip_count, attribution.channels.len());
    vec![
        ReportPart::Text(format!("{sentence}.")),
        ReportPart::Text(format!(
            "Channel {} is number {of_all}: {:.3} of {:.3}{share}; integrated {:.3}, and {:.3} are lost without it. {flip}",
            args.channel, own.attribution, attribution.value, own.integrated, own.ablation
        )),
        ReportPart::Figure(map.clone()),
        ReportPart::Heading("What the channels carry".into()),
        attribution_table(args, question, attribution, layer),
        groups_table(groups),
        ReportPart::Heading("The channels' means".into()),
        ReportPart::Bars {
            caption: format!(
                "mean over positions of every channel of {layer} in the picture; channel {} is marked",
                args.channel
            ),
            values: means.clone(),
            chosen: args.channel,
        },
    ]
}

fn attribution_table(
    args: &LabReportArgs,
    question: &Question,
    found: &Attribution,
    layer: &str,
) -> ReportPart {
    let row = |at: usize| {
        let channel = &found.channels[at];
        let share = channel.share.map_or_else(|| "-".into(), |share| format!("{:.1} %", 100.0 * share));
        let numbers = [channel.integrated, channel.ablation].map(|number| format!("{number:.3}"));
        let [integrated, ablation] = numbers;
        let name = if channel.channel == args.channel {
            format!("{} (this)", channel.channel)
        } else {
            channel.channel.to_string()
        };
        vec![name, format!("{:.3}", channel.attribution), share, integrated, ablation]
    };
    let own = found.channels.iter().position(|channel| channel.channel == args.channel);
    let mut rows: Vec<Vec<String>> = (0..ROWS.min(found.channels.len())).map(row).collect();
    rows.extend(own.filter(|place| *place >= ROWS).map(row));
    let whole = |name: &str, number: f64| {
        vec![name.into(), format!("{number:.3}"), "-".into(), "-".into(), "-".into()]
    };
    rows.extend([whole("biases", found.bias), whole("margin", found.value)]);
    let heading =
        ["channel", "attribution", "share", "integrated", "lost without it"].map(String::from).to_vec();
    let caption = format!(
        "{} by {layer}: the first {ROWS} of {} channels. Integrated gradients miss their sum by {:.1e}.",
        question.title(),
        found.channels.len(),
        found.completeness_error
    );
    ReportPart::Table { caption, heading, rows }
}

fn groups_table(groups: &[Group]) -> ReportPart {
    let row = |group: &Group| {
        let numbers = [group.joint, group.sum, group.alone].map(|number| format!("{number:.3}"));
        [vec![format!("first {}", group.top)], numbers.to_vec(), vec![group.rank.to_string()]].concat()
    };
    let heading =
        ["channels", "lost together", "sum alone", "left by them", "class is no."].map(String::from).to_vec();
    let caption = "The first channels by attribution, set to zero together.".into();
    ReportPart::Table { caption, heading, rows: groups.iter().map(row).collect() }
}

/// The parts that come from an index, or the command that would bring them; and whether there is an index.
fn index_of(args: &LabReportArgs, subject: &mut Subject, means: &[f64]) -> Result<(Vec<ReportPart>, bool)> {
    let layer = subject.layer_name().to_owned();
    let opened = OpenedIndex::open(args.index.as_deref()).and_then(|index| {
        index.trained(&args.subject.compute)?;
        let layer = index.layer(Some(&layer))?;
        Ok((index, layer))
    });
    match (opened, &args.index) {
        (Ok((index, layer)), _) => Ok((index_parts(args, subject, (&index, &layer), means)?, true)),
        (Err(error), Some(_)) => Err(error),
        (Err(_), None) => Ok((
            vec![
                ReportPart::Heading("Photographs".into()),
                ReportPart::Text(WITHOUT_INDEX.into()),
                ReportPart::Commands(vec![format!(
                    "trepang lab index FOLDER --network {} --layer {layer} --relevance --out DIR",
                    subject.trained.name
                )]),
            ],
            false,
        )),
    }
}

/// The commands that print the numbers of the page.
fn commands(args: &LabReportArgs, subject: &Subject, question: &Question, has_index: bool) -> Vec<String> {
    let (network, layer) = (&subject.trained.name, subject.layer_name());
    let SubjectArgs { compute, picture, against, framing, on, seed, seen, .. } = &args.subject;
    let picture = quoted(&picture.display().to_string());
    let exact = if framing.exact { " --exact" } else { "" };
    let exact = format!("{exact}{}", if framing.allow_cut { " --allow-cut" } else { "" });
    let as_seen = if *seen { " --seen" } else { "" };
    let of_network = network_flags(compute, network);
    let named = quoted(layer);
    let asked = format!(
        "{picture} {of_network} --layer {named} --class {} --against {}{exact}{as_seen}",
        question.margin.class,
        quoted(against)
    );
    let folder = |flag: &str, folder: &Option<PathBuf>| {
        let place = folder.as_ref().map(|folder| quoted(&folder.display().to_string()));
        place.map_or_else(String::new, |place| format!(" {flag} {place}"))
    };
    let (index, on) = (folder("--index", &args.index), folder("--on", on));
    let class = question.margin.class;
    let channel = args.channel;
    let mut commands = vec![
        format!("trepang lab report {asked}{on}{index} --channel {channel} --seed {seed}"),
        format!("trepang lab attribute {asked}{on}"),
        format!("trepang lab ablate {asked} --replace zero"),
    ];
    let of_picture = format!("{picture} {of_network} --layer {named}");
    // `lab map`, `lab means` and `lab distance` are about files, and would print other numbers than those here.
    if !seen {
        commands.push(format!("trepang lab map {of_picture} --class {class}{exact}"));
        commands.push(format!("trepang lab means {of_picture} --channel {channel}{exact}"));
    }
    if has_index {
        commands
            .push(format!("trepang lab examples {of_network} --layer {named} --channel {channel}{index}"));
    }
    if has_index && !seen {
        commands.push(format!("trepang lab distance {of_picture}{exact}{index} --seed {seed}"));
    }
    commands
}

/// The origin of the numbers, and the commands that print them.
fn origin(args: &LabReportArgs, subject: &Subject, question: &Question, has_index: bool) -> Vec<ReportPart> {
    vec![
        ReportPart::Heading("How this was made".into()),
        ReportPart::Text(format!(
            "trepang {}, {} with weights of SHA-256 {:.12}..., seed {}. The picture is {}.",
            env!("CARGO_PKG_VERSION"),
            subject.trained.name,
            subject.trained.sha256(),
            args.subject.seed,
            if args.subject.seen { "as its network saw it" } else { "the file as it is saved" }
        )),
        ReportPart::Commands(commands(args, subject, question, has_index)),
    ]
}
