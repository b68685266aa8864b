//! A weights file that has been opened: what is in it, before its numbers are read. Not here: the formats
//! (`readers`), and which network a file fits (`layout`).

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::path::Path;

use trepang_api::Array;

use crate::Result;

/// How a weights file is written, told by its content and never by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// safetensors.
    Safetensors,
    /// Keras before version 3, a legacy `.h5` of weights or of a whole model.
    KerasLegacy,
    /// Keras 3's `.weights.h5`.
    Keras3,
    /// PyTorch's zip archive, since 1.6.
    PytorchZip,
    /// PyTorch's older stream of pickles.
    PytorchLegacy,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Safetensors => "safetensors",
            Self::KerasLegacy => "Keras HDF5 (legacy)",
            Self::Keras3 => "Keras HDF5 (version 3)",
            Self::PytorchZip => "PyTorch (zip)",
            Self::PytorchLegacy => "PyTorch (legacy stream)",
        })
    }
}

/// One tensor of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name or path in the file, unique there.
    pub name: String,
    /// In HDF5, the layer it belongs to; the tensors of a layer follow each other in the layer's own order.
    pub layer: Option<String>,
    /// Its sides, outermost first.
    pub shape: Vec<usize>,
    /// The type of its numbers as the file calls it: `F32`, `F16`, ...
    pub dtype: String,
}

/// An opened file. Opening checks that the file is whole; reading a tensor reads no other.
pub trait Source: Debug {
    /// How it is written.
    fn format(&self) -> Format;

    /// What errors call it.
    fn path(&self) -> &Path;

    /// Its tensors in the file's own order, which matters for Keras. Never empty.
    fn tensors(&self) -> &[TensorInfo];

    /// The numbers of the tensor at `index` of [`tensors`](Self::tensors), row-major, as `f32`.
    fn read(&self, index: usize) -> Result<Array>;

    /// Text the file carries besides (safetensors' metadata, Keras's version).
    fn metadata(&self) -> &BTreeMap<String, String>;
}
