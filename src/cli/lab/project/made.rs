//! The pictures that are drawn among photographs: the user's, their baselines, those of other channels, and a run's steps.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use trepang_api::{LayerId, Model};

use super::Projection;
use crate::cli::folder::pictures;
use crate::cli::lab::framed::{framed, read_framed};
use crate::cli::lab::retaken::RetakenRun;
use crate::cli::output;
use crate::config::{find_layer, find_place};
use crate::engine::Picture;
use crate::lab::{ChannelNumbers, Error, noise_like, random_phases};
use crate::worker::picture_array;

/// The origin of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::cli::lab) enum MadeKind {
    /// A photograph of the index.
    Photograph,
    /// A picture that the user named.
    Picture,
    /// Noise with a picture's colours.
    Noise,
    /// A picture's spectrum with random phases.
    Phases,
    /// Another channel's picture.
    Other,
    /// A step of a run.
    Step,
}

/// A picture as a point.
#[derive(Debug, Clone)]
pub(super) struct MadePoint {
    pub(super) kind: MadeKind,
    pub(super) name: String,
    pub(super) step: Option<usize>,
    pub(super) means: Vec<f64>,
}

/// The network that pictures are run through.
struct PointRunner<'a> {
    projection: &'a Projection<'a>,
    model: Box<dyn Model>,
    layer: LayerId,
}

impl PointRunner<'_> {
    /// A picture of the network's size as a point.
    fn point(&mut self, kind: MadeKind, name: &str, picture: &Picture) -> Result<MadePoint> {
        let found = self.model.activations(&picture_array(picture)?, &[self.layer])?;
        let activation = found.first().ok_or(Error::NoValues)?;
        let means = ChannelNumbers::of(activation, 0, &self.projection.trained.name)?.means;
        let means = means.into_iter().map(f64::from).collect();
        Ok(MadePoint { kind, name: name.into(), step: None, means })
    }
}

/// All pictures that the flags ask for.
pub(super) fn made_points(projection: &Projection) -> Result<Vec<MadePoint>> {
    let (args, trained) = (projection.args, projection.trained);
    let (backend, device) = find_place(&args.compute)?;
    let model = backend.load(&trained.network, &trained.weights, &device)?;
    let layer = find_layer(&trained.network, &projection.layer.layer)?;
    let mut runner = PointRunner { projection, model, layer };
    let (mut points, mut first) = (Vec::new(), None);
    for file in &args.pictures {
        let picture = read_framed(&trained.network, file, args.framing)?;
        points.push(runner.point(MadeKind::Picture, &file_name(file), &picture)?);
        first.get_or_insert(picture);
    }
    if let Some(run) = &args.company.trajectory {
        let last = trajectory(&mut runner, run, &mut points)?;
        first = first.or(last);
    }
    if let Some(folder) = &args.company.others {
        let files = pictures(folder)?;
        if files.is_empty() {
            return Err(Error::NoPictures { place: folder.clone() }.into());
        }
        for file in files {
            match read_framed(&trained.network, &file, args.framing) {
                Ok(picture) => points.push(runner.point(MadeKind::Other, &file_name(&file), &picture)?),
                Err(error) => output::remark(format_args!("left out: {error:#}")),
            }
        }
    }
    let Some(first) = first else { return Ok(points) };
    for n in 0..u64::from(args.company.baselines) {
        let seed = args.seed.wrapping_add(n);
        points.push(runner.point(MadeKind::Noise, &format!("noise {seed}"), &noise_like(&first, seed))?);
        points.push(runner.point(
            MadeKind::Phases,
            &format!("phases {seed}"),
            &random_phases(&first, seed),
        )?);
    }
    Ok(points)
}

fn file_name(file: &Path) -> String {
    file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned()
}

/// Takes the steps of a run again, and adds a point for every few of them and for the last. The last picture.
fn trajectory(runner: &mut PointRunner, run: &Path, points: &mut Vec<MadePoint>) -> Result<Option<Picture>> {
    let (args, trained) = (runner.projection.args, runner.projection.trained);
    let (mut retaken, name) = (RetakenRun::at_start(run, &args.compute)?, file_name(run));
    loop {
        let step = retaken.ascent.step_count();
        if step.is_multiple_of(args.company.every.into()) || step == retaken.steps {
            let picture = retaken.ascent.full_picture();
            let picture = framed(&trained.network, &picture, args.framing.exact)
                .with_context(|| format!("the run {name} cannot be drawn"))?;
            let point = runner.point(MadeKind::Step, &name, &picture)?;
            points.push(MadePoint { step: Some(step), ..point });
            if step == retaken.steps {
                return Ok(Some(picture));
            }
        }
        retaken.step(run)?;
    }
}
