//! `trepang render`: one picture, without a screen.

use std::io::{self, IsTerminal};
use std::path::Path;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use trepang_api::{Array, Model, Network};
use trepang_weights::Want;

use super::drive::drive;
use super::{output, outputs};
use crate::config::args::RenderArgs;
use crate::config::{Compute, Job, Usage, check_repeatable, compute_of};
use crate::engine::{Ascent, Objective, Picture, StepReport};
use crate::panics::guard;
use crate::runs::{
    Origin, RunFolder, advise, default_folder, read_origin, read_picture, write_losses, write_picture,
};

/// The last line of `--json`.
#[derive(Debug, Serialize)]
struct Done {
    event: &'static str,
    network: String,
    layer: Option<String>,
    channel: Option<usize>,
    objective: String,
    recipe: String,
    backend: String,
    device: String,
    threads: usize,
    seed: u64,
    steps: usize,
    size: usize,
    loss_first: Option<f64>,
    loss_last: Option<f64>,
    /// The objective on a clean pass of the PNG, read back from disk.
    activation_saved: f64,
    /// Share of the PNG's values at 0 or 255.
    saturated: f64,
    seconds_per_step: Option<f64>,
    output: String,
    run: String,
}

#[derive(Serialize)]
struct StepEvent {
    event: &'static str,
    step: usize,
    loss: f64,
}

pub(super) fn run(args: &RenderArgs) -> Result<()> {
    outputs::check(args)?;
    let (compute, mut ascent, folder) = prepare(args)?;
    let model = guard("the backend", || compute.model());
    let mut model = model.inspect_err(|_| folder.discard())?;
    let before = ascent.step_count();
    let progress = progress_bar(&ascent, args.json);
    let seconds = drive(&mut ascent, model.as_mut(), &folder, |report| on_step(report, &progress, args.json));
    progress.finish_and_clear();
    let seconds = seconds?;

    let origin = folder.origin(&ascent);
    let kept = folder.save(&ascent);
    let hint = || match &kept {
        Ok(()) => format!("the run itself is saved in {}", folder.path().display()),
        Err(error) => format!("the run could not be saved either ({error:#})"),
    };
    let picture = write_picture(&args.output, &ascent.picture(), &origin);
    picture.map_err(|error| advise(error, "-o")).with_context(hint)?;
    if let Some(path) = &args.losses {
        let losses = write_losses(path, &ascent.state().losses);
        losses.map_err(|error| advise(error, "--losses")).with_context(hint)?;
    }
    kept.with_context(|| format!("the picture is saved as {}, the run is not", args.output.display()))?;
    let steps = ascent.step_count() - before;
    let per_step = (steps > 0).then(|| seconds / steps as f64);
    guard("the backend", || {
        let done = done(args, &compute, &ascent, &folder, model.as_mut(), per_step)?;
        report(&done, args.json)
    })
    .with_context(|| format!("the picture is saved as {}", args.output.display()))
}

/// A new ascent, the one that made a PNG, or one to go on with; each with its folder.
fn prepare(args: &RenderArgs) -> Result<(Compute, Ascent, RunFolder)> {
    let parent = args.runs.clone().unwrap_or_else(default_folder);
    if let Some(path) = &args.resume {
        return resume(args, path);
    }
    let (compute, job) = match &args.from {
        Some(png) => {
            let origin = read_origin(png)?;
            check_repeatable(&origin)?;
            (compute_of(&origin, &args.compute)?, Job::again(&origin, args.init.as_deref())?)
        }
        None => {
            let want = if args.logit.is_some() { Want::Classes } else { Want::Features };
            let compute = Compute::open(&args.compute, want)?;
            let job = Job::from_flags(args, &compute)?;
            (compute, job)
        }
    };
    let ascent = Ascent::new(job.plan, compute.network(), job.picture.as_ref())?;
    let origin = Origin::new(ascent.plan().clone(), compute.provenance.clone());
    let folder = RunFolder::create(&parent, &origin)?;
    Ok((compute, ascent, folder))
}

fn resume(args: &RenderArgs, path: &Path) -> Result<(Compute, Ascent, RunFolder)> {
    let (mut folder, progress) = RunFolder::open(path)?;
    let compute = compute_of(&progress.origin, &args.compute)?;
    folder.go_on(progress.state.losses.len(), compute.provenance.clone());
    let mut ascent = Ascent::resume(progress.origin.plan, compute.network(), progress.state)?;
    if let Some(steps) = args.steps {
        ascent.set_steps(steps as usize);
    }
    if ascent.step_count() > ascent.plan().steps {
        let (taken, asked) = (ascent.step_count(), ascent.plan().steps);
        return Err(Usage(format!("that run has taken {taken} steps; it cannot go back to {asked}")).into());
    }
    Ok((compute, ascent, folder))
}

/// On stderr, and only if that is a terminal.
fn progress_bar(ascent: &Ascent, json: bool) -> ProgressBar {
    if json && io::stdout().is_terminal() || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(ascent.plan().steps as u64), ProgressDrawTarget::stderr());
    let template = "{bar:40} {pos}/{len} steps, {per_sec}, {eta} left, loss {msg}";
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.with_position(ascent.step_count() as u64)
}

fn on_step(report: &StepReport, progress: &ProgressBar, json: bool) -> Result<()> {
    progress.inc(1);
    progress.set_message(format!("{:.4}", report.loss));
    match json {
        true => output::json(&StepEvent { event: "step", step: report.step, loss: report.loss }),
        false => Ok(()),
    }
}

fn done(
    args: &RenderArgs,
    compute: &Compute,
    ascent: &Ascent,
    folder: &RunFolder,
    model: &mut dyn Model,
    seconds_per_step: Option<f64>,
) -> Result<Done> {
    let plan = ascent.plan();
    let saved = read_picture(&args.output)?;
    let (layer, channel) = target(&plan.objective, compute.network(), plan.size)?;
    Ok(Done {
        event: "done",
        network: compute.provenance.network.clone(),
        layer,
        channel,
        objective: plan.objective.to_string(),
        recipe: plan.recipe.name.clone(),
        backend: compute.provenance.backend.clone(),
        device: compute.provenance.device.clone(),
        threads: compute.provenance.threads,
        seed: plan.seed,
        steps: ascent.step_count(),
        size: plan.size,
        loss_first: ascent.state().losses.first().copied(),
        loss_last: ascent.state().losses.last().copied(),
        activation_saved: clean_activation(&plan.objective, &saved, compute.network(), model)?,
        saturated: saved.saturated(),
        seconds_per_step,
        output: args.output.display().to_string(),
        run: folder.path().display().to_string(),
    })
}

/// The layer and the channel of an objective that has one of each. A logit's are its classifier and its class.
fn target(objective: &Objective, network: &Network, size: usize) -> Result<(Option<String>, Option<usize>)> {
    let channel = match objective {
        Objective::Channel { channel, .. } | Objective::Neuron { channel, .. } => *channel,
        Objective::Logit { class } => *class,
        _ => return Ok((None, None)),
    };
    let bound = objective.bind(network, size)?;
    let node = bound.at().first().map(|&layer| network.node(layer)).transpose()?;
    Ok((node.map(|node| node.name.clone()), Some(channel)))
}

/// The objective on the picture as any viewer would load it: RGB bytes over 255.
fn clean_activation(
    objective: &Objective,
    picture: &Picture,
    network: &Network,
    model: &mut dyn Model,
) -> Result<f64> {
    let Picture { width, height, rgb } = picture;
    let planes = (0..3).flat_map(|c| rgb.iter().skip(c).step_by(3).map(|&byte| f32::from(byte) / 255.0));
    let image = Array::new([1, 3, *height, *width], planes.collect())?;
    Ok(objective.bind(network, *width)?.evaluate(&image, model)?)
}

fn report(done: &Done, json: bool) -> Result<()> {
    if json {
        return output::json(done);
    }
    let loss = |loss: Option<f64>| loss.map_or("-".into(), |loss| format!("{loss:.4}"));
    let (first, last) = (loss(done.loss_first), loss(done.loss_last));
    output::line(format_args!("{}: {first} to {last} in {} steps", done.objective, done.steps))?;
    output::line(format_args!(
        "saved {}: {:.4} on the saved picture, {:.1} % of its values saturated",
        done.output,
        done.activation_saved,
        100.0 * done.saturated
    ))?;
    output::line(format_args!("the run is in {}", done.run))
}

#[cfg(test)]
mod tests {
    use super::*;
    use trepang_api::{InputSize, NetworkBuilder, Op, Preprocess};

    #[test]
    fn a_logit_is_of_the_classifier_whatever_that_is_called() {
        let size = InputSize { native: 8, min: 4, multiple: 4 };
        let mut b = NetworkBuilder::new("tiny", size, Preprocess::minus_one_to_one());
        let mean = b.add("mean", Op::GlobalAverage, &[NetworkBuilder::FIRST]);
        b.linear("head.fc", 3, 5, mean);
        let network = b.finish().unwrap();
        let found = |objective: Objective| target(&objective, &network, 8).unwrap();
        assert_eq!(found(Objective::Logit { class: 4 }), (Some("head.fc".into()), Some(4)));
        assert_eq!(found(Objective::channel("mean", 2)), (Some("mean".into()), Some(2)));
        assert_eq!(found(Objective::Layer { layer: "mean".into() }), (None, None));
    }
}
