//! The trash of a folder of runs: what a dashboard deletes is moved aside there, and removed when the dashboard ends. The trash of
//! a dashboard that was killed is brought back, so that nothing is lost by that.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

use super::error::{Error, Result};
use super::lock::{LOCK, RunLock, RunOwner};

/// The beginning of the name of a folder of deleted runs.
const TRASH: &str = ".trash-";

/// The beginning of its name from the moment on at which its runs are removed.
const REMOVED: &str = ".removed-";

/// The runs that this process deleted, until they are removed for good.
#[derive(Debug)]
pub struct Trash {
    /// The folder of the runs.
    parent: PathBuf,
    /// The folder of the deleted ones, and its lock. On a file system without locks another dashboard may bring them back.
    folder: Option<(PathBuf, RunLock)>,
    /// Their names, the newest last.
    names: Vec<String>,
}

impl Trash {
    /// A trash without runs. It makes a folder once it is needed.
    pub fn new(parent: &Path) -> Self {
        Self { parent: parent.into(), folder: None, names: Vec::new() }
    }

    /// Moves a run aside. Fails for one that does not exist, and for one that a process takes steps of.
    pub fn put(&mut self, name: &str) -> Result<()> {
        let run = run_named(&self.parent, name)?;
        let failed = |source| Error::Delete { path: run.clone(), source };
        if run.is_symlink() {
            return Err(failed(io::Error::new(
                ErrorKind::InvalidInput,
                "it is a link, and its run is elsewhere",
            )));
        }
        let lock = RunLock::take(&run)?;
        let place = self.folder()?.join(name);
        if fs::symlink_metadata(&place).is_ok() {
            return Err(failed(ErrorKind::AlreadyExists.into()));
        }
        fs::rename(&run, &place).map_err(failed)?;
        drop(lock);
        // The lock's file has moved with the run.
        let _ = fs::remove_file(place.join(LOCK));
        self.names.push(name.into());
        Ok(())
    }

    /// Brings the run back that was deleted last, and returns the name that it has now; none if there is none.
    pub fn restore(&mut self) -> Result<Option<String>> {
        let (Some((folder, _)), Some(name)) = (&self.folder, self.names.last()) else { return Ok(None) };
        let back = move_back(&folder.join(name), &self.parent)?;
        self.names.pop();
        Ok(Some(back))
    }

    /// Removes the deleted runs for good. A run that cannot be removed is brought back another time.
    pub fn empty(&mut self) {
        self.names.clear();
        if let Some((folder, lock)) = self.folder.take() {
            let name = folder.file_name().unwrap_or_default().to_string_lossy();
            let removed = self.parent.join(name.replacen(TRASH, REMOVED, 1));
            let gone = if fs::rename(&folder, &removed).is_ok() { &removed } else { &folder };
            let _ = fs::remove_dir_all(gone);
            drop(lock);
        }
    }

    /// The folder of the deleted runs, which is made if it is not there.
    fn folder(&mut self) -> Result<PathBuf> {
        if let Some((folder, _)) = &self.folder {
            return Ok(folder.clone());
        }
        let RunOwner { host, process } = RunOwner::here();
        for number in 1.. {
            let path = self.parent.join(format!("{TRASH}{}-{process}-{number}", host.replace('/', "-")));
            match fs::create_dir(&path) {
                Ok(()) => {
                    let lock = RunLock::take(&path)?;
                    return Ok(self.folder.insert((path, lock)).0.clone());
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(source) => return Err(Error::Delete { path, source }),
            }
        }
        unreachable!("some number is free")
    }
}

/// The folder of a run by its name. Fails for a name that leads elsewhere, and where there is no such folder.
pub fn run_named(parent: &Path, name: &str) -> Result<PathBuf> {
    let path = parent.join(name);
    let mut parts = Path::new(name).components();
    let is_name = matches!(parts.next(), Some(Component::Normal(_))) && parts.next().is_none();
    if is_name && !name.starts_with('.') && path.is_dir() {
        return Ok(path);
    }
    Err(Error::NoRun { path, found: "there is no such folder" })
}

/// Brings back the runs that dashboards deleted which were killed before they ended, and returns the names that they have now.
/// What cannot be moved stays where it is.
pub fn bring_back(parent: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for folder in fs::read_dir(parent).into_iter().flatten().flatten() {
        let (name, path) = (folder.file_name(), folder.path());
        let begins = |with: &str| name.as_encoded_bytes().starts_with(with.as_bytes());
        if !(begins(TRASH) || begins(REMOVED)) || !folder.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        // The lock of a trash in use is held by its dashboard.
        let Ok(lock) = RunLock::take(&path) else { continue };
        if begins(REMOVED) {
            let _ = fs::remove_dir_all(&path);
        } else {
            let deleted = fs::read_dir(&path).into_iter().flatten().flatten();
            let deleted = deleted.filter(|run| run.file_name() != LOCK);
            names.extend(deleted.filter_map(|run| move_back(&run.path(), parent).ok()));
        }
        drop(lock);
        // It stays where something is left in it.
        let _ = fs::remove_dir(&path);
    }
    names.sort();
    names
}

/// Moves a run into the folder of runs, under another name if its own is taken, and returns the name.
fn move_back(run: &Path, parent: &Path) -> Result<String> {
    let name = run.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for number in 1.. {
        let numbered = if number == 1 { name.clone() } else { format!("{name}-{number}") };
        let place = parent.join(&numbered);
        let failed = |source| Error::Delete { path: run.into(), source };
        // A folder that is made first keeps the name from being taken meanwhile, and an empty one is replaced.
        match fs::create_dir(&place) {
            Ok(()) => {
                fs::rename(run, &place).map_err(|source: io::Error| {
                    let _ = fs::remove_dir(&place);
                    failed(source)
                })?;
                return Ok(numbered);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(source) => return Err(failed(source)),
        }
    }
    unreachable!("some number is free")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(names: &[&str]) -> tempfile::TempDir {
        let runs = tempfile::tempdir().unwrap();
        for name in names {
            fs::create_dir(runs.path().join(name)).unwrap();
            fs::write(runs.path().join(name).join("image.png"), name).unwrap();
        }
        runs
    }

    fn content(runs: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(runs).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_deleted_can_be_brought_back_until_it_is_removed() {
        let runs = runs(&["a", "b", "c"]);
        let mut trash = Trash::new(runs.path());
        assert_eq!(trash.restore().unwrap(), None);
        trash.put("a").unwrap();
        trash.put("b").unwrap();
        assert!(bring_back(runs.path()).is_empty(), "its dashboard lives");
        assert_eq!(content(runs.path())[1..], ["c"]);
        fs::create_dir(runs.path().join("b")).unwrap();
        assert_eq!(trash.restore().unwrap(), Some("b-2".into()));
        assert_eq!(fs::read(runs.path().join("b-2/image.png")).unwrap(), b"b");
        assert!(!runs.path().join("b-2").join(LOCK).exists());
        trash.empty();
        assert_eq!(content(runs.path()), ["b", "b-2", "c"]);
        assert_eq!(trash.restore().unwrap(), None);
    }

    #[test]
    fn what_a_killed_dashboard_deleted_comes_back() {
        let runs = runs(&["a", "b"]);
        let mut trash = Trash::new(runs.path());
        trash.put("a").unwrap();
        trash.put("b").unwrap();
        fs::create_dir(runs.path().join("a")).unwrap();
        // A process that ends, however it ends, lets go of its locks.
        drop(trash);
        assert_eq!(bring_back(runs.path()), ["a-2", "b"]);
        assert_eq!(content(runs.path()), ["a", "a-2", "b"]);
        let half = runs.path().join(format!("{REMOVED}x"));
        fs::create_dir_all(half.join("old")).unwrap();
        assert!(bring_back(runs.path()).is_empty() && !half.exists());
    }

    #[test]
    fn only_a_run_at_rest_in_this_folder_is_deleted() {
        let runs = runs(&["a"]);
        let mut trash = Trash::new(runs.path());
        for name in ["..", "../a", "a/..", "", ".", "absent", "/tmp", ".hidden"] {
            assert!(trash.put(name).is_err(), "{name}");
        }
        let lock = RunLock::take(&runs.path().join("a")).unwrap();
        assert!(trash.put("a").unwrap_err().to_string().contains("another process"));
        drop(lock);
        trash.put("a").unwrap();
    }
}
