//! A tensor as a PyTorch file describes it: a view of a storage, by position, shape and strides. Where the storage's
//! bytes are in the file is in `archive` and `stream`.

use std::ops::Range;

/// A run of numbers of one type in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TorchStorage {
    /// The name of the storage in the file.
    pub(super) key: String,
    /// The type of its numbers; none for one that is a run of bytes.
    pub(super) dtype: Option<Dtype>,
    /// The number of its numbers.
    pub(super) len: usize,
    /// The beginning of this storage in that of `key`, in numbers.
    pub(super) start: usize,
}

/// The type of a tensor's numbers: the name that safetensors gives it, and its size in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dtype {
    pub(super) name: &'static str,
    pub(super) bytes: usize,
}

/// The types, by the names of their storages' classes and of `torch.dtype`.
const DTYPES: [(&str, &str, &str, usize); 24] = [
    ("FloatStorage", "float32", "F32", 4),
    ("DoubleStorage", "float64", "F64", 8),
    ("HalfStorage", "float16", "F16", 2),
    ("BFloat16Storage", "bfloat16", "BF16", 2),
    ("LongStorage", "int64", "I64", 8),
    ("IntStorage", "int32", "I32", 4),
    ("ShortStorage", "int16", "I16", 2),
    ("CharStorage", "int8", "I8", 1),
    ("ByteStorage", "uint8", "U8", 1),
    ("BoolStorage", "bool", "BOOL", 1),
    ("ComplexFloatStorage", "complex64", "C64", 8),
    ("ComplexDoubleStorage", "complex128", "C128", 16),
    ("QInt8Storage", "qint8", "quantised I8", 1),
    ("QUInt8Storage", "quint8", "quantised U8", 1),
    ("QInt32Storage", "qint32", "quantised I32", 4),
    ("QUInt4x2Storage", "quint4x2", "quantised U4", 1),
    ("QUInt2x4Storage", "quint2x4", "quantised U2", 1),
    ("", "float8_e4m3fn", "F8_E4M3", 1),
    ("", "float8_e5m2", "F8_E5M2", 1),
    ("", "uint16", "U16", 2),
    ("", "uint32", "U32", 4),
    ("", "uint64", "U64", 8),
    ("", "float8_e4m3fnuz", "F8_E4M3FNUZ", 1),
    ("", "float8_e5m2fnuz", "F8_E5M2FNUZ", 1),
];

impl Dtype {
    /// The type of the numbers in a storage of this class.
    pub(super) fn of_storage(class: &str) -> Option<Self> {
        Self::find(|row| !row.0.is_empty() && row.0 == class)
    }

    /// The type with this name in the module `torch`.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::find(|row| row.1 == name)
    }

    fn find(is: impl Fn(&(&str, &str, &str, usize)) -> bool) -> Option<Self> {
        DTYPES.iter().find(|row| is(row)).map(|row| Self { name: row.2, bytes: row.3 })
    }
}

/// A view of a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoredTensor {
    pub(super) storage: TorchStorage,
    pub(super) dtype: Dtype,
    /// The position of the first number in the storage, in numbers.
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    /// The distances of neighbours along each dimension, in numbers.
    pub(super) strides: Vec<usize>,
}

impl StoredTensor {
    /// The range of bytes in the storage of the tensor's key that the tensor takes numbers from; none if it exceeds the
    /// storage.
    pub(super) fn range(&self) -> Option<Range<usize>> {
        let mut extent = usize::from(!self.shape.contains(&0));
        for (side, stride) in self.shape.iter().zip(&self.strides) {
            extent = extent.checked_add(side.saturating_sub(1).checked_mul(*stride)?)?;
        }
        let extent = if self.shape.contains(&0) { 0 } else { extent };
        let unit = self.storage.dtype.map_or(1, |dtype| dtype.bytes);
        let start =
            self.storage.start.checked_mul(unit)?.checked_add(self.offset.checked_mul(self.dtype.bytes)?)?;
        let end = start.checked_add(extent.checked_mul(self.dtype.bytes)?)?;
        let limit = self.storage.start.checked_add(self.storage.len)?.checked_mul(unit)?;
        (end <= limit).then_some(start..end)
    }

    /// The bytes of the tensor's numbers in row-major order; `bytes` is what [`range`](Self::range) spans.
    pub(super) fn row_major(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let count = self.shape.iter().product::<usize>();
        let size = self.dtype.bytes;
        let mut found = Vec::with_capacity(count.checked_mul(size)?);
        let mut position = vec![0; self.shape.len()];
        for _ in 0..count {
            let at: usize = position.iter().zip(&self.strides).map(|(index, stride)| index * stride).sum();
            found.extend_from_slice(bytes.get(at * size..(at + 1) * size)?);
            advance(&mut position, &self.shape);
        }
        Some(found)
    }

    /// Whether the numbers lie in the file as they do in row-major order.
    pub(super) fn is_contiguous(&self) -> bool {
        let mut expected = 1_usize;
        for (&side, &stride) in self.shape.iter().zip(&self.strides).rev() {
            if side != 1 && stride != expected {
                return false;
            }
            expected = expected.saturating_mul(side);
        }
        true
    }
}

/// Steps to the next position in row-major order.
fn advance(position: &mut [usize], shape: &[usize]) {
    for (index, side) in position.iter_mut().zip(shape).rev() {
        *index += 1;
        if *index < *side {
            return;
        }
        *index = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(shape: &[usize], strides: &[usize], offset: usize) -> StoredTensor {
        let dtype = Dtype::named("uint8").unwrap();
        let storage = TorchStorage { key: "0".into(), dtype: Some(dtype), len: 6, start: 0 };
        StoredTensor { storage, dtype, offset, shape: shape.into(), strides: strides.into() }
    }

    #[test]
    fn numbers_are_gathered_by_their_strides() {
        let bytes = [0, 1, 2, 3, 4, 5];
        let transposed = tensor(&[3, 2], &[1, 3], 0);
        assert!(!transposed.is_contiguous());
        assert_eq!(transposed.range(), Some(0..6));
        assert_eq!(transposed.row_major(&bytes), Some(vec![0, 3, 1, 4, 2, 5]));
        let repeated = tensor(&[2, 2], &[0, 1], 1);
        assert_eq!(repeated.row_major(&bytes[repeated.range().unwrap()]), Some(vec![1, 2, 1, 2]));
        assert!(tensor(&[2, 1, 3], &[3, 7, 1], 0).is_contiguous());
        assert_eq!(tensor(&[], &[], 5).row_major(&bytes[5..]), Some(vec![5]));
        assert_eq!(tensor(&[0, 9], &[9, 1], 6).range(), Some(6..6));
    }

    #[test]
    fn a_tensor_larger_than_its_storage_has_no_range() {
        assert_eq!(tensor(&[2, 3], &[3, 1], 1).range(), None);
        assert_eq!(tensor(&[usize::MAX, 2], &[usize::MAX, 1], 0).range(), None);
        assert_eq!(tensor(&[1], &[1], usize::MAX).range(), None);
    }
}
