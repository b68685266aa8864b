//! Fuzzes the decoder of ONNX and what makes a network of it. The bytes are a whole file.

#![no_main]

use std::cell::RefCell;
use std::io::{Seek, Write};

use libfuzzer_sys::fuzz_target;
use tempfile::NamedTempFile;
use trepang_weights::{InputFormat, OnnxModel};

thread_local! {
    /// One file for all runs, because creating a file takes longer than reading it.
    static FILE: RefCell<NamedTempFile> = RefCell::new(NamedTempFile::new().expect("a temporary file"));
}

fuzz_target!(|bytes: &[u8]| {
    let input: InputFormat = "unit".parse().expect("an input");
    FILE.with_borrow_mut(|file| {
        file.as_file().set_len(0).expect("a shorter file");
        file.rewind().expect("the file's start");
        file.write_all(bytes).expect("room for the file");
        match OnnxModel::read(file.path(), Some(input)) {
            Ok(model) => {
                for cut in &model.cut {
                    assert!(!cut.reason.contains(char::is_control), "{:?}", cut.reason);
                }
            }
            Err(error) => {
                let sentence = error.to_string();
                assert!(!sentence.contains(char::is_control), "{sentence:?}");
            }
        }
    });
});
