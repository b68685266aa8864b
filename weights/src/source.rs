//! The interface of an opened weights file, [`TensorSource`]: it lists the tensors and reads one at a time. The formats
//! are in
//! `readers`, and `fit` recognises the network.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::path::Path;

use trepang_api::Array;

use crate::{KerasModel, Result};

/// The metadata key under which a file in Trepang's own store names its dialect.
pub(crate) const DIALECT_KEY: &str = "dialect";

/// The metadata key under which a file carries the names of its classes, one a line.
pub(crate) const LABELS_KEY: &str = "labels";

/// The format of a weights file, which is detected from its content and not from its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// The safetensors format, with any float type.
    Safetensors,
    /// The HDF5 file of Keras before version 3, with weights or with a whole model.
    KerasLegacy,
    /// The `.weights.h5` file of Keras 3.
    Keras3,
    /// The zip archive of PyTorch since version 1.6.
    PytorchZip,
    /// The stream of pickles of PyTorch before version 1.6.
    PytorchLegacy,
    /// ONNX, a network with its weights.
    Onnx,
    /// A frozen graph of TensorFlow 1, of which the constants are read.
    GraphDef,
}

impl FileFormat {
    /// The article before its name.
    pub(crate) fn article(self) -> &'static str {
        match self {
            Self::Onnx => "an",
            Self::Safetensors
            | Self::KerasLegacy
            | Self::Keras3
            | Self::PytorchZip
            | Self::PytorchLegacy
            | Self::GraphDef => "a",
        }
    }
}

impl fmt::Display for FileFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Safetensors => "safetensors",
            Self::KerasLegacy => "Keras HDF5 (legacy)",
            Self::Keras3 => "Keras HDF5 (version 3)",
            Self::PytorchZip => "PyTorch (zip)",
            Self::PytorchLegacy => "PyTorch (legacy stream)",
            Self::Onnx => "ONNX",
            Self::GraphDef => "TensorFlow GraphDef",
        })
    }
}

/// Describes one tensor of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// The name or path of the tensor, unique in the file.
    pub name: String,
    /// In HDF5, the layer that the tensor belongs to. The tensors of a layer are consecutive, in the layer's own order.
    pub layer: Option<String>,
    /// The shape of the tensor, outermost dimension first.
    pub shape: Vec<usize>,
    /// The type of the tensor's numbers: `F32`, `F16`, ...
    pub dtype: String,
}

/// An opened weights file. Opening has checked that the file is whole. Reading a tensor reads no other tensor.
pub trait TensorSource: Debug {
    /// The format of the file.
    fn format(&self) -> FileFormat;

    /// The path of the file, as errors name it.
    fn path(&self) -> &Path;

    /// The tensors in the order of the file, which matters for Keras. The list is never empty.
    fn tensors(&self) -> &[TensorInfo];

    /// Reads the tensor at `index` of [`tensors`](Self::tensors), row-major, as `f32`. Fails if its numbers are not
    /// floats or cannot be read.
    fn read(&self, index: usize) -> Result<Array>;

    /// The text that the file carries besides tensors (safetensors' metadata, the version of Keras).
    fn metadata(&self) -> &BTreeMap<String, String>;

    /// The model around the network, as far as the file describes it; only whole models of Keras do.
    fn model(&self) -> Option<&KerasModel> {
        None
    }
}
