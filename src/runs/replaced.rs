//! Keeps files of another kind from being replaced: who names an existing file that holds something else than what is
//! written has hardly meant it. Not here: which endings names may have.

use std::io::Read;
use std::path::Path;

use super::error::{Error, Result};
use super::picture_file::is_picture;
use super::regular::open_regular;

/// The bytes that tell kinds of files apart.
const FIRST_BYTES: u64 = 64;

/// The first line of a table of losses.
pub(super) const LOSSES_HEADER: &str = "step,loss\n";

/// The beginning of a table that `trepang spectrum` writes.
pub const SPECTRUM_HEADER: &str = "# Mean magnitudes of ";

/// A kind of file that replaces one of its own kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputKind {
    /// A picture or an animation, in any format.
    Picture,
    /// The losses of a run.
    Losses,
    /// The spectrum of pictures.
    Spectrum,
}

impl OutputKind {
    /// Fails where a file is that holds something else. An empty one is replaced, and one that cannot be read is left to
    /// whoever writes.
    pub fn check_place(self, path: &Path) -> Result<()> {
        let mut bytes = Vec::new();
        let read = open_regular(path).and_then(|file| file.take(FIRST_BYTES).read_to_end(&mut bytes));
        if read.is_err() || bytes.is_empty() || self.begins_so(&bytes) {
            return Ok(());
        }
        Err(Error::OtherFile { path: path.into(), wanted: self.in_words() })
    }

    fn begins_so(self, bytes: &[u8]) -> bool {
        match self {
            Self::Picture => is_picture(bytes),
            Self::Losses => bytes.starts_with(LOSSES_HEADER.as_bytes()),
            Self::Spectrum => bytes.starts_with(SPECTRUM_HEADER.as_bytes()),
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Picture => "no picture",
            Self::Losses => "no table of losses",
            Self::Spectrum => "no spectrum of trepang's",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_replaces_one_of_its_own_kind_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let kinds = [OutputKind::Picture, OutputKind::Losses, OutputKind::Spectrum];
        let allowed = |content: &[u8]| {
            fs::write(&path, content).unwrap();
            kinds.map(|kind| kind.check_place(&path).is_ok())
        };
        for kind in kinds {
            assert!(kind.check_place(&folder.path().join("nothing")).is_ok());
        }
        assert_eq!(allowed(b""), [true; 3]);
        for other in [&b"my thesis"[..], b"%PDF-1.7\n", b"PK\x03\x04"] {
            assert_eq!(allowed(other), [false; 3]);
        }
        for picture in [&b"\x89PNG\r\n\x1a\n"[..], b"\xff\xd8\xff\xe0", b"GIF89a"] {
            assert_eq!(allowed(picture), [true, false, false], "{picture:?}");
        }
        assert_eq!(allowed(b"step,loss\n1,0.5\n"), [false, true, false]);
        assert_eq!(allowed(b"step,accuracy\n1,0.5\n"), [false; 3]);
        assert_eq!(allowed(b"# Mean magnitudes of 3 pictures\n"), [false, false, true]);
    }
}
