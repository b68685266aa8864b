//! Reads safetensors with any float type, from a file or from memory. Tensors keep the names and shapes of the file.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use safetensors::SafeTensors;
use serde::Deserializer as _;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use trepang_api::{Array, Weights};

use super::contents::Contents;
use super::numbers::ByteOrder;
use super::{damaged, read, shards};
use crate::file_bytes::FileBytes;
use crate::{FileFormat, Result, TensorInfo, TensorSource};

/// Reads the tensors of a safetensors file that is in memory; errors name it `path`. Fails for a file that is not whole, and
/// for tensors that are not floats.
pub fn read_safetensors(bytes: &[u8], path: &Path) -> Result<Weights> {
    let (contents, ranges) = parse(bytes, path)?;
    let mut weights = Weights::default();
    for (index, range) in ranges.into_iter().enumerate() {
        let array = contents.array(index, &bytes[range], ByteOrder::Little)?;
        weights.insert(contents.tensors[index].name.as_str(), array);
    }
    Ok(weights)
}

/// A safetensors file that is mapped into memory. Its tensors are listed in the order of their bytes.
#[derive(Debug)]
pub struct SafetensorsFile {
    contents: Contents,
    /// The byte range of each tensor in the file.
    ranges: Vec<Range<usize>>,
    file: FileBytes,
}

impl SafetensorsFile {
    /// Opens a file that is known to be safetensors ([`open`](crate::open) detects the format). Fails for a file that is not
    /// whole.
    pub fn open(path: &Path) -> Result<Self> {
        Self::new(read(path)?, path)
    }

    pub(super) fn new(file: FileBytes, path: &Path) -> Result<Self> {
        let (mut contents, ranges) = parse(&file, path)?;
        contents.check(file.len())?;
        contents.metadata.extend(shards::remark(path));
        Ok(Self { contents, ranges, file })
    }

    /// The numbers of a tensor without a copy. None if they are not F32 or not aligned in the file, or if this machine is
    /// big-endian.
    pub fn shared_f32(&self, index: usize) -> Option<SharedF32> {
        let shared = SharedF32 { file: self.file.clone(), range: self.ranges.get(index)?.clone() };
        let fits = cfg!(target_endian = "little") && self.contents.tensors[index].dtype == "F32";
        (fits && bytemuck::try_cast_slice::<u8, f32>(shared.bytes()).is_ok()).then_some(shared)
    }
}

impl TensorSource for SafetensorsFile {
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
        if let Some(shared) = self.shared_f32(index) {
            return Ok(Array::shared(&*self.contents.tensors[index].shape, Arc::new(shared))?);
        }
        self.contents.array(index, &self.file[self.ranges[index].clone()], ByteOrder::Little)
    }

    fn metadata(&self) -> &BTreeMap<String, String> {
        &self.contents.metadata
    }
}

/// The numbers of one tensor in a mapped file. The file stays mapped as long as this value lives.
#[derive(Debug, Clone)]
pub struct SharedF32 {
    file: FileBytes,
    /// The byte range of the tensor, which holds whole, aligned `f32`s.
    range: Range<usize>,
}

impl SharedF32 {
    fn bytes(&self) -> &[u8] {
        &self.file[self.range.clone()]
    }
}

impl AsRef<[f32]> for SharedF32 {
    fn as_ref(&self) -> &[f32] {
        bytemuck::cast_slice(self.bytes()) // `shared_f32` has checked size and alignment
    }
}

/// Parses the header: the description of the file and the byte range of each tensor, in the order of the bytes.
fn parse(bytes: &[u8], path: &Path) -> Result<(Contents, Vec<Range<usize>>)> {
    let broken = |reason: &dyn fmt::Display| damaged(path, FileFormat::Safetensors, reason);
    let (header_len, header) = SafeTensors::read_metadata(bytes).map_err(|error| broken(&error))?;
    let start = 8 + header_len;
    no_name_twice(&bytes[8..start]).map_err(|error| broken(&error))?;

    let mut contents = Contents::new(FileFormat::Safetensors, path);
    contents.metadata = header.metadata().clone().unwrap_or_default().into_iter().collect();
    let mut ranges = Vec::new();
    for name in header.offset_keys() {
        let Some(info) = header.info(&name) else { continue }; // cannot happen: `header` gave the name
        ranges.push(start + info.data_offsets.0..start + info.data_offsets.1);
        let dtype = format!("{:?}", info.dtype);
        contents.tensors.push(TensorInfo { name, layer: None, shape: info.shape.clone(), dtype });
    }
    Ok((contents, ranges))
}

/// Fails for a header with a duplicate name. A JSON parser keeps only the last of two entries with one name, and a tensor
/// would be lost without an error.
fn no_name_twice(header: &[u8]) -> serde_json::Result<()> {
    serde_json::Deserializer::from_slice(header).deserialize_map(Names)
}

/// Visits the names of the header, to find a duplicate.
struct Names;

impl<'de> Visitor<'de> for Names {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the tensors by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some((name, _)) = map.next_entry::<String, IgnoredAny>()? {
            if names.contains(&name) {
                return Err(A::Error::custom(format!("it holds two tensors named \"{name}\"")));
            }
            names.insert(name);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::{Dtype, serialize, tensor::TensorView};

    fn file(dtype: Dtype, bytes: &[u8], len: usize) -> Vec<u8> {
        let view = TensorView::new(dtype, vec![len], bytes).unwrap();
        serialize([("x", view)], None).unwrap()
    }

    fn read(bytes: &[u8]) -> Result<Vec<f32>> {
        let weights = read_safetensors(bytes, Path::new("some.safetensors"))?;
        Ok(weights.get("x").unwrap().data().to_vec())
    }

    #[test]
    fn floats_become_f32() {
        let bytes: Vec<u8> = [1.5_f64, -0.25].iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(read(&file(Dtype::F64, &bytes, 2)).unwrap(), [1.5, -0.25]);
    }

    #[test]
    fn integers_are_not_weights() {
        let error = read(&file(Dtype::U8, &[1, 2], 2)).unwrap_err().to_string();
        assert_eq!(error, "some.safetensors: tensor \"x\" holds U8; weights are F32, F16, BF16 or F64");
    }

    #[test]
    fn a_file_cut_short_anywhere_is_an_error() {
        let whole = file(Dtype::F32, &[0; 8], 2);
        for len in 0..whole.len() {
            let error = read(&whole[..len]).unwrap_err().to_string();
            assert!(error.starts_with("some.safetensors is not a whole safetensors file"), "{len}: {error}");
        }
    }

    #[test]
    fn numbers_that_are_not_aligned_are_not_shared() {
        let header = br#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
        for padding in 0..4 {
            let len = header.len() + padding;
            let mut bytes = (len as u64).to_le_bytes().to_vec();
            bytes.extend_from_slice(header);
            bytes.resize(8 + len, b' ');
            bytes.extend_from_slice(&1.5_f32.to_le_bytes());
            let mut file = tempfile::NamedTempFile::new().unwrap();
            std::io::Write::write_all(&mut file, &bytes).unwrap();
            let file = SafetensorsFile::open(file.path()).unwrap();
            assert_eq!(file.shared_f32(0).is_some(), len.is_multiple_of(4), "{len}");
            assert_eq!(file.read(0).unwrap().data(), [1.5]);
        }
    }

    #[test]
    fn two_tensors_of_one_name_are_an_error() {
        let header = br#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header);
        bytes.extend_from_slice(&[0; 4]);
        let error = read(&bytes).unwrap_err().to_string();
        assert!(error.contains("it holds two tensors named \"x\""), "{error}");
    }
}
