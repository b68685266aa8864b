//! Fuzzes the reader of TensorFlow's graphs. The bytes follow a first node, so that no run is spent on other formats.

#![no_main]

mod read;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut file = b"\x0a\x14\x0a\x05input\x12\x0bPlaceholder".to_vec();
    file.extend_from_slice(bytes);
    read::read(&file);
});
