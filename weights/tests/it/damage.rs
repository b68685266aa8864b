//! Files that were cut short or have wrong bytes: an error or numbers, never a panic, much memory or much time.

use std::fs;
use std::io::{Seek, Write};
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use crate::fixture;

/// Random damages tried of each file; `TREPANG_FLIPS` sets another number for a long search.
const FLIPS: u64 = 400;

/// One file of a few kB, however damaged, on a slow machine without optimization.
const LONGEST: Duration = Duration::from_secs(5);

const WHOLE: [&str; 17] = [
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

/// A file that is damaged again and again.
struct Bench(NamedTempFile);

impl Bench {
    /// A copy of the file.
    fn new(bytes: &[u8]) -> Self {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        Self(file)
    }

    /// Opens and reads it; true when all went well.
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
        assert!(start.elapsed() < LONGEST, "took {:?}", start.elapsed());
        whole
    }
}

#[test]
fn a_file_cut_short_anywhere_is_refused() {
    for name in WHOLE {
        let whole = fs::read(fixture(name)).unwrap();
        let bench = Bench::new(&whole);
        for len in (0..whole.len()).rev() {
            bench.0.as_file().set_len(len as u64).unwrap();
            assert!(!bench.reads(), "{name} was read with {len} of {} bytes", whole.len());
        }
    }
}

#[test]
fn wrong_bytes_do_no_harm() {
    let flips = std::env::var("TREPANG_FLIPS").map_or(FLIPS, |text| text.parse().unwrap());
    for name in WHOLE {
        let whole = fs::read(fixture(name)).unwrap();
        let mut bench = Bench::new(&whole);
        let mut chance = Chance(0x7265_7061);
        for _ in 0..flips {
            let mut damaged = whole.clone();
            for _ in 0..=chance.below(3) {
                let at = chance.below(damaged.len() as u64) as usize;
                let interesting = [0, 1, 0x7f, 0x80, 0xff, 1 << chance.below(8), chance.below(256) as u8];
                damaged[at] ^= interesting[chance.below(7) as usize];
            }
            bench.0.rewind().unwrap();
            bench.0.write_all(&damaged).unwrap();
            bench.reads();
        }
    }
}

/// `SplitMix64`: the same damages every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}
