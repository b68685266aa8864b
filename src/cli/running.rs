//! Finds the process that takes steps of a run, for the commands that turn to it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use trepang_api::excerpt;

use crate::config::{Usage, find_run};
use crate::runs::{RunOwner, is_locked, is_run, owner};

/// A run that a process of this machine takes steps of.
pub(super) struct RunningRun {
    pub(super) folder: PathBuf,
    /// The name of its folder.
    pub(super) name: String,
    /// The number of the process.
    pub(super) process: u32,
}

impl RunningRun {
    /// The run that the user names, by its folder or by its name in `runs`. Fails for one that does not exist, that nobody takes
    /// steps of, or that runs on another machine.
    pub(super) fn find(given: &Path, runs: Option<&Path>) -> Result<Self> {
        let folder = find_run(given, runs)?;
        let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned();
        let shown = excerpt(&name);
        if !is_run(&folder) {
            return Err(Usage(format!("there is no run {shown}; `trepang runs` lists them")).into());
        }
        if !is_locked(&folder) {
            let place = folder.display();
            return Err(Usage(format!(
                "{shown} is not running; its picture is {place}/image.png, and `trepang render --resume {place}` goes on with it"
            ))
            .into());
        }
        let RunOwner { host, process } = owner(&folder)
            .with_context(|| format!("{shown} is running, and its lock does not say in which process"))?;
        if host != RunOwner::here().host {
            bail!("{shown} runs on {}, in process {process}: turn to it on that machine", excerpt(&host));
        }
        Ok(Self { folder, name, process })
    }
}
