//! The figure of a projection, and its table.

use std::path::Path;

use super::Projection;
use super::made::MadeKind;
use super::plane::{PlacedPoint, ProjectedPlane};
use crate::cli::lab::opened_index::name_of;
use crate::cli::lab::typed::typed_command;
use crate::config::args::PlaneFlag;
use crate::lab::{CHOSEN, INKS, Ink, PointMark, Scatter, ScatterPoint, ScatterSeries, csv_field};

/// Classes with a colour and a shape of their own.
pub(super) const COLOURED: usize = 6;

const MARKS: [PointMark; COLOURED] = [
    PointMark::Circle,
    PointMark::Square,
    PointMark::Triangle,
    PointMark::Diamond,
    PointMark::Down,
    PointMark::Pentagon,
];

const GRAY: Ink = [196, 196, 196];
const DARK: Ink = [68, 68, 68];
const BLACK: Ink = [0, 0, 0];

pub(super) fn scatter(projection: &Projection, plane: &ProjectedPlane, chosen: Vec<String>) -> Scatter {
    let Projection { args, trained, layer, .. } = projection;
    let chosen = if chosen.is_empty() { near_labels(plane) } else { chosen };
    let place = |label: &Option<String>| chosen.iter().position(|own| Some(own) == label.as_ref());
    let photographs: Vec<&PlacedPoint> = of(plane, MadeKind::Photograph);
    let (rest, coloured): (Vec<&PlacedPoint>, Vec<&PlacedPoint>) =
        photographs.iter().partition(|point| place(&point.label).is_none());
    let name = if chosen.is_empty() { "photographs" } else { "other photographs" };
    let mut all = vec![series((format!("{name}, n = {}", rest.len()), PointMark::Dot, GRAY), rest)];
    for (at, label) in chosen.iter().enumerate() {
        let own: Vec<&PlacedPoint> =
            coloured.iter().filter(|point| place(&point.label) == Some(at)).copied().collect();
        let name = format!("{}, n = {}", name_of(Some(label), trained), own.len());
        all.push(series((name, MARKS[at], INKS[at]), own));
    }
    all.extend(made_series(plane));
    let axes = match (args.plane.method, &plane.shares) {
        (PlaneFlag::Pca, Some(shares)) => {
            let axis = |n: usize| {
                let share = 100.0 * shares.get(n).copied().unwrap_or_default();
                format!("component {}, {share:.1} % of the variance", n + 1)
            };
            Some([axis(0), axis(1)])
        }
        (PlaneFlag::Pca | PlaneFlag::Tsne, _) => None,
    };
    Scatter {
        title: format!("{} of {}: {}", layer.layer, trained.name, args.plane.method.title()),
        axes,
        series: all,
        unseen: Vec::new(),
        notes: notes(projection, plane),
    }
}

/// The series of what was made, those that matter most last.
fn made_series(plane: &ProjectedPlane) -> Vec<ScatterSeries> {
    let mut all = Vec::new();
    for (kind, name, mark, ink) in [
        (MadeKind::Noise, "noise with the picture's colours", PointMark::Cross, DARK),
        (MadeKind::Phases, "the picture's spectrum, random phases", PointMark::Plus, DARK),
        (MadeKind::Other, "pictures of other channels", PointMark::Frame, DARK),
    ] {
        let points = of(plane, kind);
        if !points.is_empty() {
            all.push(series((format!("{name}, n = {}", points.len()), mark, ink), points));
        }
    }
    let steps = of(plane, MadeKind::Step);
    if let [first, .., last] = steps[..] {
        let ends = [first, last].map(|point| point.step.unwrap_or_default());
        let name = format!("{}, steps {} to {}", first.name, ends[0], ends[1]);
        let mut path = series((name, PointMark::Circle, BLACK), steps);
        path.is_joined = true;
        if let [first, .., last] = &mut path.points[..] {
            first.name = format!("step {}", ends[0]);
            last.name = format!("step {}", ends[1]);
        }
        all.push(path);
    }
    let pictures = of(plane, MadeKind::Picture);
    if !pictures.is_empty() {
        let names: Vec<String> = pictures.iter().map(|point| point.name.clone()).collect();
        let several = names.len() > 1;
        let mut stars = series((names.join(", "), PointMark::Star, CHOSEN), pictures);
        if several {
            stars.points.iter_mut().zip(names).for_each(|(point, name)| point.name = name);
        }
        all.push(stars);
    }
    all
}

fn of(plane: &ProjectedPlane, kind: MadeKind) -> Vec<&PlacedPoint> {
    plane.points.iter().filter(|point| point.kind == kind).collect()
}

fn series((name, mark, ink): (String, PointMark, Ink), points: Vec<&PlacedPoint>) -> ScatterSeries {
    let points = points.into_iter().map(|point| ScatterPoint { at: point.place, name: String::new() });
    ScatterSeries { name, mark, ink, is_joined: false, points: points.collect() }
}

/// The labels among the nearest photographs, of the pictures and of the run first, the most frequent first; without any, the
/// first labels.
fn near_labels(plane: &ProjectedPlane) -> Vec<String> {
    let sorted = |is_of: &dyn Fn(MadeKind) -> bool| {
        let points = plane.points.iter().filter(|point| is_of(point.kind));
        let mut counts = counted(points.flat_map(|point| &point.near_labels));
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    };
    let asked = sorted(&|kind| matches!(kind, MadeKind::Picture | MadeKind::Step));
    let mut all: Vec<String> = asked.into_iter().chain(sorted(&|_| true)).map(|(label, _)| label).collect();
    if all.is_empty() {
        all = plane.points.iter().filter_map(|point| point.label.clone()).collect();
    }
    let first: Vec<(String, usize)> = counted(all.iter());
    first.into_iter().take(COLOURED).map(|(label, _)| label).collect()
}

/// Every label with its number, in the order in which they first come.
pub(super) fn counted<'a>(labels: impl Iterator<Item = &'a String>) -> Vec<(String, usize)> {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for label in labels {
        match counts.iter_mut().find(|(own, _)| own == label) {
            Some((_, count)) => *count += 1,
            None => counts.push((label.clone(), 1)),
        }
    }
    counts
}

/// The caption: what was done, how far the plane can be believed, and the command.
fn notes(projection: &Projection, plane: &ProjectedPlane) -> Vec<String> {
    let Projection { args, data_set, .. } = projection;
    let photographs = of(plane, MadeKind::Photograph).len();
    let made = plane.points.len() - photographs;
    let length = if args.plane.raw { "as they are" } else { "brought to length 1" };
    let data_set = Path::new(data_set)
        .file_name()
        .map_or_else(String::new, |name| format!(" of {}", name.to_string_lossy()));
    let mut notes = vec![format!(
        "{photographs} photographs{data_set} as points: the mean of each channel, {length}; {}.",
        plane.told()
    )];
    notes.push(match args.plane.method {
        PlaneFlag::Pca => format!(
            "The plane is fitted on the photographs; the {made} other pictures are projected into it exactly. What lies beside \
             the plane is not seen here: the table has each point's distance from it."
        ),
        PlaneFlag::Tsne => format!(
            "Perplexity {}, 1,000 steps from the principal components, on photographs alone; each of the {made} other pictures was \
             placed afterwards, as if alone. Who is near whom counts; distances between groups, and their sizes, mean \
             nothing.",
            args.plane.perplexity
        ),
    });
    let nearest = plane.points.iter().filter(|point| point.kind == MadeKind::Picture);
    let nearest: Vec<String> = nearest
        .filter_map(|point| {
            let near = point.nearest.as_ref()?;
            let label = name_of(near.label.as_deref(), projection.trained);
            Some(format!("{}: {:.3}, {label}", point.name, near.cosine))
        })
        .collect();
    if !nearest.is_empty() {
        notes.push(format!(
            "In all channels, the cosine to the nearest photograph is, with its class: {}.",
            nearest.join("; ")
        ));
    }
    notes.push(format!("{}    (trepang {})", typed_command(), env!("CARGO_PKG_VERSION")));
    notes
}

/// Every point as a row.
pub(super) fn csv(plane: &ProjectedPlane) -> String {
    let row = |point: &PlacedPoint| {
        let PlacedPoint { kind, name, label, step, place: [x, y], beside, nearest, .. } = point;
        let kind = match kind {
            MadeKind::Photograph => "photograph",
            MadeKind::Picture => "picture",
            MadeKind::Noise => "noise",
            MadeKind::Phases => "phases",
            MadeKind::Other => "other",
            MadeKind::Step => "step",
        };
        let (step, beside) = (text(*step), text(*beside));
        let (file, near, cosine) = nearest.as_ref().map_or_else(Default::default, |nearest| {
            let label = nearest.label.as_deref().unwrap_or_default();
            (csv_field(&nearest.file), csv_field(label), nearest.cosine.to_string())
        });
        let (name, label) = (csv_field(name), csv_field(label.as_deref().unwrap_or_default()));
        format!("{kind},{name},{label},{step},{x},{y},{beside},{file},{near},{cosine}\n")
    };
    let rows: String = plane.points.iter().map(row).collect();
    format!("kind,name,label,step,x,y,beside,nearest,nearest_label,nearest_cosine\n{rows}")
}

fn text(number: Option<impl ToString>) -> String {
    number.map_or_else(String::new, |number| number.to_string())
}
