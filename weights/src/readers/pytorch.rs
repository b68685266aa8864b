//! Reads PyTorch's files: the zip archive and the older stream. Pickles are read into a tree (`machine`) and never run. The
//! names of tensors are in `listing`, and the functions that do harm in `harmful`.

mod archive;
mod calls;
mod harmful;
mod listing;
mod machine;
mod opcodes;
mod stored;
mod stream;
mod tree;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Debug};
use std::ops::Range;
use std::path::Path;

use trepang_api::Array;

use super::contents::Contents;
use super::numbers::{self, ByteOrder};
use super::{malicious, unknown};
use crate::file_bytes::FileBytes;
use crate::{Error, FileFormat, Result, TensorInfo, TensorSource};
use machine::Pickle;
use stored::StoredTensor;

pub(super) use archive::Archive;

/// A file that is shorter than this and ends within a pickle is the start of a stream that was cut short.
const STREAM_START_BYTES: usize = 64;

/// The reason why a pickle is not read.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    /// The file ends within it.
    CutShort,
    /// It describes more than weights need.
    TooLong,
    /// It is no pickle, or PyTorch did not write it; the text is the reason.
    Broken(String),
    /// It uses something that this reader does not know; the text says what.
    Unknown(String),
    /// It would call this function, which does harm.
    Harmful(String),
}

impl Fault {
    fn into_error(self, contents: &Contents) -> Error {
        match self {
            Self::CutShort => contents.damaged("its pickle is cut short"),
            // The checksums of an archive are right, so what is in it was written so.
            Self::Broken(reason) if contents.format == FileFormat::PytorchZip => contents.unusable(reason),
            Self::Broken(reason) => contents.damaged(reason),
            Self::TooLong => contents.unusable("its pickle is longer than any that describes weights"),
            Self::Unknown(reason) => contents.unusable(reason),
            Self::Harmful(call) => malicious(&contents.path, call),
        }
    }
}

/// Opens a zip archive that PyTorch wrote.
pub(super) fn open_zip(archive: Archive, file: &FileBytes, path: &Path) -> Result<Box<dyn TensorSource>> {
    let mut contents = Contents::new(FileFormat::PytorchZip, path);
    let pickles = archive.names().filter(|name| name.rsplit('/').next() == Some("data.pkl"));
    let Some(name) = pickles.min_by_key(|name| name.len()).map(str::to_owned) else {
        return Err(unknown(path, "a zip archive without PyTorch's data.pkl"));
    };
    let root = name[..name.len() - "data.pkl".len()].to_owned();
    let bytes = archive.small(&name).map_err(|reason| contents.damaged(reason))?;
    let pickle = machine::read(&bytes).map_err(|fault| match fault {
        Fault::CutShort => contents.unusable("its pickle ends early, though the archive is whole"),
        other => other.into_error(&contents),
    })?;
    let text = |name: &str| {
        let bytes = archive.small(&format!("{root}{name}")).ok()?;
        Some(String::from_utf8_lossy(&bytes).trim().to_owned())
    };
    contents.metadata.extend(text("version").map(|version| ("version".into(), version)));
    let order = if text("byteorder").as_deref() == Some("big") { ByteOrder::Big } else { ByteOrder::Little };
    let tensors = list(&mut contents, &pickle)?;
    drop(bytes);
    finish(PytorchFile { contents, tensors, order, data: Data::Archive { archive, root } }, file)
}

/// Opens PyTorch's older stream, whose numbers are little-endian on every machine.
pub(super) fn open_stream(file: &FileBytes, path: &Path) -> Result<Box<dyn TensorSource>> {
    let mut contents = Contents::new(FileFormat::PytorchLegacy, path);
    let (pickle, ranges) = stream::read(file).map_err(|fault| fault.into_error(&contents))?;
    let tensors = list(&mut contents, &pickle)?;
    let data = Data::Stream { file: file.clone(), ranges };
    finish(PytorchFile { contents, tensors, order: ByteOrder::Little, data }, file)
}

/// The error for a pickle without PyTorch's magic number: it would do harm, was cut short, or is another program's.
pub(super) fn refuse_pickle(file: &FileBytes, path: &Path) -> Error {
    match machine::read(file) {
        Err(Fault::Harmful(call)) => malicious(path, call),
        Err(fault @ Fault::CutShort) if file.len() < STREAM_START_BYTES => {
            fault.into_error(&Contents::new(FileFormat::PytorchLegacy, path))
        }
        _ => unknown(path, "a pickle without PyTorch's magic number (save its tensors with torch.save)"),
    }
}

/// Lists the tensors of a pickle in `contents`.
fn list(contents: &mut Contents, pickle: &Pickle<'_>) -> Result<Vec<StoredTensor>> {
    let listed = listing::tensors(pickle).map_err(|fault| fault.into_error(contents))?;
    if listed.is_empty() {
        let reason = format!("it holds no tensor, only {}", listing::contents(pickle));
        return Err(contents.unusable(reason));
    }
    let info = |(name, tensor): &(String, StoredTensor)| TensorInfo {
        name: name.clone(),
        layer: None,
        shape: tensor.shape.clone(),
        dtype: tensor.dtype.name.into(),
    };
    contents.tensors = listed.iter().map(info).collect();
    Ok(listed.into_iter().map(|(_, tensor)| tensor).collect())
}

/// Checks that every tensor lies in its storage, and every storage in the file.
fn finish(opened: PytorchFile, file: &FileBytes) -> Result<Box<dyn TensorSource>> {
    opened.contents.check(file.len())?;
    for (tensor, info) in opened.tensors.iter().zip(&opened.contents.tensors) {
        let outside = || {
            Fault::Broken(format!("tensor \"{}\" exceeds its storage", info.name))
                .into_error(&opened.contents)
        };
        let range = tensor.range().ok_or_else(outside)?;
        if !opened.data.has(&tensor.storage.key, range.end) {
            return Err(outside());
        }
    }
    Ok(Box::new(opened))
}

/// An opened PyTorch file of either format.
struct PytorchFile {
    contents: Contents,
    tensors: Vec<StoredTensor>,
    order: ByteOrder,
    data: Data,
}

/// The place of the storages' bytes.
enum Data {
    /// In the files of an archive, below the folder `root` that ends with a slash.
    Archive { archive: Archive, root: String },
    /// In ranges of the file, by the storages' keys.
    Stream { file: FileBytes, ranges: HashMap<String, Range<usize>> },
}

impl Data {
    /// Whether a storage has at least `len` bytes.
    fn has(&self, key: &str, len: usize) -> bool {
        match self {
            Self::Archive { archive, root } => {
                archive.size(&format!("{root}data/{key}")).is_some_and(|size| len as u64 <= size)
            }
            Self::Stream { ranges, .. } => ranges.get(key).is_some_and(|range| len <= range.len()),
        }
    }

    /// Bytes of a storage. The error is a clause.
    fn bytes(&self, key: &str, range: Range<usize>) -> Result<Cow<'_, [u8]>, String> {
        match self {
            Self::Archive { archive, root } => archive.bytes(&format!("{root}data/{key}"), range),
            Self::Stream { file, ranges } => {
                let bytes = ranges.get(key).and_then(|storage| file[storage.clone()].get(range));
                bytes.map(Cow::Borrowed).ok_or_else(|| format!("the storage \"{key}\" is too short"))
            }
        }
    }
}

impl Debug for PytorchFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PytorchFile").field("contents", &self.contents).finish_non_exhaustive()
    }
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
        let tensor = &self.tensors[index];
        let outside = || self.contents.damaged("a tensor exceeds its storage");
        let range = tensor.range().ok_or_else(outside)?;
        let bytes =
            self.data.bytes(&tensor.storage.key, range).map_err(|reason| self.contents.damaged(reason))?;
        if tensor.is_contiguous() {
            return self.contents.array(index, &bytes, self.order);
        }
        self.contents.array(index, &tensor.row_major(&bytes).ok_or_else(outside)?, self.order)
    }

    fn metadata(&self) -> &BTreeMap<String, String> {
        &self.contents.metadata
    }
}
