//! `trepang` without a subcommand: the dashboard, or the same ascent in plain lines where no terminal is.

mod networks;

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result, bail};
use trepang_api::Backend;
use trepang_weights::Purpose;

use self::networks::{Library, subject};
use super::drive::{Run, drive, noted_signal, stop_signal};
use super::output;
use crate::app::{Command, Settings, Snapshot, State, Status};
use crate::config::args::{DashboardArgs, ImageProtocol};
use crate::config::{Compute, Usage, find_layer, find_recipe, thread_count};
use crate::engine::{Ascent, Pictures};
use crate::panics::guard;
use crate::runs::{Origin, RunFolder, default_folder};
use crate::ui::{Ending, Protocol, Screen, run as run_loop};
use crate::worker::{Setup, Worker};

/// Where what libraries print goes while the dashboard is up, inside the folder of the runs.
const LOG: &str = "trepang.log";

pub(super) fn run(args: &DashboardArgs) -> Result<()> {
    let compute = Compute::open(&args.compute, Purpose::Features)?;
    let state = initial_state(args, &compute)?;
    // A plan that does not fit is told before the screen is taken over.
    let ascent = Ascent::new(state.plan(), compute.network(), &Pictures::new())?;
    let runs = args.runs.clone().unwrap_or_else(default_folder);
    match io::stdout().is_terminal() && io::stdin().is_terminal() {
        true => on_screen(args, state, compute, &runs),
        false => in_lines(ascent, &compute, &runs),
    }
}

/// The dashboard's state with the cursor where the flags say, or on the network's first look.
fn initial_state(args: &DashboardArgs, compute: &Compute) -> Result<State> {
    let (network, provenance) = (compute.network(), &compute.provenance);
    let recipe = find_recipe(&args.recipe, &args.set)?;
    if recipe.wants_picture() {
        let name = &recipe.name;
        return Err(Usage(format!(
            "the recipe {name} begins with a picture: trepang render --recipe {name} --init FILE"
        ))
        .into());
    }
    let size = network.input().native;
    let settings = Settings { size, seed: 0, steps: recipe.steps, recipe };
    let (first_layer, first_channel) = compute.trained.first_look;
    let subject = subject(network, &compute.trained.labels, compute.trained.first_look, provenance)?;
    // By its own name, also where another framework's was typed.
    let layer =
        network.node(find_layer(network, args.layer.as_deref().unwrap_or(first_layer))?)?.name.as_str();
    let mut state = State::new(subject.info, subject.layers, subject.classes, settings);
    state.pre = layer.ends_with(":pre");
    let name = layer.strip_suffix(":pre").unwrap_or(layer);
    let place = state.layers.iter().position(|layer| layer.name == name);
    state.layer = place.with_context(|| format!("{layer} is not among the layers that can be shown"))?;
    state.channel = args.channel.unwrap_or(if args.layer.is_none() { first_channel } else { 0 });
    Ok(state)
}

fn on_screen(args: &DashboardArgs, mut state: State, compute: Compute, runs: &Path) -> Result<()> {
    let signal = noted_signal()?;
    let worker = spawn(compute, thread_count(args.compute.threads), runs)?;
    worker.send(Command::Start(Box::new(state.plan())));
    worker.send(Command::ListNetworks);
    let log = runs.join(LOG);
    supervise(worker, |worker| {
        let mut screen = Screen::enter(protocol(args.image_protocol), &log)?;
        let ending = run_loop(&mut state, worker, &mut screen, &signal);
        match signal.load(Ordering::Relaxed) {
            0 => ending,
            // What failed because the terminal has gone is no error of its own.
            _ => Ok(Ending::Signal),
        }
    })
}

/// The worker with the first network, and with all others; other backends than the first are given `threads`.
fn spawn(compute: Compute, threads: usize, runs: &Path) -> Result<Worker> {
    let Compute { trained, backend, device, provenance } = compute;
    let setup = Setup {
        network: trained.network.clone(),
        labels: trained.labels.clone(),
        provenance,
        runs: runs.into(),
    };
    let backend: Arc<dyn Backend> = backend.into();
    let library = Library::new(Arc::clone(&backend), device.clone(), threads);
    // The weights go with the closure: the model has what it needs of them.
    let load = move || Ok(backend.load(&trained.network, &trained.weights, &device)?);
    Worker::spawn(setup, load, Box::new(library))
}

/// Runs the dashboard over the worker. However it ends, by a panic too, the worker then saves its run, and the
/// user is told where.
fn supervise(worker: Worker, dashboard: impl FnOnce(&Worker) -> Result<Ending>) -> Result<()> {
    let ending = guard("the dashboard", || dashboard(&worker));
    // The terminal is the shell's again: from here on, who will not wait need not.
    let _ = stop_signal();
    let last = worker.finish();
    match ending {
        Ok(Ending::Quit) => farewell(&last),
        Ok(Ending::Signal) => bail!("the dashboard was interrupted; {}", outcome(&last)),
        Err(error) => bail!("{error:#}; {}", outcome(&last)),
    }
}

fn protocol(choice: ImageProtocol) -> Option<Protocol> {
    match choice {
        ImageProtocol::Auto => None,
        ImageProtocol::Kitty => Some(Protocol::Kitty),
        ImageProtocol::Sixel => Some(Protocol::Sixel),
        ImageProtocol::Iterm2 => Some(Protocol::Iterm2),
        ImageProtocol::Halfblocks => Some(Protocol::Halfblocks),
        ImageProtocol::None => Some(Protocol::None),
    }
}

/// What the user should know after quitting: where the run is, or every run that could not be kept.
fn farewell(last: &Snapshot) -> Result<()> {
    match &last.status {
        Status::Broken(message) => bail!("{message}; {}", outcome(last)),
        _ if !last.failures.is_empty() => bail!("{}", outcome(last)),
        _ => last.notice.iter().try_for_each(output::line),
    }
}

/// What became of the runs: what could not be saved, and the last thing told.
fn outcome(last: &Snapshot) -> String {
    let failures = last.failures.iter().map(|failure| &failure.text);
    let notice = last.notice.iter().filter(|notice| last.failures.iter().all(|f| f.text != **notice));
    let told: Vec<&str> = failures.chain(notice).map(|text| &**text).collect();
    if told.is_empty() { "no run was in progress".into() } else { told.join("; ") }
}

/// The same ascent without a screen.
fn in_lines(ascent: Ascent, compute: &Compute, runs: &Path) -> Result<()> {
    let origin = Origin::new(ascent.plan().clone(), compute.provenance.clone());
    let mut model = guard("the backend", || compute.model())?;
    let folder = RunFolder::create(runs, &origin)?;
    let (steps, name) = (ascent.plan().steps, &compute.provenance.network);
    output::line(format_args!(
        "{name}: {} by the recipe {}",
        origin.plan.objective, origin.plan.recipe.name
    ))?;
    let every = (steps / 16).max(1);
    let mut run = [Run::new(ascent, folder)];
    drive(&mut run, model.as_mut(), |_, _, report| {
        if report.step == 1 || report.step.is_multiple_of(every) {
            output::line(format_args!("step {:>5} of {steps}  loss {:.4}", report.step, report.loss))?;
        }
        Ok(())
    })?;
    let [Run { ascent, folder, .. }] = &run;
    folder.save(ascent)?;
    output::line(format_args!("the picture is {}", folder.path().join("image.png").display()))?;
    let missing = if io::stdout().is_terminal() { "stdin" } else { "stdout" };
    output::line(format_args!(
        "{missing} is no terminal, so this was plain text; in a terminal, trepang shows the dashboard"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::UnsavedRun;
    use crate::config::args::ComputeArgs;

    #[test]
    fn every_run_that_could_not_be_saved_is_told_at_the_end() {
        let failure = |run, text: &str| UnsavedRun { run, text: text.into() };
        let last = |failures, notice: &str| Snapshot {
            failures,
            notice: Some(notice.into()),
            status: Status::Finished,
            ..Snapshot::default()
        };
        let lost = vec![failure(1, "one could not be saved"), failure(3, "three could not be saved")];
        let told = farewell(&last(lost.clone(), "saved in here")).unwrap_err().to_string();
        assert_eq!(told, "one could not be saved; three could not be saved; saved in here");
        let told = farewell(&last(lost, "three could not be saved")).unwrap_err().to_string();
        assert_eq!(told, "one could not be saved; three could not be saved");
        // A notice is for reading: what it says does not decide how the program ends.
        assert!(farewell(&last(Vec::new(), "a run could not be saved, but was later")).is_ok());
    }

    #[test]
    fn a_panic_in_the_dashboard_still_saves_the_run_and_says_where() {
        let runs = tempfile::tempdir().unwrap();
        let compute = Compute::open(&ComputeArgs::default(), Purpose::Features).unwrap();
        let recipe = find_recipe("pixel", &[]).unwrap();
        let objective = crate::engine::Objective::channel("block1_conv1", 0);
        let plan =
            crate::engine::Plan { steps: 1_000_000, ..crate::engine::Plan::new(objective, recipe, 32) };
        let worker = spawn(compute, 2, runs.path()).unwrap();
        worker.send(Command::Start(Box::new(plan)));
        let error = supervise(worker, |worker| {
            while worker.snapshot().run.as_ref().is_none_or(|run| run.step < 3) {
                assert!(!matches!(worker.snapshot().status, Status::Broken(_)));
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            panic!("drawn outside the screen")
        })
        .unwrap_err()
        .to_string();
        let place = runs.path().join("minivgg-channel-block1_conv1-0-pixel-seed0");
        assert_eq!(
            error,
            format!("the dashboard panicked: drawn outside the screen; saved in {}", place.display())
        );
        assert!(RunFolder::open(&place).unwrap().1.state.losses.len() >= 3);
    }
}
