//! A dashboard's work that goes on without a screen: the process that takes it over, and how it is handed over. A shell waits for
//! the process that it started, so another one goes on, from what was saved.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use trepang_weights::Purpose;

use super::{DraftsAt, UNSEEN_INTERVAL, go_on_unseen, greeting, initial_state, spawn, supervise};
use crate::cli::output;
use crate::cli::signals::watch_signals;
use crate::config::args::{ComputeArgs, DashboardArgs};
use crate::config::{Compute, Socket, runs_folder};
use crate::dashboard::State;
use crate::runs::{LOG, RunOwner, owner};
use crate::ui::Ending;
use crate::worker::protocol::{Action, ChannelQueue, SavedRunAction, Snapshot, Status};

/// The longest wait for the other process to take the run over: it loads the network first.
const PATIENCE: Duration = Duration::from_secs(120);

/// The interval at which is looked whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The work that another process takes over.
#[derive(Debug, Serialize, Deserialize)]
struct Handover {
    /// The name of the run's folder.
    run: String,
    /// The channels that come after it.
    queue: Option<ChannelQueue>,
}

/// Hands what the last snapshot tells of over to a process without a screen, and says which. Nothing is handed over where nothing
/// was going on.
pub(super) fn hand_over(args: &ComputeArgs, state: &State, runs: &Path, last: &Snapshot) -> Result<()> {
    let folder = last.run.as_ref().and_then(|run| run.folder.clone());
    let going = matches!(last.status, Status::Running | Status::Paused);
    let Some(folder) = folder.filter(|_| going) else {
        return last.notice.iter().try_for_each(output::line);
    };
    let run = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let work = Handover { run, queue: last.queue_left.clone() };
    let log = runs.join(LOG);
    let failed =
        || format!("no process without a screen was started; the run is saved in {}", folder.display());
    let mut child = start(args, state, runs, &log).with_context(failed)?;
    let to = child.stdin.take().context("it has no stdin").with_context(failed)?;
    serde_json::to_writer(to, &work).with_context(failed)?;
    let process = child.id();
    let begun = Instant::now();
    while owner(&folder).is_none_or(|owner| owner != RunOwner { process, ..RunOwner::here() }) {
        if child.try_wait()?.is_some() || begun.elapsed() > PATIENCE {
            bail!("{}: see {}", failed(), log.display());
        }
        thread::sleep(LOOK_EVERY);
    }
    output::line(format_args!(
        "it goes on without a screen, in process {process}; come back with: trepang attach {process}"
    ))
}

/// Starts the process with the network, backend and device that are in use now.
fn start(args: &ComputeArgs, state: &State, runs: &Path, log: &Path) -> Result<Child> {
    let network = &state.network;
    let is_first = args.weights.is_some() && network.weights.is_some();
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--without-screen", "--backend", &network.backend, "--device", &network.device]);
    command.args(["--threads", &network.threads.to_string()]);
    let name = args.network.as_ref().filter(|_| is_first);
    let own = network.weights.as_ref().filter(|_| !is_first);
    command.arg("--network").arg(name.or(own).unwrap_or(&network.name));
    if let Some(weights) = args.weights.as_ref().filter(|_| is_first) {
        command.arg("--weights").arg(weights);
        command.args(args.pick.iter().flat_map(|pick| ["--pick", pick]));
    }
    if let Some(labels) = &args.labels {
        command.arg("--labels").arg(labels);
    }
    command.arg("--runs").arg(runs);
    let log = OpenOptions::new().create(true).append(true).open(log)?;
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
    Ok(command.spawn()?)
}

/// Takes the work over that is on stdin, and goes on with it until it is done and nobody looks on.
pub(super) fn go_on(args: &DashboardArgs) -> Result<()> {
    let Handover { run, queue } = serde_json::from_reader(io::stdin().lock())
        .context("--without-screen takes over what a dashboard hands it; it is not for typing")?;
    // What the terminal's keys and its end signal is not for this process.
    let _ = rustix::process::setsid();
    let compute = Compute::open(&args.compute, Purpose::Features)?;
    let (state, _) = initial_state(args, &compute)?;
    let runs = runs_folder(args.runs.as_deref())?;
    let signal = watch_signals();
    let store = DraftsAt::Cache.store();
    let greeting = greeting(&state, store.as_ref());
    let worker = spawn(compute, &args.compute, (&runs, store))?;
    let listener = Socket::of(std::process::id()).ok();
    let listener = listener.and_then(|socket| worker.listen(&socket.path, greeting).ok());
    let viewer = worker.subscribe();
    let open = SavedRunAction::Open { name: run, goes_on: true };
    let mut last = viewer.request(Action::OfSavedRun(open));
    if let Some(queue) = queue {
        last = viewer.request(Action::Queue(Some(Box::new(queue))));
    }
    supervise(worker, &viewer, |viewer| {
        while !viewer.snapshot().ended && viewer.replies().iter().all(|reply| reply.id != last) {
            thread::sleep(UNSEEN_INTERVAL);
        }
        go_on_unseen(viewer, &signal, listener.as_ref());
        Ok(Ending::HangUp)
    })
    .map(drop)
}
