//! Pictures out of names, and the places where an array is looked at, as `tests/golden/golden.py` makes them.

use trepang::engine::Picture;
use trepang_weights::words;

/// A square picture of uniform noise.
pub(crate) fn picture(name: &str, size: usize) -> Picture {
    let rgb = words(name).take(3 * size * size).map(|z| (z >> 56) as u8).collect();
    Picture { width: size, height: size, rgb }
}

/// The values of an array at the places that the name chooses.
pub(crate) fn sample(name: &str, array: &[f32], len: usize) -> Vec<f32> {
    words(name).take(len).map(|z| array[(z % array.len() as u64) as usize]).collect()
}
