//! What every opened file knows about itself, checked once for all formats. Not the numbers.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Display;
use std::path::{Path, PathBuf};

use trepang_api::Array;

use super::{damaged, numbers, printable};
use crate::{Error, Format, Result, TensorInfo};

/// The tensors of a file may together be this large whatever the file's size: compression and views of one number
/// make small files of them.
const ALWAYS_ALLOWED: u64 = 64 << 20;

/// Above that, their bytes may be this many times the file's. Trained numbers hardly compress, so a file that
/// claims more was made to exhaust the memory.
const LARGEST_EXPANSION: u64 = 4;

/// An opened file's description.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) format: Format,
    pub(super) path: PathBuf,
    pub(super) tensors: Vec<TensorInfo>,
    pub(super) metadata: BTreeMap<String, String>,
}

impl Contents {
    pub(super) fn new(format: Format, path: &Path) -> Self {
        Self { format, path: path.into(), tensors: Vec::new(), metadata: BTreeMap::new() }
    }

    /// The file of `len` bytes is not what it promises.
    pub(super) fn damaged(&self, reason: impl Display) -> Error {
        damaged(&self.path, self.format, reason)
    }

    /// Fails for a file without tensors, with two of one name, or whose tensors cannot be in `len` bytes.
    pub(super) fn check(&self, len: usize) -> Result<()> {
        if self.tensors.is_empty() {
            return Err(self.damaged("it holds no tensor"));
        }
        let mut names = HashSet::new();
        if let Some(twice) = self.tensors.iter().find(|tensor| !names.insert(&tensor.name)) {
            return Err(self.damaged(format!("it holds two tensors named \"{}\"", twice.name)));
        }
        let claimed = self.tensors.iter().try_fold(0_u64, |sum, tensor| sum.checked_add(f32_bytes(tensor)?));
        let largest = ALWAYS_ALLOWED.max((len as u64).saturating_mul(LARGEST_EXPANSION));
        match claimed {
            Some(claimed) if claimed <= largest => Ok(()),
            _ => Err(self.damaged(format!("its tensors claim more numbers than {len} bytes can hold"))),
        }
    }

    /// The tensor at `index` from its little- or big-endian bytes in the file. Fails for numbers that are no floats.
    pub(super) fn array(&self, index: usize, bytes: &[u8], order: numbers::Order) -> Result<Array> {
        let info = &self.tensors[index];
        let data = numbers::decode(bytes, &info.dtype, order).ok_or_else(|| self.no_weights(index))?;
        Ok(Array::new(info.shape.clone(), data)?)
    }

    /// The tensor at `index` holds integers, or something stranger.
    pub(super) fn no_weights(&self, index: usize) -> Error {
        let info = &self.tensors[index];
        Error::Type { path: self.path.clone(), tensor: printable(&info.name), dtype: info.dtype.clone() }
    }
}

/// The bytes of a tensor once it is read.
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
        Contents { tensors, ..Contents::new(Format::Safetensors, Path::new("w")) }
    }

    fn check(tensors: &[(&str, &[usize])], reason: &str) {
        let error = contents(tensors).check(1000).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        check(&[], "it holds no tensor");
        check(&[("a", &[1]), ("b", &[1]), ("a", &[2])], "it holds two tensors named \"a\"");
        check(&[("a", &[1 << 62, 4])], "its tensors claim more numbers than 1000 bytes can hold");
        check(&[("a", &[1 << 62, 4, 0])], "its tensors claim more");
        check(&[("a", &[1 << 30])], "its tensors claim more");
        check(&[("a", &[16 << 20]), ("b", &[1])], "its tensors claim more");
        assert!(contents(&[("a", &[16 << 20])]).check(1000).is_ok());
    }
}
