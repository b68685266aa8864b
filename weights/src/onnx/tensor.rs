//! The tensors of a file: from wherever their numbers are stored to a shape with `f32`s or integers.

use std::rc::Rc;

use super::external::DataFiles;
use super::proto::TensorProto;
use crate::readers::{ByteOrder, decode_numbers, printable};

/// The numbers of a tensor: floats of any type, or integers and truth values.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TensorNumbers {
    Floats(Vec<f32>),
    Ints(Vec<i64>),
}

/// A shape and its numbers, row-major.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OnnxTensor {
    pub shape: Vec<usize>,
    pub numbers: TensorNumbers,
}

impl OnnxTensor {
    pub(super) fn ints(numbers: Vec<i64>) -> Self {
        Self { shape: vec![numbers.len()], numbers: TensorNumbers::Ints(numbers) }
    }

    pub(super) fn scalar(number: f32) -> Self {
        Self { shape: Vec::new(), numbers: TensorNumbers::Floats(vec![number]) }
    }

    /// The numbers as floats; integers are converted.
    pub(super) fn floats(&self) -> Vec<f32> {
        match &self.numbers {
            TensorNumbers::Floats(numbers) => numbers.clone(),
            TensorNumbers::Ints(numbers) => numbers.iter().map(|&number| number as f32).collect(),
        }
    }

    /// The same, without a copy where nobody else holds the tensor.
    pub(super) fn into_floats(tensor: Rc<Self>) -> Vec<f32> {
        match Rc::try_unwrap(tensor) {
            Ok(Self { numbers: TensorNumbers::Floats(numbers), .. }) => numbers,
            Ok(ints) => ints.floats(),
            Err(shared) => shared.floats(),
        }
    }

    /// The numbers, if they are integers.
    pub(super) fn as_ints(&self) -> Option<&[i64]> {
        match &self.numbers {
            TensorNumbers::Ints(numbers) => Some(numbers),
            TensorNumbers::Floats(_) => None,
        }
    }

    pub(super) fn len(&self) -> usize {
        match &self.numbers {
            TensorNumbers::Floats(numbers) => numbers.len(),
            TensorNumbers::Ints(numbers) => numbers.len(),
        }
    }
}

/// The product of sides; none if it does not fit.
pub(super) fn count(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |product, &side| product.checked_mul(side))
}

/// The types of numbers, by their codes in onnx.proto.
const FLOAT: i32 = 1;
const UINT8: i32 = 2;
const INT8: i32 = 3;
const INT32: i32 = 6;
const INT64: i32 = 7;
const BOOL: i32 = 9;
const FLOAT16: i32 = 10;
const DOUBLE: i32 = 11;
const BFLOAT16: i32 = 16;

/// Whether numbers of this type are quantized weights.
pub(super) fn is_quantized(data_type: i32) -> bool {
    matches!(data_type, UINT8 | INT8)
}

/// Whether numbers of this type are floats.
pub(super) fn is_float(data_type: i32) -> bool {
    matches!(data_type, FLOAT | FLOAT16 | DOUBLE | BFLOAT16)
}

/// Reads a tensor. Fails, with a clause, for a type that holds neither weights nor shapes, and if the number of its bytes
/// is not that of its shape.
pub(super) fn read(tensor: &TensorProto, files: &DataFiles) -> Result<OnnxTensor, String> {
    let wrong = |reason: String| format!("tensor \"{}\" {reason}", printable(&tensor.name));
    let side = |&side: &i64| usize::try_from(side).ok();
    let shape: Option<Vec<usize>> = tensor.dims.iter().map(side).collect();
    let shape = shape.ok_or_else(|| wrong(format!("has the shape {:?}", tensor.dims)))?;
    let numbers = match files.bytes_of(tensor).map_err(wrong)? {
        Some(bytes) => stored(bytes, tensor.data_type),
        None if tensor.raw_data.is_empty() => in_fields(tensor),
        None => stored(&tensor.raw_data, tensor.data_type),
    };
    let numbers = numbers.ok_or_else(|| {
        wrong(format!("holds numbers of the type {}, which is no float and no integer", tensor.data_type))
    })?;
    let read = OnnxTensor { shape, numbers };
    match count(&read.shape) {
        Some(needed) if needed == read.len() => Ok(read),
        _ => Err(wrong(format!("has {} numbers for the shape {:?}", read.len(), read.shape))),
    }
}

/// Decodes little-endian bytes.
fn stored(bytes: &[u8], data_type: i32) -> Option<TensorNumbers> {
    let float = |dtype| decode_numbers(bytes, dtype, ByteOrder::Little).map(TensorNumbers::Floats);
    Some(match data_type {
        FLOAT => return float("F32"),
        FLOAT16 => return float("F16"),
        DOUBLE => return float("F64"),
        BFLOAT16 => return float("BF16"),
        INT64 => TensorNumbers::Ints(bytes.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b)).collect()),
        INT32 => {
            TensorNumbers::Ints(bytes.as_chunks().0.iter().map(|b| i32::from_le_bytes(*b).into()).collect())
        }
        BOOL | UINT8 => TensorNumbers::Ints(bytes.iter().map(|&byte| byte.into()).collect()),
        INT8 => TensorNumbers::Ints(bytes.iter().map(|&byte| byte.cast_signed().into()).collect()),
        _ => return None,
    })
}

/// The numbers of a tensor without raw bytes. Those of two bytes are in the low half of 32-bit integers.
fn in_fields(tensor: &TensorProto) -> Option<TensorNumbers> {
    let halves = |dtype| {
        let bytes: Vec<u8> = tensor.int32_data.iter().flat_map(|&half| (half as u16).to_le_bytes()).collect();
        decode_numbers(&bytes, dtype, ByteOrder::Little).map(TensorNumbers::Floats)
    };
    Some(match tensor.data_type {
        FLOAT => TensorNumbers::Floats(tensor.float_data.clone()),
        FLOAT16 => return halves("F16"),
        BFLOAT16 => return halves("BF16"),
        DOUBLE => TensorNumbers::Floats(tensor.double_data.iter().map(|&number| number as f32).collect()),
        INT64 => TensorNumbers::Ints(tensor.int64_data.clone()),
        INT32 | BOOL | UINT8 | INT8 => {
            TensorNumbers::Ints(tensor.int32_data.iter().map(|&int| int.into()).collect())
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_here(tensor: &TensorProto) -> Result<OnnxTensor, String> {
        read(tensor, &DataFiles::default())
    }

    #[test]
    fn halves_are_read_from_raw_bytes_and_from_integers() {
        let expected = OnnxTensor { shape: vec![2], numbers: TensorNumbers::Floats(vec![1.0, -2.0]) };
        let raw = |data_type, bytes: &[u8]| TensorProto {
            dims: vec![2],
            data_type,
            raw_data: bytes.to_vec().into(),
            ..TensorProto::default()
        };
        assert_eq!(read_here(&raw(FLOAT16, &[0, 0x3c, 0, 0xc0])).unwrap(), expected);
        assert_eq!(read_here(&raw(BFLOAT16, &[0x80, 0x3f, 0, 0xc0])).unwrap(), expected);
        let fields = |data_type, int32_data: &[i32]| TensorProto {
            dims: vec![2],
            data_type,
            int32_data: int32_data.to_vec(),
            ..TensorProto::default()
        };
        assert_eq!(read_here(&fields(FLOAT16, &[0x3c00, 0xc000])).unwrap(), expected);
        assert_eq!(read_here(&fields(BFLOAT16, &[0x3f80, 0xc000])).unwrap(), expected);
        let doubles = TensorProto {
            dims: vec![2],
            data_type: DOUBLE,
            double_data: vec![1.0, -2.0],
            ..TensorProto::default()
        };
        assert_eq!(read_here(&doubles).unwrap(), expected);
    }

    #[test]
    fn a_shape_must_match_its_numbers() {
        let shaped = |dims: &[i64]| TensorProto {
            name: "w".into(),
            dims: dims.to_vec(),
            data_type: FLOAT,
            float_data: vec![1.0; 6],
            ..TensorProto::default()
        };
        assert!(read_here(&shaped(&[2, 3])).is_ok());
        for dims in [&[2, 4][..], &[-6], &[1 << 62, 1 << 62, 0]] {
            assert!(read_here(&shaped(dims)).unwrap_err().contains("tensor \"w\""), "{dims:?}");
        }
    }
}
