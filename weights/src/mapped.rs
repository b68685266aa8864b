//! Maps a file into memory, so that the system reads it page by page. This is the only `unsafe` code of the crate, and
//! the file holds nothing else.

#![expect(unsafe_code, reason = "mapping a file is unsafe in Rust, and copying 575 MB instead is worse")]

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use memmap2::Mmap;

/// A whole file in memory. Clones share the mapping, and dropping the last of them unmaps the file.
#[derive(Debug, Clone)]
pub(crate) struct Mapped(Arc<Mmap>);

impl Mapped {
    /// Maps a file. Fails for anything else than a regular file, such as a folder or a pipe.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        if !path.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
        }
        let file = File::open(path)?;
        // SAFETY: the bytes must not change while they are mapped. Nothing here writes to a weights file, and a
        // file that is fetched anew replaces the old one by renaming, which leaves a map of the old one as it was.
        // Another program that rewrites a file in place while Trepang reads it can spoil the numbers, and one that
        // cuts it short ends the process by a signal, as it would any program that maps files. The readers check
        // every range against the length of the map, and no byte is a value of a type that has invalid ones.
        let map = unsafe { Mmap::map(&file) }?;
        Ok(Self(Arc::new(map)))
    }
}

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_not_mapped() {
        let error = Mapped::open(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap_err();
        assert_eq!(error.to_string(), "it is not a regular file");
    }

    #[test]
    fn a_file_is_its_bytes() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        assert_eq!(&*Mapped::open(&path).unwrap(), std::fs::read(path).unwrap());
    }
}
