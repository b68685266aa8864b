//! The description of an opened file (format, path, tensors, metadata) and the checks that all formats share.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Display;
use std::path::{Path, PathBuf};

use trepang_api::Array;

use super::{damaged, numbers, printable};
use crate::{Error, FileFormat, Result, TensorInfo};

/// The tensors of a file may always take this many bytes together, even if the file is smaller: compression and strided
/// views of one number make small files.
const ALWAYS_ALLOWED_BYTES: u64 = 64 << 20;

/// Above that, the tensors may take this many times the bytes of the file. Trained numbers hardly compress, so a file that
/// claims more was made to exhaust the memory.
const MAX_EXPANSION: u64 = 4;

/// The most tensors of a file. The largest networks that this program knows have some thousands.
const MAX_TENSORS: usize = 50_000;

/// The description of an opened file, without its numbers.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) format: FileFormat,
    pub(super) path: PathBuf,
    pub(super) tensors: Vec<TensorInfo>,
    pub(super) metadata: BTreeMap<String, String>,
}

impl Contents {
    pub(super) fn new(format: FileFormat, path: &Path) -> Self {
        Self { format, path: path.into(), tensors: Vec::new(), metadata: BTreeMap::new() }
    }

    /// The error for a file whose content does not match its format.
    pub(super) fn damaged(&self, reason: impl Display) -> Error {
        damaged(&self.path, self.format, reason)
    }

    /// The error for a file that is whole, but holds no weights that can be used.
    pub(super) fn unusable(&self, reason: impl Display) -> Error {
        Error::Unusable { path: self.path.clone(), format: self.format, reason: printable(reason) }
    }

    /// Fails for a file without tensors, with more of them than any network has, with two tensors of one name, or with tensors that are too large for a file of
    /// `len` bytes.
    pub(super) fn check(&self, len: usize) -> Result<()> {
        if self.tensors.is_empty() {
            return Err(self.unusable("it holds no tensor"));
        }
        if self.tensors.len() > MAX_TENSORS {
            let count = self.tensors.len();
            return Err(self.unusable(format!("it holds {count} tensors, more than {MAX_TENSORS}")));
        }
        let mut names = HashSet::new();
        if let Some(twice) = self.tensors.iter().find(|tensor| !names.insert(&tensor.name)) {
            return Err(self.unusable(format!("it holds two tensors named \"{}\"", twice.name)));
        }
        let claimed = self.tensors.iter().try_fold(0_u64, |sum, tensor| sum.checked_add(f32_bytes(tensor)?));
        let largest = ALWAYS_ALLOWED_BYTES.max((len as u64).saturating_mul(MAX_EXPANSION));
        match claimed {
            Some(claimed) if claimed <= largest => Ok(()),
            _ => Err(self.unusable(format!("its tensors claim more numbers than {len} bytes can hold"))),
        }
    }

    /// Decodes the tensor at `index` from its bytes in the file. Fails if its numbers are not floats.
    pub(super) fn array(&self, index: usize, bytes: &[u8], order: numbers::ByteOrder) -> Result<Array> {
        let info = &self.tensors[index];
        let data = numbers::decode(bytes, &info.dtype, order).ok_or_else(|| self.no_weights(index))?;
        Ok(Array::new(info.shape.clone(), data)?)
    }

    /// The error for the tensor at `index`, whose type cannot hold weights.
    pub(super) fn no_weights(&self, index: usize) -> Error {
        let info = &self.tensors[index];
        Error::Type { path: self.path.clone(), tensor: printable(&info.name), dtype: info.dtype.clone() }
    }
}

/// The bytes that a tensor takes in memory as `f32`; none if the number is too large.
fn f32_bytes(tensor: &TensorInfo) -> Option<u64> {
    let count = tensor.shape.iter().try_fold(1_usize, |product, &side| product.checked_mul(side))?;
    (count as u64).checked_mul(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(tensors: &[(&str, &[usize])]) -> Contents {
        let info = |(name, shape): &(&str, &[usize])| TensorInfo {
            name: (*name).into(),
            layer: None,
            shape: shape.to_vec(),
            dtype: "F32".into(),
        };
        let tensors = tensors.iter().map(info).collect();
        Contents { tensors, ..Contents::new(FileFormat::Safetensors, Path::new("w")) }
    }

    fn check(tensors: &[(&str, &[usize])], reason: &str) {
        let error = contents(tensors).check(1000).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }

    #[test]
    fn impossible_lists_of_tensors_are_refused() {
        check(&[], "it holds no tensor");
        check(&[("a", &[1]), ("b", &[1]), ("a", &[2])], "it holds two tensors named \"a\"");
        check(&vec![("a", &[0_usize][..]); MAX_TENSORS + 1], "it holds 50001 tensors, more than 50000");
        check(&[("a", &[1 << 62, 4])], "its tensors claim more numbers than 1000 bytes can hold");
        check(&[("a", &[1 << 62, 4, 0])], "its tensors claim more");
        check(&[("a", &[1 << 30])], "its tensors claim more");
        check(&[("a", &[16 << 20]), ("b", &[1])], "its tensors claim more");
        assert!(contents(&[("a", &[16 << 20])]).check(1000).is_ok());
    }
}
