//! `trepang lab project`: pictures among photographs, in a plane.

mod drawn;
mod made;
mod plane;

use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;

use self::drawn::{csv, scatter};
use self::made::{MadeKind, made_points};
use self::plane::{PlacedPoint, ProjectedPlane};
use super::figure_files::{check_figures, show_figure};
use super::opened_index::{OpenedIndex, label_of, name_of};
use super::subject::Busy;
use crate::cli::output;
use crate::config::Usage;
use crate::config::args::ProjectArgs;
use crate::lab::{IndexedLayer, PicturePoint, picture_points};
use trepang_weights::Trained;

/// Photographs that a projection needs.
const LEAST: usize = 3;

/// Labels that are named where several pictures of a kind are summed up.
const NAMED: usize = 3;

/// The answer, for `--json`.
#[derive(Serialize)]
struct Projected<'a> {
    network: &'a str,
    layer: &'a str,
    method: &'static str,
    photographs: usize,
    seed: u64,
    variance_shares: Option<&'a [f64]>,
    divergence: Option<f64>,
    trustworthiness: Option<f64>,
    points: &'a [PlacedPoint],
    files: &'a [PathBuf],
}

/// The subject of a projection.
pub(super) struct Projection<'a> {
    pub(super) args: &'a ProjectArgs,
    pub(super) trained: &'a Trained,
    pub(super) layer: &'a IndexedLayer,
    pub(super) data_set: &'a str,
}

pub(super) fn run(args: &ProjectArgs) -> Result<()> {
    check_figures(&args.drawn.output)?;
    let index = OpenedIndex::open(args.indexed.index.as_deref())?;
    let trained = index.trained(&args.compute)?;
    let layer = index.layer(args.indexed.layer.as_deref())?;
    let photographs = picture_points(&index.folder, &index.manifest, &layer)?;
    if photographs.len() < LEAST {
        let (folder, found) = (index.folder.display(), photographs.len());
        return Err(Usage(format!(
            "the index in {folder} has {found} photographs, and a projection needs {LEAST} at least"
        ))
        .into());
    }
    let projection =
        Projection { args, trained: &trained, layer: &layer, data_set: &index.manifest.data_set };
    let chosen = chosen_labels(&projection, &photographs)?;
    let made = {
        let _busy = Busy::with("running the pictures");
        made_points(&projection)?
    };
    let plane = {
        let _busy = Busy::with(format!("laying out {} photographs", photographs.len()));
        ProjectedPlane::of(&projection, &photographs, &made)?
    };
    let figure = scatter(&projection, &plane, chosen).figure();
    let files = show_figure(&args.drawn, (&figure, &csv(&plane)), "the projection")?;
    if args.drawn.json {
        return output::json(&Projected {
            network: &trained.name,
            layer: &layer.layer,
            method: args.plane.method.name(),
            photographs: photographs.len(),
            seed: args.seed,
            variance_shares: plane.shares.as_deref(),
            divergence: plane.divergence,
            trustworthiness: plane.trustworthiness,
            points: &plane.points,
            files: &files,
        });
    }
    report(&projection, &plane)?;
    if files.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    output::line(format_args!("\n{}", names.join(", ")))
}

/// The labels of the classes that the flags name; none where they name none.
fn chosen_labels(projection: &Projection, photographs: &[PicturePoint]) -> Result<Vec<String>> {
    let args = projection.args;
    let known: Vec<&str> = photographs.iter().filter_map(|point| point.label.as_deref()).collect();
    let label = |class: &String| label_of(class, &known, "the index", projection.trained);
    if args.classes.len() > drawn::COLOURED {
        return Err(Usage(format!("--classes takes {} classes at most", drawn::COLOURED)).into());
    }
    args.classes.iter().filter(|class| !class.is_empty()).map(label).collect()
}

fn report(projection: &Projection, plane: &ProjectedPlane) -> Result<()> {
    let Projection { trained, layer, .. } = projection;
    let photographs = plane.points.iter().filter(|point| point.kind == MadeKind::Photograph).count();
    output::line(format_args!(
        "{photographs} photographs by {} of {}: {}",
        layer.layer,
        trained.name,
        plane.told()
    ))?;
    let groups = plane.groups();
    if groups.is_empty() {
        return Ok(());
    }
    output::line(format_args!(
        "\n{:<28}{:>4}{:>10}{:>10}{:>10}{:>10}  the ten nearest photographs, by cosine",
        "picture", "n", "across", "up", "beside", "cosine"
    ))?;
    groups.into_iter().try_for_each(|(name, points)| row(&name, &points, trained))
}

/// A line about pictures of a kind: the means of their numbers.
fn row(name: &str, points: &[&PlacedPoint], trained: &Trained) -> Result<()> {
    let mean = |of: &dyn Fn(&PlacedPoint) -> f64| {
        points.iter().map(|point| of(point)).sum::<f64>() / points.len() as f64
    };
    let beside = if points.iter().all(|point| point.beside.is_some()) {
        format!("{:.3}", mean(&|point| point.beside.unwrap_or_default()))
    } else {
        "-".into()
    };
    let labels: Vec<&String> = points.iter().flat_map(|point| &point.near_labels).collect();
    let mut counts = drawn::counted(labels.iter().copied());
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let share = |(label, count): (String, usize)| {
        format!("{} {:.0} %", name_of(Some(&label), trained), 100.0 * count as f64 / labels.len() as f64)
    };
    let named: Vec<String> = counts.into_iter().take(NAMED).map(share).collect();
    let name: String = name.chars().take(27).collect();
    output::line(format_args!(
        "{name:<28}{:>4}{:>10.3}{:>10.3}{beside:>10}{:>10.3}  {}",
        points.len(),
        mean(&|point| point.place[0]),
        mean(&|point| point.place[1]),
        mean(&|point| point.nearest.as_ref().map_or(0.0, |near| near.cosine)),
        named.join(", ")
    ))
}
