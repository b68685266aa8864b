//! A connection that can be stopped: while it waits for bytes, it checks for the stop and for the stall timeout. It is below
//! TLS, so that a server that hangs in the handshake is abandoned as well.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ureq::unversioned::transport::time::Duration as Span;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use ureq::{Error, Timeout};

/// The time between two checks of the stop while the connection waits for bytes.
const STOP_POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Wraps the connections of the previous connector in the chain in [`Watched`].
#[derive(Debug)]
pub(super) struct Watch {
    /// A value other than 0 stops the pull.
    pub(super) stop: Arc<AtomicUsize>,
    /// The longest time in which the server may send nothing.
    pub(super) stall: Duration,
}

impl<In: Transport> Connector<In> for Watch {
    type Out = Watched<In>;

    fn connect(&self, _: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        let (stop, stall) = (Arc::clone(&self.stop), self.stall);
        Ok(chained.map(|inner| Watched { inner, stop, stall }))
    }
}

/// A connection that checks for the stop and for the stall timeout.
#[derive(Debug)]
pub(super) struct Watched<T> {
    inner: T,
    stop: Arc<AtomicUsize>,
    stall: Duration,
}

impl<T: Transport> Transport for Watched<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let per_write = Some(Span::Exact(self.stall));
        self.inner.transmit_output(amount, NextTimeout { per_write, ..timeout })
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let begun = Instant::now();
        loop {
            if self.stop.load(Ordering::Relaxed) != 0 {
                // The kind is not `Interrupted`, after which readers would read again.
                return Err(io::Error::other("stopped").into());
            }
            let after = match timeout.after {
                Span::Exact(after) => Span::Exact(after.saturating_sub(begun.elapsed())),
                Span::NotHappening => Span::NotHappening,
            };
            let per_read = Some(Span::Exact(STOP_POLL_INTERVAL.min(self.stall)));
            match self.inner.await_input(NextTimeout { after, per_read, ..timeout }) {
                Err(Error::Timeout(Timeout::PerRead)) if begun.elapsed() < self.stall => {}
                other => return other,
            }
        }
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
