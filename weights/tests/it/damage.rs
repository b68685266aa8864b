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

/// The bytes at each end of a file where every length is tried; between them, every seventh is.
const ENDS: usize = 2000;

const FIXTURES: [&str; 20] = [
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
    "beside_2.pth",
    "module_stream.pth",
    "graph_def.zip",
];

/// A graph of TensorFlow's, which is whole wherever a node of it ends.
const GRAPH: &str = "graph_def.pb";

/// A temporary file whose bytes the test changes.
struct DamagedFile(NamedTempFile);

impl DamagedFile {
    /// A copy of the file.
    fn new(bytes: &[u8]) -> Self {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        Self(file)
    }

    /// Opens the file and reads every tensor; the error is that of opening, or else of the first tensor that is not read.
    fn read(&self) -> Result<(), String> {
        let start = Instant::now();
        let read = match trepang_weights::open(self.0.path()) {
            Ok(source) => {
                let mut errors = (0..source.tensors().len()).filter_map(|index| source.read(index).err());
                errors.next().map_or(Ok(()), |error| Err(error.to_string()))
            }
            Err(error) => Err(error.to_string()),
        };
        if let Err(sentence) = &read {
            assert!(!sentence.contains(char::is_control), "not one line: {sentence:?}");
        }
        assert!(start.elapsed() < MAX_TIME, "took {:?}", start.elapsed());
        read
    }
}

#[test]
fn the_start_of_a_good_file_is_said_to_be_cut() {
    for name in FIXTURES {
        let whole = fs::read(fixture(name)).unwrap();
        let damaged_file = DamagedFile::new(&whole);
        let shortest = if name.ends_with(".safetensors") { 3 } else { 1 }; // a length may be any number
        let ends = |len: &usize| *len < ENDS || *len + ENDS > whole.len() || len.is_multiple_of(7);
        for len in (0..whole.len()).rev().filter(ends) {
            damaged_file.0.as_file().set_len(len as u64).unwrap();
            let error = damaged_file.read().expect_err(&format!("{name} was read with {len} bytes"));
            let is_told =
                error.contains("may have been cut short") || len < shortest || name.starts_with("evil");
            assert!(is_told, "{name}, {len} bytes: {error}");
        }
    }
}

#[test]
fn the_start_of_a_graph_is_cut_or_has_fewer_constants() {
    let whole = fs::read(fixture(GRAPH)).unwrap();
    let constants = trepang_weights::open(&fixture(GRAPH)).unwrap().tensors().len();
    let damaged_file = DamagedFile::new(&whole);
    let mut fewer = 0;
    // Fewer bytes than the first node's name are those of no format.
    for len in (20..whole.len()).rev() {
        damaged_file.0.as_file().set_len(len as u64).unwrap();
        match trepang_weights::open(damaged_file.0.path()) {
            Ok(source) => {
                assert!(source.tensors().len() <= constants);
                fewer += 1;
            }
            Err(error) => {
                let error = error.to_string();
                assert!(
                    error.contains("may have been cut short") || error.contains("no constants"),
                    "{error}"
                );
            }
        }
    }
    assert!(fewer < 20, "only where a node ends: {fewer} times");
}

#[test]
fn wrong_bytes_never_cause_a_panic() {
    let flips = std::env::var("TREPANG_FLIPS").map_or(DAMAGES, |text| text.parse().unwrap());
    for name in FIXTURES.into_iter().chain([GRAPH]) {
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
            _ = damaged_file.read();
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
