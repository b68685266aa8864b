//! Reads PyTorch's files: the zip archive and the older stream. The crate `pytorch_reader` reads them without running code, and
//! this file turns its tensors into weights. Scanning a pickle for imports is in `pickle`, the permitted imports are in
//! `allowed_globals`, and the names of tensors are in `names`.

mod allowed_globals;
mod names;
mod pickle;

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::Path;

use pytorch_reader::{DType, PytorchReader, Tensor};
use trepang_api::Array;
use zip::{ZipArchive, ZipReadOptions};

use super::contents::Contents;
use super::numbers::{self, NATIVE};
use super::{damaged, malicious, unknown};
use crate::mapped::Mapped;
use crate::{Error, FileFormat, Result, TensorInfo, TensorSource};
use pickle::{Refusal, Scan};

/// The number of pickles in a legacy stream: magic number, protocol, system, the object, the order of its storages.
const STREAM_PICKLES: usize = 5;

/// The position of the pickled object among them.
const STREAM_OBJECT: usize = 3;

/// Opens a zip archive. Fails if PyTorch did not write it.
pub(super) fn open_zip(file: &Mapped, path: &Path) -> Result<Box<dyn TensorSource>> {
    let broken = |reason: &dyn std::fmt::Display| damaged(path, FileFormat::PytorchZip, reason);
    let mut archive = ZipArchive::new(Cursor::new(&file[..])).map_err(|error| broken(&error))?;
    let names: Vec<String> = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    if let Some(found) = other_archive(&names) {
        return Err(unknown(path, found));
    }
    let mut object = Scan::default();
    for name in names.iter().filter(|name| is_pickle(name)) {
        let bytes = pickle_in(&mut archive, name).map_err(|reason| broken(&reason))?;
        let scan = pickle::scan(&bytes).map_err(|refusal| refused(path, FileFormat::PytorchZip, refusal))?;
        if name.ends_with("data.pkl") {
            object = scan;
        }
    }
    read_with(file, path, FileFormat::PytorchZip, &object)
}

/// Describes an archive that holds no weights to read, by the names in it; none for PyTorch's.
fn other_archive(names: &[String]) -> Option<&'static str> {
    let has = |end: &str| names.iter().any(|name| name.rsplit('/').next() == Some(end));
    if has("constants.pkl") {
        Some("TorchScript's archive, a program and not only weights (save its state_dict() instead)")
    } else if has("data.pkl") {
        None
    } else if has("model.weights.h5") {
        Some("Keras 3's .keras archive (unpack it and use its model.weights.h5)")
    } else {
        Some("a zip archive without PyTorch's data.pkl")
    }
}

/// Whether an entry is a pickle. Programs write archives, and they write the ending in small letters.
fn is_pickle(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| ending == "pkl")
}

/// Reads a pickle of an archive, up to the largest accepted size, whatever size the archive claims.
fn pickle_in(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str) -> Result<Vec<u8>, String> {
    let index = archive.index_for_name(name).ok_or("an entry without a name")?;
    let unchecked = archive.by_index_raw(index).is_ok_and(|entry| entry.crc32() == 0); // PyTorch can omit the checksum
    let options = ZipReadOptions::new().ignore_crc32(unchecked);
    let entry = archive.by_index_with_options(index, options).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    let limit = pickle::MAX_PICKLE_BYTES as u64 + 1; // `scan` refuses a pickle of this size
    entry.take(limit).read_to_end(&mut bytes).map_err(|error| format!("{name}: {error}"))?;
    Ok(bytes)
}

/// Opens PyTorch's older stream.
pub(super) fn open_stream(file: &Mapped, path: &Path) -> Result<Box<dyn TensorSource>> {
    let mut object = Scan::default();
    let mut rest = &file[..];
    for index in 0..STREAM_PICKLES {
        let scan = pickle::scan(rest).map_err(|refusal| refused(path, FileFormat::PytorchLegacy, refusal))?;
        rest = &rest[scan.len..];
        if index == STREAM_OBJECT {
            object = scan;
        }
    }
    read_with(file, path, FileFormat::PytorchLegacy, &object)
}

/// The error for a pickle that is not from PyTorch: it would run code, or its format is unknown.
pub(super) fn refuse_pickle(file: &Mapped, path: &Path) -> Error {
    match pickle::scan(file) {
        Err(Refusal::Imports(call)) => malicious(path, call),
        _ => unknown(path, "a pickle without PyTorch's magic number"),
    }
}

fn refused(path: &Path, format: FileFormat, refusal: Refusal) -> Error {
    match refusal {
        Refusal::Imports(call) => malicious(path, call),
        Refusal::Broken(reason) => damaged(path, format, reason),
    }
}

/// Reads a file whose pickles import only permitted objects.
fn read_with(file: &Mapped, path: &Path, format: FileFormat, object: &Scan) -> Result<Box<dyn TensorSource>> {
    let mut contents = Contents::new(format, path);
    let reader = PytorchReader::new(path).map_err(|error| contents.damaged(error))?;
    let tree = PytorchReader::read_pickle_data(path, None).map_err(|error| contents.damaged(error))?;
    if let Some(version) = &reader.metadata().pytorch_version {
        contents.metadata.insert("version".into(), version.clone());
    }
    if reader.is_empty() {
        return Err(contents.damaged(format!("it holds no tensor, only {}", names::keys(&tree))));
    }
    if names::count(&tree) != reader.len() {
        return Err(contents.damaged("it holds two tensors of one name"));
    }
    let mut tensors: Vec<Tensor> = reader.into_tensors().into_values().collect();
    names::sort(&mut tensors, &object.texts);
    contents.tensors = tensors.iter().map(info).collect();
    contents.check(file.len())?;
    Ok(Box::new(PytorchFile { contents, tensors }))
}

fn info(tensor: &Tensor) -> TensorInfo {
    let dtype = match tensor.dtype() {
        DType::Bool => "BOOL".into(),
        other => format!("{other:?}"),
    };
    TensorInfo { name: tensor.name.clone(), layer: None, shape: tensor.shape().to_vec(), dtype }
}

/// An opened PyTorch file of either format.
#[derive(Debug)]
struct PytorchFile {
    contents: Contents,
    tensors: Vec<Tensor>,
}

impl TensorSource for PytorchFile {
    fn format(&self) -> FileFormat {
        self.contents.format
    }

    fn path(&self) -> &Path {
        &self.contents.path
    }

    fn tensors(&self) -> &[TensorInfo] {
        &self.contents.tensors
    }

    fn read(&self, index: usize) -> Result<Array> {
        if !numbers::is_float(&self.contents.tensors[index].dtype) {
            return Err(self.contents.no_weights(index));
        }
        let bytes = self.tensors[index].read().map_err(|error| self.contents.damaged(error))?;
        self.contents.array(index, &bytes, NATIVE)
    }

    fn metadata(&self) -> &BTreeMap<String, String> {
        &self.contents.metadata
    }
}
