//! Fuzzes the PyTorch readers. The bytes are an archive or a stream, or else a pickle that is put into an archive, because
//! a mutated archive almost never has correct checksums.

#![no_main]

mod read;

use std::io::{Cursor, Write};

use libfuzzer_sys::fuzz_target;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The storages that the pickles of the fixtures refer to, with their sizes in bytes.
const STORAGES: [(&str, usize); 3] =
    [("archive/data/0", 432), ("archive/data/1", 16), ("archive/data/2", 16)];

fuzz_target!(|bytes: &[u8]| {
    if bytes.starts_with(b"PK") || bytes.get(4..).is_some_and(|rest| rest.starts_with(b"l\xfc\x9cF")) {
        read::read(bytes);
    } else {
        read::read(&archive(bytes).expect("an archive in memory"));
    }
});

fn archive(pickle: &[u8]) -> zip::result::ZipResult<Vec<u8>> {
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("archive/data.pkl", stored)?;
    archive.write_all(pickle)?;
    for (name, len) in STORAGES {
        archive.start_file(name, stored)?;
        archive.write_all(&vec![1; len])?;
    }
    Ok(archive.finish()?.into_inner())
}
