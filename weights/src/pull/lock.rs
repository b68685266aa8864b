//! An advisory lock beside a file, so that only one process pulls the file at a time. The system releases it when the
//! process ends. Programs that do not use the lock are not stopped by it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use super::part::beside;
use super::{Error, Result};

/// The lock of one target, which is held until this value is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Takes the lock beside `target`, whose folder is created. Fails at once if another process holds the lock.
    pub(crate) fn take(target: &Path) -> Result<Self> {
        if let Some(folder) = target.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|source| Error::io("make the folder", folder, source))?;
        }
        let path = beside(target, ".lock");
        loop {
            let file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(|source| Error::io("open", &path, source))?;
            match file.try_lock() {
                Ok(()) if is_at(&file, &path) => return Ok(Self { path, _file: file }),
                Ok(()) => {} // its owner removed it after we opened it: create a new one
                Err(TryLockError::WouldBlock) => return Err(Error::Locked { lock: path }),
                Err(TryLockError::Error(source)) => return Err(Error::NoLocks { lock: path, source }),
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The file is removed while the lock is held, and only where `is_at` can detect a removed lock file.
        if cfg!(unix) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether the open file is still the one that the path names.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let named = fs::metadata(path).map(|meta| (meta.dev(), meta.ino()));
    let open = file.metadata().map(|meta| (meta.dev(), meta.ino()));
    matches!((named, open), (Ok(named), Ok(open)) if named == open)
}

/// On other systems, a lock file is never removed.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_by_one_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("new/vgg.h5");
        let lock = Lock::take(&target).unwrap();
        let error = Lock::take(&target).unwrap_err().to_string();
        assert!(error.contains("vgg.h5.lock; wait until it is done"), "{error}");
        drop(lock);
        drop(Lock::take(&target).unwrap());
        assert_eq!(fs::read_dir(target.parent().unwrap()).unwrap().count(), usize::from(!cfg!(unix)));
    }
}
