//! Lines on stdout. A reader that has gone ends the command without an error.

use std::io::{self, Write};

use anyhow::{Context, Result};
use serde::Serialize;
use trepang_api::{printable, printable_json};

pub(super) use crate::config::remark;

/// The reader of stdout, such as `head`, has closed its end. It has what it wanted, so this is no failure.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads stdout any more")]
pub(super) struct ClosedPipe;

/// Prints a line on stdout and flushes it. Fails with [`ClosedPipe`] where nobody reads it.
pub(super) fn line(text: impl std::fmt::Display) -> Result<()> {
    let text = text.to_string();
    // The program's own line ends and tabs stay; every other control can only come from a file or from an argument.
    let safe = text.split_inclusive(['\n', '\t']).map(|part| {
        let own = part.trim_end_matches(['\n', '\t']);
        [&*printable(own), &part[own.len()..]].concat()
    });
    let mut out = io::stdout().lock();
    checked(writeln!(out, "{}", safe.collect::<String>()).and_then(|()| out.flush()))
}

/// An error of writing to stdout; [`ClosedPipe`] where nobody reads it.
pub(super) fn checked(written: io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(ClosedPipe.into()),
        other => other.context("cannot write to stdout"),
    }
}

/// Prints a value on stdout as one line of JSON.
pub(super) fn json(value: &impl Serialize) -> Result<()> {
    line(printable_json(&serde_json::to_string(value)?))
}

/// Writes bytes to stdout as they are.
pub(super) fn bytes(bytes: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    checked(out.write_all(bytes).and_then(|()| out.flush()))
}
