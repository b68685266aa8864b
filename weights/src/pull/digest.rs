//! Hashes: what a file should have, and what it has. Not for anything secret.

use std::fmt::{self, Write as _};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use md5::Md5;
use sha2::{Digest as _, Sha256};

use super::{Error, Event, Options, Progress, Result};

/// How much is read at a time.
pub(super) const CHUNK: usize = 1 << 18;

/// What the bytes of a file must hash to, in hexadecimal digits of either case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Digest {
    /// All 32 digits of its MD5, which Keras gives.
    Md5(String),
    /// All 64 digits of its SHA-256.
    Sha256(String),
    /// The first digits of its SHA-256, which the names of PyTorch's files end in.
    Sha256Prefix(String),
    /// Nobody has said.
    None,
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

/// What a file has turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Bytes.
    pub size: u64,
    /// Its SHA-256 in lower-case hexadecimal digits.
    pub sha256: String,
    /// Its MD5, if that was what it was compared by.
    pub md5: Option<String>,
}

impl Verified {
    /// Fails if a file, called `what`, is not of this size or does not hash to `digest`.
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

/// Hashes what is put in.
#[derive(Debug, Clone)]
pub(super) struct Hasher {
    size: u64,
    sha256: Sha256,
    md5: Option<Md5>,
}

impl Hasher {
    /// MD5 costs as much again, so it is taken only for a `digest` that is one.
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

    /// How much was put in.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The hashes of what was put in so far.
    pub(super) fn verified(&self) -> Verified {
        let md5 = self.md5.clone().map(|md5| hex(&md5.finalize()));
        Verified { size: self.size, sha256: hex(&self.sha256.clone().finalize()), md5 }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads a whole file and says what it is; fails if it is not of that size or does not hash to `digest`. The
/// file is not written, and a wrong size is told without reading it.
pub fn verify(
    path: &Path,
    size: Option<u64>,
    digest: &Digest,
    options: &Options,
    progress: &mut dyn Progress,
) -> Result<Verified> {
    let cannot = |source| Error::io("read", path, source);
    // A pipe or a device would be waited for before it could be asked what it is.
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
    let mut chunk = vec![0; CHUNK];
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
    use crate::pull::Silent;

    const SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const MD5: &str = "900150983cd24fb0d6963f7d28e17f72";

    fn check(size: Option<u64>, digest: &Digest) -> Result<Verified> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc.h5");
        std::fs::write(&path, "abc").unwrap();
        verify(&path, size, digest, &Options::default(), &mut Silent)
    }

    #[test]
    fn the_digests_of_the_standards_are_found() {
        let all = check(Some(3), &Digest::Md5(MD5.to_uppercase())).unwrap();
        assert_eq!(all, Verified { size: 3, sha256: SHA256.into(), md5: Some(MD5.into()) });
        for digest in [Digest::Sha256(SHA256.into()), Digest::Sha256Prefix("ba7816bf".into()), Digest::None] {
            assert_eq!(check(None, &digest).unwrap().md5, None, "{digest}");
        }
    }

    #[test]
    fn wrong_files_are_told_by_what_was_expected_and_found() {
        let error = check(Some(4), &Digest::None).unwrap_err().to_string();
        assert!(error.contains("abc.h5 is 3 bytes long and 4 were expected: it was cut short"), "{error}");
        let error = check(None, &Digest::Sha256Prefix("ba7816b0".into())).unwrap_err().to_string();
        assert!(error.contains("is ba7816bf and ba7816b0 was expected"), "{error}");
        assert!(check(None, &Digest::Md5(String::new())).is_err());
        assert!(check(None, &Digest::Sha256("ba7816bf".into())).is_err());
        assert!(check(None, &Digest::Sha256Prefix(format!("{SHA256}00"))).is_err());
    }
}
