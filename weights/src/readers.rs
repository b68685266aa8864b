//! Opens a weights file of any format. The format is detected from the content and not from the name. Each format is read
//! in a file below this module; `fit` recognises the network.

mod contents;
mod keras;
mod natural;
mod numbers;
mod pytorch;
mod safetensors;
mod sniff;

use std::fmt::Display;
use std::path::Path;

use crate::mapped::Mapped;
use crate::{Error, FileFormat, Result, TensorSource};

pub use safetensors::{SafetensorsFile, SharedF32, read_safetensors};
use sniff::FileKind;

/// Opens a weights file without reading its numbers. Fails for a file that is not whole, has no known format, holds no
/// tensor, or would run code.
pub fn open(path: &Path) -> Result<Box<dyn TensorSource>> {
    let file = map(path)?;
    match sniff::kind(&file) {
        FileKind::Safetensors => Ok(Box::new(SafetensorsFile::new(file, path)?)),
        FileKind::Hdf5 => keras::open(file, path),
        FileKind::Zip => pytorch::open_zip(&file, path),
        FileKind::TorchStream => pytorch::open_stream(&file, path),
        FileKind::Pickle => Err(pytorch::refuse_pickle(&file, path)),
        FileKind::Other(found) => Err(unknown(path, found)),
    }
}

fn map(path: &Path) -> Result<Mapped> {
    Mapped::open(path).map_err(|source| Error::Io { path: path.into(), source })
}

fn unknown(path: &Path, found: impl Display) -> Error {
    Error::UnknownFormat { path: path.into(), found: printable(found) }
}

fn malicious(path: &Path, call: impl Display) -> Error {
    Error::Malicious { path: path.into(), call: printable(call) }
}

/// The error for a file whose content does not match the format that its first bytes indicate.
fn damaged(path: &Path, format: FileFormat, reason: impl Display) -> Error {
    Error::Format { path: path.into(), format, reason: printable(reason) }
}

/// The largest number of characters of a file's text that an error quotes.
const MAX_QUOTED_CHARS: usize = 300;

/// Makes text from a file safe to print on one line of a terminal: control characters are escaped and long text is cut.
pub(crate) fn printable(words: impl Display) -> String {
    let words = words.to_string();
    let mut line = String::new();
    for c in words.chars().take(MAX_QUOTED_CHARS) {
        match c {
            // These characters change the direction of the text around them.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => line.extend(c.escape_unicode()),
            c if c.is_control() => line.extend(c.escape_default()),
            c => line.push(c),
        }
    }
    if words.chars().nth(MAX_QUOTED_CHARS).is_some() {
        line.push_str("...");
    }
    line
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
        assert_eq!(printable("x".repeat(301)), "x".repeat(300) + "...");
    }
}
