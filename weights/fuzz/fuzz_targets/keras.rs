//! Fuzzes the HDF5 reader. The bytes follow HDF5's signature, so that no run is spent on other formats.

#![no_main]

mod read;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut file = b"\x89HDF\r\n\x1a\n".to_vec();
    file.extend_from_slice(bytes.get(8..).unwrap_or_default());
    read::read(&file);
});
