//! `trepang man`: the manual page. It is one page: each subcommand is a section of it, made from the same flags and help
//! texts that `--help` prints.

use anyhow::Result;
use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::output;
use crate::config::args::Cli;

/// The opening of each part of a page: an apostrophe that every roff prints as one. Once is enough.
const PREAMBLE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

/// The sections that the flags do not give, in roff.
const REST: &str = include_str!("man/rest.roff");

pub(super) fn run() -> Result<()> {
    output::line(page()?.trim_end())
}

fn page() -> Result<String> {
    // Without the commit and the backends: the page is the same for all builds of a version.
    let mut command = Cli::command().version(env!("CARGO_PKG_VERSION"));
    command.build();
    let mut page = Vec::new();
    let man = Man::new(command.clone());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    let mut page = String::from_utf8(page)?;
    // clap adds a subcommand `help`, which has nothing to explain.
    for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
        page.push_str(&section(subcommand)?);
    }
    page.push_str(REST);
    Ok(format!("{PREAMBLE}{}", page.replace(PREAMBLE, "")))
}

/// A subcommand's own page as one section, whose parts are subsections.
fn section(subcommand: &Command) -> Result<String> {
    let mut part = Vec::new();
    let man = Man::new(subcommand.clone());
    man.render_synopsis_section(&mut part)?;
    man.render_description_section(&mut part)?;
    man.render_options_section(&mut part)?;
    let part = String::from_utf8(part)?.replace("\n.SH ", "\n.SS ");
    let name = subcommand.get_bin_name().unwrap_or_else(|| subcommand.get_name()).to_uppercase();
    Ok(format!(".SH \"{name}\"\n{part}"))
}
