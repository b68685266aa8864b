//! `trepang render`: pictures without a screen, one or a batch of them.

mod batch;
mod events;
mod framing;
mod kept;
mod made_before;

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use trepang_api::{Model, excerpt};
use trepang_weights::Purpose;

use self::events::{DoneEvent, FailedEvent, SeedsEvent, StepEvent};
use self::kept::{KeptPicture, interrupted, saved_as};
use self::made_before::MadeBefore;
use super::drive::{BEFORE_FIRST_STEP, drive, last_words};
use super::room::check_room;
use super::signals::{leave_on_signal, watch_signals};
use super::{output, outputs};
use crate::config::args::{RenderArgs, ReportArgs};
use crate::config::{
    Compute, RenderJob, Usage, check_repeatable, compute_of, find_run, other_computation, pictures_of,
    runs_folder,
};
use crate::engine::{Ascent, Picture, StepReport};
use crate::panics::guard;
use crate::runs::{
    self, Animation, Cell, Evaluation, RunFolder, Session, contact_sheet, evaluate_starts, read_origin,
    read_picture, write_losses, write_picture, write_sheet,
};

/// A render job: ascents with what they begin with, and the places of their pictures.
struct Batch {
    compute: Compute,
    jobs: Vec<RenderJob>,
    /// The run that the only job goes on with, or has begun already.
    resumed: Option<Session>,
    /// The picture that the only job makes again.
    before: Option<MadeBefore>,
}

pub(super) fn run(args: &RenderArgs) -> Result<()> {
    if !outputs::is_stdout(&args.output) {
        return render(args, false);
    }
    // The picture is evaluated as it was saved, so it is a file first.
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let output = folder.path().join("picture.png");
    render(&RenderArgs { output: output.clone(), ..args.clone() }, true)?;
    output::bytes(&fs::read(&output).context("cannot read the picture back")?)
}

/// Makes the pictures. If `to_stdout`, stdout is kept free for the only one.
fn render(args: &RenderArgs, to_stdout: bool) -> Result<()> {
    outputs::check(args)?;
    let runs = match &args.resume {
        Some(_) => PathBuf::new(), // such a run stays where it is
        None => runs_folder(args.runs.as_deref())?,
    };
    let Batch { compute, jobs, mut resumed, before } = prepare(args)?;
    let several = jobs.len() > 1;
    if to_stdout {
        outputs::check_stdout(args, several)?;
    }
    if args.no_clobber {
        outputs::refuse_existing(args, &jobs, to_stdout)?;
    }
    outputs::check_several(args, &jobs)?;
    // All jobs have the same size and recipe.
    jobs.first().map_or(Ok(()), |job| check_room(&job.plan, &compute))?;
    // From here on there is a folder of the run, which a signal must not leave empty.
    let stop = watch_signals();
    match (&mut resumed, &jobs[..]) {
        (Some(session), _) => session.reserve()?,
        (None, [job]) => resumed = Some(begin(&runs, &compute, job)?),
        (None, _) => {}
    }
    let loaded = load(&jobs, &compute, (resumed.as_slice(), &stop));
    let (at_once, mut model) = loaded.inspect_err(|_| resumed.iter_mut().for_each(Session::discard))?;
    watch_signals();
    let mut render = Render {
        args,
        runs: &runs,
        compute: &compute,
        model: model.as_mut(),
        several,
        stop: &stop,
        prints: !to_stdout && !args.report.quiet,
        before,
        done: Vec::new(),
        failed: Vec::new(),
    };
    let mut rest = jobs;
    while !rest.is_empty() {
        let later = rest.split_off(at_once.min(rest.len()));
        render.group(&rest, resumed.take())?;
        rest = later;
    }
    render.finish()
}

/// The number of pictures to make together, and the model. A signal takes the folders of `begun` away and ends the process.
fn load(
    jobs: &[RenderJob],
    compute: &Compute,
    (begun, stop): (&[Session], &AtomicUsize),
) -> Result<(usize, Box<dyn Model>)> {
    leave_on_signal(last_words(begun));
    if stop.load(Ordering::Relaxed) != 0 {
        bail!(BEFORE_FIRST_STEP);
    }
    let model = guard("the backend", || compute.model())?;
    Ok((batch::at_once(jobs, compute, model.as_ref())?, model))
}

/// A new ascent, or one for each channel and seed; the one that made a PNG; or one to go on with.
fn prepare(args: &RenderArgs) -> Result<Batch> {
    if let Some(path) = &args.resume {
        return resume(args, path);
    }
    let mut before = None;
    let (compute, jobs) = if let Some(png) = &args.from {
        let origin = read_origin(png)?;
        check_repeatable(&origin)?;
        before = Some(MadeBefore::read(png, &origin.provenance.trepang)?);
        let jobs = vec![RenderJob::again(&origin, args.init.as_deref(), &args.output)?];
        let compute = compute_of(&origin, &args.compute)?;
        if let Some(difference) = other_computation(&origin, &compute) {
            output::remark(difference);
        }
        (compute, jobs)
    } else {
        let classes =
            args.logit.is_some() || args.objective.as_ref().is_some_and(|text| text.contains("logit"));
        let compute =
            Compute::open(&args.compute, if classes { Purpose::Classes } else { Purpose::Features })?;
        let jobs = RenderJob::from_flags(args, &compute)?;
        (compute, jobs)
    };
    // All jobs have the same size and pictures.
    let first = jobs.first().map(|job| framing::remarks(&job.plan, &job.pictures));
    for remark in first.unwrap_or_default() {
        output::remark(remark);
    }
    Ok(Batch { compute, jobs, resumed: None, before })
}

fn resume(args: &RenderArgs, path: &Path) -> Result<Batch> {
    let (folder, saved) = RunFolder::open_to_resume(&find_run(path, None)?)?;
    let compute = compute_of(&saved.origin, &args.compute)?;
    let plan = &saved.origin.plan;
    // Of the start picture only its score is wanted again: a run goes on without it.
    let pictures = pictures_of(plan, Some(None)).or_else(|_| pictures_of(plan, None))?;
    let provenance = compute.provenance.clone();
    let mut session = Session::resume((folder, saved), compute.network(), &pictures, provenance)?;
    if let Some(steps) = args.steps {
        session.set_steps(steps as usize);
    }
    let ascent = session.ascent();
    if ascent.step_count() > ascent.plan().steps {
        let (taken, asked) = (ascent.step_count(), ascent.plan().steps);
        return Err(Usage(format!("that run has taken {taken} steps; it cannot go back to {asked}")).into());
    }
    let job = RenderJob::with(ascent.plan().clone(), pictures, &args.output);
    Ok(Batch { compute, jobs: vec![job], resumed: Some(session), before: None })
}

/// The run of a job, with a folder of its own.
fn begin(folder: &Path, compute: &Compute, job: &RenderJob) -> runs::Result<Session> {
    let (plan, provenance) = (job.plan.clone(), compute.provenance.clone());
    let mut session = Session::new(plan, compute.network(), &job.pictures, provenance, folder)?;
    session.reserve()?;
    Ok(session)
}

/// The runs of a few jobs. If one cannot begin, no folder of the others stays either.
fn begin_all(folder: &Path, compute: &Compute, jobs: &[RenderJob]) -> runs::Result<Vec<Session>> {
    let mut sessions = Vec::new();
    for job in jobs {
        let begun =
            begin(folder, compute, job).inspect_err(|_| sessions.iter_mut().for_each(Session::discard));
        sessions.push(begun?);
    }
    Ok(sessions)
}

/// The state of `trepang render` while it makes its pictures, and its results.
struct Render<'a> {
    args: &'a RenderArgs,
    /// The folder of all runs.
    runs: &'a Path,
    compute: &'a Compute,
    model: &'a mut dyn Model,
    several: bool,
    /// The number of a signal that asks to stop, or 0.
    stop: &'a AtomicUsize,
    /// Whether results are printed: stdout may be kept free for the picture.
    prints: bool,
    /// The picture that is made again.
    before: Option<MadeBefore>,
    /// The pictures that were made; the pixels are kept if a sheet is wanted.
    done: Vec<(DoneEvent, Option<Picture>)>,
    failed: Vec<String>,
}

impl Render<'_> {
    /// Makes the pictures of a few jobs together.
    fn group(&mut self, jobs: &[RenderJob], resumed: Option<Session>) -> Result<()> {
        watch_signals();
        let mut sessions = match resumed {
            Some(session) => vec![session],
            None => begin_all(self.runs, self.compute, jobs)?,
        };
        let steps = |sessions: &[Session]| sessions.iter().map(|s| s.ascent().step_count()).sum::<usize>();
        let before = steps(&sessions);
        let (json, several) = (self.args.report.json, self.several);
        let progress = progress_bar(&sessions, self.args.report, several.then_some(self.done.len()));
        let mut animation = self.args.gif.as_ref().map(|_| Animation::new());
        if let (Some(animation), [session]) = (&mut animation, &sessions[..]) {
            animation.push(session.ascent().step_count(), || session.ascent().full_picture());
        }
        let on_step = |index: usize, ascent: &Ascent, report: &StepReport| {
            if let Some(animation) = &mut animation {
                animation.push(report.step, || ascent.full_picture());
            }
            on_step(report, ascent, (index, &progress), json.then_some(several))
        };
        let report = drive(&mut sessions, self.model, on_step);
        progress.finish_and_clear();
        let report = report?;
        let steps = steps(&sessions) - before;
        let per_step = (steps > 0).then(|| report.computing.as_secs_f64() / steps as f64);
        let mut made = Vec::new();
        for (index, (session, failure)) in sessions.iter_mut().zip(report.failures).enumerate() {
            if let Some(error) = failure {
                self.fail(session.ascent(), &error)?;
            } else {
                let carries_recipe = self.keep(session, &jobs[index])?;
                made.push((index, carries_recipe));
            }
        }
        // All that the steps gave is written before anything is measured, which may be interrupted.
        if let (Some(path), Some(mut animation), [session]) = (&self.args.gif, animation, &sessions[..]) {
            animation.finish(session.ascent().step_count(), session.ascent().full_picture());
            animation.write(path).map_err(|error| error.advise("--gif"))?;
        }
        let kept = |(index, carries_recipe)| KeptPicture {
            session: &sessions[index],
            job: &jobs[index],
            carries_recipe,
        };
        let kept: Vec<KeptPicture> = made.into_iter().map(kept).collect();
        self.evaluate_all(&kept, per_step)
    }

    fn fail(&mut self, ascent: &Ascent, error: &runs::Error) -> Result<()> {
        let objective = ascent.plan().objective.to_string();
        let what = format!("{}: {}", excerpt(&objective), error.chain());
        if self.args.report.json {
            output::json(&FailedEvent::new(ascent, error))?;
        }
        self.failed.push(what);
        Ok(())
    }

    /// Writes a finished run's picture, and tells whether it carries its recipe.
    fn keep(&self, session: &mut Session, job: &RenderJob) -> Result<bool> {
        let kept = session.save();
        let (ascent, folder) = (session.ascent(), session.folder().unwrap_or(Path::new("")));
        let hint = || match &kept {
            Ok(()) => format!("the run itself is saved in {}", folder.display()),
            Err(error) => format!("the run could not be saved either ({})", error.chain()),
        };
        if job.output != self.args.output {
            outputs::make_folder(&job.output)?;
        }
        let picture = write_picture(&job.output, &ascent.picture(), &session.origin());
        let carries_recipe = picture.map_err(|error| error.advise("-o")).with_context(hint)?;
        if let Some(difference) = self.before.as_ref().and_then(|before| before.difference(&ascent.picture()))
        {
            output::remark(difference);
        }
        if let Some(path) = &self.args.losses {
            let losses = write_losses(path, &ascent.state().losses);
            losses.map_err(|error| error.advise("--losses")).with_context(hint)?;
        }
        kept.with_context(|| format!("the picture is saved as {}, the run is not", job.output.display()))?;
        Ok(carries_recipe)
    }

    /// Evaluates pictures as they were saved, and prints what came of them.
    fn evaluate_all(&mut self, kept: &[KeptPicture], per_step: Option<f64>) -> Result<()> {
        let stop = self.stop;
        let should_stop = || stop.load(Ordering::Relaxed) != 0;
        let runs: Vec<_> = kept.iter().map(|kept| (kept.session, &kept.job.pictures)).collect();
        let starts = evaluate_starts(&runs, self.compute.network(), self.model, &should_stop)
            .with_context(|| saved_as(kept))?
            .with_context(|| interrupted(kept))?;
        for (one, start) in kept.iter().zip(starts) {
            let KeptPicture { session, job, .. } = one;
            let saved = read_picture(&job.output)?;
            let network = self.compute.network();
            let evaluation = session
                .evaluate(&saved, network, &job.pictures, self.model, &should_stop)
                .with_context(|| saved_as(kept))?
                .with_context(|| interrupted(kept))?;
            session.note_score(evaluation.score).with_context(|| saved_as(kept))?;
            let evaluation = Evaluation { saved: evaluation, start };
            let done = DoneEvent::new(one, self.compute, evaluation, per_step)?;
            if self.prints {
                done.print(self.args.report.json).with_context(|| saved_as(kept))?;
            }
            self.done.push((done, self.args.sheet.is_some().then_some(saved)));
        }
        Ok(())
    }

    /// The sheet, the spread over seeds, and what failed.
    fn finish(self) -> Result<()> {
        if let Some(path) = &self.args.sheet {
            let cell = |(done, picture): &(DoneEvent, Option<Picture>)| {
                let picture = picture.clone()?;
                Some(Cell { picture, label: done.label() })
            };
            let cells: Vec<Cell> = self.done.iter().filter_map(cell).collect();
            write_sheet(path, &contact_sheet(&cells, None)).map_err(|error| error.advise("--sheet"))?;
            if !self.args.report.json && self.prints {
                output::line(format_args!("the sheet is {}", path.display()))?;
            }
        }
        if self.args.seeds > 1 && self.prints {
            let all: Vec<DoneEvent> = self.done.into_iter().map(|(done, _)| done).collect();
            SeedsEvent::of(&all).iter().try_for_each(|seeds| seeds.print(self.args.report.json))?;
        }
        match &self.failed[..] {
            [] => Ok(()),
            failed => bail!("{} of the pictures could not be made: {}", failed.len(), failed.join("; ")),
        }
    }
}

/// On stderr, and only if that is a terminal.
fn progress_bar(sessions: &[Session], report: ReportArgs, batch: Option<usize>) -> ProgressBar {
    if report.quiet || report.json && io::stdout().is_terminal() || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let steps =
        |count: fn(&Ascent) -> usize| sessions.iter().map(|s| count(s.ascent())).max().unwrap_or(0) as u64;
    let bar = ProgressBar::with_draw_target(
        Some(steps(|ascent| ascent.plan().steps)),
        ProgressDrawTarget::stderr(),
    );
    let template = match batch {
        None => "{bar:40} {pos}/{len} steps, {per_sec}, {eta} left, loss {msg}".to_owned(),
        Some(done) => {
            format!(
                "pictures {} to {}: {{bar:30}} {{pos}}/{{len}} steps, {{eta}} left",
                done + 1,
                done + sessions.len()
            )
        }
    };
    bar.set_style(ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.with_position(steps(Ascent::step_count))
}

/// `json` decides whether steps are printed, and whether each names its run.
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
