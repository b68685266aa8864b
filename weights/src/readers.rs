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

fn unknown(path: &Path, found: impl Into<String>) -> Error {
    Error::UnknownFormat { path: path.into(), found: found.into() }
}

/// A file that is not what its beginning promises.
fn damaged(path: &Path, format: Format, reason: impl Display) -> Error {
    Error::Format { path: path.into(), format, reason: reason.to_string() }
}
