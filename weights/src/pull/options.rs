//! How a pull behaves: patience, mirror, stop. Not what is pulled.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The longest sleep before the stop is looked at again.
const NAP: Duration = Duration::from_millis(50);

/// How a pull behaves. [`Options::default`] is for people; tests are less patient.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to look instead, `http` or `https`. The scheme, host and port of the file's address are replaced by
    /// it, and the address's whole path and query follow it: with `https://mirror/ml`, `https://host/a/b.h5` becomes
    /// `https://mirror/ml/a/b.h5`. If that is not there (404), the bare name is looked for, `https://mirror/ml/b.h5`.
    pub mirror: Option<String>,
    /// Not 0: stop as soon as may be, keeping what came. A signal handler sets it to the signal's number.
    pub stop: Arc<AtomicUsize>,
    /// How often to try again, counted anew whenever bytes have come.
    pub retries: u32,
    /// The wait before the first retry; it doubles with each further one.
    pub backoff: Duration,
    /// No wait is longer, whatever a server asks for.
    pub longest_wait: Duration,
    /// How long to wait for a connection.
    pub connect: Duration,
    /// How long a server may send nothing.
    pub stall: Duration,
    /// Whether `ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` count.
    pub proxies: bool,
    /// The command lines that may start pip, in the order in which they are tried.
    pub pip: Vec<Vec<String>>,
}

impl Default for Options {
    fn default() -> Self {
        let words = |line: &str| line.split(' ').map(String::from).collect();
        Self {
            mirror: None,
            stop: Arc::default(),
            retries: 5,
            backoff: Duration::from_secs(1),
            longest_wait: Duration::from_secs(60),
            connect: Duration::from_secs(30),
            stall: Duration::from_secs(30),
            proxies: true,
            pip: ["python3 -m pip", "pip3", "pip", "python -m pip"].map(words).into(),
        }
    }
}

impl Options {
    /// Has somebody asked to stop?
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed) != 0
    }

    /// The wait before retry number `retry`, counted from 1, unless the server `asked` for one.
    pub(super) fn wait(&self, retry: u32, asked: Option<Duration>) -> Duration {
        let doubled = self.backoff.saturating_mul(1 << retry.saturating_sub(1).min(16));
        asked.unwrap_or(doubled).min(self.longest_wait)
    }

    /// Sleeps, but no longer than until the stop.
    pub(super) fn sleep(&self, wait: Duration) {
        let begun = Instant::now();
        while let Some(left) = wait.checked_sub(begun.elapsed()).filter(|left| !left.is_zero()) {
            if self.stopped() {
                return;
            }
            std::thread::sleep(left.min(NAP));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let options = Options::default();
        let seconds =
            |retry, asked: Option<u64>| options.wait(retry, asked.map(Duration::from_secs)).as_secs();
        assert_eq!([1, 2, 3, 6, 7, 100].map(|retry| seconds(retry, None)), [1, 2, 4, 32, 60, 60]);
        assert_eq!(seconds(1, Some(17)), 17);
        assert_eq!(seconds(1, Some(86_400)), 60);
    }

    #[test]
    fn a_stop_ends_a_sleep() {
        let options = Options::default();
        options.stop.store(2, Ordering::Relaxed);
        let begun = Instant::now();
        options.sleep(Duration::from_secs(60));
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
}
