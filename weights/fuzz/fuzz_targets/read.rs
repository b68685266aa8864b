//! Shared by the fuzz targets: writes the bytes to a file, opens it, and reads every tensor.

use std::cell::RefCell;
use std::io::{Seek, Write};

use tempfile::NamedTempFile;

thread_local! {
    /// One file for all runs, because creating a file takes longer than reading it. No run keeps it mapped.
    static FILE: RefCell<NamedTempFile> = RefCell::new(NamedTempFile::new().expect("a temporary file"));
}

/// Opens `bytes` as a weights file and reads all of it. It panics where the readers panic.
pub fn read(bytes: &[u8]) {
    FILE.with_borrow_mut(|file| {
        file.as_file().set_len(0).expect("a shorter file");
        file.rewind().expect("the file's start");
        file.write_all(bytes).expect("room for the file");
        match trepang_weights::open(file.path()) {
            Ok(source) => {
                (0..source.tensors().len()).filter_map(|index| source.read(index).err()).for_each(check)
            }
            Err(error) => check(error),
        }
    });
}

/// Checks that an error has no control characters.
fn check(error: trepang_weights::Error) {
    let sentence = error.to_string();
    assert!(!sentence.contains(char::is_control), "{sentence:?}");
}
