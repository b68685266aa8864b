//! What a pull tells while it goes on. Not for drawing: whoever has a terminal does that.

use std::time::Duration;

/// Something that happened during a pull.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Bytes that are on the disk already are being hashed.
    Checking {
        /// How many have been.
        done: u64,
        /// How many there are.
        total: u64,
    },
    /// A server is asked for the file from this byte on.
    Asking {
        /// The address.
        address: &'a str,
        /// The first byte, not 0 when an earlier download is gone on with.
        from: u64,
    },
    /// Bytes have come and are in the part.
    Received {
        /// How many are there now.
        done: u64,
        /// How many there will be, if anyone said.
        total: Option<u64>,
    },
    /// Something failed that may pass; after a wait it is tried again.
    Again {
        /// What failed.
        reason: &'a str,
        /// How long the wait is.
        wait: Duration,
    },
    /// What came is no use; the file is fetched from its first byte.
    Restarting {
        /// Why.
        reason: &'a str,
    },
    /// Another program is at work.
    Running {
        /// Its command line.
        command: &'a str,
    },
}

/// Who wants to know. Called from the thread that pulls, between two chunks: it should return soon.
pub trait Progress {
    /// Takes note of what happened.
    fn event(&mut self, event: Event<'_>);
}

/// Takes note of nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn event(&mut self, _: Event<'_>) {}
}
