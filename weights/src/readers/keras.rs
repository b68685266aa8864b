//! Reads the HDF5 files of Keras: opens them and reads their numbers. The two ways in which Keras arranges layers are in
//! `keras/`. The crate `hdf5_reader` reads HDF5 itself.

mod attributes;
mod legacy;
mod version3;

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::ops::Range;
use std::path::Path;

use hdf5_reader::{Dataset, Datatype, Hdf5File, OpenOptions};
use trepang_api::Array;

use self::attributes::string;
use super::contents::Contents;
use super::numbers::{ByteOrder, NATIVE};
use super::pytorch::Archive;
use super::{damaged, numbers, unknown};
use crate::file_bytes::FileBytes;
use crate::{FileFormat, KerasModel, Result, TensorInfo, TensorSource};

/// The reason why a file could not be understood, as a clause for an error message.
type Reason = String;

/// The largest header of an HDF5 object. Text attributes, such as names of layers, are far smaller.
const MAX_OBJECT_HEADER_BYTES: usize = 16 << 20;

/// The name of the HDF5 file in Keras 3's `.keras` archive.
pub(super) const WEIGHTS_IN_ARCHIVE: &str = "model.weights.h5";

/// The name of the model's description there, and of the attribute that has it in an HDF5 file of a whole model.
const MODEL_IN_ARCHIVE: &str = "config.json";
const MODEL_ATTRIBUTE: &str = "model_config";

/// The name for HDF5 of another program.
const NOT_KERAS: &str = "HDF5 that is not Keras's: nothing in it has layer_names or is called vars/0";

/// Opens a `.keras` archive: the weights in it are a file of Keras 3.
pub(super) fn open_archive(
    archive: &Archive,
    file: &FileBytes,
    path: &Path,
) -> Result<Box<dyn TensorSource>> {
    let broken = |reason: Reason| damaged(path, FileFormat::Keras3, reason);
    let whole = archive.whole(WEIGHTS_IN_ARCHIVE).map_err(broken)?;
    let mut opened = match archive.stored_range(WEIGHTS_IN_ARCHIVE) {
        Some(range) => open_file(PartOfFile { file: file.clone(), range }, path)?,
        None => open_file(whole.into_owned(), path)?,
    };
    opened.model = archive.whole(MODEL_IN_ARCHIVE).ok().and_then(|text| KerasModel::of_json(&text));
    Ok(Box::new(opened))
}

/// A range of a file.
struct PartOfFile {
    file: FileBytes,
    range: Range<usize>,
}

impl AsRef<[u8]> for PartOfFile {
    fn as_ref(&self) -> &[u8] {
        self.file.get(self.range.clone()).unwrap_or_default()
    }
}

/// Opens a file that begins as HDF5 does.
pub(super) fn open(
    file: impl AsRef<[u8]> + Send + Sync + 'static,
    path: &Path,
) -> Result<Box<dyn TensorSource>> {
    Ok(Box::new(open_file(file, path)?))
}

fn open_file(file: impl AsRef<[u8]> + Send + Sync + 'static, path: &Path) -> Result<KerasFile> {
    let len = file.as_ref().len();
    let not_keras = |reason: Reason| damaged(path, FileFormat::KerasLegacy, reason);
    let hdf5 = open_hdf5(file).map_err(not_keras)?;
    let mut found =
        TensorListing { contents: Contents::new(FileFormat::KerasLegacy, path), paths: Vec::new(), len };
    let layers = legacy::group_of_layers(&hdf5).map_err(not_keras)?;
    if let Some((prefix, group)) = layers {
        legacy::list(&hdf5, &prefix, &group, &mut found).map_err(not_keras)?;
    } else {
        found.contents.format = FileFormat::Keras3;
        version3::list(&hdf5, &mut found).map_err(|reason| found.contents.damaged(reason))?;
    }
    if found.paths.is_empty() && found.contents.format == FileFormat::Keras3 {
        return Err(unknown(path, NOT_KERAS));
    }
    found.contents.check(len)?;
    let config = hdf5.root_group().ok().and_then(|root| string(&root, MODEL_ATTRIBUTE));
    let model = config.and_then(|text| KerasModel::of_json(text.as_bytes()));
    Ok(KerasFile { contents: found.contents, paths: found.paths, hdf5, model })
}

/// Opens the HDF5 container. HDF5 stores the length of the file, by which a file that was cut short is detected.
fn open_hdf5(file: impl AsRef<[u8]> + Send + Sync + 'static) -> Result<Hdf5File, Reason> {
    let len = file.as_ref().len() as u64;
    let options = OpenOptions::default()
        .with_chunk_cache_bytes(0) // every tensor is read once
        .with_max_object_header_bytes(MAX_OBJECT_HEADER_BYTES);
    let hdf5 = Hdf5File::from_owner(file, options).map_err(|error| error.to_string())?;
    let promised = hdf5.superblock().eof_address;
    if promised > len {
        return Err(format!("it has {len} of its {promised} bytes"));
    }
    Ok(hdf5)
}

/// Collects the tensors while the layers of a file are listed.
struct TensorListing {
    contents: Contents,
    /// The path of each tensor in the file.
    paths: Vec<String>,
    /// The length of the file in bytes.
    len: usize,
}

impl TensorListing {
    /// Adds the dataset at `path` as a tensor called `name`.
    fn add(&mut self, hdf5: &Hdf5File, path: String, layer: &str, name: String) -> Result<(), Reason> {
        let dataset = hdf5.dataset(&path).map_err(|error| error.to_string())?;
        let side = |side: &u64| usize::try_from(*side).ok();
        let shape: Option<Vec<usize>> = dataset.shape().iter().map(side).collect();
        let shape = shape.ok_or_else(|| format!("\"{path}\" is larger than memory can be"))?;
        let bytes = dataset.raw_byte_len().map_err(|error| error.to_string())?;
        if dataset.chunks().is_none() && bytes > self.len {
            return Err(format!("\"{path}\" would be larger than the file"));
        }
        let dtype = dtype(&dataset);
        self.contents.tensors.push(TensorInfo { name, layer: Some(layer.into()), shape, dtype });
        self.paths.push(path);
        Ok(())
    }
}

/// An opened HDF5 file of Keras.
struct KerasFile {
    contents: Contents,
    /// The path of each tensor in the file.
    paths: Vec<String>,
    hdf5: Hdf5File,
    model: Option<KerasModel>,
}

impl KerasFile {
    /// Reads the numbers of a tensor; `f32` numbers are read without a second copy. None if they are not floats.
    fn numbers(&self, index: usize) -> Result<Option<Vec<f32>>, hdf5_reader::error::Error> {
        let dataset = self.hdf5.dataset(&self.paths[index])?;
        let dtype = self.contents.tensors[index].dtype.as_str();
        if dtype == "F32" {
            let len = self.contents.tensors[index].shape.iter().product();
            let mut data = vec![0.0; len];
            dataset.read_into(&mut data)?;
            return Ok(Some(data));
        }
        let opaque = matches!(dataset.dtype(), Datatype::Opaque { .. });
        let order = if opaque { ByteOrder::Little } else { NATIVE };
        Ok(numbers::decode(&dataset.read_native_bytes()?, dtype, order))
    }
}

impl Debug for KerasFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KerasFile").field("contents", &self.contents).finish_non_exhaustive()
    }
}

impl TensorSource for KerasFile {
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
        let numbers = self.numbers(index).map_err(|error| self.contents.damaged(error))?;
        let data = numbers.ok_or_else(|| self.contents.no_weights(index))?;
        Ok(Array::new(self.contents.tensors[index].shape.clone(), data)?)
    }

    fn metadata(&self) -> &BTreeMap<String, String> {
        &self.contents.metadata
    }

    fn model(&self) -> Option<&KerasModel> {
        self.model.as_ref()
    }
}

/// The type of a dataset's numbers, under the name that safetensors uses.
fn dtype(dataset: &Dataset) -> String {
    match dataset.dtype() {
        Datatype::FloatingPoint { size: 2, .. } => small_float(dataset).into(),
        Datatype::FloatingPoint { size, .. } => format!("F{}", u32::from(*size) * 8),
        Datatype::FixedPoint { size, signed: true, .. } => format!("I{}", u32::from(*size) * 8),
        Datatype::FixedPoint { size, signed: false, .. } => format!("U{}", u32::from(*size) * 8),
        Datatype::Opaque { size: 2, .. } if attributes::says_bfloat16(dataset) => "BF16".into(),
        Datatype::String { .. } | Datatype::VarLen { .. } => "text".into(),
        Datatype::Enum { .. } | Datatype::Bitfield { .. } => "BOOL".into(),
        _ => "no numbers".into(),
    }
}

/// Tells `f16` from `bf16`: HDF5's description of a float type has the width of the exponent at byte 13.
fn small_float(dataset: &Dataset) -> &'static str {
    match dataset.raw_datatype().ok().and_then(|raw| raw.get(13).copied()) {
        Some(5) => "F16",
        Some(8) => "BF16",
        _ => "an unusual float of two bytes",
    }
}
