//! The lock of a run's folder: one process at a time takes steps of a run. The system releases it when the process ends,
//! however that happens.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::error::{Error, Result};

/// The name of the lock's file.
pub(super) const LOCK: &str = ".lock";

/// Opening fails for a link in the lock's place, which could lead to any file, and does not wait for the other end of a pipe.
const NO_LINK: i32 = libc::O_NOFOLLOW | libc::O_NONBLOCK;

/// The longest text of a lock that is read, in bytes.
const MAX_TEXT_BYTES: u64 = 512;

/// The process that takes steps of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOwner {
    /// The name of its machine.
    pub host: String,
    /// The process's number there.
    pub process: u32,
}

impl RunOwner {
    /// The process that asks.
    pub fn here() -> Self {
        let system = rustix::system::uname();
        Self { host: system.nodename().to_string_lossy().into_owned(), process: std::process::id() }
    }

    fn parse(text: &str) -> Option<Self> {
        let (host, process) = text.trim_end().rsplit_once(' ')?;
        Some(Self { host: host.into(), process: process.parse().ok()? })
    }
}

/// The lock of a run's folder, held until this value is dropped.
#[derive(Debug)]
pub(crate) struct RunLock {
    path: PathBuf,
    /// None on a file system without locks, such as some network ones.
    file: Option<File>,
}

impl RunLock {
    /// Takes the lock of `folder`. Fails at once if another process holds it.
    pub(crate) fn take(folder: &Path) -> Result<Self> {
        let path = folder.join(LOCK);
        let failed = |source| Error::Lock { path: path.clone(), source };
        loop {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(false).custom_flags(NO_LINK);
            let file = options.open(&path).map_err(failed)?;
            if !is_regular(&file) {
                return Err(Error::NotRegular { path });
            }
            match file.try_lock() {
                Ok(()) if is_at(&file, &path) => {
                    let RunOwner { host, process } = RunOwner::here();
                    // The text is for whoever looks; the lock holds without it.
                    let _ = file.set_len(0).and_then(|()| writeln!(&file, "{host} {process}"));
                    return Ok(Self { path, file: Some(file) });
                }
                Ok(()) => {} // its owner removed it after it was opened here: create a new one
                Err(TryLockError::WouldBlock) => return Err(Error::Busy { folder: folder.into() }),
                Err(TryLockError::Error(_)) => return Ok(Self { path, file: None }),
            }
        }
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // The file is removed while the lock is held, so that nobody else's is.
        if self.file.is_some() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether another process holds the lock of `folder`. The lock is left as it is.
pub fn is_locked(folder: &Path) -> bool {
    held(folder).is_some()
}

/// The process that holds the lock of `folder`, as far as the lock says.
pub fn owner(folder: &Path) -> Option<RunOwner> {
    let mut text = String::new();
    held(folder)?.take(MAX_TEXT_BYTES).read_to_string(&mut text).ok()?;
    RunOwner::parse(&text)
}

/// The lock of `folder`, if another process holds it.
fn held(folder: &Path) -> Option<File> {
    let file = OpenOptions::new().read(true).custom_flags(NO_LINK).open(folder.join(LOCK)).ok()?;
    (is_regular(&file) && matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))).then_some(file)
}

fn is_regular(file: &File) -> bool {
    file.metadata().is_ok_and(|meta| meta.is_file())
}

/// Whether the open file is still the one that the path names.
fn is_at(file: &File, path: &Path) -> bool {
    let named = fs::metadata(path).map(|meta| (meta.dev(), meta.ino()));
    let open = file.metadata().map(|meta| (meta.dev(), meta.ino()));
    matches!((named, open), (Ok(named), Ok(open)) if named == open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_in_the_locks_place_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let made = std::process::Command::new("mkfifo").arg(folder.path().join(LOCK)).status().unwrap();
        assert!(made.success());
        assert!(!is_locked(folder.path()) && owner(folder.path()).is_none());
        RunLock::take(folder.path()).unwrap_err();
    }

    #[test]
    fn a_run_has_one_owner_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let lock = RunLock::take(folder.path()).unwrap();
        let error = RunLock::take(folder.path()).unwrap_err().to_string();
        assert!(error.contains("another process"), "{error}");
        assert!(is_locked(folder.path()));
        assert_eq!(owner(folder.path()), Some(RunOwner::here()));
        drop(lock);
        assert!(!is_locked(folder.path()));
        drop(RunLock::take(folder.path()).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
