//! Tests of files that are refused, and of the errors.

use std::io::{Cursor, Write};
use std::path::Path;

use tempfile::NamedTempFile;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::{fixture, refusal};

fn check(name: &str, sentence: &str) {
    assert_eq!(refusal(&fixture(name)), sentence);
}

/// Checks the error for a file with these bytes.
fn check_bytes(bytes: &[u8], phrase: &str) {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let sentence = refusal(file.path());
    assert!(sentence.contains(phrase), "{sentence}");
}

#[test]
fn a_pickle_that_would_run_code_is_refused() {
    let sentence = |name: &str| {
        format!(
            "{name} asks for posix.system to be run, which a weights file has no need of: it was not opened; do not \
             load it with other programs either"
        )
    };
    for name in ["evil.pth", "evil_protocol4.pth", "evil_stream.pth", "evil.pickle"] {
        check(name, &sentence(name));
    }
    assert!(!Path::new("pwned-by-a-pickle").exists());
}

#[test]
fn files_that_are_not_weights_are_described() {
    check_bytes(b"", "it begins with nothing: it is empty, and");
    check_bytes(b"<!DOCTYPE html><title>404</title>", "it begins with an HTML page");
    check_bytes(
        b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        "a zip archive without PyTorch's data.pkl",
    );
    check_bytes(b"\x80\x02}q\0.", "a pickle without PyTorch's magic number");
}

#[test]
fn a_folder_and_a_missing_file_are_named() {
    assert!(refusal(&fixture("")).contains("it is not a regular file"));
    assert!(refusal(&fixture("none.h5")).starts_with("cannot read the weights file none.h5: No such file"));
}

#[test]
fn hdf5_that_keras_did_not_write_is_refused() {
    let damaged = |reason: &str| {
        format!("({reason}); if it was downloaded, it may have been cut short: fetch it again")
    };
    check(
        "other.h5",
        "other.h5 is no weights file that can be read: it begins with HDF5 that is not Keras's: nothing in it has \
         layer_names or is called vars/0, and safetensors, Keras's HDF5 or a PyTorch file is needed",
    );
    check(
        "twice.h5",
        "twice.h5 is a Keras HDF5 (legacy) file that Trepang cannot use: it holds two tensors named \"conv/kernel:0\"",
    );
    let check = |name: &str, format: &str, reason: &str| {
        check(name, &format!("{name} is not a whole Keras HDF5 {format} file {}", damaged(reason)));
    };
    check("missing_layer.h5", "(legacy)", "layer \"conv\": group not found: conv");
    check("numbers_for_names.h5", "(legacy)", "the attribute layer_names of \"/\" is not text");
}

#[test]
fn impossible_sizes_are_refused_before_memory_is_allocated() {
    check_bytes(b"\0\0\0\0\0\0\0\x10{\"a\":1}", "is not a whole safetensors file");
    check_bytes(b"\xff\xff\xff\xff\0\0\0\0{\"a\":1}", "is not a whole safetensors file");
    for name in ["huge.weights.h5", "expanded.pth"] {
        let sentence = refusal(&fixture(name));
        assert!(sentence.contains("its tensors claim more numbers than"), "{sentence}");
    }
}

/// Checks the error for an archive with one entry.
fn check_archive(name: &str, content: &[u8], phrase: &str) {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file(name, SimpleFileOptions::default()).unwrap();
    archive.write_all(content).unwrap();
    check_bytes(&archive.finish().unwrap().into_inner(), phrase);
}

#[test]
fn archives_of_other_programs_are_named() {
    check_archive("photo.jpeg", b"", "it begins with a zip archive without PyTorch's data.pkl");
    check_archive("net/constants.pkl", b"", "is TorchScript's archive, a program and not only weights");
    check_archive("net/archive_format", b"pt2", "is an archive of torch.export");
}

#[test]
fn a_files_own_words_stay_on_one_line() {
    check_archive("a/data.pkl", b"\x80\x02}U\x08\x1b[2Ja\nb\rK\x01s.", r"only the keys \u{1b}[2Ja\nb\r");
}

#[test]
fn archives_that_would_fill_the_memory_are_refused() {
    let check = |pickle: &[u8], reason: &str| check_archive("archive/data.pkl", pickle, reason);
    let too_long = "its pickle is longer than any that describes weights";
    check(&b"N".repeat(16 << 20), too_long);
    check(&[&b"]".repeat(1 << 20)[..], b"."].concat(), "it holds no tensor, only a list of 0");
    let doubling = b"]q\0(h\0h\0h\0h\0h\0h\0h\0h\0eq\0".repeat(1000);
    check(&[&doubling[..], b"."].concat(), "it holds no tensor");
    let nested =
        [b"]q\0".as_slice(), &b"]q\x01(h\0h\0h\0h\0h\0h\0h\0h\0eh\x01q\0".repeat(1000), b"."].concat();
    check(&nested, too_long);
}

#[test]
fn a_file_without_tensors_names_its_keys() {
    check(
        "no_tensor.pth",
        "no_tensor.pth is a PyTorch (zip) file that Trepang cannot use: it holds no tensor, only the keys epoch, lr",
    );
    check_bytes(b"\x02\0\0\0\0\0\0\0{}", "it holds no tensor");
}
