//! The bytes of a weights file. A user's file is read once into memory, so that what is computed with is what was hashed,
//! whatever another program does to the file. A file of the store, which is only ever replaced by renaming, is mapped:
//! the system reads it page by page. This is the only `unsafe` code of the crate, and the file holds nothing else.

#![expect(
    unsafe_code,
    reason = "mapping a file is unsafe in Rust, and copying 575 MB of the store instead is worse"
)]

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use memmap2::{Mmap, MmapMut};

/// A whole file in memory. Clones share the bytes.
#[derive(Debug, Clone)]
pub(crate) enum FileBytes {
    /// A file that is not written to as long as it is mapped.
    Mapped(Arc<Mmap>),
    /// A copy of the bytes in memory.
    Read(Arc<Vec<u8>>),
}

impl FileBytes {
    /// Maps a file of the store. Fails for anything else than a regular file, such as a folder or a pipe.
    pub(crate) fn map(path: &Path) -> io::Result<Self> {
        let file = open_regular(path)?;
        // SAFETY: the bytes must not change while they are mapped. Only files of the store are mapped. They are written
        // beside their place and renamed to it, which leaves a map of the file before as it was; nothing else writes to
        // that folder. The readers check every range against the length of the map, and no byte is a value of a type that
        // has invalid ones.
        let map = unsafe { Mmap::map(&file) }?;
        Ok(Self::Mapped(Arc::new(map)))
    }

    /// Reads a file. Fails for anything else than a regular file, and where there is not enough memory for its bytes.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        Self::of(open_regular(path)?)
    }

    /// The bytes of a file that is open at its start.
    pub(crate) fn of(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        let too_large =
            || io::Error::new(ErrorKind::OutOfMemory, format!("there is no memory for its {len} bytes"));
        let capacity = usize::try_from(len).map_err(|_| too_large())?;
        // The system is asked by a map, since the program's allocator ends the process where it has nothing left.
        drop(MmapMut::map_anon(capacity.max(1)).map_err(|_| too_large())?);
        let mut bytes = Vec::with_capacity(capacity);
        // No more than that, should the file grow meanwhile.
        file.take(len).read_to_end(&mut bytes)?;
        Ok(Self::Read(Arc::new(bytes)))
    }
}

/// Opens a regular file.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    // Asked before it is opened, since a pipe is opened only when somebody writes to it.
    if !path.metadata()?.is_file() {
        return Err(not_regular());
    }
    let file = File::open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(not_regular()) }
}

fn not_regular() -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, "it is not a regular file")
}

impl Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Read(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for FileBytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_not_opened() {
        for open in [FileBytes::map, FileBytes::read] {
            let error = open(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap_err();
            assert_eq!(error.to_string(), "it is not a regular file");
        }
    }

    #[test]
    fn a_file_is_its_bytes() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        for open in [FileBytes::map, FileBytes::read] {
            assert_eq!(&*open(&path).unwrap(), std::fs::read(&path).unwrap());
        }
    }

    #[test]
    fn a_file_that_was_read_stays_as_it_was() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "before").unwrap();
        let bytes = FileBytes::read(file.path()).unwrap();
        // In place, as a training job may write its checkpoint.
        std::fs::write(file.path(), "after!").unwrap();
        assert_eq!(&*bytes, b"before");
    }
}
