//! The thread that makes and encodes pictures for the terminal: the newest request wins, and the dashboard never waits.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result};

use super::encoded::{Encoded, PictureRequest, encode};
use super::scene::Drawing;
use crate::panics::panicked;

/// The number of pictures that the screen can have at once: the main one, and one beside it.
pub(super) const PICTURES: usize = 2;

/// The encoder's thread, seen from the dashboard.
#[derive(Debug)]
pub struct Encoder {
    queue: Arc<EncoderQueue>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct EncoderQueue {
    slots: Mutex<EncoderSlots>,
    changed: Condvar,
}

/// A picture that is to be made and encoded.
#[derive(Debug)]
pub(super) struct EncoderRequest {
    pub(super) drawing: Drawing,
    /// The bytes that the line to the terminal carries in a moment.
    pub(super) piece: usize,
}

impl EncoderRequest {
    fn encode(self) -> Result<Option<Encoded>> {
        let Self { drawing, piece } = self;
        let picture = drawing.compose();
        let Drawing { cells, graphics, live, draft, .. } = drawing;
        encode(PictureRequest { picture, cells, graphics, live, piece, draft })
    }
}

/// For each picture of the screen, one place for what comes in and one for what goes out: a newer thing replaces an older one.
#[derive(Debug, Default)]
struct EncoderSlots {
    requests: [Option<EncoderRequest>; PICTURES],
    done: [Option<Result<Option<Encoded>>>; PICTURES],
    /// The picture that is being worked on.
    busy: Option<usize>,
    closed: bool,
}

impl Encoder {
    /// Starts the thread. Fails when the system refuses one.
    pub fn spawn() -> Result<Self> {
        let queue = Arc::<EncoderQueue>::default();
        let inside = Arc::clone(&queue);
        let thread = thread::Builder::new()
            .name("encoder".into())
            .spawn(move || inside.work())
            .context("cannot start the encoder's thread")?;
        Ok(Self { queue, thread: Some(thread) })
    }

    /// Asks for a picture, by its number, instead of any that was asked for in its place and not begun.
    pub(super) fn request(&self, number: usize, request: EncoderRequest) {
        self.queue.lock().requests[number] = Some(request);
        self.queue.changed.notify_one();
    }

    /// Whether a picture was asked for that has not been taken.
    pub(super) fn is_busy(&self, number: usize) -> bool {
        let slots = self.queue.lock();
        slots.requests[number].is_some() || slots.busy == Some(number) || slots.done[number].is_some()
    }

    /// The newest picture that was finished since the last call. An error, or the thread's end by a panic, is
    /// returned once.
    pub(super) fn take(&mut self, number: usize) -> Option<Result<Option<Encoded>>> {
        if self.thread.as_ref().is_some_and(JoinHandle::is_finished)
            && let Some(Err(panic)) = self.thread.take().map(JoinHandle::join)
        {
            return Some(Err(panicked("the picture encoder", &*panic).into()));
        }
        self.queue.lock().done[number].take()
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic there has been told, or nobody asks any more.
            let _ = thread.join();
        }
    }
}

impl EncoderQueue {
    fn lock(&self) -> MutexGuard<'_, EncoderSlots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some((number, request)) = self.next() {
            let done = request.encode();
            let mut slots = self.lock();
            (slots.done[number], slots.busy) = (Some(done), None);
        }
    }

    /// Waits for a request; none when the dashboard has closed.
    fn next(&self) -> Option<(usize, EncoderRequest)> {
        let idle = |slots: &mut EncoderSlots| slots.requests.iter().all(Option::is_none) && !slots.closed;
        let mut slots = self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        if slots.closed {
            return None;
        }
        let number = slots.requests.iter().position(Option::is_some)?;
        slots.busy = Some(number);
        slots.requests[number].take().map(|request| (number, request))
    }
}
