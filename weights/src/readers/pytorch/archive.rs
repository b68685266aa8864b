//! PyTorch's zip archive: finds its pickle and the bytes of its storages. The crate `zip` reads the archive.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::io::{self, Cursor, Read};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use zip::read::{ArchiveOffset, Config};
use zip::{CompressionMethod, ZipArchive, ZipReadOptions};

use crate::file_bytes::FileBytes;

/// The largest pickle that is unpacked, in bytes. One with thousands of tensors takes a hundredth of this.
const MAX_PICKLE_BYTES: u64 = 128 << 20;

/// A compressed file may always unpack to this many bytes.
const MAX_UNPACKED_BYTES: u64 = 64 << 20;

/// Above that, it may unpack to this many times the bytes of the archive: trained numbers hardly compress.
const MAX_EXPANSION: u64 = 4;

/// An opened archive.
pub(in crate::readers) struct Archive {
    zip: ZipArchive<Cursor<FileBytes>>,
    file: FileBytes,
    entries: HashMap<String, ArchiveEntry>,
    /// The entries whose checksums were found right.
    verified: Mutex<HashSet<usize>>,
}

/// A file in an archive.
#[derive(Debug, Clone)]
struct ArchiveEntry {
    index: usize,
    /// The place of its bytes, if it is not compressed.
    stored: Option<Range<usize>>,
    size: u64,
    /// Whether its writer left out the checksum, as PyTorch can.
    unchecked: bool,
}

impl Archive {
    /// Opens an archive that begins where the file does. The error is a clause.
    pub(in crate::readers) fn open(file: &FileBytes) -> Result<Self, String> {
        // PyTorch writes the end of an archive in both of zip's forms. A search that counts back from it finds a wrong
        // directory if the first entry takes just as many bytes as the second form: with names of 21 letters.
        let config = Config { archive_offset: ArchiveOffset::Known(0) };
        let mut zip =
            ZipArchive::with_config(config, Cursor::new(file.clone())).map_err(|error| error.to_string())?;
        let mut entries = HashMap::new();
        for index in 0..zip.len() {
            let entry = zip.by_index_raw(index).map_err(|error| error.to_string())?;
            let raw = || String::from_utf8_lossy(entry.name_raw()).into_owned();
            let name = entry.name().map_or_else(|_| raw(), Cow::into_owned);
            let (size, start) = (entry.size(), entry.data_start().unwrap_or(u64::MAX));
            let bytes = usize::try_from(start).ok().zip(usize::try_from(entry.compressed_size()).ok());
            let range = bytes.and_then(|(start, len)| Some(start..start.checked_add(len)?));
            let range = range.filter(|range| range.end <= file.len());
            let range = range.ok_or_else(|| format!("\"{name}\" would lie behind the end of the file"))?;
            let stored = (entry.compression() == CompressionMethod::Stored).then_some(range);
            entries.insert(name, ArchiveEntry { index, stored, size, unchecked: entry.crc32() == 0 });
        }
        Ok(Self { zip, file: file.clone(), entries, verified: Mutex::default() })
    }

    /// The names of the files in the archive.
    pub(in crate::readers) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The size of a file in the archive in bytes; none if there is no such file.
    pub(in crate::readers) fn size(&self, name: &str) -> Option<u64> {
        self.entries.get(name).map(|entry| entry.size)
    }

    /// A whole file of the archive, up to the size of a pickle.
    pub(super) fn small(&self, name: &str) -> Result<Cow<'_, [u8]>, String> {
        if self.size(name).is_some_and(|size| size > MAX_PICKLE_BYTES) {
            return Err(format!("\"{name}\" is larger than any that describes weights"));
        }
        self.whole(name)
    }

    /// A whole file of the archive. One that is not compressed is not copied.
    pub(in crate::readers) fn whole(&self, name: &str) -> Result<Cow<'_, [u8]>, String> {
        let entry = self.entries.get(name).ok_or_else(|| format!("\"{name}\" is not in it"))?;
        let len =
            usize::try_from(entry.size).map_err(|_| format!("\"{name}\" is larger than memory can be"))?;
        self.bytes(name, 0..len)
    }

    /// The range of a stored file in the archive; none if the file is compressed or is not there.
    pub(in crate::readers) fn stored_range(&self, name: &str) -> Option<Range<usize>> {
        self.entries.get(name)?.stored.clone()
    }

    /// Bytes of a file of the archive. Fails if its checksum is wrong.
    pub(super) fn bytes(&self, name: &str, range: Range<usize>) -> Result<Cow<'_, [u8]>, String> {
        let entry = self.entries.get(name).ok_or_else(|| format!("\"{name}\" is not in it"))?;
        let short = || format!("\"{name}\" has fewer bytes than it should");
        if let Some(stored) = &entry.stored {
            self.verify(entry, &mut io::sink()).map_err(|reason| format!("\"{name}\": {reason}"))?;
            return self.file[stored.clone()].get(range).map(Cow::Borrowed).ok_or_else(short);
        }
        if entry.size > MAX_UNPACKED_BYTES.max((self.file.len() as u64).saturating_mul(MAX_EXPANSION)) {
            return Err(format!("\"{name}\" would unpack to more than numbers do"));
        }
        let mut unpacked = Vec::new();
        let mut upto = Upto { bytes: &mut unpacked, limit: range.end };
        self.verify(entry, &mut upto).map_err(|reason| format!("\"{name}\": {reason}"))?;
        unpacked.get(range).map(|bytes| Cow::Owned(bytes.to_vec())).ok_or_else(short)
    }

    /// Copies an entry to `to`, to its end, where its checksum is checked. A stored one is only read once.
    fn verify(&self, entry: &ArchiveEntry, to: &mut impl io::Write) -> Result<(), String> {
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if entry.stored.is_some() && verified.contains(&entry.index) {
            return Ok(());
        }
        let options = ZipReadOptions::new().ignore_crc32(entry.unchecked);
        let mut zip = self.zip.clone();
        let reader = zip.by_index_with_options(entry.index, options).map_err(|error| error.to_string())?;
        io::copy(&mut reader.take(entry.size.saturating_add(1)), to).map_err(|error| error.to_string())?;
        verified.insert(entry.index);
        Ok(())
    }
}

/// Keeps the first bytes that are written, and counts the others as written.
struct Upto<'a> {
    bytes: &'a mut Vec<u8>,
    limit: usize,
}

impl io::Write for Upto<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.limit.saturating_sub(self.bytes.len()).min(bytes.len());
        self.bytes.extend_from_slice(&bytes[..room]);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
