//! How a command ended: one sentence on stderr and an exit code.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Error, Result};
use trepang_api::Error as Api;
use trepang_weights::Error as Weights;

use crate::config::Usage;
use crate::engine::Error as Engine;

/// A signal asked the program to stop, and it did, with the run saved.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Interrupted {
    /// The signal's number.
    pub(super) signal: usize,
    /// What was saved, and how to go on.
    pub(super) message: String,
}

/// Prints the error, if there is one, and chooses the code: 2 for what was asked wrongly, 128 + the signal
/// for an interruption as shells have it, 1 for the rest.
pub(super) fn report(result: Result<()>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    let (text, code) = match error.downcast_ref::<Interrupted>() {
        Some(interrupted) => (error.to_string(), 128_u8.saturating_add(interrupted.signal as u8)),
        None => (sentence(&error), if is_usage(&error) { 2 } else { 1 }),
    };
    // Not `eprintln`, which panics when the terminal has gone.
    let _ = writeln!(io::stderr(), "trepang: {text}");
    ExitCode::from(code)
}

/// The error and its causes in one line, leaving out causes that the text before already holds.
fn sentence(error: &Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |text, cause| {
        if text.is_empty() {
            cause
        } else if text.contains(&cause) {
            text
        } else {
            format!("{text}: {cause}")
        }
    })
}

fn is_usage(error: &Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<Usage>()
            || matches!(
                cause.downcast_ref::<Api>(),
                Some(Api::UnknownLayer { .. } | Api::UnknownDevice { .. } | Api::ImageSize { .. })
            )
            || matches!(
                cause.downcast_ref::<Engine>(),
                Some(
                    Engine::NoChannel { .. }
                        | Engine::NoNeuron { .. }
                        | Engine::NoClassifier { .. }
                        | Engine::StartSize { .. }
                        | Engine::Backend(Api::UnknownLayer { .. } | Api::ImageSize { .. })
                )
            )
            || matches!(cause.downcast_ref::<Weights>(), Some(Weights::UnknownNetwork { .. }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn causes_are_joined_into_one_sentence_without_repeats() {
        let error = anyhow!("no such file").context("cannot read x: no such file").context("render failed");
        assert_eq!(sentence(&error), "render failed: cannot read x: no such file");
    }

    #[test]
    fn what_was_asked_wrongly_is_told_from_what_went_wrong() {
        assert!(is_usage(&Usage("no".into()).into()));
        assert!(is_usage(&Engine::NoClassifier { network: "x".into() }.into()));
        assert!(!is_usage(&anyhow!("disk full")));
    }
}
