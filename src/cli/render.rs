//! `trepang render`: pictures without a screen, one or a batch of them.

mod events;
mod honest;

use std::io::{self, IsTerminal};
use std::path::Path;

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use trepang_api::Model;
use trepang_weights::Purpose;

use self::events::{Done, Seeds, StepEvent};
use super::drive::{Run, drive};
use super::{output, outputs};
use crate::config::args::RenderArgs;
use crate::config::{Compute, RenderJob, Usage, check_repeatable, compute_of, pictures_of};
use crate::engine::{Ascent, Picture, StepReport};
use crate::panics::guard;
use crate::runs::{
    Animation, Cell, Origin, RunFolder, advise, contact_sheet, default_folder, read_origin, read_picture,
    write_losses, write_picture, write_sheet,
};

/// Views that go through the network at once: beyond it a batch is no faster, and takes memory.
const AT_ONCE: usize = 8;

/// What is to be made: ascents with what they begin with, and where their pictures go.
struct Batch {
    compute: Compute,
    jobs: Vec<RenderJob>,
    /// A run that goes on, in place of the only job's start.
    resumed: Option<Run>,
}

pub(super) fn run(args: &RenderArgs) -> Result<()> {
    outputs::check(args)?;
    let Batch { compute, jobs, mut resumed } = prepare(args)?;
    let several = jobs.len() > 1;
    outputs::check_several(args, several)?;
    if let (None, [job]) = (&resumed, &jobs[..]) {
        resumed = Some(begin(args, &compute, job)?);
    }
    let fresh = resumed.as_ref().map(|run| run.folder.clone());
    let model = guard("the backend", || compute.model());
    let mut model = model.inspect_err(|_| fresh.iter().for_each(RunFolder::discard))?;
    let mut render = Render {
        args,
        compute: &compute,
        model: model.as_mut(),
        several,
        done: Vec::new(),
        failed: Vec::new(),
    };
    let mut rest = jobs;
    while !rest.is_empty() {
        let views = rest[0].plan.recipe.views * rest[0].plan.recipe.images;
        let later = rest.split_off((AT_ONCE / views).clamp(1, rest.len()));
        render.group(&rest, resumed.take())?;
        rest = later;
    }
    render.finish()
}

/// A new ascent, or one for each channel and seed; the one that made a PNG; or one to go on with.
fn prepare(args: &RenderArgs) -> Result<Batch> {
    if let Some(path) = &args.resume {
        return resume(args, path);
    }
    let (compute, jobs) = match &args.from {
        Some(png) => {
            let origin = read_origin(png)?;
            check_repeatable(&origin)?;
            (
                compute_of(&origin, &args.compute)?,
                vec![RenderJob::again(&origin, args.init.as_deref(), &args.output)?],
            )
        }
        None => {
            let classes =
                args.logit.is_some() || args.objective.as_ref().is_some_and(|text| text.contains("logit"));
            let compute =
                Compute::open(&args.compute, if classes { Purpose::Classes } else { Purpose::Features })?;
            let jobs = RenderJob::from_flags(args, &compute)?;
            (compute, jobs)
        }
    };
    Ok(Batch { compute, jobs, resumed: None })
}

fn resume(args: &RenderArgs, path: &Path) -> Result<Batch> {
    let (mut folder, progress) = RunFolder::open(path)?;
    let compute = compute_of(&progress.origin, &args.compute)?;
    folder.go_on(progress.state.losses.len(), compute.provenance.clone());
    let plan = progress.origin.plan;
    // Of the start only its worth is wanted again: a run goes on without it.
    let pictures = pictures_of(&plan, Some(None)).or_else(|_| pictures_of(&plan, None))?;
    let mut ascent = Ascent::resume(plan, compute.network(), progress.state, &pictures)?;
    if let Some(steps) = args.steps {
        ascent.set_steps(steps as usize);
    }
    if ascent.step_count() > ascent.plan().steps {
        let (taken, asked) = (ascent.step_count(), ascent.plan().steps);
        return Err(Usage(format!("that run has taken {taken} steps; it cannot go back to {asked}")).into());
    }
    let job = RenderJob { plan: ascent.plan().clone(), pictures, output: args.output.clone() };
    Ok(Batch { compute, jobs: vec![job], resumed: Some(Run::new(ascent, folder)) })
}

/// The ascent of a job, with a folder of its own.
fn begin(args: &RenderArgs, compute: &Compute, job: &RenderJob) -> Result<Run> {
    let ascent = Ascent::new(job.plan.clone(), compute.network(), &job.pictures)?;
    let origin = Origin::new(job.plan.clone(), compute.provenance.clone());
    let folder = RunFolder::create(&args.runs.clone().unwrap_or_else(default_folder), &origin)?;
    Ok(Run::new(ascent, folder))
}

/// Batches on their way.
struct Render<'a> {
    args: &'a RenderArgs,
    compute: &'a Compute,
    model: &'a mut dyn Model,
    several: bool,
    /// What was made, with its picture if a sheet is wanted.
    done: Vec<(Done, Option<Picture>)>,
    failed: Vec<String>,
}

impl Render<'_> {
    /// Makes the pictures of a few jobs together.
    fn group(&mut self, jobs: &[RenderJob], resumed: Option<Run>) -> Result<()> {
        let mut runs = match resumed {
            Some(run) => vec![run],
            None => jobs.iter().map(|job| begin(self.args, self.compute, job)).collect::<Result<_>>()?,
        };
        let before: Vec<usize> = runs.iter().map(|run| run.ascent.step_count()).collect();
        let (json, several) = (self.args.json, self.several);
        let progress = progress_bar(&runs, json, several.then_some(self.done.len()));
        let mut animation = self.args.gif.as_ref().map(|_| Animation::new());
        if let (Some(animation), [run]) = (&mut animation, &runs[..]) {
            animation.push(run.ascent.step_count(), || grown(&run.ascent));
        }
        let on_step = |index: usize, ascent: &Ascent, report: &StepReport| {
            if let Some(animation) = &mut animation {
                animation.push(report.step, || grown(ascent));
            }
            on_step(report, ascent, (index, &progress), json.then_some(several))
        };
        let seconds = drive(&mut runs, self.model, on_step);
        progress.finish_and_clear();
        let seconds = seconds?;
        let steps: usize =
            runs.iter().zip(&before).map(|(run, before)| run.ascent.step_count() - before).sum();
        let per_step = (steps > 0).then(|| seconds / steps as f64);
        for (run, job) in runs.iter_mut().zip(jobs) {
            match run.failure.take() {
                Some(error) => self.fail(run, &error)?,
                None => self.keep(run, job, per_step)?,
            }
        }
        if let (Some(path), Some(mut animation), [run]) = (&self.args.gif, animation, &runs[..]) {
            animation.finish(run.ascent.step_count(), grown(&run.ascent));
            animation.write(path).map_err(|error| advise(error, "--gif"))?;
        }
        Ok(())
    }

    fn fail(&mut self, run: &Run, error: &anyhow::Error) -> Result<()> {
        let what = format!("{}: {error:#}", run.ascent.plan().objective);
        if self.args.json {
            output::json(&events::Failed::new(&run.ascent, error))?;
        }
        self.failed.push(what);
        Ok(())
    }

    /// Writes a finished run's picture and tells what came of it.
    fn keep(&mut self, run: &Run, job: &RenderJob, per_step: Option<f64>) -> Result<()> {
        let Run { ascent, folder, .. } = run;
        let origin = folder.origin(ascent);
        let kept = folder.save(ascent);
        let hint = || match &kept {
            Ok(()) => format!("the run itself is saved in {}", folder.path().display()),
            Err(error) => format!("the run could not be saved either ({error:#})"),
        };
        if self.several {
            outputs::make_folder(&job.output)?;
        }
        let picture = write_picture(&job.output, &ascent.picture(), &origin);
        picture.map_err(|error| advise(error, "-o")).with_context(hint)?;
        if let Some(path) = &self.args.losses {
            let losses = write_losses(path, &ascent.state().losses);
            losses.map_err(|error| advise(error, "--losses")).with_context(hint)?;
        }
        kept.with_context(|| format!("the picture is saved as {}, the run is not", job.output.display()))?;
        let (done, saved) = guard("the backend", || {
            let saved = read_picture(&job.output)?;
            let done = self.done(ascent, folder, job, &saved, per_step)?;
            done.tell(self.args.json)?;
            Ok((done, saved))
        })
        .with_context(|| format!("the picture is saved as {}", job.output.display()))?;
        self.done.push((done, self.args.sheet.is_some().then_some(saved)));
        Ok(())
    }

    fn done(
        &mut self,
        ascent: &Ascent,
        folder: &RunFolder,
        job: &RenderJob,
        saved: &Picture,
        per_step: Option<f64>,
    ) -> Result<Done> {
        let network = self.compute.network();
        let start = Ascent::start_picture(&job.plan, network, &job.pictures).ok();
        let honest = honest::measure(ascent, network, &job.pictures, (saved, start.as_ref()), self.model)?;
        let place = (job.output.as_path(), folder.path());
        Done::new(ascent, self.compute, honest, place, per_step)
    }

    /// The sheet, the spread over seeds, and what failed.
    fn finish(self) -> Result<()> {
        if let Some(path) = &self.args.sheet {
            let cell = |(done, picture): &(Done, Option<Picture>)| {
                let picture = picture.clone()?;
                Some(Cell { picture, label: done.label() })
            };
            let cells: Vec<Cell> = self.done.iter().filter_map(cell).collect();
            write_sheet(path, &contact_sheet(&cells, None)).map_err(|error| advise(error, "--sheet"))?;
            if !self.args.json {
                output::line(format_args!("the sheet is {}", path.display()))?;
            }
        }
        if self.args.seeds > 1 {
            let all: Vec<Done> = self.done.into_iter().map(|(done, _)| done).collect();
            Seeds::of(&all).iter().try_for_each(|seeds| seeds.tell(self.args.json))?;
        }
        match &self.failed[..] {
            [] => Ok(()),
            failed => bail!("{} of the pictures could not be made: {}", failed.len(), failed.join("; ")),
        }
    }
}

/// The picture at its full size: that of an early octave is smaller, and frames are all of one size.
fn grown(ascent: &Ascent) -> Picture {
    ascent.picture().resized(ascent.plan().size)
}

/// On stderr, and only if that is a terminal.
fn progress_bar(runs: &[Run], json: bool, batch: Option<usize>) -> ProgressBar {
    if json && io::stdout().is_terminal() || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let steps = |count: fn(&Run) -> usize| runs.iter().map(count).max().unwrap_or(0) as u64;
    let bar = ProgressBar::with_draw_target(
        Some(steps(|run| run.ascent.plan().steps)),
        ProgressDrawTarget::stderr(),
    );
    let template = match batch {
        None => "{bar:40} {pos}/{len} steps, {per_sec}, {eta} left, loss {msg}".to_owned(),
        Some(done) => {
            format!(
                "pictures {} to {}: {{bar:30}} {{pos}}/{{len}} steps, {{eta}} left",
                done + 1,
                done + runs.len()
            )
        }
    };
    bar.set_style(ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.with_position(steps(|run| run.ascent.step_count()))
}

/// `json` tells whether steps are printed, and then whether with what they are of.
fn on_step(
    report: &StepReport,
    ascent: &Ascent,
    (index, progress): (usize, &ProgressBar),
    json: Option<bool>,
) -> Result<()> {
    if index == 0 {
        progress.set_position(report.step as u64);
        progress.set_message(format!("{:.4}", report.loss));
    }
    match json {
        Some(several) => output::json(&StepEvent::new(report, ascent.plan(), several)),
        None => Ok(()),
    }
}
