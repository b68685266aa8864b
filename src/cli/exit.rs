//! The end of a command: one sentence on stderr and an exit code.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Error, Result};
use trepang_api::{Error as Api, excerpt};
use trepang_weights::Error as Weights;

use super::output::{self, ClosedPipe};
use crate::backends::UnknownVectors;
use crate::config::Usage;
use crate::engine::{Error as Engine, as_typed};
use crate::lab::Error as Lab;
use crate::memory::UnknownMemory;
use crate::runs;
use crate::worker;

/// Prints the error, if there is one, and chooses the code: 2 for what was asked wrongly, 1 for the rest. Where nobody
/// reads stdout any more, it is 0, and what was kept of a run is said on stderr.
pub(super) fn report(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<ClosedPipe>() && error.chain().count() == 1 => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&error) => refuse(&sentence(&error), 0),
        Err(error) => refuse(&sentence(&error), if is_usage(&error) { 2 } else { 1 }),
    }
}

/// Prints what the flag parser has to say: its help as it is, an error as one line.
pub(super) fn not_understood(error: &clap::Error, arguments: impl Iterator<Item = OsString>) -> ExitCode {
    if error.use_stderr() {
        let sentence = one_line(&error.render().to_string());
        refuse(
            &pasted_flag(arguments).map_or_else(|| sentence.clone(), |hint| format!("{hint}; {sentence}")),
            2,
        )
    } else {
        report(output::checked(error.print()))
    }
}

/// A clause on the first argument that begins with a dash which is no hyphen, as text processors make of two of them.
fn pasted_flag(mut arguments: impl Iterator<Item = OsString>) -> Option<String> {
    arguments.find_map(|argument| {
        let typed = argument.to_str()?;
        let name = as_typed(typed);
        if typed.starts_with('-') && typed.chars().nth(1).is_none_or(|c| c.is_ascii())
            || !name.starts_with('-')
        {
            return None;
        }
        let name = name.trim_start_matches('-');
        let flag = if name.chars().nth(1).is_some_and(|c| c != '=') {
            format!("--{name}")
        } else {
            format!("-{name}")
        };
        Some(format!("\"{}\" begins with a dash that is no hyphen: type {}", excerpt(typed), excerpt(&flag)))
    })
}

fn refuse(sentence: &str, code: u8) -> ExitCode {
    output::remark(sentence);
    ExitCode::from(code)
}

/// The flag parser's paragraphs without the usage: what is wrong, the values there are, its tips.
fn one_line(paragraphs: &str) -> String {
    let lines = paragraphs.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("For more information"));
    let text = lines.fold(String::new(), |text, line| match (text.is_empty(), line.starts_with("tip:")) {
        (true, _) => line.strip_prefix("error: ").unwrap_or(line).into(),
        (false, true) => format!("{text}; {line}"),
        (false, false) => format!("{text} {line}"),
    });
    format!("{text} (--help explains every flag)")
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

/// Whether a command ended, or a run was stopped, because nobody reads stdout any more.
fn is_closed_pipe(error: &Error) -> bool {
    error.chain().any(|cause| {
        let stopped_by = cause.downcast_ref().and_then(runs::Error::of_caller);
        cause.is::<ClosedPipe>() || stopped_by.is_some_and(<dyn std::error::Error>::is::<ClosedPipe>)
    })
}

/// Whether the request was impossible. Each crate's errors answer that themselves.
fn is_usage(error: &Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<Usage>()
            || cause.is::<UnknownVectors>()
            || cause.is::<UnknownMemory>()
            || cause.downcast_ref().is_some_and(Api::is_usage)
            || cause.downcast_ref().is_some_and(Engine::is_usage)
            || cause.downcast_ref().is_some_and(Lab::is_usage)
            || cause.downcast_ref().is_some_and(Weights::is_usage)
            || cause.downcast_ref().is_some_and(runs::Error::is_usage)
            || cause.downcast_ref().is_some_and(worker::Error::is_usage)
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
    fn the_flag_parsers_paragraphs_become_one_line() {
        let paragraphs = "error: unexpected argument '--laier' found\n\n  tip: a similar argument exists: \
                          '--layer'\n\nUsage: trepang render\n\nFor more information, try '--help'.\n";
        assert_eq!(
            one_line(paragraphs),
            "unexpected argument '--laier' found; tip: a similar argument exists: '--layer' (--help explains every flag)"
        );
        let missing =
            "error: these were not provided:\n  --output <OUT.png>\n  --layer <LAYER>\n\nUsage: x\n";
        assert_eq!(
            one_line(missing),
            "these were not provided: --output <OUT.png> --layer <LAYER> (--help explains every flag)"
        );
    }

    #[test]
    fn a_pasted_dash_is_answered_with_the_flag() {
        let hint = |arguments: &[&str]| pasted_flag(arguments.iter().map(OsString::from));
        for (typed, flag) in [
            ("\u{2014}layer", "--layer"),
            ("\u{2013}-layer", "--layer"),
            ("\u{2013}o", "-o"),
            ("-\u{2013}json", "--json"),
        ] {
            let said = hint(&["trepang", "render", typed]).unwrap();
            assert!(said.contains(typed) && said.ends_with(&format!("type {flag}")), "{said}");
        }
        assert_eq!(hint(&["trepang", "render", "--layer", "a\u{2014}b", "-o", "-1"]), None);
    }

    #[test]
    fn what_was_asked_wrongly_is_told_from_what_went_wrong() {
        assert!(is_usage(&Usage("no".into()).into()));
        assert!(is_usage(&Engine::NoClassifier { network: "x".into() }.into()));
        assert!(is_usage(&Weights::UnknownSet { name: "x".into(), known: "y".into() }.into()));
        let device =
            || Api::UnknownDevice { backend: "x".into(), device: "y".into(), available: "cpu".into() };
        assert!(is_usage(&device().into()) && is_usage(&Error::from(device()).context("no picture")));
        assert!(is_usage(&Engine::Backend(device()).into()));
        assert!(!is_usage(&Api::Backend { backend: "x".into(), message: "out of memory".into() }.into()));
        assert!(!is_usage(&anyhow!("disk full")));
    }
}
