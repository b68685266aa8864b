//! Bytes of a file to `f32`. Not a converter of integers: those are no weights.

use half::{bf16, f16};

/// Which byte of a number comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// The least significant.
    Little,
    /// The most significant.
    Big,
}

/// This machine's.
pub(super) const NATIVE: Order = if cfg!(target_endian = "little") { Order::Little } else { Order::Big };

/// Can [`decode`] read numbers of this type?
pub(super) fn is_float(dtype: &str) -> bool {
    decode(&[], dtype, NATIVE).is_some()
}

/// The numbers, when `dtype` names floats. A remainder too short for a number is left out.
pub(super) fn decode(bytes: &[u8], dtype: &str, order: Order) -> Option<Vec<f32>> {
    Some(match dtype {
        "F32" => each(bytes, order, f32::from_le_bytes),
        "F16" => each(bytes, order, |b| f16::from_le_bytes(b).to_f32()),
        "BF16" => each(bytes, order, |b| bf16::from_le_bytes(b).to_f32()),
        "F64" => each(bytes, order, |b| f64::from_le_bytes(b) as f32),
        _ => return None,
    })
}

fn each<const N: usize>(bytes: &[u8], order: Order, number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let (numbers, _) = bytes.as_chunks::<N>();
    match order {
        Order::Little => numbers.iter().map(|b| number(*b)).collect(),
        Order::Big => numbers.iter().map(|b| number(reversed(*b))).collect(),
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
            assert_eq!(decode(&bytes, dtype, Order::Little), Some(vec![-1.5]), "{dtype}");
            bytes.reverse();
            assert_eq!(decode(&bytes, dtype, Order::Big), Some(vec![-1.5]), "{dtype}");
        };
        check("F32", (-1.5_f32).to_le_bytes().into());
        check("F64", (-1.5_f64).to_le_bytes().into());
        check("F16", f16::from_f32(-1.5).to_le_bytes().into());
        check("BF16", bf16::from_f32(-1.5).to_le_bytes().into());
        assert_eq!(decode(&[1, 2], "U8", NATIVE), None);
    }
}
