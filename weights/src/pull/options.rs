//! The settings of a pull: timeouts, retries, mirror and stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The time between two checks of the stop while the pull waits.
const STOP_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The settings of a pull. [`PullOptions::default`] suits users; tests use shorter times.
#[derive(Debug, Clone)]
pub struct PullOptions {
    /// The address of a mirror, `http` or `https`. It replaces the scheme, host and port of the file's address, and the
    /// address's whole path and query follow it: with `https://mirror/ml`, `https://host/a/b.h5` becomes
    /// `https://mirror/ml/a/b.h5`. If the mirror answers 404, the bare name is tried, `https://mirror/ml/b.h5`.
    pub mirror: Option<String>,
    /// A value other than 0 stops the pull soon and keeps the received bytes. A signal handler sets it to the signal's
    /// number.
    pub stop: Arc<AtomicUsize>,
    /// The number of retries in a row; the count starts again whenever bytes have been received.
    pub retries: u32,
    /// The wait before the first retry. It doubles with each further one.
    pub backoff: Duration,
    /// The longest wait before a retry, also if a server asks for a longer one.
    pub longest_wait: Duration,
    /// The longest time to wait for a connection.
    pub connect: Duration,
    /// The longest time in which a server may send nothing.
    pub stall: Duration,
    /// Whether the variables `ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are used.
    pub proxies: bool,
    /// The commands that can start pip, each as program and arguments, in the order in which they are tried.
    pub pip: Vec<Vec<String>>,
}

impl Default for PullOptions {
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

impl PullOptions {
    /// Whether the stop has been requested.
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed) != 0
    }

    /// The wait before retry number `retry`, counted from 1; `asked` is the wait that the server asks for.
    pub(super) fn wait(&self, retry: u32, asked: Option<Duration>) -> Duration {
        let doubled = self.backoff.saturating_mul(1 << retry.saturating_sub(1).min(16));
        asked.unwrap_or(doubled).min(self.longest_wait)
    }

    /// Sleeps for `wait`, or until the stop is requested.
    pub(super) fn sleep(&self, wait: Duration) {
        let begun = Instant::now();
        while let Some(left) = wait.checked_sub(begun.elapsed()).filter(|left| !left.is_zero()) {
            if self.stopped() {
                return;
            }
            std::thread::sleep(left.min(STOP_POLL_INTERVAL));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let options = PullOptions::default();
        let seconds =
            |retry, asked: Option<u64>| options.wait(retry, asked.map(Duration::from_secs)).as_secs();
        assert_eq!([1, 2, 3, 6, 7, 100].map(|retry| seconds(retry, None)), [1, 2, 4, 32, 60, 60]);
        assert_eq!(seconds(1, Some(17)), 17);
        assert_eq!(seconds(1, Some(86_400)), 60);
    }

    #[test]
    fn a_stop_ends_a_sleep() {
        let options = PullOptions::default();
        options.stop.store(2, Ordering::Relaxed);
        let begun = Instant::now();
        options.sleep(Duration::from_secs(60));
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
}
