//! The command line, with one file for each subcommand. The work itself is done below `cli`.

mod attach;
mod bench;
mod completions;
mod config;
mod dashboard;
mod devices;
mod drive;
mod exhausted;
mod exit;
mod folder;
mod info;
mod key_map;
mod lab;
mod man;
mod networks;
mod output;
mod outputs;
mod parity;
mod predict;
mod pull;
mod recipes;
mod render;
mod room;
mod running;
mod runs;
mod show;
mod signals;
mod size_fields;
mod spectrum;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use trepang_weights::cache::Environment;

use crate::config::args::{Cli, CliCommand};
use crate::config::{fill, remark};
use crate::panics::guard;

/// Parses the arguments of the process, runs the command and returns its exit code.
pub fn run() -> ExitCode {
    if let Err(error) = signals::take_signals() {
        return exit::report(Err(error));
    }
    match Cli::try_parse() {
        Ok(cli) => exit::report(guard("trepang", || handle(cli))),
        Err(error) => exit::not_understood(&error, std::env::args_os()),
    }
}

/// Says which folder a relative `TREPANG_CACHE` means here, before a command that reads or writes it.
fn remark_on_cache(command: Option<&CliCommand>) {
    let uses_cache = match command {
        None
        | Some(
            CliCommand::Render(_)
            | CliCommand::Runs(_)
            | CliCommand::Predict(_)
            | CliCommand::Lab(_)
            | CliCommand::Pull(_)
            | CliCommand::Info(_)
            | CliCommand::Networks(_)
            | CliCommand::Parity(_)
            | CliCommand::Bench(_),
        ) => true,
        Some(
            CliCommand::Attach(_)
            | CliCommand::Config(_)
            | CliCommand::Devices(_)
            | CliCommand::Recipes(_)
            | CliCommand::Spectrum(_)
            | CliCommand::Show(_)
            | CliCommand::Completions(_)
            | CliCommand::Man,
        ) => false,
    };
    if let Some(text) = Environment::of_process().cache_remark().filter(|_| uses_cache) {
        remark(text);
    }
}

fn handle(mut cli: Cli) -> Result<()> {
    remark_on_cache(cli.command.as_ref());
    let file = fill(&mut cli)?;
    match &cli.command {
        None => dashboard::run(&cli.dashboard, &file),
        Some(CliCommand::Render(args)) => render::run(args),
        Some(CliCommand::Runs(args)) => runs::run(args),
        Some(CliCommand::Attach(args)) => attach::run(args, &file),
        Some(CliCommand::Predict(args)) => predict::run(args),
        Some(CliCommand::Lab(args)) => lab::run(args),
        Some(CliCommand::Pull(args)) => pull::run(args),
        Some(CliCommand::Info(args)) => info::run(args),
        Some(CliCommand::Networks(args)) => networks::run(args),
        Some(CliCommand::Devices(args)) => devices::run(args),
        Some(CliCommand::Parity(args)) => parity::run(args),
        Some(CliCommand::Bench(args)) => bench::run(args),
        Some(CliCommand::Recipes(args)) => recipes::run(args),
        Some(CliCommand::Spectrum(args)) => spectrum::run(args),
        Some(CliCommand::Show(args)) => show::run(args),
        Some(CliCommand::Config(args)) => config::run(args, &file),
        Some(CliCommand::Completions(args)) => completions::run(args),
        Some(CliCommand::Man) => man::run(),
    }
}
