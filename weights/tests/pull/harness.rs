//! The fixture of the download tests: a folder to pull into, short timeouts, and a record of the events.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use md5::Md5;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use trepang_weights::pull::{Digest, Error, Event, Fetched, PullOptions, PullProgress, Remote, fetch};

/// Pseudo-random bytes, so that no two pieces are alike.
pub(crate) fn bytes(len: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..len).map(|_| next()).collect()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn md5(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

/// A remote file with a known size and hash.
pub(crate) fn remote(url: String, file: &[u8]) -> Remote {
    Remote { url, size: Some(file.len() as u64), most: u64::MAX, digest: Digest::Sha256(sha256(file)) }
}

/// A remote file with an unknown size and hash.
pub(crate) fn unknown(url: String) -> Remote {
    Remote { url, size: None, most: 100_000, digest: Digest::None }
}

/// Records the events of a pull, each as a line of text.
#[derive(Debug, Default)]
pub(crate) struct EventRecorder(pub(crate) Vec<String>);

impl PullProgress for EventRecorder {
    fn event(&mut self, event: Event<'_>) {
        self.0.push(format!("{event:?}"));
    }
}

impl EventRecorder {
    /// The number of lines with this beginning.
    pub(crate) fn count(&self, beginning: &str) -> usize {
        self.0.iter().filter(|line| line.starts_with(beginning)).count()
    }
}

/// A folder with one target, the settings of a pull, and the events recorded.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) folder: TempDir,
    pub(crate) options: PullOptions,
    pub(crate) events: EventRecorder,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let options = PullOptions {
            backoff: Duration::from_millis(1),
            longest_wait: Duration::from_millis(20),
            connect: Duration::from_secs(5),
            stall: Duration::from_secs(5),
            proxies: false,
            ..PullOptions::default()
        };
        Self { folder: tempfile::tempdir().unwrap(), options, events: EventRecorder::default() }
    }

    /// A fixture whose target exists with the text `old`.
    pub(crate) fn with_old() -> Self {
        let bench = Self::new();
        fs::write(bench.target(), "old").unwrap();
        bench
    }

    pub(crate) fn target(&self) -> PathBuf {
        self.folder.path().join("vgg.h5")
    }

    pub(crate) fn part(&self) -> PathBuf {
        self.folder.path().join("vgg.h5.part")
    }

    pub(crate) fn fetch(&mut self, remote: &Remote) -> Result<Fetched, Error> {
        self.events.0.clear();
        fetch(remote, &self.target(), &self.options, &mut self.events)
    }

    /// Pulls, and checks that it fails with an error that contains `phrase`.
    #[track_caller]
    pub(crate) fn fails(&mut self, remote: &Remote, phrase: &str) {
        let error = self.fetch(remote).unwrap_err().to_string();
        assert!(error.contains(phrase), "{error}");
    }

    /// Checks the bytes of the target, and that no other file is in the folder.
    #[track_caller]
    pub(crate) fn has_only(&self, target: &[u8]) {
        assert!(fs::read(self.target()).unwrap() == target, "the target is not what it should be");
        assert_eq!(self.names(), ["vgg.h5"]);
    }

    /// The names of all files in the folder.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// Runs the same in so many threads at once, and returns what each one came to.
pub(crate) fn at_once<T: Send>(count: usize, run: impl Fn() -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(&run)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}
