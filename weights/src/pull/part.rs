//! The received bytes of an unfinished download, `NAME.part`, and the record of the file that they belong to,
//! `NAME.part.info`. All files of a download are written here.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::digest::{CHUNK_BYTES, Hasher};
use super::{Digest, Error, Event, PullOptions, PullProgress, Result, Verified};

/// The first line of a record. A record with another first line is ignored.
const RECORD_HEADER: &str = "trepang part 1";

/// Identifies the file that a part belongs to. It is written only for downloads that can be resumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PartRecord {
    /// The address that sent the bytes.
    pub(super) address: String,
    /// The value that identifies the version of the file: a strong entity tag, or a date of modification.
    pub(super) validator: String,
    /// The size of the whole file in bytes.
    pub(super) total: u64,
}

impl PartRecord {
    fn read(path: &Path) -> Option<Self> {
        let text = fs::read_to_string(path).ok()?;
        let mut lines = text.strip_suffix("\nend\n")?.lines();
        if lines.next() != Some(RECORD_HEADER) {
            return None;
        }
        let mut field = |name: &str| lines.next()?.strip_prefix(name).map(String::from);
        let (address, validator, total) = (field("address ")?, field("validator ")?, field("total ")?);
        Some(Self { address, validator, total: total.parse().ok()? })
    }

    fn text(&self) -> String {
        let Self { address, validator, total } = self;
        format!("{RECORD_HEADER}\naddress {address}\nvalidator {validator}\ntotal {total}\nend\n")
    }
}

/// The part file of one target. The caller holds the target's lock.
#[derive(Debug)]
pub(super) struct PartFile {
    target: PathBuf,
    path: PathBuf,
    info: PathBuf,
    file: File,
    digest: Digest,
    /// The hasher of the bytes in the file that can be used.
    hasher: Hasher,
    record: Option<PartRecord>,
}

impl PartFile {
    /// Opens the part file of `target`, or creates an empty one. Fails if the target exists and is not a regular file.
    pub(super) fn open(target: &Path, digest: &Digest) -> Result<Self> {
        // Renaming onto a folder fails, and renaming onto a device or a pipe would replace it.
        if fs::metadata(target).is_ok_and(|meta| !meta.is_file()) {
            return Err(Error::NotAFile { path: target.into() });
        }
        let (path, info) = (beside(target, ".part"), beside(target, ".part.info"));
        let file = OpenOptions::new()
            .read(true)
            .append(true) // every write goes to the end
            .create(true)
            .open(&path)
            .map_err(|source| Error::io("open", &path, source))?;
        let hasher = Hasher::new(digest);
        Ok(Self { target: target.into(), path, info, file, digest: digest.clone(), hasher, record: None })
    }

    /// Adopts the bytes of an earlier pull, if `wanted` accepts their record, and hashes them. Fails if they cannot be read.
    pub(super) fn take_up(
        &mut self,
        wanted: impl Fn(&PartRecord) -> bool,
        options: &PullOptions,
        progress: &mut dyn PullProgress,
    ) -> Result<()> {
        let Some(record) = PartRecord::read(&self.info).filter(wanted) else { return Ok(()) };
        let length = self.file.metadata().map_err(|source| Error::io("read", &self.path, source))?.len();
        if length == 0 || length > record.total {
            return Ok(());
        }
        let mut hasher = Hasher::new(&self.digest);
        let mut chunk = vec![0; CHUNK_BYTES];
        while hasher.size() < length {
            if options.stopped() {
                return Err(stopped(length, Some(record.total), &self.path));
            }
            let count = self.file.read(&mut chunk).map_err(|source| Error::io("read", &self.path, source))?;
            if count == 0 {
                return Ok(());
            }
            hasher.put(&chunk[..count]);
            progress.event(Event::Checking { done: hasher.size(), total: length });
        }
        (self.hasher, self.record) = (hasher, Some(record));
        Ok(())
    }

    /// The number of received bytes that can be used.
    pub(super) fn size(&self) -> u64 {
        self.hasher.size()
    }

    /// The path of the part file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The record of the file that the bytes belong to, if the download can be resumed.
    pub(super) fn record(&self) -> Option<&PartRecord> {
        self.record.as_ref().filter(|_| self.size() > 0)
    }

    /// Empties the part file, for a download of the file in `record`; without a record, it cannot be resumed.
    pub(super) fn restart(&mut self, record: Option<PartRecord>) -> Result<()> {
        self.record = None;
        self.hasher = Hasher::new(&self.digest);
        // The record is deleted first, so that it never describes bytes of another file.
        let _ = fs::remove_file(&self.info);
        self.file.set_len(0).map_err(|source| Error::io("empty", &self.path, source))?;
        if let Some(record) = &record {
            fs::write(&self.info, record.text()).map_err(|source| Error::io("write", &self.info, source))?;
        }
        self.record = record;
        Ok(())
    }

    /// Appends bytes to the file and to the hasher.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|source| Error::io("write", &self.path, source))?;
        self.hasher.put(bytes);
        Ok(())
    }

    /// The size and the hashes of the received bytes.
    pub(super) fn verified(&self) -> Verified {
        self.hasher.verified()
    }

    /// Flushes the part file to the disk and renames it to the target.
    pub(super) fn finish(self) -> Result<()> {
        self.file.sync_all().map_err(|source| Error::io("write", &self.path, source))?;
        fs::rename(&self.path, &self.target).map_err(|source| Error::io("write", &self.target, source))?;
        sync_folder(&self.target);
        Ok(())
    }
}

impl Drop for PartFile {
    /// Deletes a part file that cannot be resumed. A failure does no harm and is ignored.
    fn drop(&mut self) {
        let cannot_be_resumed = self.size() > 0 && self.record.is_none();
        if cannot_be_resumed || fs::metadata(&self.path).map_or(true, |meta| meta.len() == 0) {
            let _ = fs::remove_file(&self.path);
            let _ = fs::remove_file(&self.info);
        }
    }
}

/// The error for a stop after which the download can be resumed.
pub(super) fn stopped(done: u64, total: Option<u64>, part: &Path) -> Error {
    let hint = format!("they are kept in {}, and the same command goes on from there", part.display());
    Error::Stopped { done, total, hint }
}

/// Flushes the folder, so that the rename survives a crash. The file is whole also if this fails.
fn sync_folder(path: &Path) {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

/// The path beside `target` whose name is the target's name with `ending`.
pub(super) fn beside(target: &Path, ending: &str) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_os_string();
    name.push(ending);
    target.with_file_name(name)
}

/// Creates an empty file for the output of another program.
pub(super) fn scratch(path: &Path) -> Result<File> {
    File::create(path).map_err(|source| Error::io("write", path, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_back_and_an_incomplete_one_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.part.info");
        let record =
            PartRecord { address: "http://h/a b.h5".into(), validator: "\"v 1\"".into(), total: 574_710_816 };
        let text = record.text();
        fs::write(&path, &text).unwrap();
        assert_eq!(PartRecord::read(&path), Some(record));
        for len in 0..text.len() {
            fs::write(&path, &text[..len]).unwrap();
            assert_eq!(PartRecord::read(&path), None, "{len}");
        }
        fs::write(&path, text.replace("part 1", "part 2")).unwrap();
        assert_eq!(PartRecord::read(&path), None);
    }
}
