//! The one thread that owns the model and the run. It takes requests, steps, and publishes the newest snapshot for any
//! number of viewers; it never waits for one of them. Not here: what keys mean, and any drawing.

#![deny(clippy::wildcard_enum_match_arm)]

mod active_run;
mod class_names;
mod class_searcher;
mod class_work;
mod classifier;
mod classifiers;
mod drafting;
mod drafts;
mod error;
mod examined;
mod examining;
mod inbox;
mod lab_answers;
mod lab_places;
mod lab_questions;
mod lab_work;
mod models;
mod opening;
mod photographs;
mod pictures;
pub mod protocol;
mod queue;
pub mod remote;
mod saved_runs;
mod sheet;
mod starting;
mod steer;
mod switch;
mod viewer;
mod worker_loop;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use trepang_api::Model;

use self::protocol::{Snapshot, Status};
use self::remote::{Greeting, Listener};
use self::viewer::{Board, Mail};
use self::worker_loop::WorkerLoop;
use crate::runs::BoxedError;

pub use class_names::{class_name, label_name};
pub use classifier::{ClassLogit, Classifier, Framing, fit_picture, frame_picture, picture_array};
pub use classifiers::pause_after;
pub use error::{Error, Result};
pub use models::{BackendProvider, LoadedModel, LocalModels, ModelProvider, network_view};
pub use photographs::{Photographs, resized, square};
pub use viewer::Viewer;
pub use worker_loop::Setup;

/// The interval at which it is looked whether the worker has ended.
const END_INTERVAL: Duration = Duration::from_millis(5);

/// The worker as its owner sees it: it lives until it is told to end, by [`Worker::finish`], by dropping this value, or by
/// a viewer's [`Action::Shutdown`](protocol::Action::Shutdown).
#[derive(Debug)]
pub struct Worker {
    mail: Sender<Mail>,
    /// The number of viewers that have subscribed so far.
    viewer_count: Arc<AtomicU64>,
    board: Arc<Board>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread, which first loads the model with `load`. Fails when the system refuses a thread.
    pub fn spawn(
        setup: Setup,
        load: impl FnOnce() -> Result<Box<dyn Model>, BoxedError> + Send + 'static,
        models: Box<dyn ModelProvider>,
    ) -> Result<Self> {
        let (mail, inbox) = channel();
        let board = Arc::<Board>::default();
        let published = Arc::clone(&board);
        let thread = thread::Builder::new()
            .name("worker".into())
            .spawn(move || WorkerLoop::new(setup, models, inbox, published).work(load))
            .map_err(Error::Thread)?;
        Ok(Self { mail, viewer_count: Arc::default(), board, thread: Some(thread) })
    }

    /// A new viewer. It can be dropped at any time; the worker and the other viewers do not notice.
    pub fn subscribe(&self) -> Viewer {
        self.subscriber()()
    }

    fn subscriber(&self) -> impl Fn() -> Viewer + Send + 'static {
        let (count, mail, board) =
            (Arc::clone(&self.viewer_count), self.mail.clone(), Arc::clone(&self.board));
        move || Viewer::new(count.fetch_add(1, Ordering::Relaxed), mail.clone(), Arc::clone(&board))
    }

    /// Serves viewers of other processes at a socket, as long as the listener lives. They are told first what `greeting`
    /// holds. Fails where there is something at that path already, or no socket can be made.
    pub fn listen(&self, path: &Path, greeting: Greeting) -> Result<Listener> {
        Listener::open(path, greeting, self.subscriber())
    }

    /// Asks the worker to save its run and to end, and tells whether [`finish`](Self::finish) need not wait any more after
    /// `patience`: the worker may be in the middle of a long step.
    pub fn ends_within(&self, patience: Duration) -> bool {
        self.request_shutdown();
        let begun = Instant::now();
        let has_ended = || {
            let is_loading = self.board.latest().status == Status::Loading;
            is_loading || self.thread.as_ref().is_none_or(JoinHandle::is_finished)
        };
        while !has_ended() {
            if begun.elapsed() >= patience {
                return false;
            }
            thread::sleep(END_INTERVAL);
        }
        true
    }

    /// Lets the worker save its run and end, and returns its last snapshot. A worker that is loading a network has saved
    /// its run before, and is not waited for.
    pub fn finish(mut self) -> Arc<Snapshot> {
        self.request_shutdown();
        let last = self.board.latest();
        if last.status == Status::Loading {
            return last;
        }
        if let Some(thread) = self.thread.take() {
            // A panic was caught inside and is in the snapshot.
            let _ = thread.join();
        }
        self.board.latest()
    }

    fn request_shutdown(&self) {
        // A worker that has ended already takes no mail.
        let _ = self.mail.send(Mail::End);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.request_shutdown();
    }
}
