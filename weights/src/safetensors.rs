//! Reads safetensors: any float type, as `f32` on the host. Not a writer, and not a guesser of layouts:
//! tensors keep the file's names and shapes.

use std::path::Path;

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use trepang_api::{Array, Weights};

use crate::{Error, Format, Result};

/// The tensors of a safetensors file that is in memory; `path` is what errors call it.
pub fn read_safetensors(bytes: &[u8], path: &Path) -> Result<Weights> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| Error::Format {
        path: path.into(),
        format: Format::Safetensors,
        reason: error.to_string(),
    })?;
    let mut weights = Weights::default();
    for (name, view) in file.iter() {
        let data = numbers(&view).ok_or_else(|| Error::Type {
            path: path.into(),
            tensor: name.into(),
            dtype: format!("{:?}", view.dtype()),
        })?;
        weights.insert(name, Array::new(view.shape(), data)?);
    }
    Ok(weights)
}

/// A tensor's numbers, if they are floats. safetensors are little-endian and need not be aligned.
fn numbers(view: &TensorView) -> Option<Vec<f32>> {
    let bytes = view.data();
    Some(match view.dtype() {
        Dtype::F32 => decode(bytes, f32::from_le_bytes),
        Dtype::F16 => decode(bytes, |b| f16::from_le_bytes(b).to_f32()),
        Dtype::BF16 => decode(bytes, |b| bf16::from_le_bytes(b).to_f32()),
        Dtype::F64 => decode(bytes, |b| f64::from_le_bytes(b) as f32),
        _ => return None,
    })
}

fn decode<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let (numbers, _) = bytes.as_chunks::<N>();
    numbers.iter().map(|b| number(*b)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::serialize;

    fn file(dtype: Dtype, bytes: &[u8], len: usize) -> Vec<u8> {
        let view = TensorView::new(dtype, vec![len], bytes).unwrap();
        serialize([("x", view)], None).unwrap()
    }

    fn read(bytes: &[u8]) -> Result<Vec<f32>> {
        let weights = read_safetensors(bytes, Path::new("some.safetensors"))?;
        Ok(weights.get("x").unwrap().data().to_vec())
    }

    #[test]
    fn every_float_type_becomes_f32() {
        let numbers = [1.5, -0.25];
        let check =
            |dtype, bytes: Vec<u8>| assert_eq!(read(&file(dtype, &bytes, 2)).unwrap(), numbers, "{dtype:?}");
        check(Dtype::F32, numbers.iter().flat_map(|v| v.to_le_bytes()).collect());
        check(Dtype::F64, numbers.iter().flat_map(|v| f64::from(*v).to_le_bytes()).collect());
        check(Dtype::F16, numbers.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect());
        check(Dtype::BF16, numbers.iter().flat_map(|v| bf16::from_f32(*v).to_le_bytes()).collect());
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
}
