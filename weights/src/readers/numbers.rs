//! Decodes float numbers of any type from a file's bytes to `f32`. Integers are not weights and are not decoded.

use half::{bf16, f16};

/// The order of the bytes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByteOrder {
    /// The least significant byte is first.
    Little,
    /// The most significant byte is first.
    Big,
}

/// The byte order of this machine.
pub(super) const NATIVE: ByteOrder =
    if cfg!(target_endian = "little") { ByteOrder::Little } else { ByteOrder::Big };

/// Whether [`decode`] can read numbers of this type.
pub(super) fn is_float(dtype: &str) -> bool {
    decode(&[], dtype, NATIVE).is_some()
}

/// Decodes numbers of the type `dtype`; none if that is not a float type. Bytes at the end that are too few for a number are
/// ignored.
pub(crate) fn decode(bytes: &[u8], dtype: &str, order: ByteOrder) -> Option<Vec<f32>> {
    Some(match dtype {
        "F32" => each(bytes, order, f32::from_le_bytes),
        "F16" => each(bytes, order, |b| f16::from_le_bytes(b).to_f32()),
        "BF16" => each(bytes, order, |b| bf16::from_le_bytes(b).to_f32()),
        "F64" => each(bytes, order, |b| f64::from_le_bytes(b) as f32),
        _ => return None,
    })
}

fn each<const N: usize>(bytes: &[u8], order: ByteOrder, number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let (numbers, _) = bytes.as_chunks::<N>();
    match order {
        ByteOrder::Little => numbers.iter().map(|b| number(*b)).collect(),
        ByteOrder::Big => numbers.iter().map(|b| number(reversed(*b))).collect(),
    }
}

fn reversed<const N: usize>(mut bytes: [u8; N]) -> [u8; N] {
    bytes.reverse();
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_float_type_in_either_order() {
        let check = |dtype, mut bytes: Vec<u8>| {
            assert_eq!(decode(&bytes, dtype, ByteOrder::Little), Some(vec![-1.5]), "{dtype}");
            bytes.reverse();
            assert_eq!(decode(&bytes, dtype, ByteOrder::Big), Some(vec![-1.5]), "{dtype}");
        };
        check("F32", (-1.5_f32).to_le_bytes().into());
        check("F64", (-1.5_f64).to_le_bytes().into());
        check("F16", f16::from_f32(-1.5).to_le_bytes().into());
        check("BF16", bf16::from_f32(-1.5).to_le_bytes().into());
        assert_eq!(decode(&[1, 2], "U8", NATIVE), None);
    }
}
