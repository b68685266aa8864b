//! The events that a pull reports while it runs. Drawing them is up to the caller.

use std::time::Duration;

/// An event during a pull.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Bytes that are on the disk are being hashed.
    Checking {
        /// The number of bytes that have been hashed.
        done: u64,
        /// The number of bytes to hash.
        total: u64,
    },
    /// A request for the file, or for the rest of it, is being sent.
    Asking {
        /// The address that the request is sent to.
        address: &'a str,
        /// The first byte that is requested; it is not 0 if a download is resumed.
        from: u64,
    },
    /// Bytes have been received and written.
    Received {
        /// The number of bytes received so far.
        done: u64,
        /// The size of the file in bytes, if it is known.
        total: Option<u64>,
    },
    /// An attempt failed, and another one follows after a wait.
    Again {
        /// The reason of the failure, as a clause.
        reason: &'a str,
        /// The time until the next attempt.
        wait: Duration,
    },
    /// The received bytes are not usable, and the download starts again from the first byte.
    Restarting {
        /// The reason, as a clause.
        reason: &'a str,
    },
    /// Another process holds the lock of the file, and is waited for. It is reported once.
    Waiting {
        /// The holder of the lock, as far as it has said who it is: `process 1234 on HOST`.
        holder: &'a str,
    },
    /// Another program, pip, is being run.
    Running {
        /// The command line of the program.
        command: &'a str,
    },
}

/// Receives the events of a pull. It is called on the thread that pulls, between two chunks, and should return soon.
pub trait PullProgress {
    /// Receives an event.
    fn event(&mut self, event: Event<'_>);
}

/// A [`PullProgress`] that ignores every event.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl PullProgress for NoProgress {
    fn event(&mut self, _: Event<'_>) {}
}
