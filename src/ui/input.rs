//! Reads what the terminal sends, and waits for it. Nobody else reads the terminal, so that no reply is taken for keys.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::decoder::{Decoder, TerminalInput};

/// The time after an Esc in which nothing must follow for it to be the key.
const ESCAPE_TIMEOUT: Duration = Duration::from_millis(50);

/// The same while the terminal owes replies, which may come in pieces over a slow link.
const OWED_ESCAPE_TIMEOUT: Duration = Duration::from_millis(500);

/// The longest pause in a sequence before it is given up.
const SEQUENCE_TIMEOUT: Duration = Duration::from_secs(1);

/// The longest pause in a pasted text before it is given up: what comes later would be keys.
const PASTE_TIMEOUT: Duration = Duration::from_secs(10);

/// The most bytes that are read before the caller has its turn.
const MAX_READ_BYTES: usize = 1 << 16;

/// The decoded input of the terminal.
#[derive(Debug)]
pub(super) struct TerminalReader {
    decoder: Decoder,
    /// The time of the last byte.
    last: Instant,
}

impl TerminalReader {
    pub(super) fn new() -> Self {
        Self { decoder: Decoder::default(), last: Instant::now() }
    }

    /// Reads what is there, without waiting. `owed` is whether the terminal owes replies.
    pub(super) fn read(&mut self, owed: bool) -> Vec<TerminalInput> {
        let mut decoded = Vec::new();
        let mut bytes = [0; 1024];
        let mut count = 0;
        while count < MAX_READ_BYTES && is_readable() {
            match rustix::io::read(rustix::stdio::stdin(), &mut bytes) {
                Ok(len @ 1..) => {
                    count += len;
                    decoded.extend(bytes[..len].iter().filter_map(|&byte| self.decoder.push(byte)));
                    self.last = Instant::now();
                }
                // The code that waits for input notices if the terminal has gone.
                _ => break,
            }
        }
        if self.last.elapsed() >= self.patience(owed) {
            decoded.extend(self.decoder.finish());
        }
        decoded
    }

    /// The longest pause in the sequence that has begun.
    fn patience(&self, owed: bool) -> Duration {
        if self.decoder.is_pasting() {
            return PASTE_TIMEOUT;
        }
        match (self.decoder.is_after_escape(), owed) {
            (true, false) => ESCAPE_TIMEOUT,
            (true, true) => OWED_ESCAPE_TIMEOUT,
            (false, _) => SEQUENCE_TIMEOUT,
        }
    }

    /// Whether a sequence has started and not ended.
    pub(super) fn is_inside(&self) -> bool {
        self.decoder.is_inside()
    }
}

/// Waits until input can be read or `limit` is over. Returns false if the other end of the terminal has hung up; SIGHUP
/// usually reports that first, but it can be ignored (`nohup`).
pub(super) fn wait(limit: Duration) -> bool {
    let stdin = rustix::stdio::stdin();
    let mut watched = [PollFd::new(&stdin, PollFlags::IN)];
    let limit = Timespec { tv_sec: limit.as_secs() as i64, tv_nsec: i64::from(limit.subsec_nanos()) };
    // An interruption (a resize or a signal) also ends the wait, and the caller handles it.
    poll(&mut watched, Some(&limit)).is_err()
        || !watched[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
}

/// Whether input can be read now.
fn is_readable() -> bool {
    let stdin = rustix::stdio::stdin();
    let mut watched = [PollFd::new(&stdin, PollFlags::IN)];
    poll(&mut watched, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
        && watched[0].revents().contains(PollFlags::IN)
}
