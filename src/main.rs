//! The program: parse, run, report. Everything else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    trepang::cli::run()
}
