//! Opens a weights file of any format, told by its content and never by its name. Not here: what is in a format
//! (one file each below), and which network a file fits (`layout`).

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
use crate::{Error, Format, Result, Source};

pub use safetensors::{SafetensorsFile, SharedF32, read_safetensors};
use sniff::Kind;

/// Opens a weights file without reading its numbers. Fails, with one sentence, for a file that is not whole, of no
/// known format, without a tensor, or that asks for code to be run.
pub fn open(path: &Path) -> Result<Box<dyn Source>> {
    let file = map(path)?;
    match sniff::kind(&file) {
        Kind::Safetensors => Ok(Box::new(SafetensorsFile::new(file, path)?)),
        Kind::Hdf5 => keras::open(file, path),
        Kind::Zip => pytorch::open_zip(&file, path),
        Kind::TorchStream => pytorch::open_stream(&file, path),
        Kind::Pickle => Err(pytorch::refuse_pickle(&file, path)),
        Kind::Other(found) => Err(unknown(path, found)),
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

/// A file that is not what its beginning promises.
fn damaged(path: &Path, format: Format, reason: impl Display) -> Error {
    Error::Format { path: path.into(), format, reason: printable(reason) }
}

/// How much of a file's own words an error repeats.
const LONGEST_QUOTE: usize = 300;

/// Words that may come out of a file, fit for one line of a terminal: without control characters, and not long.
fn printable(words: impl Display) -> String {
    let words = words.to_string();
    let mut line = String::new();
    for c in words.chars().take(LONGEST_QUOTE) {
        match c {
            // The latter turn the direction of the text around them.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => line.extend(c.escape_unicode()),
            c if c.is_control() => line.extend(c.escape_default()),
            c => line.push(c),
        }
    }
    if words.chars().nth(LONGEST_QUOTE).is_some() {
        line.push_str("...");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_words_do_nothing_to_the_terminal() {
        assert_eq!(
            printable("ends\r\n\u{1b}[2J\u{202e} a pig: \u{1f416}"),
            "ends\\r\\n\\u{1b}[2J\\u{202e} a pig: \u{1f416}"
        );
        assert_eq!(printable("x".repeat(301)), "x".repeat(300) + "...");
    }
}
