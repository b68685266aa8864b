//! The command line: one file a subcommand. Not here: what the commands do.

mod bench;
mod completions;
mod dashboard;
mod devices;
mod drive;
mod exit;
mod info;
mod man;
mod networks;
mod output;
mod outputs;
mod parity;
mod predict;
mod pull;
mod recipes;
mod render;
mod show;
mod spectrum;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::config::args::{Cli, Command};
use crate::panics::guard;

/// Parses the process's arguments, runs the command and reports how it went.
pub fn run() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => exit::report(guard("trepang", || handle(&cli))),
        Err(error) => exit::not_understood(&error),
    }
}

fn handle(cli: &Cli) -> Result<()> {
    match &cli.command {
        None => dashboard::run(&cli.dashboard),
        Some(Command::Render(args)) => render::run(args),
        Some(Command::Predict(args)) => predict::run(args),
        Some(Command::Pull(args)) => pull::run(args),
        Some(Command::Info(args)) => info::run(args),
        Some(Command::Networks(args)) => networks::run(args),
        Some(Command::Devices(args)) => devices::run(args),
        Some(Command::Parity(args)) => parity::run(args),
        Some(Command::Bench(args)) => bench::run(args),
        Some(Command::Recipes(args)) => recipes::run(args),
        Some(Command::Spectrum(args)) => spectrum::run(args),
        Some(Command::Show(args)) => show::run(args),
        Some(Command::Completions(args)) => completions::run(args),
        Some(Command::Man) => man::run(),
    }
}
