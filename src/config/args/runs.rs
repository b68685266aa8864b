//! The flags of the commands on runs that are saved or going on: `trepang runs` and `trepang attach`.

use std::path::PathBuf;

use clap::Args;

use super::screen::ScreenArgs;

/// The flags of `trepang runs`.
#[derive(Debug, Clone, Args)]
pub struct RunsArgs {
    /// The folder that runs are saved in [default: ~/.local/share/trepang/runs]
    #[arg(long, value_name = "DIR")]
    pub runs: Option<PathBuf>,
    /// Print JSON, one object a line for each run
    #[arg(long)]
    pub json: bool,
    /// Take the dashboard's drafts away, which can be computed again; no run is touched
    #[arg(long)]
    pub clean: bool,
    /// Stop the process that takes steps of this run, which saves it first; a dashboard ends with it
    #[arg(long, value_name = "RUN", conflicts_with = "clean")]
    pub stop: Option<PathBuf>,
}

/// The flags of `trepang attach`.
#[derive(Debug, Clone, Args)]
pub struct AttachArgs {
    /// The run, by its folder or its name; the number of the dashboard's process; or a store of drafts, by its folder or a file of
    /// pictures in it. A run that nobody takes steps of is opened as it was saved [default: the only dashboard; of several, they
    /// are listed]
    #[arg(value_name = "RUN|PROCESS|STORE")]
    pub run: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub screen: ScreenArgs,
    /// The folder that runs are saved in [default: ~/.local/share/trepang/runs]
    #[arg(long, value_name = "DIR")]
    pub runs: Option<PathBuf>,
}
