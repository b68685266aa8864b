//! `trepang lab seed`: the figure that the question of the sea cucumber began with, and the same with the right rows.

mod panels;
mod rows;

use std::ops::Range;
use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;

use self::panels::{csv, panels};
use self::rows::{ReplayRows, replay_rows};
use super::figure_files::{check_figures, show_figure};
use super::opened_index::name_of;
use super::subject::Busy;
use crate::cli::output;
use crate::config::Usage;
use crate::config::args::SeedArgs;
use crate::lab::{REPLAY_NEAR, Replay, ReplayNear, ReplayRow, TsneMap};

/// The answer, for `--json`.
#[derive(Serialize)]
struct Replayed<'a> {
    network: &'a str,
    layer: &'a str,
    class: &'a str,
    others: &'a [String],
    per_class: u16,
    seed: Option<u64>,
    rows: usize,
    stars: Vec<ToldRow<'a>>,
    pictures: Vec<ToldRow<'a>>,
    divergence: f64,
    sentence: &'a str,
    files: &'a [PathBuf],
}

/// A row that was drawn as a star, or should have been.
#[derive(Serialize)]
struct ToldRow<'a> {
    row: usize,
    name: &'a str,
    label: Option<&'a str>,
    place: [f64; 2],
    class_near: usize,
    class_near_in_channels: usize,
}

pub(super) fn run(args: &SeedArgs) -> Result<()> {
    check_figures(&args.drawn.output)?;
    if args.pictures.len() >= usize::from(args.per_class) {
        let (pictures, photographs) = (args.pictures.len(), args.per_class);
        return Err(Usage(format!(
            "the last rows are to be photographs of the class, so there must be more of those than of the pictures; here are {pictures} \
             pictures, and --per-class {photographs}"
        ))
        .into());
    }
    let found = replay_rows(args)?;
    let replay = laid_out(args, &found)?;
    let class = name_of(Some(&found.class), &found.trained);
    let sentence = sentence(&replay, &class);
    let figure = panels(&replay, (&found, &class), args.perplexity);
    let files = show_figure(&args.drawn, (&figure, &csv(&replay)), "the replay")?;
    if args.drawn.json {
        return output::json(&Replayed {
            network: &found.trained.name,
            layer: &found.layer,
            class: &found.class,
            others: &found.others,
            per_class: args.per_class,
            seed: args.seed,
            rows: replay.rows().len(),
            stars: told(&replay, replay.stars()),
            pictures: told(&replay, replay.pictures()),
            divergence: replay.map().divergence,
            sentence: &sentence,
            files: &files,
        });
    }
    report(&replay, &sentence, &class)?;
    if files.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    output::line(format_args!("\n{}", names.join(", ")))
}

/// Lays the rows out. Fails where they are too few for the perplexity.
fn laid_out(args: &SeedArgs, found: &ReplayRows) -> Result<Replay> {
    let ReplayRows { of_others, of_pictures, of_class, .. } = found;
    let rows = of_others.len() + of_pictures.len() + of_class.len();
    let needed = TsneMap::needed(args.perplexity);
    if rows < needed {
        return Err(Usage(format!(
            "t-SNE with a perplexity of {} needs {needed} rows at least, and these are {rows}; choose a smaller --perplexity, a \
             larger --per-class, or more classes with --others",
            args.perplexity
        ))
        .into());
    }
    let _busy = Busy::with(format!("laying out {rows} rows"));
    Ok(Replay::of(of_others.clone(), of_pictures.clone(), of_class.clone(), args.perplexity)?)
}

/// The rows of a range with their places and neighbours.
fn told(replay: &Replay, range: Range<usize>) -> Vec<ToldRow<'_>> {
    let near = replay.near(range.clone());
    let row = |(row, near): (usize, &ReplayNear)| {
        let ReplayRow { name, label, .. } = &replay.rows()[row];
        ToldRow {
            row,
            name,
            label: label.as_deref(),
            place: replay.map().places[row],
            class_near: near.in_layout,
            class_near_in_channels: near.in_channels,
        }
    };
    range.zip(&near).map(row).collect()
}

/// The rows that were drawn as the pictures and those that the pictures are, in words.
fn sentence(replay: &Replay, class: &str) -> String {
    let listed = |range: Range<usize>| {
        let names = range.map(|row| format!("row {row}, {}", replay.rows()[row].name));
        names.collect::<Vec<_>>().join(", and ")
    };
    let (stars, pictures) = (listed(replay.stars()), listed(replay.pictures()));
    let near = told(replay, replay.pictures());
    let counts = |of: &dyn Fn(&ToldRow) -> usize| {
        near.iter().map(|row| of(row).to_string()).collect::<Vec<_>>().join(" and ")
    };
    let (in_layout, in_channels) = (counts(&|row| row.class_near), counts(&|row| row.class_near_in_channels));
    let (drawn, made, each) = if near.len() == 1 {
        ("what was drawn as the made picture is a photograph", "the made picture is", "it")
    } else {
        ("what was drawn as the made pictures are photographs", "the made pictures are", "each of them")
    };
    format!(
        "{drawn} of {class} ({stars}); {made} {pictures}; of the {REPLAY_NEAR} rows nearest to {each} in the layout, {in_layout} \
         are photographs of {class}, and by all channels {in_channels}"
    )
}

fn report(replay: &Replay, sentence: &str, class: &str) -> Result<()> {
    output::line(format_args!(
        "{sentence}\n\n{} rows: {} of other classes, {} made, {} of {class}; Kullback-Leibler divergence {:.3}\n",
        replay.rows().len(),
        replay.pictures().start,
        replay.pictures().len(),
        replay.class().len(),
        replay.map().divergence
    ))?;
    output::line(format_args!(
        "{:<14}{:>5}  {:<30}{:>10}{:>10}{:>12}{:>14}",
        "", "row", "", "across", "up", "in layout", "in channels"
    ))?;
    for (what, range) in [("drawn as made", replay.stars()), ("made", replay.pictures())] {
        for ToldRow { row, name, place, class_near, class_near_in_channels, .. } in told(replay, range) {
            let name: String = name.chars().take(28).collect();
            let near = |count: usize| format!("{count} of {REPLAY_NEAR}");
            output::line(format_args!(
                "{what:<14}{row:>5}  {name:<30}{:>10.2}{:>10.2}{:>12}{:>14}",
                place[0],
                place[1],
                near(class_near),
                near(class_near_in_channels)
            ))?;
        }
    }
    output::line(format_args!(
        "\nIn layout and in channels: the nearest rows that are photographs of {class}."
    ))
}
