//! Tests of zip archives as PyTorch and other programs write them: with both kinds of end records, with names of any length,
//! compressed, or cut short.

use std::io::{Cursor, Read, Write};

use tempfile::NamedTempFile;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::{fixture, open};

/// The longest name of an archive that is tried.
const MAX_NAME_LEN: usize = 80;

/// PyTorch's end of an archive: only for large numbers, or always in both forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Short,
    Both,
}

/// The files in a fixture's archive, each with its name below the archive's folder.
fn files(name: &str) -> Vec<(String, Vec<u8>)> {
    let mut archive = ZipArchive::new(Cursor::new(std::fs::read(fixture(name)).unwrap())).unwrap();
    let count = archive.len();
    let read = |index| {
        let mut entry = archive.by_index(index).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let name = entry.name().unwrap().split_once('/').unwrap().1.to_owned();
        (name, bytes)
    };
    (0..count).map(read).collect()
}

/// The fields that the local and the central header of a stored file share, from the version that reads it to the sizes. The
/// checksum is left out, as PyTorch can.
fn sizes(len: usize) -> Vec<u8> {
    let len = (len as u32).to_le_bytes();
    [&[20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &len[..], &len[..]].concat()
}

fn short(number: usize) -> [u8; 2] {
    (number as u16).to_le_bytes()
}

/// An archive as PyTorch writes it: data at multiples of 64 bytes, by padding in the local headers.
fn archive(folder: &str, files: &[(String, Vec<u8>)], end: End) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let name = format!("{folder}/{name}");
        let header = archive.len() as u32;
        let before = archive.len() + 30 + name.len() + 4;
        let padding = before.next_multiple_of(64) - before;
        archive
            .extend([b"PK\x03\x04", &*sizes(bytes.len()), &short(name.len()), &short(4 + padding)].concat());
        archive.extend([name.as_bytes(), b"FB", &short(padding), &vec![b'Z'; padding], bytes].concat());
        directory.extend([b"PK\x01\x02\0\0", &*sizes(bytes.len()), &short(name.len()), &[0; 12]].concat());
        directory.extend([&header.to_le_bytes(), name.as_bytes()].concat());
    }
    let (start, size, count) = (archive.len() as u64, directory.len() as u64, files.len() as u64);
    archive.extend(directory);
    if end == End::Both {
        let place = archive.len() as u64;
        archive.extend(
            [b"PK\x06\x06", &44_u64.to_le_bytes()[..], &[45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]].concat(),
        );
        archive.extend([count, count, size, start].map(u64::to_le_bytes).concat());
        archive.extend([b"PK\x06\x07", &[0; 4][..], &place.to_le_bytes(), &[1, 0, 0, 0]].concat());
    }
    let count = short(files.len());
    archive.extend([b"PK\x05\x06", &[0; 4][..], &count, &count].concat());
    archive.extend([(size as u32).to_le_bytes(), (start as u32).to_le_bytes()].concat());
    archive.extend([0, 0]);
    archive
}

fn written(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

#[test]
fn archives_with_names_of_any_length_are_read() {
    let files = files("zip_v2.pth");
    let expected = open("zip_v2.pth");
    for end in [End::Short, End::Both] {
        for len in 1..=MAX_NAME_LEN {
            let file = written(&archive(&"n".repeat(len), &files, end));
            let source = trepang_weights::open(file.path());
            let source = source.unwrap_or_else(|error| panic!("{len} letters, {end:?}: {error}"));
            assert_eq!(source.tensors(), expected.tensors(), "{len} letters, {end:?}");
            assert_eq!(source.read(1).unwrap(), expected.read(1).unwrap(), "{len} letters, {end:?}");
        }
    }
}

#[test]
fn every_part_of_an_archive_is_said_to_be_cut() {
    let files = files("zip_v2.pth");
    for (end, len) in [(End::Short, 7), (End::Both, 21)] {
        let whole = archive(&"n".repeat(len), &files, end);
        for cut in 1..whole.len() {
            let error = trepang_weights::open(written(&whole[..cut]).path()).unwrap_err().to_string();
            assert!(error.contains("cut short"), "{cut} bytes: {error}");
        }
    }
}

#[test]
fn compressed_archives_are_read() {
    for name in ["zip_v2.pth", "k3.keras"] {
        let mut from = ZipArchive::new(Cursor::new(std::fs::read(fixture(name)).unwrap())).unwrap();
        let mut packed = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        for index in 0..from.len() {
            let mut entry = from.by_index(index).unwrap();
            packed.start_file(entry.name().unwrap().into_owned(), options).unwrap();
            std::io::copy(&mut entry, &mut packed).unwrap();
        }
        let file = written(&packed.finish().unwrap().into_inner());
        let (source, expected) = (trepang_weights::open(file.path()).unwrap(), open(name));
        assert_eq!(source.tensors(), expected.tensors(), "{name}");
        for index in 0..expected.tensors().len() {
            assert_eq!(source.read(index).unwrap(), expected.read(index).unwrap(), "{name}");
        }
    }
}

#[test]
fn numbers_of_a_big_endian_machine_are_turned() {
    let mut files = files("zip_v2.pth");
    files.push(("byteorder".into(), b"big".into()));
    for (_, bytes) in files.iter_mut().filter(|(name, _)| name.starts_with("data/")) {
        bytes.chunks_exact_mut(4).for_each(<[u8]>::reverse);
    }
    let file = written(&archive("net", &files, End::Both));
    let (source, expected) = (trepang_weights::open(file.path()).unwrap(), open("zip_v2.pth"));
    assert_eq!(source.read(0).unwrap(), expected.read(0).unwrap());
}

#[test]
fn numbers_whose_checksum_is_wrong_are_refused() {
    let mut bytes = std::fs::read(fixture("zip_v2.pth")).unwrap();
    let halves: Vec<u8> = [52.0_f32, 52.5, 53.0, 53.5].into_iter().flat_map(f32::to_le_bytes).collect();
    let at = bytes.windows(16).position(|window| window == halves).unwrap();
    bytes[at] ^= 1;
    let file = written(&bytes);
    let source = trepang_weights::open(file.path()).unwrap();
    let error = source.read(0).unwrap_err().to_string();
    assert!(error.contains("checksum"), "{error}");
    assert!(source.read(1).is_ok());
}
