//! `trepang attach`: a dashboard on what another dashboard of this user computes, in a terminal of its own, or on a run that
//! was saved.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result, bail};
use trepang_api::excerpt;

use super::dashboard::{lacking, saved, screen_options, stored};
use super::key_map::key_map;
use super::output;
use super::running::RunningRun;
use super::signals::watch_signals;
use crate::config::args::AttachArgs;
use crate::config::{ConfigFile, Socket, Usage, find_run, runs_folder};
use crate::dashboard::{KeyMap, Leaving, Message, Shown, State};
use crate::engine::Objective;
use crate::runs::{LOG, is_locked, is_run};
use crate::sweep::store_folder;
use crate::ui::{Screen, run as run_loop};
use crate::worker::protocol::{NetworkView, Settings, Snapshot, Status};
use crate::worker::remote::{Greeting, connect};
use crate::worker::{Error as WorkerError, Viewer};

/// A dashboard that can be attached to.
struct Attached {
    process: u32,
    greeting: Greeting,
    viewer: Viewer,
}

pub(super) fn run(args: &AttachArgs, file: &ConfigFile) -> Result<()> {
    let keys = key_map(file)?;
    if let Some((given, folder)) = args.run.as_deref().and_then(|given| Some((given, store_folder(given)?))) {
        check_terminal()?;
        return on_store(args, given, &folder, keys);
    }
    if let Some(folder) = args.run.as_deref().and_then(|given| at_rest(given, args.runs.as_deref())) {
        check_terminal()?;
        return saved::show(args, &folder, keys);
    }
    let attached = match &args.run {
        Some(given) => named(given, args.runs.as_deref())?,
        None => match only(running())? {
            Some(attached) => attached,
            None => return Ok(()),
        },
    };
    check_terminal()?;
    show(args, attached, keys, Shown::Panes)
}

fn check_terminal() -> Result<()> {
    match lacking() {
        Some(lack) => bail!("attach shows a dashboard, which needs a terminal: {lack}"),
        None => Ok(()),
    }
}

/// A dashboard on the drafts of a store: that of the process that makes some there, or else one of this process.
fn on_store(args: &AttachArgs, given: &Path, folder: &Path, keys: KeyMap) -> Result<()> {
    let folder = folder.canonicalize()?;
    let mut drawing = running();
    drawing.retain(|attached| {
        let store = attached.greeting.store.as_ref().and_then(|store| store.canonicalize().ok());
        store.as_ref() == Some(&folder) && !attached.viewer.snapshot().sheets.is_empty()
    });
    if drawing.is_empty() {
        return stored::show(args, given, keys);
    }
    match only(drawing)? {
        Some(attached) => show(args, attached, keys, Shown::Mosaic),
        None => Ok(()),
    }
}

/// The folder of a run that nobody takes steps of, if it is the name of one.
fn at_rest(given: &Path, runs: Option<&Path>) -> Option<PathBuf> {
    if given.to_str().is_some_and(|text| text.parse::<u32>().is_ok()) {
        return None;
    }
    let folder = find_run(given, runs).ok()?;
    (is_run(&folder) && !is_locked(&folder)).then_some(folder)
}

/// The dashboards of this user that answer. A socket whose process has gone is taken away.
fn running() -> Vec<Attached> {
    let mut found = Vec::new();
    for Socket { process, path } in Socket::all().unwrap_or_default() {
        match connect(&path) {
            Ok((greeting, viewer)) => found.push(Attached { process, greeting, viewer }),
            Err(WorkerError::Connect { source, .. }) if source.kind() == io::ErrorKind::ConnectionRefused => {
                let _ = std::fs::remove_file(&path);
            }
            Err(error) => output::remark(format_args!("process {process} is passed over: {}", error.chain())),
        }
    }
    found
}

/// The only dashboard; none if the user has to choose, from the list that is printed then.
fn only(mut found: Vec<Attached>) -> Result<Option<Attached>> {
    match (found.pop(), found.len()) {
        (None, _) => Err(Usage(
            "no dashboard of yours is running on this machine; `trepang runs` lists the runs that are saved"
                .into(),
        )
        .into()),
        (Some(attached), 0) => Ok(Some(attached)),
        (Some(last), _) => {
            found.push(last);
            output::line("several dashboards are running; name one, by its process or its run:")?;
            for attached in &found {
                output::line(format_args!("  trepang attach {}  {}", attached.process, activity(attached)))?;
            }
            Ok(None)
        }
    }
}

/// The work of a dashboard in one line.
fn activity(Attached { greeting, viewer, .. }: &Attached) -> String {
    let snapshot = viewer.snapshot();
    let network = &network_of(greeting, &snapshot).info.name;
    let network = excerpt(network);
    match &snapshot.run {
        Some(run) => format!("{network}: {}, step {} of {}", run.objective(), run.step, run.plan.steps),
        None => format!("{network}, no run"),
    }
}

/// The dashboard of a process's number, or the one that takes steps of a run.
fn named(given: &Path, runs: Option<&Path>) -> Result<Attached> {
    if let Some(process) = given.to_str().and_then(|text| text.parse().ok()) {
        return open(process);
    }
    let RunningRun { name, process, .. } = RunningRun::find(given, runs)?;
    let name = excerpt(&name);
    open(process)
        .with_context(|| format!("{name} runs in process {process}, which shows nothing to other terminals"))
}

fn open(process: u32) -> Result<Attached> {
    let socket = Socket::of(process).context("there is no folder of sockets")?;
    let (greeting, viewer) = connect(&socket.path)
        .with_context(|| format!("process {process} is no dashboard of yours on this machine"))?;
    Ok(Attached { process, greeting, viewer })
}

/// The network that is on the device now.
fn network_of<'a>(greeting: &'a Greeting, snapshot: &'a Snapshot) -> &'a NetworkView {
    snapshot.network.as_deref().unwrap_or(&greeting.network)
}

/// The dashboard, until the user leaves or what it shows ends.
fn show(args: &AttachArgs, attached: Attached, keys: KeyMap, shown: Shown) -> Result<()> {
    let Attached { process, greeting, viewer } = attached;
    let mut state = state_of(greeting, viewer.snapshot());
    (state.keys, state.leaving, state.shown) = (keys, Leaving::Attached, shown);
    if let (Shown::Mosaic, Some(sheet)) = (shown, state.snapshot.sheets.first()) {
        let layer = sheet.series.layer.clone();
        let Settings { recipe, seed, start, .. } = sheet.series.settings.clone();
        (state.settings.recipe, state.settings.seed, state.settings.start) = (recipe, seed, start);
        state.go_to(&layer, 0);
    }
    let log = runs_folder(args.runs.as_deref())?.join(LOG);
    let signal = watch_signals();
    let ending = {
        let mut screen = Screen::enter(screen_options(&args.screen), &log)?;
        run_loop(&mut state, &viewer, &mut screen, &signal)
    };
    let last: Arc<Snapshot> = viewer.snapshot();
    drop(viewer);
    match (ending, &last.status) {
        (_, Status::Broken(message)) => bail!("{message}; what was saved is in `trepang runs`"),
        (_, _) if last.ended => {
            output::line(format_args!("process {process} has ended"))?;
            last.notice.iter().try_for_each(output::line)
        }
        (_, _) if signal.load(Ordering::Relaxed) != 0 => bail!("interrupted; process {process} goes on"),
        (Ok(_), _) => {
            output::line(format_args!("process {process} goes on; come back with: trepang attach {process}"))
        }
        (Err(error), _) => Err(error),
    }
}

/// The dashboard's state with the cursor on what is being maximised, or on the network's first look.
fn state_of(greeting: Greeting, snapshot: Arc<Snapshot>) -> State {
    let Greeting { network: NetworkView { info, layers, classes, first_look, .. }, settings, .. } = greeting;
    let mut state = State::new(info, layers, classes, settings);
    state.go_to(&first_look.0, first_look.1);
    // It knows whether there is another network by now.
    let raised = snapshot.run.as_ref().map(|run| run.objective().clone());
    state.update(Message::Snapshot(snapshot));
    let target = raised.as_ref().and_then(Objective::only_target);
    if let Some((layer, channel)) = target.and_then(|(term, channel)| Some((term.layer()?, channel))) {
        state.go_to(layer, channel);
    }
    state
}
