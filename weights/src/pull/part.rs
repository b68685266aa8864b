//! What has come of a file so far: `NAME.part`, with `NAME.part.info` to say which file it is a part of. Every file
//! that a pull writes is written here. Not for talking to servers.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::digest::{CHUNK, Hasher};
use super::{Digest, Error, Event, Options, Progress, Result, Verified};

/// The first line of a record; another version of Trepang that writes another one starts anew.
const HEADER: &str = "trepang part 1";

/// Which file a part is of. Written only for files that can be gone on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// The address that was asked.
    pub(super) address: String,
    /// What tells this version of the file from others: a strong entity tag, or a date of modification.
    pub(super) validator: String,
    /// Its bytes.
    pub(super) total: u64,
}

impl Record {
    fn read(path: &Path) -> Option<Self> {
        let text = fs::read_to_string(path).ok()?;
        let mut lines = text.strip_suffix("\nend\n")?.lines();
        if lines.next() != Some(HEADER) {
            return None;
        }
        let mut field = |name: &str| lines.next()?.strip_prefix(name).map(String::from);
        let (address, validator, total) = (field("address ")?, field("validator ")?, field("total ")?);
        Some(Self { address, validator, total: total.parse().ok()? })
    }

    fn text(&self) -> String {
        let Self { address, validator, total } = self;
        format!("{HEADER}\naddress {address}\nvalidator {validator}\ntotal {total}\nend\n")
    }
}

/// The part of one target. The caller holds the target's lock.
#[derive(Debug)]
pub(super) struct Part {
    target: PathBuf,
    path: PathBuf,
    info: PathBuf,
    file: File,
    digest: Digest,
    /// Has seen what is in the file, up to where it may be gone on with.
    hasher: Hasher,
    record: Option<Record>,
}

impl Part {
    /// Opens the part of `target`, or makes an empty one.
    pub(super) fn open(target: &Path, digest: &Digest) -> Result<Self> {
        // Renaming over a folder fails, and over a device or a pipe it would replace it.
        if fs::metadata(target).is_ok_and(|meta| !meta.is_file()) {
            return Err(Error::NotAFile { path: target.into() });
        }
        let (path, info) = (beside(target, ".part"), beside(target, ".part.info"));
        let file = OpenOptions::new()
            .read(true)
            .append(true) // every write goes behind what is there
            .create(true)
            .open(&path)
            .map_err(|source| Error::io("open", &path, source))?;
        let hasher = Hasher::new(digest);
        Ok(Self { target: target.into(), path, info, file, digest: digest.clone(), hasher, record: None })
    }

    /// Takes up what an earlier pull left, if its record is `wanted`, by hashing it. Fails if it cannot be read.
    pub(super) fn take_up(
        &mut self,
        wanted: impl Fn(&Record) -> bool,
        options: &Options,
        progress: &mut dyn Progress,
    ) -> Result<()> {
        let Some(record) = Record::read(&self.info).filter(wanted) else { return Ok(()) };
        let length = self.file.metadata().map_err(|source| Error::io("read", &self.path, source))?.len();
        if length == 0 || length > record.total {
            return Ok(());
        }
        let mut hasher = Hasher::new(&self.digest);
        let mut chunk = vec![0; CHUNK];
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

    /// How many bytes are there that may be gone on from.
    pub(super) fn size(&self) -> u64 {
        self.hasher.size()
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Which file it is a part of, if it can be gone on with.
    pub(super) fn record(&self) -> Option<&Record> {
        self.record.as_ref().filter(|_| self.size() > 0)
    }

    /// Empties it, for the file that `record` tells of.
    pub(super) fn restart(&mut self, record: Option<Record>) -> Result<()> {
        self.record = None;
        self.hasher = Hasher::new(&self.digest);
        // In this order, so that a record never stands beside bytes of another file.
        let _ = fs::remove_file(&self.info);
        self.file.set_len(0).map_err(|source| Error::io("empty", &self.path, source))?;
        if let Some(record) = &record {
            fs::write(&self.info, record.text()).map_err(|source| Error::io("write", &self.info, source))?;
        }
        self.record = record;
        Ok(())
    }

    /// Adds bytes at the end.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|source| Error::io("write", &self.path, source))?;
        self.hasher.put(bytes);
        Ok(())
    }

    /// Size and hashes of what is there.
    pub(super) fn verified(&self) -> Verified {
        self.hasher.verified()
    }

    /// Puts the part in the place of the target, on the disk for good.
    pub(super) fn finish(self) -> Result<()> {
        self.file.sync_all().map_err(|source| Error::io("write", &self.path, source))?;
        fs::rename(&self.path, &self.target).map_err(|source| Error::io("write", &self.target, source))?;
        sync_folder(&self.target);
        Ok(())
    }
}

impl Drop for Part {
    /// Leaves no file of which nothing can come. Nobody can be told if that fails, and nothing depends on it.
    fn drop(&mut self) {
        let written_in_vain = self.size() > 0 && self.record.is_none();
        if written_in_vain || fs::metadata(&self.path).map_or(true, |meta| meta.len() == 0) {
            let _ = fs::remove_file(&self.path);
            let _ = fs::remove_file(&self.info);
        }
    }
}

/// The sentence of a stop after which the part is of use.
pub(super) fn stopped(done: u64, total: Option<u64>, part: &Path) -> Error {
    let hint = format!("they are kept in {}, and the same command goes on from there", part.display());
    Error::Stopped { done, total, hint }
}

/// Makes the rename itself durable, where the system can; the file is whole either way.
fn sync_folder(path: &Path) {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

/// The path of a file that belongs to `target`: its name with `ending`.
pub(super) fn beside(target: &Path, ending: &str) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_os_string();
    name.push(ending);
    target.with_file_name(name)
}

/// A new empty file for what another program says.
pub(super) fn scratch(path: &Path) -> Result<File> {
    File::create(path).map_err(|source| Error::io("write", path, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_back_and_a_torn_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.part.info");
        let record =
            Record { address: "http://h/a b.h5".into(), validator: "\"v 1\"".into(), total: 574_710_816 };
        let text = record.text();
        fs::write(&path, &text).unwrap();
        assert_eq!(Record::read(&path), Some(record));
        for len in 0..text.len() {
            fs::write(&path, &text[..len]).unwrap();
            assert_eq!(Record::read(&path), None, "{len}");
        }
        fs::write(&path, text.replace("part 1", "part 2")).unwrap();
        assert_eq!(Record::read(&path), None);
    }
}
