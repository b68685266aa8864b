//! The viewer's side of the socket: a [`Viewer`] like any other, whose requests and snapshots go through the socket.

use std::collections::HashMap;
use std::io::BufReader;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::message::{Greeting, Hail, ViewerMessage, read, write};
use crate::worker::error::{Error, Result};
use crate::worker::protocol::{Reply, RequestId, Snapshot, Status};
use crate::worker::viewer::{Board, Mail, Viewer};

/// The version that both sides must have: the messages are those of one version.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The longest wait for a process that does not answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The senders for replies that have not come yet, by the number of the request.
type Waiting = Arc<Mutex<HashMap<RequestId, Sender<Reply>>>>;

/// Connects to the worker that listens at `path`; returns what it says of itself, and a viewer that has its newest snapshot.
/// Fails where nobody listens any more, and for another version of the program.
pub fn connect(path: &Path) -> Result<(Greeting, Viewer)> {
    let failed = |source| Error::Connect { path: path.into(), source };
    let stream = UnixStream::connect(path).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    let mut reading = BufReader::new(stream.try_clone().map_err(failed)?);
    let hail: Hail = read(&mut reading)?.ok_or(Error::Ended)?;
    if hail.trepang != VERSION {
        return Err(Error::OtherVersion { path: path.into(), version: hail.trepang });
    }
    let board = Arc::<Board>::default();
    let waiting = Waiting::default();
    let greeting = loop {
        match read(&mut reading)?.ok_or(Error::Ended)? {
            ViewerMessage::Greeting(greeting) => break *greeting,
            other @ (ViewerMessage::Reply(_) | ViewerMessage::Snapshot(_)) => take(other, &board, &waiting),
        }
    };
    take(read(&mut reading)?.ok_or(Error::Ended)?, &board, &waiting);
    stream.set_read_timeout(None).map_err(failed)?;

    let (mail, requests) = channel();
    let (published, awaited) = (Arc::clone(&board), Arc::clone(&waiting));
    let receive = move || {
        while let Ok(Some(message)) = read(&mut reading) {
            take(message, &published, &awaited);
        }
        lose(&published);
    };
    let send = move || send_requests(&stream, &requests, &waiting);
    thread::Builder::new().name("snapshots".into()).spawn(receive).map_err(Error::Thread)?;
    thread::Builder::new().name("requests".into()).spawn(send).map_err(Error::Thread)?;
    Ok((greeting, Viewer::new(0, mail, board)))
}

/// Takes a message in.
fn take(message: ViewerMessage, board: &Board, waiting: &Waiting) {
    match message {
        ViewerMessage::Greeting(_) => {}
        ViewerMessage::Snapshot(update) => {
            let newer = update.apply(&board.latest());
            board.publish(Arc::new(newer));
        }
        ViewerMessage::Reply(reply) => {
            let sender = waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&reply.id);
            // The viewer may have gone; then nobody waits for the reply.
            let _ = sender.map(|sender| sender.send(reply));
        }
    }
}

/// Publishes that no more snapshots will come. A worker that ended as it should has said so.
fn lose(board: &Board) {
    let last = board.latest();
    if !last.ended {
        let status = Status::Broken("the process that computed has gone".into());
        board.publish(Arc::new(Snapshot {
            version: last.version + 1,
            ended: true,
            status,
            ..(*last).clone()
        }));
    }
}

/// Sends the viewer's requests until it is dropped.
fn send_requests(stream: &UnixStream, requests: &Receiver<Mail>, waiting: &Waiting) {
    for mail in requests {
        match mail {
            Mail::Joined(_) => {}
            Mail::Request { request, replies, .. } => {
                waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(request.id, replies);
                if write(stream, &request).is_err() {
                    return;
                }
            }
            Mail::Left(_) | Mail::End => break,
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
}
