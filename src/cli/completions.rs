//! `trepang completions`: the script with which a shell completes trepang's subcommands and flags.

use anyhow::Result;
use clap::CommandFactory;

use super::output;
use crate::config::args::{Cli, CompletionsArgs};

pub(super) fn run(args: &CompletionsArgs) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "trepang", &mut script);
    output::line(String::from_utf8(script)?.trim_end())
}
