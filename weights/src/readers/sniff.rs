//! Detects the format of a file from its first bytes. The name is not used, and nothing is parsed.

use std::fmt::Write as _;

use crate::FileFormat;
use crate::export::SavedAs;

/// The kind of a file, as its first bytes indicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FileKind {
    Safetensors,
    /// HDF5, which Keras uses.
    Hdf5,
    /// A zip archive, from PyTorch or from another program.
    Zip,
    /// PyTorch's older stream of pickles.
    TorchStream,
    /// A pickle that is not PyTorch's.
    Pickle,
    /// ONNX, which holds a network too.
    Onnx,
    /// A graph of TensorFlow 1.
    GraphDef,
    /// A model of another program, which is read as ONNX only.
    OtherProgram(SavedAs),
    /// JSON, perhaps the index of weights in several files.
    Json,
    /// The first bytes of a file of this format, and no more.
    Start(FileFormat),
    /// Not a weights file; the text describes what it is.
    Other(String),
}

/// The first bytes of a zip archive.
const ZIP: &[u8] = b"PK\x03\x04";

/// The place at which the name of an archive's first file begins.
const ZIP_NAME_AT: usize = 30;

/// The number of bytes before the text of a safetensors file, which are the length of its header.
const SAFETENSORS_LENGTH_BYTES: usize = 8;

/// The signature of HDF5.
pub(super) const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";

/// The magic number at the start of PyTorch's legacy streams, as a pickle of any binary protocol writes it.
const TORCH_MAGIC: &[u8] = b"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

/// The first bytes of other kinds of files, with words for them.
const OTHER_MAGIC: [(&[u8], &str); 16] = [
    (b"\x1f\x8b", "a gzip archive (unpack it first)"),
    (b"BZh", "a bzip2 archive (unpack it first)"),
    (b"\xfd7zXZ\0", "an xz archive (unpack it first)"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive (unpack it first)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive (unpack it first)"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"GGUF", "a GGUF file"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"version https://git-lfs", "a Git LFS pointer, which stands for a file that was not fetched"),
    (b"GIF8", "a GIF picture"),
    (b"PAR1", "a Parquet table"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x7fELF", "a program"),
    (b"#!", "a script"),
];

/// Detects the kind of `file`.
pub(super) fn kind(file: &[u8]) -> FileKind {
    let head = &file[..file.len().min(64)];
    if has_hdf5_magic(file) {
        FileKind::Hdf5
    } else if head.starts_with(ZIP) || head.starts_with(b"PK\x05\x06") {
        FileKind::Zip
    } else if head.get(8) == Some(&b'{') && head[7] < b' ' {
        FileKind::Safetensors // eight bytes of length, the last of them below any printable character, then JSON
    } else if head.windows(TORCH_MAGIC.len()).any(|window| window == TORCH_MAGIC) {
        FileKind::TorchStream
    } else if matches!(head, [0x80, 1..=5, ..]) {
        FileKind::Pickle
    } else if is_onnx(file) {
        FileKind::Onnx
    } else if let Some(saved) = other_program(file) {
        FileKind::OtherProgram(saved)
    } else if is_graph_def(file) {
        FileKind::GraphDef
    } else if begins_as_json(file) {
        FileKind::Json
    } else if let Some(format) = start_of(file) {
        FileKind::Start(format)
    } else {
        FileKind::Other(in_words(file))
    }
}

/// Whether a file begins as ONNX's do: with the number of its format, and then what wrote it or its graph.
pub(crate) fn is_onnx(file: &[u8]) -> bool {
    matches!(file, [0x08, 1..=64, 0x12 | 0x3a | 0x42 | 0x1a, ..]) && other_program(file).is_none()
}

/// The program whose model a file is, if it is one that is not read here. Like ONNX, `TensorFlow` and Core ML begin with the
/// number of a version and go on with the second field, which in ONNX is a text and with them a message: its first byte is
/// that of a field.
fn other_program(file: &[u8]) -> Option<SavedAs> {
    if file.get(4..8) == Some(b"TFL3") {
        return Some(SavedAs::TfLite);
    }
    let [0x08, 1..=64, 0x12, rest @ ..] = file else { return None };
    let Some([0x0a, rest @ ..]) = behind_number(rest) else { return None };
    // Of Core ML's description the first part is an input, whose name comes first.
    Some(match behind_number(rest) {
        Some([0x0a, ..]) => SavedAs::CoreMl,
        _ => SavedAs::SavedModel,
    })
}

/// The bytes behind a number of variable length, of which all bytes but the last have their highest bit set.
fn behind_number(bytes: &[u8]) -> Option<&[u8]> {
    let more = bytes.iter().take_while(|byte| **byte >= 0x80).count();
    bytes.get(more + 1..)
}

/// Whether a file begins as TensorFlow's graphs do: with a node, whose name comes first and then its operation.
fn is_graph_def(file: &[u8]) -> bool {
    let Some((0x0a, rest)) = file.split_first() else { return false };
    let Some([0x0a, length, rest @ ..]) = behind_number(rest) else { return false };
    let Some((name, rest)) = rest.split_at_checked(usize::from(*length)) else { return false };
    *length < 0x80 && name.iter().all(u8::is_ascii_graphic) && matches!(rest, [0x12, ..])
}

/// The format of a file that ends before its format is certain; none if it has bytes of no format, or none at all.
fn start_of(file: &[u8]) -> Option<FileFormat> {
    let length =
        file.len() <= SAFETENSORS_LENGTH_BYTES && file.len() > 2 && file[2..].iter().all(|byte| *byte < 2);
    match file {
        [] => None,
        _ if ZIP.starts_with(file) => Some(FileFormat::PytorchZip),
        _ if HDF5.starts_with(file) => Some(FileFormat::Keras3),
        [0x80] => Some(FileFormat::PytorchLegacy),
        [0x80, 1..=5, ..] => None,
        _ => length.then_some(FileFormat::Safetensors),
    }
}

/// Whether an archive begins with a file that Keras writes first.
pub(super) fn begins_as_keras_archive(file: &[u8]) -> bool {
    let name = file.get(ZIP_NAME_AT..).unwrap_or_default();
    [&b"metadata.json"[..], b"config.json", b"model.weights.h5"].iter().any(|first| name.starts_with(first))
}

/// Whether an archive begins with a file of those that go with the published graph of `inception_v1`.
pub(super) fn begins_as_graph_archive(file: &[u8]) -> bool {
    let name = file.get(ZIP_NAME_AT..).unwrap_or_default();
    [&b"tensorflow_inception_graph.pb"[..], b"imagenet_comp_graph_label_strings.txt"]
        .iter()
        .any(|first| name.starts_with(first))
}

/// Whether HDF5's signature is at byte 0, 512, 1024, 2048 and so on: HDF5 allows a user block before it.
fn has_hdf5_magic(file: &[u8]) -> bool {
    let at = |start: usize| file.get(start..).is_some_and(|rest| rest.starts_with(HDF5));
    at(0) || (9..usize::BITS - 1).map(|power| 1 << power).take_while(|start| *start < file.len()).any(at)
}

fn in_words(file: &[u8]) -> String {
    let known = OTHER_MAGIC.iter().find(|(magic, _)| file.starts_with(magic)).map(|(_, words)| *words);
    let words = known.or_else(|| markup(file)).or_else(|| tar(file));
    words.map_or_else(|| unknown(file), Into::into)
}

/// Detects the pages that servers send in place of a file.
fn markup(file: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(&file[..file.len().min(256)]).to_lowercase();
    let text = text.trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t']);
    if text.starts_with("<!doctype html") || text.starts_with("<html") {
        Some("an HTML page, perhaps a server's error message")
    } else if text.starts_with("<?xml") {
        Some("XML, perhaps a server's error message")
    } else {
        None
    }
}

fn begins_as_json(file: &[u8]) -> bool {
    let text = file.trim_ascii_start();
    let rest = text.get(1..).unwrap_or_default().trim_ascii_start();
    match text.first() {
        Some(b'{') => matches!(rest.first(), None | Some(b'"' | b'}')),
        Some(b'[') => rest.first().is_none_or(|first| b"[{\"]-0123456789tfn".contains(first)),
        _ => false,
    }
}

fn tar(file: &[u8]) -> Option<&'static str> {
    let magic = file.get(257..262)?;
    (magic == b"ustar").then_some("a tar archive (unpack it first; PyTorch's from before 2017 is not read)")
}

fn unknown(file: &[u8]) -> String {
    if file.is_empty() {
        return "nothing: it is empty".into();
    }
    let head = &file[..file.len().min(8)];
    if head.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) {
        return "plain text".into();
    }
    let mut hex = String::from("the bytes");
    for byte in head {
        let _ = write!(hex, " {byte:02x}"); // writing into a `String` cannot fail
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &[u8], words: &str) {
        assert_eq!(kind(file), FileKind::Other(words.into()));
    }

    #[test]
    fn files_that_are_not_weights_are_described() {
        check(b"", "nothing: it is empty");
        check(b"\x1f\x8b\x08\0", "a gzip archive (unpack it first)");
        check(b"\n <!DOCTYPE HTML><title>404", "an HTML page, perhaps a server's error message");
        check(b"<html>", "an HTML page, perhaps a server's error message");
        assert_eq!(kind(b" {\"error\": 1}"), FileKind::Json);
        check(b"Not Found", "plain text");
        check(&[1, 2, 0xff], "the bytes 01 02 ff");
        let mut tar = vec![b'a'; 600];
        tar[257..262].copy_from_slice(b"ustar");
        check(&tar, "a tar archive (unpack it first; PyTorch's from before 2017 is not read)");
    }

    #[test]
    fn hdf5_may_begin_late() {
        let mut file = vec![0; 2048];
        assert_eq!(kind(&file), FileKind::Other("the bytes 00 00 00 00 00 00 00 00".into()));
        file.extend_from_slice(HDF5);
        assert_eq!(kind(&file), FileKind::Hdf5);
    }

    #[test]
    fn a_graph_begins_with_a_node_that_has_a_name() {
        assert_eq!(kind(b"\x0a\x12\x0a\x05input\x12\x0bPlaceholder"), FileKind::GraphDef);
        assert_eq!(kind(b"\x0a\x92\x01\x0a\x05input\x12\x0bPlaceholder"), FileKind::GraphDef);
        check(b"\n\n\n\ntext", "plain text");
        check(b"\x0a\x12\x0a\x05in", "the bytes 0a 12 0a 05 69 6e");
    }

    #[test]
    fn models_of_other_programs_are_told_apart() {
        let saved = |file: &[u8]| match kind(file) {
            FileKind::OtherProgram(saved) => Some(saved),
            _ => None,
        };
        assert_eq!(saved(b"\x1c\0\0\0TFL3\x14\0"), Some(SavedAs::TfLite));
        // TensorFlow's names its operations first, Core ML an input.
        assert_eq!(
            saved(b"\x08\x01\x12\xba\xb8\x01\x0a\x93\x12\x12\xe3\x11\x0a\x5e"),
            Some(SavedAs::SavedModel)
        );
        assert_eq!(saved(b"\x08\x04\x12\x20\x0a\x10\x0a\x05image"), Some(SavedAs::CoreMl));
        assert_eq!(kind(b"\x08\x0a\x12\x07pytorch"), FileKind::Onnx);
        assert_eq!(kind(b"\x08\x0a\x12\x00\x3a\x05"), FileKind::Onnx);
    }

    #[test]
    fn a_header_may_claim_to_be_long() {
        assert_eq!(kind(b"\0\0\0\0\0\0\0\x10{}"), FileKind::Safetensors);
    }
}
