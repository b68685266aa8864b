//! Remarks on stderr: what the user should know, and what is no error.

use std::fmt::Display;
use std::io::{self, Write as _};

use trepang_api::{excerpt_of_message, printable};

/// Prints a remark on stderr. Where nobody reads stderr, it is dropped.
pub fn remark(text: impl Display) {
    // `eprintln` would panic if the terminal has gone.
    let _ = writeln!(io::stderr(), "trepang: {}", printable(&excerpt_of_message(&text.to_string())));
}
