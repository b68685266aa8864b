//! The hashes of files: the expected ones, the computed ones and their comparison.

use std::fmt;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::hex::hex;
use md5::Md5;
use sha2::{Digest as _, Sha256};

use super::{Error, Event, PullOptions, PullProgress, Result};

/// The number of bytes that are read or received at a time.
pub(super) const CHUNK_BYTES: usize = 1 << 18;

/// The hash that a file must have, in hexadecimal digits of either case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Digest {
    /// All 32 digits of the MD5, which Keras publishes.
    Md5(String),
    /// All 64 digits of the SHA-256.
    Sha256(String),
    /// The first digits of the SHA-256, which PyTorch writes at the end of a file's name.
    Sha256Prefix(String),
    /// No hash is known.
    None,
}

impl Digest {
    /// Whether no other file with this hash can be made.
    pub(crate) fn is_whole(&self) -> bool {
        match self {
            Self::Md5(_) | Self::Sha256(_) => true,
            Self::Sha256Prefix(_) | Self::None => false,
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Md5(hex) => write!(f, "md5 {hex}"),
            Self::Sha256(hex) => write!(f, "sha256 {hex}"),
            Self::Sha256Prefix(hex) => write!(f, "sha256 {hex}..."),
            Self::None => f.write_str("no hash"),
        }
    }
}

/// The size and the hashes of a file that has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The size of the file in bytes.
    pub size: u64,
    /// The SHA-256 in lower-case hexadecimal digits.
    pub sha256: String,
    /// The MD5 in lower-case hexadecimal digits, if the expected hash was an MD5.
    pub md5: Option<String>,
}

impl Verified {
    /// Fails if the file, which errors call `what`, does not have this size or this hash.
    pub(super) fn check(&self, what: &str, size: Option<u64>, digest: &Digest) -> Result<()> {
        if let Some(expected) = size.filter(|expected| *expected != self.size) {
            return Err(Error::Size { what: what.into(), expected, found: self.size });
        }
        let (kind, expected, found) = match digest {
            Digest::Md5(hex) => ("md5", hex, self.md5.as_deref().unwrap_or_default()),
            Digest::Sha256(hex) => ("sha256", hex, &*self.sha256),
            Digest::Sha256Prefix(hex) => {
                ("sha256", hex, self.sha256.get(..hex.len()).unwrap_or(&self.sha256))
            }
            Digest::None => return Ok(()),
        };
        if found.eq_ignore_ascii_case(expected) {
            return Ok(());
        }
        let (expected, found) = (expected.to_lowercase(), found.into());
        Err(Error::Digest { what: what.into(), kind, expected, found })
    }
}

/// Computes the size and the hashes of bytes that are added in pieces.
#[derive(Debug, Clone)]
pub(super) struct Hasher {
    size: u64,
    sha256: Sha256,
    md5: Option<Md5>,
}

impl Hasher {
    /// A hasher of nothing. MD5 costs as much as SHA-256, so it is computed only if `digest` is an MD5.
    pub(super) fn new(digest: &Digest) -> Self {
        let md5 = matches!(digest, Digest::Md5(_)).then(Md5::new);
        Self { size: 0, sha256: Sha256::new(), md5 }
    }

    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.sha256.update(bytes);
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
    }

    /// The number of bytes that were added.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The size and the hashes of the bytes that were added so far.
    pub(super) fn verified(&self) -> Verified {
        let md5 = self.md5.clone().map(|md5| hex(&md5.finalize()));
        Verified { size: self.size, sha256: hex(&self.sha256.clone().finalize()), md5 }
    }
}

/// Reads a whole file and computes its hashes. Fails if the file does not have this size or hash, if it cannot be read,
/// and if the user stops it. A file of the wrong size is not read.
pub fn verify(
    path: &Path,
    size: Option<u64>,
    digest: &Digest,
    options: &PullOptions,
    progress: &mut dyn PullProgress,
) -> Result<Verified> {
    let cannot = |source| Error::io("read", path, source);
    // Opening a pipe or a device could block, so the type is checked first.
    let meta = fs::metadata(path).map_err(cannot)?;
    if !meta.is_file() {
        return Err(Error::NoFile { path: path.into() });
    }
    let mut file = File::open(path).map_err(cannot)?;
    let total = meta.len();
    let what = path.display().to_string();
    if let Some(expected) = size.filter(|expected| *expected != total) {
        return Err(Error::Size { what, expected, found: total });
    }
    let mut hasher = Hasher::new(digest);
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = file.read(&mut chunk).map_err(cannot)?;
        if count == 0 {
            break;
        }
        hasher.put(&chunk[..count]);
        if options.stopped() {
            let hint = "run the same command again".into();
            return Err(Error::Stopped { done: hasher.size(), total: Some(total), hint });
        }
        progress.event(Event::Checking { done: hasher.size(), total });
    }
    let verified = hasher.verified();
    verified.check(&what, size, digest)?;
    Ok(verified)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pull::NoProgress;

    const SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const MD5: &str = "900150983cd24fb0d6963f7d28e17f72";

    fn check(size: Option<u64>, digest: &Digest) -> Result<Verified> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc.h5");
        std::fs::write(&path, "abc").unwrap();
        verify(&path, size, digest, &PullOptions::default(), &mut NoProgress)
    }

    #[test]
    fn the_published_test_vectors_of_the_hashes_are_met() {
        let all = check(Some(3), &Digest::Md5(MD5.to_uppercase())).unwrap();
        assert_eq!(all, Verified { size: 3, sha256: SHA256.into(), md5: Some(MD5.into()) });
        for digest in [Digest::Sha256(SHA256.into()), Digest::Sha256Prefix("ba7816bf".into()), Digest::None] {
            assert_eq!(check(None, &digest).unwrap().md5, None, "{digest}");
        }
    }

    #[test]
    fn errors_say_what_was_expected_and_found() {
        let error = check(Some(4), &Digest::None).unwrap_err().to_string();
        assert!(error.contains("abc.h5 is 3 bytes long and 4 were expected: it was cut short"), "{error}");
        let error = check(None, &Digest::Sha256Prefix("ba7816b0".into())).unwrap_err().to_string();
        assert!(error.contains("is ba7816bf and ba7816b0 was expected"), "{error}");
        assert!(check(None, &Digest::Md5(String::new())).is_err());
        assert!(check(None, &Digest::Sha256("ba7816bf".into())).is_err());
        assert!(check(None, &Digest::Sha256Prefix(format!("{SHA256}00"))).is_err());
    }
}
