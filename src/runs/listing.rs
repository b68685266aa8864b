//! The runs in a folder, as their manifests tell of them. No state is read and nothing is computed, so that thousands are
//! listed at once.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::error::{Error, Result};
use super::folder::{MANIFEST, MAX_MANIFEST_BYTES, is_run, now};
use super::lock::{RunOwner, is_locked, owner};
use super::manifest::Manifest;
use super::origin_text;
use super::regular::read_regular;

/// The file in the folder of runs for what libraries print while the dashboard is up.
pub const LOG: &str = "trepang.log";

/// The runs of a folder, and what else is in it.
#[derive(Debug)]
pub struct RunListing {
    /// The runs, the newest first.
    pub runs: Vec<RunSummary>,
    /// Entries of the folder that hold no run, each with the reason.
    pub passed_over: Vec<String>,
}

/// A run as its folder tells of it.
#[derive(Debug)]
pub struct RunSummary {
    /// The name of its folder.
    pub name: String,
    /// The folder itself.
    pub path: PathBuf,
    /// The run's own account of itself when it was last saved.
    pub manifest: Manifest,
    /// Seconds since the folder was made.
    pub age: u64,
    /// Whether there is a state to go on from.
    pub has_state: bool,
    /// Whether a process takes steps of it now.
    pub is_running: bool,
    /// The process that does, as far as it says so.
    pub owner: Option<RunOwner>,
}

/// The runs in `parent`; none if there is no such folder.
pub fn list_runs(parent: &Path) -> Result<Option<RunListing>> {
    let refused = |source| Error::ReadRuns { path: parent.into(), source };
    let entries = match fs::read_dir(parent) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        entries => entries.map_err(refused)?,
    };
    let mut listing = RunListing { runs: Vec::new(), passed_over: Vec::new() };
    for entry in entries {
        let path = entry.map_err(refused)?.path();
        if path.file_name().is_some_and(|name| is_hidden(name) || name == LOG) {
            continue;
        }
        match summary(&path) {
            Ok(run) => listing.runs.push(run),
            Err(reason) => listing.passed_over.push(format!("{} ({reason})", path.display())),
        }
    }
    listing.passed_over.sort();
    listing
        .runs
        .sort_by(|a, b| b.manifest.created.cmp(&a.manifest.created).then_with(|| a.name.cmp(&b.name)));
    Ok(Some(listing))
}

/// Whether a file is on its way, or one of the system's.
fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// The run in this folder, or why there is none, as a clause.
fn summary(path: &Path) -> Result<RunSummary, String> {
    if !path.is_dir() {
        return Err("it is no folder".into());
    }
    let bytes = match read_regular(&path.join(MANIFEST), MAX_MANIFEST_BYTES) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(format!("it has no {MANIFEST}")),
        bytes => bytes.map_err(|error| format!("its {MANIFEST} cannot be read: {error}"))?,
    };
    let manifest: Manifest =
        origin_text::parse(&bytes).map_err(|fault| format!("its {MANIFEST} cannot be used: {fault}"))?;
    Ok(RunSummary {
        name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        path: path.into(),
        age: now().saturating_sub(manifest.created),
        has_state: is_run(path),
        is_running: is_locked(path),
        owner: owner(path),
        manifest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_run_is_told_with_its_reason() {
        let runs = tempfile::tempdir().unwrap();
        assert!(list_runs(&runs.path().join("absent")).unwrap().is_none());
        fs::write(runs.path().join("notes.txt"), "mine").unwrap();
        for silent in [".hidden", LOG] {
            fs::write(runs.path().join(silent), "").unwrap();
        }
        for (name, manifest) in [("empty", None), ("odd", Some("[1]")), ("later", Some("{\"format\": 99}"))] {
            fs::create_dir(runs.path().join(name)).unwrap();
            if let Some(text) = manifest {
                fs::write(runs.path().join(name).join(MANIFEST), text).unwrap();
            }
        }
        let listing = list_runs(runs.path()).unwrap().unwrap();
        assert!(listing.runs.is_empty());
        let [empty, later, notes, odd] = &listing.passed_over[..] else { panic!("{listing:?}") };
        assert!(empty.ends_with("empty (it has no manifest.json)"), "{empty}");
        assert!(
            later.contains("cannot be used: a later version of trepang wrote it, in format 99"),
            "{later}"
        );
        assert!(odd.contains("cannot be used: it was changed or damaged"), "{odd}");
        assert!(notes.ends_with("notes.txt (it is no folder)"), "{notes}");
        let error = list_runs(&runs.path().join("notes.txt")).unwrap_err().chain();
        assert!(error.starts_with("cannot read the folder of runs"), "{error}");
    }
}
