//! A look at the first bytes of a long file, before it is read into memory: a file of no known format, or one that is longer
//! or shorter than its header says, costs neither time nor memory.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use safetensors::SafeTensorError;
use safetensors::tensor::Metadata;

use super::sniff::{self, FileKind};
use super::{damaged, unknown};
use crate::skim::{self, Kind};
use crate::{Error, FileFormat, Result};

/// The bytes that are looked at. A file that is no longer is simply read.
const HEAD: u64 = 1 << 20;

/// The most bytes of a message of protobuf, which ONNX files and TensorFlow's graphs are.
const MAX_MESSAGE: u64 = 1 << 31;

/// The most bytes of a safetensors file's header, which is also that format's own bound.
const MAX_HEADER: u64 = 100_000_000;

/// Fails if the first bytes of a long file already tell that it is not one that can be read. `file` is open at its start, and is so
/// again afterwards.
pub(super) fn look(file: &mut File, path: &Path) -> Result<()> {
    let failed = |source: io::Error| Error::Io { path: path.into(), source };
    let len = file.metadata().map_err(failed)?.len();
    if len <= HEAD {
        return Ok(());
    }
    let head = bytes(file, 0, HEAD).map_err(failed)?;
    match sniff::kind(&head) {
        FileKind::Safetensors => {
            let described = described(file, &head).map_err(failed)?;
            if described.is_some_and(|described| described != len) {
                return Err(damaged(
                    path,
                    FileFormat::Safetensors,
                    SafeTensorError::MetadataIncompleteBuffer,
                ));
            }
        }
        FileKind::GraphDef => look_at_messages(&head, len, Kind::GraphDef)
            .map_err(|reason| damaged(path, FileFormat::GraphDef, reason))?,
        FileKind::Onnx => look_at_messages(&head, len, Kind::Model)
            .map_err(|reason| damaged(path, FileFormat::Onnx, reason))?,
        FileKind::Other(found) if !has_hdf5_further_on(file, len).map_err(failed)? => {
            return Err(unknown(path, found));
        }
        FileKind::Hdf5
        | FileKind::Zip
        | FileKind::TorchStream
        | FileKind::Pickle
        | FileKind::OtherProgram(_)
        | FileKind::Json
        | FileKind::Start(_)
        | FileKind::Other(_) => {}
    }
    file.seek(SeekFrom::Start(0)).map(drop).map_err(failed)
}

/// Fails, with a clause, if a file of `len` bytes that begins with `head` cannot be a message.
fn look_at_messages(head: &[u8], len: u64, whole: Kind) -> Result<(), String> {
    if len > MAX_MESSAGE {
        return Err(format!("it has {len} bytes, more than such a file can"));
    }
    skim::skim_start(head, whole)
}

/// The length that a safetensors file should have by its header; none if that cannot be told, which the reader will say.
fn described(file: &mut File, head: &[u8]) -> io::Result<Option<u64>> {
    let Some(Ok(length)) = head.get(..8).map(<[u8; 8]>::try_from) else { return Ok(None) };
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER {
        return Ok(None);
    }
    let header = bytes(file, 8, length)?;
    let Ok(header) = serde_json::from_slice::<Metadata>(&header) else { return Ok(None) };
    Ok(Some(8 + length + header.data_len() as u64))
}

/// Whether HDF5's signature stands behind a user block that is longer than the head.
fn has_hdf5_further_on(file: &mut File, len: u64) -> io::Result<bool> {
    let mut start = HEAD;
    while start < len {
        if bytes(file, start, sniff::HDF5.len() as u64)? == sniff::HDF5 {
            return Ok(true);
        }
        start *= 2;
    }
    Ok(false)
}

fn bytes(file: &mut File, start: u64, len: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(len).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// A file that begins with `start` and is `len` bytes long, without taking room on the disk.
    fn sparse(start: &[u8], len: u64) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(start).unwrap();
        file.as_file().set_len(len).unwrap();
        file
    }

    fn looked_at(file: &tempfile::NamedTempFile) -> Result<()> {
        look(&mut File::open(file.path()).unwrap(), file.path())
    }

    /// Longer than any memory, so that reading it would fail.
    const HUGE: u64 = 1 << 42;

    #[test]
    fn a_huge_file_of_no_format_is_not_read() {
        let error = looked_at(&sparse(b"", HUGE)).unwrap_err();
        assert!(error.to_string().contains("00 00 00 00"), "{error}");
    }

    #[test]
    fn a_file_that_its_header_does_not_cover_is_not_read() {
        let header = br#"{"x":{"dtype":"F32","shape":[300000],"data_offsets":[0,1200000]}}"#;
        let start = [&(header.len() as u64).to_le_bytes(), &header[..]].concat();
        let whole = start.len() as u64 + 1_200_000;
        assert!(looked_at(&sparse(&start, whole)).is_ok());
        for len in [whole - 1, whole + 1, HUGE] {
            let error = looked_at(&sparse(&start, len)).unwrap_err();
            assert!(error.to_string().contains("not a whole safetensors file"), "{error}");
        }
    }

    #[test]
    fn a_graph_is_no_longer_than_a_message_can_be() {
        // The graph's first node is longer than what is looked at.
        let start = b"\x0a\x80\x80\x80\x01\x0a\x05input\x12\x0bPlaceholder\x1a\x80\x80\x7f";
        assert!(looked_at(&sparse(start, 1 << 30)).is_ok());
        let error = looked_at(&sparse(start, HUGE)).unwrap_err();
        assert!(error.to_string().contains("more than such a file can"), "{error}");
    }

    #[test]
    fn zeros_that_begin_as_onnx_are_not_read() {
        for start in [&b"\x08\x0a\x12\x00"[..], b"\x08\x0a\x12\x00\x3a\x80\x80\x80\x80\x07"] {
            let error = looked_at(&sparse(start, 2_000_000_000)).unwrap_err().to_string();
            assert!(error.contains("is not a whole ONNX file (a field of it has the number 0)"), "{error}");
        }
    }

    #[test]
    fn hdf5_behind_a_long_user_block_is_still_found() {
        let mut file = sparse(b"", 1 << 23);
        file.seek(SeekFrom::Start(1 << 22)).unwrap();
        file.write_all(sniff::HDF5).unwrap();
        assert!(looked_at(&file).is_ok());
    }
}
