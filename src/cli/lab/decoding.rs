//! The thread that reads and decodes pictures while the network computes those before. A batch or two wait for the network,
//! never more, so that memory does not grow with the data set.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use anyhow::{Context, Result};

use crate::engine::Picture;
use crate::lab::DataSet;
use crate::panics::guard;
use crate::runs::{MAX_FILE_BYTES, PictureReading, decode_picture};
use crate::worker::fit_picture;

/// Batches that wait.
const WAITING: usize = 2;

/// The work of the thread.
#[derive(Debug, Clone)]
pub(super) struct Decoding {
    pub(super) data: Arc<DataSet>,
    /// The first picture.
    pub(super) from: usize,
    pub(super) batch: usize,
    /// The network's own side, in pixels.
    pub(super) native: usize,
    pub(super) reading: PictureReading,
}

/// A picture as the network sees it, or why it cannot be used.
pub(super) type Decoded = Result<Picture, String>;

impl Decoding {
    /// Starts the thread. It ends when all pictures are decoded, or when nobody takes them any more.
    pub(super) fn start(self) -> Result<Receiver<Vec<Decoded>>> {
        let (sender, receiver) = sync_channel(WAITING);
        let work = move || {
            let all = &self.data.pictures;
            for start in (self.from..all.len()).step_by(self.batch) {
                let end = all.len().min(start + self.batch);
                if sender.send((start..end).map(|at| self.decode(at)).collect()).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("pictures".into()).spawn(work).context("cannot start a thread")?;
        Ok(receiver)
    }

    fn decode(&self, at: usize) -> Decoded {
        let picture = &self.data.pictures[at];
        // A decoder that panics costs one picture.
        let decoded = guard("a picture", || {
            let bytes = picture.read(MAX_FILE_BYTES)?;
            let decoded = decode_picture(Path::new(&picture.file), &bytes, self.reading)?;
            Ok(fit_picture(self.native, &decoded)?)
        });
        decoded.map_err(|error: anyhow::Error| format!("{error:#}"))
    }
}
