//! One of those who watch the worker: it asks, hears what became of it, and sees the newest snapshot.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::error::{Error, Result};
use super::protocol::{Action, Reply, Request, RequestId, Snapshot, Status};

/// A request on its way to the worker, and where its reply goes.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) request: Request,
    pub(super) replies: Sender<Reply>,
}

/// Where the worker publishes, for all viewers: one snapshot, which all of them share.
#[derive(Debug, Default)]
pub(super) struct Board {
    latest: Mutex<Arc<Snapshot>>,
    ended: AtomicBool,
}

impl Board {
    pub(super) fn publish(&self, snapshot: Arc<Snapshot>) {
        *self.lock() = snapshot;
    }

    pub(super) fn latest(&self) -> Arc<Snapshot> {
        Arc::clone(&self.lock())
    }

    /// Notes that nothing will be published any more.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }

    /// A snapshot is replaced whole, so a panic elsewhere cannot leave half of one.
    fn lock(&self) -> MutexGuard<'_, Arc<Snapshot>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A viewer's end of the line to the worker. It can be sent to another thread, and dropped at any time.
#[derive(Debug)]
pub struct Viewer {
    requests: Sender<Envelope>,
    board: Arc<Board>,
    replies: (Sender<Reply>, Receiver<Reply>),
    next_id: Cell<RequestId>,
}

impl Viewer {
    pub(super) fn new(requests: Sender<Envelope>, board: Arc<Board>) -> Self {
        Self { requests, board, replies: channel(), next_id: Cell::new(1) }
    }

    /// Asks the worker for something; returns the number that the reply will carry. A worker that has ended takes no
    /// request and sends no reply; its last snapshot says why.
    pub fn request(&self, action: Action) -> RequestId {
        let id = self.next_id.replace(self.next_id.get() + 1);
        let envelope = Envelope { request: Request { id, action }, replies: self.replies.0.clone() };
        let _ = self.requests.send(envelope);
        id
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
        // Asked first: what the worker published before it ended is then in the snapshot.
        let ended = self.board.ended.load(Ordering::Acquire);
        let snapshot = self.snapshot();
        if let Status::Broken(message) = &snapshot.status {
            return Err(Error::Broken(message.clone()));
        }
        if ended { Err(Error::Ended) } else { Ok(snapshot) }
    }
}
