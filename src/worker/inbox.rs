//! The worker's end of the line to its viewers, which can be looked into without a message getting lost.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvError, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use super::viewer::Mail;
use crate::memory;

/// The time without a message after which memory is given back.
const REST: Duration = Duration::from_millis(500);

/// The messages to the worker, in the order in which they were sent.
#[derive(Debug)]
pub(super) struct Inbox {
    line: Receiver<Mail>,
    /// Messages that were seen and not taken yet.
    seen: RefCell<VecDeque<Mail>>,
}

impl Inbox {
    pub(super) fn new(line: Receiver<Mail>) -> Self {
        Self { line, seen: RefCell::default() }
    }

    /// Whether a message waits.
    pub(super) fn has_mail(&self) -> bool {
        let mut seen = self.seen.borrow_mut();
        seen.extend(self.line.try_recv());
        !seen.is_empty()
    }

    /// The oldest message, if one waits.
    pub(super) fn try_take(&self) -> Result<Mail, TryRecvError> {
        let seen = self.seen.borrow_mut().pop_front();
        seen.map_or_else(|| self.line.try_recv(), Ok)
    }

    /// The oldest message, as soon as there is one. Memory is given back where none comes soon: the last step may have been that of
    /// many drafts.
    pub(super) fn take(&self) -> Result<Mail, RecvError> {
        let seen = self.seen.borrow_mut().pop_front();
        match seen.map_or_else(|| self.line.recv_timeout(REST), Ok) {
            Ok(mail) => Ok(mail),
            Err(RecvTimeoutError::Timeout) => {
                memory::give_back();
                self.line.recv()
            }
            Err(RecvTimeoutError::Disconnected) => Err(RecvError),
        }
    }
}
