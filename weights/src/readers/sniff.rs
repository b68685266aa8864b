//! What a file is, from its first bytes. Not from its name, and nothing is parsed here.

use std::fmt::Write as _;

/// What a file seems to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Safetensors,
    Hdf5,
    /// PyTorch's, or another.
    Zip,
    /// PyTorch's older stream of pickles.
    TorchStream,
    /// A pickle that is not PyTorch's.
    Pickle,
    /// No weights; what it is, in words.
    Other(String),
}

const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";

/// The number every legacy stream of PyTorch starts with, in a pickle of any binary protocol.
const TORCH_MAGIC: &[u8] = b"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

/// Beginnings of what is met in place of weights.
const OTHERS: [(&[u8], &str); 13] = [
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
    (b"\x7fELF", "a program"),
    (b"#!", "a script"),
];

/// Looks at the beginning of `file`.
pub(super) fn kind(file: &[u8]) -> Kind {
    let head = &file[..file.len().min(64)];
    if has_hdf5_magic(file) {
        Kind::Hdf5
    } else if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        Kind::Zip
    } else if head.get(8) == Some(&b'{') && head[7] < b' ' {
        Kind::Safetensors // eight bytes of length, the last of which is no text, then JSON
    } else if head.windows(TORCH_MAGIC.len()).any(|window| window == TORCH_MAGIC) {
        Kind::TorchStream
    } else if matches!(head, [0x80, 1..=5, ..]) {
        Kind::Pickle
    } else {
        Kind::Other(in_words(file))
    }
}

/// HDF5 may begin after a block of the user's own: at 0, 512, 1024, 2048 and so on.
fn has_hdf5_magic(file: &[u8]) -> bool {
    let at = |start: usize| file.get(start..).is_some_and(|rest| rest.starts_with(HDF5));
    at(0) || (9..usize::BITS - 1).map(|power| 1 << power).take_while(|start| *start < file.len()).any(at)
}

fn in_words(file: &[u8]) -> String {
    let known = OTHERS.iter().find(|(magic, _)| file.starts_with(magic)).map(|(_, words)| *words);
    let words = known.or_else(|| markup(file)).or_else(|| tar(file));
    words.map_or_else(|| unknown(file), Into::into)
}

/// What servers answer in place of a file.
fn markup(file: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(&file[..file.len().min(256)]).to_lowercase();
    let text = text.trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t']);
    if text.starts_with("<!doctype html") || text.starts_with("<html") {
        Some("an HTML page, perhaps a server's error message")
    } else if text.starts_with("<?xml") {
        Some("XML, perhaps a server's error message")
    } else if text.starts_with('{') || text.starts_with('[') {
        Some("JSON")
    } else {
        None
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
        let _ = write!(hex, " {byte:02x}"); // into memory: cannot fail
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &[u8], words: &str) {
        assert_eq!(kind(file), Kind::Other(words.into()));
    }

    #[test]
    fn what_is_no_weights_file_is_named() {
        check(b"", "nothing: it is empty");
        check(b"\x1f\x8b\x08\0", "a gzip archive (unpack it first)");
        check(b"\n <!DOCTYPE HTML><title>404", "an HTML page, perhaps a server's error message");
        check(b"<html>", "an HTML page, perhaps a server's error message");
        check(b"{\"error\": 1}", "JSON");
        check(b"Not Found", "plain text");
        check(&[1, 2, 0xff], "the bytes 01 02 ff");
        let mut tar = vec![b'a'; 600];
        tar[257..262].copy_from_slice(b"ustar");
        check(&tar, "a tar archive (unpack it first; PyTorch's from before 2017 is not read)");
    }

    #[test]
    fn hdf5_may_begin_late() {
        let mut file = vec![0; 2048];
        assert_eq!(kind(&file), Kind::Other("the bytes 00 00 00 00 00 00 00 00".into()));
        file.extend_from_slice(HDF5);
        assert_eq!(kind(&file), Kind::Hdf5);
    }

    #[test]
    fn a_header_may_claim_to_be_long() {
        assert_eq!(kind(b"\0\0\0\0\0\0\0\x10{}"), Kind::Safetensors);
    }
}
