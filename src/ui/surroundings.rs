//! What the environment says of the terminal: variables, and tmux, which stands between.

use std::env;
use std::process::{Command, Stdio};

/// The terminals that show iTerm2's inline images, as `TERM_PROGRAM` or `LC_TERMINAL` names them.
const ITERM2_TERMINALS: [&str; 8] =
    ["iTerm", "WezTerm", "mintty", "vscode", "Tabby", "Hyper", "Bobcat", "WarpTerminal"];

/// Whether the terminal says of itself that it can only print lines: `TERM` is `dumb`, or there is none.
pub fn is_dumb() -> bool {
    env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb")
}

/// Whether a variable names a terminal that shows iTerm2's inline images. Few servers are told these variables by SSH.
pub(super) fn names_iterm2() -> bool {
    let names = |variable| {
        let value = env::var(variable).unwrap_or_default();
        ITERM2_TERMINALS.iter().any(|name| value.contains(name))
    };
    names("TERM_PROGRAM") || names("LC_TERMINAL")
}

/// Whether tmux lets pictures through from this pane to the terminal around it; none outside tmux.
pub(super) fn passes_pictures() -> Option<bool> {
    if !is_in_tmux() {
        return None;
    }
    let value = tmux(&["show-options", "-A", "-p", "-v", "allow-passthrough"]).unwrap_or_default();
    Some(matches!(value.trim(), "on" | "all" | "1"))
}

/// Lets pictures through from this pane of tmux, until it is closed. Whether that worked.
pub(super) fn let_pictures_through() -> bool {
    tmux(&["set-option", "-p", "allow-passthrough", "on"]).is_some()
}

/// Passes a sequence through tmux, which wants every escape doubled.
pub(super) fn wrap(sequence: &str, tmux: bool) -> String {
    if tmux { format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b")) } else { sequence.into() }
}

fn is_in_tmux() -> bool {
    let is = |variable, wanted: &str| env::var(variable).is_ok_and(|value| value.starts_with(wanted));
    env::var_os("TMUX").is_some_and(|socket| !socket.is_empty())
        && (is("TERM", "tmux") || is("TERM", "screen") || is("TERM_PROGRAM", "tmux"))
}

/// Runs tmux; returns its output, or none if it fails.
fn tmux(arguments: &[&str]) -> Option<String> {
    let output =
        Command::new("tmux").args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
