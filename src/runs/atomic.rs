//! Whole files or none: a temporary file beside the target, fsync, rename.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::error::{Error, Result};

/// Writes `bytes` to `path`, replacing a regular file that is there. On an error the old file is untouched and
/// nothing is left beside it.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    // Renaming over a device or a pipe would replace it.
    if fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
        return Err(Error::NotRegular { path: path.into() });
    }
    let temporary = temporary(path);
    let result = fill(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if result.is_err() {
        // The error that matters is the first one; the file may never have come to be.
        let _ = fs::remove_file(&temporary);
    }
    result.map_err(|source| Error::Write { path: path.into(), source })?;
    sync_folder(path);
    Ok(())
}

fn fill(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the rename itself durable, where the system can; the file is whole either way.
fn sync_folder(path: &Path) {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

/// A hidden name in the same folder that no other process uses.
fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("picture.png");
        fs::create_dir(&target).unwrap();
        assert!(write(&target, b"new").unwrap_err().to_string().ends_with("is not a regular file"));
        let error = write(&folder.path().join("missing/picture.png"), b"new").unwrap_err();
        assert!(error.to_string().starts_with("cannot write"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("manifest.json");
        write(&target, b"a long first version").unwrap();
        write(&target, b"short").unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"short");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
