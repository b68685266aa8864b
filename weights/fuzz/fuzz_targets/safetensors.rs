//! Fuzzes the safetensors reader. The bytes are a whole file.

#![no_main]

mod read;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    read::read(bytes);
});
