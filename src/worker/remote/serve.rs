//! The worker's side of the socket: a viewer for each connection, on two threads of its own. A viewer that is slow, or is
//! stopped, misses snapshots and keeps nobody waiting.

use std::fs::{self, Permissions};
use std::io::{self, BufReader};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::message::{Greeting, Hail, SnapshotUpdate, ViewerMessage, read, write};
use crate::worker::error::{Error, Result};
use crate::worker::protocol::Snapshot;
use crate::worker::viewer::Viewer;

/// The mode of a socket: its owner alone may connect.
const OWNER_ONLY: u32 = 0o600;

/// The interval at which a viewer's replies and snapshots are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(15);

/// The longest time that viewers get for the last snapshot.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A socket on which viewers of other processes are served, until this value is dropped.
#[derive(Debug)]
pub struct Listener {
    path: PathBuf,
    viewers: Arc<AtomicUsize>,
}

impl Listener {
    /// Listens at `path`; `subscribe` makes the viewers. Fails where there is something already, or a socket cannot be made.
    pub(in crate::worker) fn open(
        path: &Path,
        greeting: Greeting,
        subscribe: impl Fn() -> Viewer + Send + 'static,
    ) -> Result<Self> {
        let failed = |source| Error::Listen { path: path.into(), source };
        let listener = UnixListener::bind(path).map_err(failed)?;
        fs::set_permissions(path, Permissions::from_mode(OWNER_ONLY)).map_err(failed)?;
        let viewers = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&viewers);
        let accept = move || {
            for stream in listener.incoming().filter_map(io::Result::ok) {
                welcome(stream, subscribe(), greeting.clone(), Arc::clone(&counted));
            }
        };
        thread::Builder::new().name("listener".into()).spawn(accept).map_err(Error::Thread)?;
        Ok(Self { path: path.into(), viewers })
    }

    /// The number of viewers that are connected.
    pub fn viewers(&self) -> usize {
        self.viewers.load(Ordering::Acquire)
    }
}

impl Drop for Listener {
    /// Takes the socket away. The process usually ends then, so viewers get a moment to hear that the worker has ended.
    fn drop(&mut self) {
        // A socket that stays is found out by the next viewer, who cannot connect to it.
        let _ = fs::remove_file(&self.path);
        let begun = Instant::now();
        while self.viewers() > 0 && begun.elapsed() < LAST_WORDS {
            thread::sleep(LOOK_EVERY);
        }
    }
}

/// Serves one connection on threads of its own. If the system refuses them, the connection is closed.
fn welcome(stream: UnixStream, viewer: Viewer, greeting: Greeting, viewers: Arc<AtomicUsize>) {
    viewers.fetch_add(1, Ordering::AcqRel);
    let counted = Arc::clone(&viewers);
    let serve = move || {
        // The viewer has gone, or speaks of something else: the connection is closed, and nobody is left to be told.
        let _ = serve(&stream, &viewer, greeting);
        let _ = stream.shutdown(Shutdown::Both);
        viewers.fetch_sub(1, Ordering::AcqRel);
    };
    if thread::Builder::new().name("viewer".into()).spawn(serve).is_err() {
        counted.fetch_sub(1, Ordering::AcqRel);
    }
}

fn serve(stream: &UnixStream, viewer: &Viewer, greeting: Greeting) -> Result<()> {
    write(stream, &Hail { trepang: super::connect::VERSION.into() })?;
    write(stream, &ViewerMessage::Greeting(Box::new(greeting)))?;
    let gone = Arc::<AtomicBool>::default();
    let (requests, reading) =
        (viewer.request_sender(), stream.try_clone().map_err(|error| Error::Line(error.into()))?);
    let left = Arc::clone(&gone);
    let listen = move || {
        let mut reading = BufReader::new(reading);
        while let Ok(Some(request)) = read(&mut reading) {
            requests.send(request);
        }
        left.store(true, Ordering::Release);
    };
    thread::Builder::new().name("viewer's requests".into()).spawn(listen).map_err(Error::Thread)?;
    let mut sent = Arc::<Snapshot>::default();
    let mut is_first = true;
    while !gone.load(Ordering::Acquire) {
        // The snapshot comes after the replies that it was published before.
        let (replies, newest) = (viewer.replies(), viewer.snapshot());
        if is_first || newest.version != sent.version {
            let update = SnapshotUpdate::between(&sent, &newest);
            write(stream, &ViewerMessage::Snapshot(Box::new(update)))?;
            (sent, is_first) = (newest, false);
        }
        for reply in replies {
            write(stream, &ViewerMessage::Reply(reply))?;
        }
        if sent.ended {
            return Ok(());
        }
        thread::sleep(LOOK_EVERY);
    }
    Ok(())
}
