//! Lines on stdout. A reader that went away is an error like any other, not a panic.

use std::io::{self, Write};

use anyhow::{Context, Result};
use serde::Serialize;

/// Prints a line on stdout and flushes it.
pub(super) fn line(text: impl std::fmt::Display) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).context("cannot write to stdout")
}

/// Prints a value on stdout as one line of JSON.
pub(super) fn json(value: &impl Serialize) -> Result<()> {
    line(serde_json::to_string(value)?)
}
