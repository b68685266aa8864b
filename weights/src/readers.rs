//! Opens a weights file of any format. The format is detected from the content and not from the name. Each format is read
//! in a file below this module; `fit` recognises the network.

mod contents;
mod first_look;
mod graph_def;
mod keras;
mod natural;
mod numbers;
mod pytorch;
mod safetensors;
mod shards;
mod sniff;

use std::fmt::Display;
use std::path::Path;

use sha2::{Digest, Sha256};
use trepang_api::excerpt;

use crate::export::SavedAs;
use crate::file_bytes::{FileBytes, open_regular};
use crate::hex::hex;
use crate::{Error, FileFormat, Result, TensorSource};

pub(crate) use numbers::{ByteOrder, decode as decode_numbers};
use pytorch::Archive;
pub use safetensors::{SafetensorsFile, SharedF32, read_safetensors};
use shards::ShardIndex;
use sniff::FileKind;
pub(crate) use sniff::is_onnx as is_onnx_bytes;

/// Opens a weights file, which is read into memory. Fails for a file that is not whole, has no known format, holds no
/// tensor, or would run code.
pub fn open(path: &Path) -> Result<Box<dyn TensorSource>> {
    open_bytes(path, &mut |_| {})
}

/// The same, with the SHA-256 of the bytes that were read, as 64 hexadecimal digits. That of an index covers the index and
/// then the files that it names, by name, as `cat INDEX FILES | sha256sum` has it.
pub fn open_hashed(path: &Path) -> Result<(Box<dyn TensorSource>, String)> {
    let mut hash = Sha256::new();
    let source = open_bytes(path, &mut |bytes| hash.update(bytes))?;
    Ok((source, hex(&hash.finalize())))
}

/// Opens a file of the store without reading its numbers. Nobody writes to it.
pub(crate) fn open_mapped(path: &Path) -> Result<Box<dyn TensorSource>> {
    let file = FileBytes::map(path).map_err(|source| Error::Io { path: path.into(), source })?;
    open_one(&file, path)
}

/// Opens a file and calls `on_read` with its bytes, and with those of each file that it names.
fn open_bytes(path: &Path, on_read: &mut dyn FnMut(&[u8])) -> Result<Box<dyn TensorSource>> {
    let file = read(path)?;
    on_read(&file);
    match sniff::kind(&file) {
        FileKind::Json => match ShardIndex::parse(&file) {
            Some(index) => index.open(path, on_read),
            None => Err(unknown(path, "JSON")),
        },
        FileKind::Safetensors
        | FileKind::Hdf5
        | FileKind::Zip
        | FileKind::TorchStream
        | FileKind::Pickle
        | FileKind::Onnx
        | FileKind::GraphDef
        | FileKind::OtherProgram(_)
        | FileKind::Start(_)
        | FileKind::Other(_) => open_one(&file, path),
    }
}

/// Opens a file that is not the index of others.
fn open_one(file: &FileBytes, path: &Path) -> Result<Box<dyn TensorSource>> {
    match sniff::kind(file) {
        FileKind::Safetensors => Ok(Box::new(SafetensorsFile::new(file.clone(), path)?)),
        FileKind::Hdf5 => keras::open(file.clone(), path),
        FileKind::Zip => open_archive(file, path),
        FileKind::TorchStream => pytorch::open_stream(file, path),
        FileKind::Pickle => Err(pytorch::refuse_pickle(file, path)),
        FileKind::GraphDef => graph_def::open(file.clone(), path),
        FileKind::Onnx => Err(Error::IsNetwork { path: path.into() }),
        FileKind::OtherProgram(saved) => Err(other_program(path, saved)),
        FileKind::Start(format) => Err(damaged(path, format, format!("it ends after {} bytes", file.len()))),
        FileKind::Json => Err(unknown(path, "JSON")),
        FileKind::Other(found) => Err(unknown(path, found)),
    }
}

/// Opens a zip archive of PyTorch, of Keras or with a graph of TensorFlow's.
fn open_archive(file: &FileBytes, path: &Path) -> Result<Box<dyn TensorSource>> {
    let format = if sniff::begins_as_keras_archive(file) {
        FileFormat::Keras3
    } else if sniff::begins_as_graph_archive(file) {
        FileFormat::GraphDef
    } else {
        FileFormat::PytorchZip
    };
    let archive = Archive::open(file).map_err(|reason| damaged(path, format, reason))?;
    let has = |end: &str| archive.names().any(|name| name.rsplit('/').next() == Some(end));
    if has("constants.pkl") {
        Err(other_program(path, SavedAs::TorchScript))
    } else if has("archive_format") && !has("data.pkl") {
        Err(other_program(path, SavedAs::TorchProgram))
    } else if !has("data.pkl") && has(keras::WEIGHTS_IN_ARCHIVE) {
        keras::open_archive(&archive, file, path)
    } else if !has("data.pkl")
        && let Some(graph) = graph_def::in_archive(&archive)
    {
        graph_def::open_archive(&archive, &graph, path)
    } else {
        pytorch::open_zip(archive, file, path)
    }
}

/// Whether `path` is a folder in which TensorFlow saved a model.
pub(crate) fn is_saved_model(path: &Path) -> bool {
    path.is_dir() && path.join("saved_model.pb").is_file()
}

/// Reads a file into memory, if its first bytes are those of a file that can be read.
pub(crate) fn read(path: &Path) -> Result<FileBytes> {
    let failed = |source| Error::Io { path: path.into(), source };
    if is_saved_model(path) {
        return Err(other_program(path, SavedAs::SavedModel));
    }
    let mut file = open_regular(path).map_err(failed)?;
    first_look::look(&mut file, path)?;
    FileBytes::of(file).map_err(failed)
}

fn unknown(path: &Path, found: impl Display) -> Error {
    Error::UnknownFormat { path: path.into(), found: printable(found) }
}

fn other_program(path: &Path, saved: SavedAs) -> Error {
    Error::OtherProgram { path: path.into(), what: saved.words(), export: saved.clause(path) }
}

fn malicious(path: &Path, call: impl Display) -> Error {
    Error::Malicious { path: path.into(), call: printable(call) }
}

/// The error for a file whose content does not match the format that its first bytes indicate.
pub(crate) fn damaged(path: &Path, format: FileFormat, reason: impl Display) -> Error {
    Error::Format { path: path.into(), format, reason: printable(reason) }
}

/// Makes text from a file safe to print on one line of a terminal, and cuts long text.
pub(crate) fn printable(words: impl Display) -> String {
    trepang_api::printable(&excerpt(&words.to_string())).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_a_file_cannot_control_the_terminal() {
        assert_eq!(
            printable("ends\r\n\u{1b}[2J\u{202e} a pig: \u{1f416}"),
            "ends\\r\\n\\u{1b}[2J\\u{202e} a pig: \u{1f416}"
        );
        assert_eq!(printable("x".repeat(1001)).len(), 203);
    }
}
