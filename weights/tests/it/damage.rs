//! Tests of files that were cut short or have wrong bytes: reading gives an error or numbers, and never panics, takes much
//! memory or takes much time.

use std::fs;
use std::io::{Seek, Write};
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use crate::fixture;

/// The number of random damages for each file. The variable `TREPANG_FLIPS` sets another number, for a long search.
const DAMAGES: u64 = 400;

/// The longest time to read a damaged file of a few kB, on a slow machine and without optimization.
const MAX_TIME: Duration = Duration::from_secs(5);

const FIXTURES: [&str; 17] = [
    "keras.safetensors",
    "legacy_v0.h5",
    "legacy_latest.h5",
    "legacy_gzip.h5",
    "k3_legacy_model.h5",
    "k3.weights.h5",
    "keras1_split.h5",
    "same_names.h5",
    "types.weights.h5",
    "zip_v2.pth",
    "zip_protocol4.pth",
    "legacy_v1.pth",
    "legacy_v2.pth",
    "nested.pth",
    "mixed.pth",
    "evil.pth",
    "k3.keras",
];

/// A temporary file whose bytes the test changes.
struct DamagedFile(NamedTempFile);

impl DamagedFile {
    /// A copy of the file.
    fn new(bytes: &[u8]) -> Self {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        Self(file)
    }

    /// Opens the file and reads every tensor; true if nothing failed.
    fn reads(&self) -> bool {
        let start = Instant::now();
        let whole = match trepang_weights::open(self.0.path()) {
            Ok(source) => (0..source.tensors().len()).all(|index| source.read(index).is_ok()),
            Err(error) => {
                let sentence = error.to_string();
                assert!(!sentence.contains(char::is_control), "not one line: {sentence:?}");
                false
            }
        };
        assert!(start.elapsed() < MAX_TIME, "took {:?}", start.elapsed());
        whole
    }
}

#[test]
fn a_file_cut_short_anywhere_is_refused() {
    for name in FIXTURES {
        let whole = fs::read(fixture(name)).unwrap();
        let damaged_file = DamagedFile::new(&whole);
        for len in (0..whole.len()).rev() {
            damaged_file.0.as_file().set_len(len as u64).unwrap();
            assert!(!damaged_file.reads(), "{name} was read with {len} of {} bytes", whole.len());
        }
    }
}

#[test]
fn wrong_bytes_never_cause_a_panic() {
    let flips = std::env::var("TREPANG_FLIPS").map_or(DAMAGES, |text| text.parse().unwrap());
    for name in FIXTURES {
        let whole = fs::read(fixture(name)).unwrap();
        let mut damaged_file = DamagedFile::new(&whole);
        let mut random = SplitMix64(0x7265_7061);
        for _ in 0..flips {
            let mut damaged = whole.clone();
            for _ in 0..=random.below(3) {
                let at = random.below(damaged.len() as u64) as usize;
                let interesting = [0, 1, 0x7f, 0x80, 0xff, 1 << random.below(8), random.below(256) as u8];
                damaged[at] ^= interesting[random.below(7) as usize];
            }
            damaged_file.0.rewind().unwrap();
            damaged_file.0.write_all(&damaged).unwrap();
            damaged_file.reads();
        }
    }
}

/// `SplitMix64`, so that every run tries the same damages.
struct SplitMix64(u64);

impl SplitMix64 {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}
