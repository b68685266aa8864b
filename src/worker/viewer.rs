//! A viewer's end of the line to the worker: it sends requests, receives replies and reads the newest snapshot.

use std::cell::Cell;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::error::{Error, Result};
use super::protocol::{Action, Reply, Request, RequestId, Snapshot, Status};

/// The number of a viewer, by which the worker knows whose request it serves. Numbers are not used again.
pub(super) type ViewerId = u64;

/// The messages that the worker receives, in the order in which they were sent.
#[derive(Debug)]
pub(super) enum Mail {
    /// This viewer has subscribed.
    Joined(ViewerId),
    /// A viewer's request, and the sender for its reply.
    Request { viewer: ViewerId, request: Request, replies: Sender<Reply> },
    /// This viewer has gone. Its requests, which came before, are served all the same.
    Left(ViewerId),
    /// The owner of the worker wants it to end.
    End,
}

/// Holds the newest snapshot, which all viewers share.
#[derive(Debug, Default)]
pub(super) struct Board {
    latest: Mutex<Arc<Snapshot>>,
}

impl Board {
    pub(super) fn publish(&self, snapshot: Arc<Snapshot>) {
        *self.lock() = snapshot;
    }

    pub(super) fn latest(&self) -> Arc<Snapshot> {
        Arc::clone(&self.lock())
    }

    /// A snapshot is replaced whole, so a panic elsewhere cannot leave half of one.
    fn lock(&self) -> MutexGuard<'_, Arc<Snapshot>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends a viewer's requests, as they came from another process. The replies come to the viewer.
#[derive(Debug)]
pub(super) struct RequestSender {
    viewer: ViewerId,
    mail: Sender<Mail>,
    replies: Sender<Reply>,
}

impl RequestSender {
    pub(super) fn send(&self, request: Request) {
        // A worker that has ended takes no mail; its last snapshot says so.
        let _ = self.mail.send(Mail::Request { viewer: self.viewer, request, replies: self.replies.clone() });
    }
}

/// A viewer's end of the line to the worker. It can be sent to another thread, and dropped at any time.
#[derive(Debug)]
pub struct Viewer {
    id: ViewerId,
    mail: Sender<Mail>,
    board: Arc<Board>,
    replies: (Sender<Reply>, Receiver<Reply>),
    next_id: Cell<RequestId>,
}

impl Viewer {
    pub(super) fn new(id: ViewerId, mail: Sender<Mail>, board: Arc<Board>) -> Self {
        // A worker that has ended takes no mail; its last snapshot says so.
        let _ = mail.send(Mail::Joined(id));
        Self { id, mail, board, replies: channel(), next_id: Cell::new(1) }
    }

    /// Asks the worker for something; returns the number that the reply will carry. A worker that has ended takes no
    /// request and sends no reply; its last snapshot says why.
    pub fn request(&self, action: Action) -> RequestId {
        let id = self.next_id.replace(self.next_id.get() + 1);
        let replies = self.replies.0.clone();
        let _ = self.mail.send(Mail::Request { viewer: self.id, request: Request { id, action }, replies });
        id
    }

    /// A sender of requests in this viewer's name, for another thread.
    pub(super) fn request_sender(&self) -> RequestSender {
        RequestSender { viewer: self.id, mail: self.mail.clone(), replies: self.replies.0.clone() }
    }

    /// The replies that have come since the last call, oldest first. What a request changed is in every snapshot that is
    /// fetched after its reply.
    pub fn replies(&self) -> Vec<Reply> {
        self.replies.1.try_iter().collect()
    }

    /// The newest snapshot, which all viewers share.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.board.latest()
    }

    /// The newest snapshot. Fails when the worker cannot go on, or has ended.
    pub fn latest(&self) -> Result<Arc<Snapshot>> {
        let snapshot = self.snapshot();
        if let Status::Broken(message) = &snapshot.status {
            return Err(Error::Broken(message.clone()));
        }
        if snapshot.ended { Err(Error::Ended) } else { Ok(snapshot) }
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        let _ = self.mail.send(Mail::Left(self.id));
    }
}
