//! What a program left when it ended: its exit code, its last words, the terminal, its runs.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::frame::Frame;

/// A program that has ended, and the terminal it left.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit code; none if a signal killed it.
    pub(crate) code: Option<u32>,
    /// What it printed once the terminal was the shell's again.
    pub(crate) said: String,
    /// All it wrote.
    pub(crate) raw: String,
    pub(super) frame: Frame,
    /// The terminal's modes before and after.
    pub(super) modes: [Option<String>; 2],
    pub(super) home: TempDir,
}

impl Ended {
    /// The terminal is as the shell left it.
    pub(crate) fn assert_restored(&self) {
        let [before, after] = &self.modes;
        assert_eq!(before, after, "the terminal's modes");
        assert!(!self.frame.in_alternate_screen(), "still in the alternate screen:\n{:?}", self.frame);
        assert!(!self.frame.cursor_is_hidden(), "the cursor is hidden");
        let (on, off) = (self.raw.rfind("\u{1b}[?2004h"), self.raw.rfind("\u{1b}[?2004l"));
        assert!(off >= on, "pasted texts are still marked");
        assert!(!self.raw.contains("panicked"), "{}", self.raw);
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// The folders of the runs, in the order of their names.
    pub(crate) fn runs(&self) -> Vec<PathBuf> {
        let runs = self.home().join("runs");
        let folders = fs::read_dir(runs).into_iter().flatten().map(|entry| entry.unwrap().path());
        let mut folders: Vec<PathBuf> = folders.filter(|path| path.is_dir()).collect();
        folders.sort();
        folders
    }
}
