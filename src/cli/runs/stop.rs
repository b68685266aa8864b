//! `trepang runs --stop`: ends the process that takes steps of a run. It saves the run before it ends.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use trepang_api::excerpt;

use crate::cli::output;
use crate::cli::running::RunningRun;
use crate::runs::{RunFolder, is_locked};

/// The longest wait for a process that is in the middle of a step.
const PATIENCE: Duration = Duration::from_secs(120);

/// A run that was stopped, for `--json`.
#[derive(Serialize)]
struct StoppedRun {
    name: String,
    path: String,
    process: u32,
    step: usize,
    steps: usize,
}

pub(super) fn stop(given: &Path, runs: Option<&Path>, json: bool) -> Result<()> {
    let RunningRun { folder, name, process } = RunningRun::find(given, runs)?;
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    let pid = pid.with_context(|| format!("{process} is no process's number"))?;
    kill_process(pid, Signal::TERM).map_err(|error| anyhow!("cannot stop process {process}: {error}"))?;
    let begun = Instant::now();
    while is_locked(&folder) {
        if begun.elapsed() > PATIENCE {
            bail!(
                "process {process} was asked to stop {} s ago and is still in its step",
                PATIENCE.as_secs()
            );
        }
        thread::sleep(Duration::from_millis(20));
    }
    tell(&folder, name, process, json)
}

fn tell(folder: &Path, name: String, process: u32, json: bool) -> Result<()> {
    let (_, saved) = RunFolder::open(folder)?;
    let (step, steps) = (saved.state.losses.len(), saved.origin.plan.steps);
    if json {
        let path = folder.display().to_string();
        return output::json(&StoppedRun { name, path, process, step, steps });
    }
    output::line(format_args!(
        "{} is stopped after step {step} of {steps}; go on with: trepang render --resume {} -o OUT.png",
        excerpt(&name),
        folder.display()
    ))
}
