//! The two figures of the replay side by side, and their table.

use std::ops::Range;

use super::rows::ReplayRows;
use crate::cli::lab::typed::typed_command;
use crate::lab::{
    CHOSEN, Figure, INKS, Ink, PointMark, Replay, RowKind, Scatter, ScatterPoint, ScatterSeries, csv_field,
};

/// The photographs of other classes.
const GRAY: Ink = [196, 196, 196];

/// The figure as it was drawn, and beside it the same with the right rows.
pub(super) fn panels(replay: &Replay, (found, class): (&ReplayRows, &str), perplexity: f64) -> Figure {
    let ReplayRows { trained, layer, others, .. } = found;
    let axes = || Some(["first coordinate of t-SNE", "second"].map(String::from));
    let gray = || {
        let name = format!("photographs of {} other classes", others.len());
        series(replay, &name, (PointMark::Dot, GRAY), 0..replay.pictures().start)
    };
    let of_class = |range| series(replay, class, (PointMark::Circle, INKS[0]), range);
    let (stars, pictures) = (replay.stars(), replay.pictures());
    let drawn = Scatter {
        title: format!("As it was drawn: {layer} of {}", trained.name),
        axes: axes(),
        series: vec![
            gray(),
            of_class(replay.drawn_class()),
            named(replay, "drawn as the made pictures: the last rows, which are photographs", stars.clone()),
        ],
        unseen: replay.map().places.clone(),
        notes: vec![
            format!(
                "t-SNE of {} rows laid out together, perplexity {perplexity}, from the mean of each channel as it is. Drawn as stars: {}, \
                 of the photographs of {class}. Not drawn: {}, the made pictures.",
                replay.rows().len(),
                rows(&stars),
                rows(&pictures)
            ),
            format!("{}    (trepang {})", typed_command(), env!("CARGO_PKG_VERSION")),
        ],
    };
    let right = Scatter {
        title: "The same layout with the right rows".into(),
        axes: axes(),
        series: vec![gray(), of_class(replay.class()), named(replay, "the made pictures", pictures.clone())],
        unseen: replay.map().places.clone(),
        notes: vec![format!(
            "Drawn as stars: {}, the made pictures. Who is near whom counts; distances between groups, and their sizes, mean nothing. \
             Pictures that are laid out together with photographs draw each other; `trepang lab project` places each of them \
             afterwards, as if alone.",
            rows(&pictures)
        )],
    };
    drawn.figure().beside(&right.figure())
}

fn rows(range: &Range<usize>) -> String {
    match range.len() {
        1 => format!("row {}", range.start),
        2 => format!("rows {} and {}", range.start, range.end - 1),
        _ => format!("rows {} to {}", range.start, range.end - 1),
    }
}

fn series(replay: &Replay, name: &str, (mark, ink): (PointMark, Ink), range: Range<usize>) -> ScatterSeries {
    let name = format!("{name}, n = {}", range.len());
    let point = |row: usize| ScatterPoint { at: replay.map().places[row], name: String::new() };
    ScatterSeries { name, mark, ink, is_joined: false, points: range.map(point).collect() }
}

/// Stars with the names of their files.
fn named(replay: &Replay, name: &str, range: Range<usize>) -> ScatterSeries {
    let mut stars = series(replay, name, (PointMark::Star, CHOSEN), range.clone());
    for (point, row) in stars.points.iter_mut().zip(range) {
        let name = &replay.rows()[row].name;
        name.rsplit('/').next().unwrap_or(name).clone_into(&mut point.name);
    }
    stars
}

/// Every row with its place, and what it was drawn as.
pub(super) fn csv(replay: &Replay) -> String {
    let name = |kind: RowKind| match kind {
        RowKind::Other => "other",
        RowKind::Picture => "picture",
        RowKind::Class => "class",
    };
    let row = |(at, [x, y]): (usize, &[f64; 2])| {
        let is = replay.kind(at);
        let drawn = match is {
            RowKind::Picture => "nothing",
            RowKind::Class if replay.stars().contains(&at) => name(RowKind::Picture),
            RowKind::Class | RowKind::Other => name(is),
        };
        let row = &replay.rows()[at];
        let (file, label) = (csv_field(&row.name), csv_field(row.label.as_deref().unwrap_or_default()));
        format!("{at},{file},{label},{},{drawn},{x},{y}\n", name(is))
    };
    let lines: String = replay.map().places.iter().enumerate().map(row).collect();
    format!("row,name,label,is,drawn_as,x,y\n{lines}")
}
