//! Stderr, which goes to a file while the dashboard has the terminal.

use std::fs::{File, OpenOptions};
use std::os::fd::OwnedFd;
use std::path::Path;

/// Redirects stderr to a file until this value is dropped, because libtorch and CUDA print there.
#[derive(Debug)]
pub(super) struct StderrToLog {
    terminal: OwnedFd,
    log: File,
}

impl StderrToLog {
    /// Starts the redirection; `None` if the log cannot be opened, because a disturbed screen is better than no dashboard.
    pub(super) fn start(log: &Path) -> Option<Self> {
        if let Some(folder) = log.parent() {
            std::fs::create_dir_all(folder).ok()?;
        }
        Self::start_file(OpenOptions::new().create(true).append(true).open(log).ok()?)
    }

    pub(super) fn start_file(log: File) -> Option<Self> {
        let terminal = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stderr(), 3).ok()?;
        rustix::stdio::dup2_stderr(&log).ok()?;
        Some(Self { terminal, log })
    }

    pub(super) fn stop(self) -> Option<File> {
        self.log.try_clone().ok()
    }
}

impl Drop for StderrToLog {
    fn drop(&mut self) {
        // Both descriptors are open. If the system refuses, stderr stays redirected.
        let _ = rustix::stdio::dup2_stderr(&self.terminal);
    }
}
