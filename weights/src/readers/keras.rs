//! HDF5 as Keras writes it. Here: opening and reading numbers; the two ways to lay out layers are in `keras/`. Not
//! here: HDF5 itself, which is `hdf5_reader`'s.

mod attributes;
mod legacy;
mod version3;

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::path::Path;

use hdf5_reader::{Dataset, Datatype, Hdf5File, OpenOptions};
use trepang_api::Array;

use super::contents::Contents;
use super::numbers::{NATIVE, Order};
use super::{damaged, numbers};
use crate::mapped::Mapped;
use crate::{Format, Result, Source, TensorInfo};

/// Why something in the file could not be understood, as the reason of an error.
type Reason = String;

/// Text attributes are names of layers and the like: far smaller.
const LARGEST_HEADER: usize = 16 << 20;

/// Opens a file that begins as HDF5 does.
pub(super) fn open(file: Mapped, path: &Path) -> Result<Box<dyn Source>> {
    let len = file.len();
    let not_keras = |reason: Reason| damaged(path, Format::KerasLegacy, reason);
    let hdf5 = open_hdf5(file).map_err(not_keras)?;
    let mut found = Found { contents: Contents::new(Format::KerasLegacy, path), paths: Vec::new(), len };
    let layers = legacy::group_of_layers(&hdf5).map_err(not_keras)?;
    if let Some((prefix, group)) = layers {
        legacy::list(&hdf5, &prefix, &group, &mut found).map_err(not_keras)?;
    } else {
        found.contents.format = Format::Keras3;
        version3::list(&hdf5, &mut found).map_err(|reason| found.contents.damaged(reason))?;
    }
    found.contents.check(len)?;
    Ok(Box::new(KerasFile { contents: found.contents, paths: found.paths, hdf5 }))
}

/// Opens the container. HDF5 knows its length: it is what tells a file that was cut short.
fn open_hdf5(file: Mapped) -> Result<Hdf5File, Reason> {
    let len = file.len() as u64;
    let options = OpenOptions::default()
        .with_chunk_cache_bytes(0) // every tensor is read once
        .with_max_object_header_bytes(LARGEST_HEADER);
    let hdf5 = Hdf5File::from_owner(file, options).map_err(|error| error.to_string())?;
    let promised = hdf5.superblock().eof_address;
    if promised > len {
        return Err(format!("it has {len} of its {promised} bytes"));
    }
    Ok(hdf5)
}

/// The tensors as they are found.
struct Found {
    contents: Contents,
    /// Each tensor's path in the file.
    paths: Vec<String>,
    /// The file's length.
    len: usize,
}

impl Found {
    /// Adds the dataset at `path`.
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

/// An opened file.
struct KerasFile {
    contents: Contents,
    /// Each tensor's path in the file.
    paths: Vec<String>,
    hdf5: Hdf5File,
}

impl KerasFile {
    /// The numbers, in memory once where they are stored as `f32`.
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
        let order = if opaque { Order::Little } else { NATIVE };
        Ok(numbers::decode(&dataset.read_native_bytes()?, dtype, order))
    }
}

impl Debug for KerasFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KerasFile").field("contents", &self.contents).finish_non_exhaustive()
    }
}

impl Source for KerasFile {
    fn format(&self) -> Format {
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
}

/// The type of a dataset's numbers in safetensors' words.
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

/// Two bytes are a half or a brain float. HDF5's description of a float has the exponent's width at byte 13.
fn small_float(dataset: &Dataset) -> &'static str {
    match dataset.raw_datatype().ok().and_then(|raw| raw.get(13).copied()) {
        Some(5) => "F16",
        Some(8) => "BF16",
        _ => "an unusual float of two bytes",
    }
}
