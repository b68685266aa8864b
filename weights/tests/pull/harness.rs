//! A folder to pull into, an impatient user, and a record of what the user was told.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use md5::Md5;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use trepang_weights::pull::{Digest, Error, Event, Fetched, Options, Progress, Remote, fetch};

/// Bytes of which no two pieces look alike.
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

/// All that can be known of a file.
pub(crate) fn remote(url: String, file: &[u8]) -> Remote {
    Remote { url, size: Some(file.len() as u64), digest: Digest::Sha256(sha256(file)) }
}

/// Nothing is known but where it is.
pub(crate) fn unknown(url: String) -> Remote {
    Remote { url, size: None, digest: Digest::None }
}

/// What was told, a line each.
#[derive(Debug, Default)]
pub(crate) struct Told(pub(crate) Vec<String>);

impl Progress for Told {
    fn event(&mut self, event: Event<'_>) {
        self.0.push(format!("{event:?}"));
    }
}

impl Told {
    /// How many of the lines begin so.
    pub(crate) fn count(&self, beginning: &str) -> usize {
        self.0.iter().filter(|line| line.starts_with(beginning)).count()
    }
}

/// One target in a folder of its own.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) folder: TempDir,
    pub(crate) options: Options,
    pub(crate) told: Told,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let options = Options {
            backoff: Duration::from_millis(1),
            longest_wait: Duration::from_millis(20),
            connect: Duration::from_secs(5),
            stall: Duration::from_secs(5),
            proxies: false,
            ..Options::default()
        };
        Self { folder: tempfile::tempdir().unwrap(), options, told: Told::default() }
    }

    /// With an old file where the new one shall be.
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
        self.told.0.clear();
        fetch(remote, &self.target(), &self.options, &mut self.told)
    }

    /// A fetch that fails with a sentence which has `phrase` in it.
    #[track_caller]
    pub(crate) fn fails(&mut self, remote: &Remote, phrase: &str) {
        let error = self.fetch(remote).unwrap_err().to_string();
        assert!(error.contains(phrase), "{error}");
    }

    /// The target is this, and nothing lies beside it.
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
