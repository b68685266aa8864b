//! Pixels as they are shown and saved.

use std::collections::BTreeMap;

use super::resample::{Square, resize_rows};

/// An RGB picture, one byte a value, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The number of columns of pixels.
    pub width: usize,
    /// The number of rows of pixels.
    pub height: usize,
    /// `3 * width * height` bytes: R, G, B of the first pixel, and so on.
    pub rgb: Vec<u8>,
}

/// Pictures by file: those that runs begin with and that objectives compare with. Each is cut to the square in its middle
/// and resized where it is needed.
pub type Pictures = BTreeMap<String, Picture>;

impl Picture {
    /// The share of the values that are 0 or 255: at an end, where the picture cannot say how far it would go.
    pub fn saturated(&self) -> f64 {
        let ends = self.rgb.iter().filter(|&&v| v == 0 || v == 255).count();
        ends as f64 / self.rgb.len().max(1) as f64
    }

    /// The largest square in its middle.
    #[must_use]
    pub fn middle(&self) -> Self {
        let side = self.width.min(self.height);
        let (top, left) = ((self.height - side) / 2, (self.width - side) / 2);
        let rows = (top..top + side).map(|row| &self.rgb[3 * (row * self.width + left)..][..3 * side]);
        Self { width: side, height: side, rgb: rows.collect::<Vec<_>>().concat() }
    }

    /// R, G and B planes in 0..1: what any viewer would hand to a network.
    pub fn planes(&self) -> Vec<f32> {
        (0..3).flat_map(|c| self.rgb.iter().skip(c).step_by(3).map(|&byte| f32::from(byte) / 255.0)).collect()
    }

    /// The same picture with so many rows, if it has fewer or more.
    #[must_use]
    pub fn resized(self, height: usize) -> Self {
        if self.height == height || self.width != self.height {
            return self;
        }
        let planes = self.square(height);
        let byte =
            |i: usize| (255.0 * planes[i % 3 * height * height + i / 3]).round().clamp(0.0, 255.0) as u8;
        Self { width: height, height, rgb: (0..3 * height * height).map(byte).collect() }
    }

    /// The planes of the square in its middle, resized to `side`.
    pub(super) fn square(&self, side: usize) -> Vec<f32> {
        let own = self.width.min(self.height);
        if own == side {
            return self.middle().planes();
        }
        let (top, left) = ((self.height - own) / 2, (self.width - own) / 2);
        // Read in place: a photograph of a hundred megapixels would take a gigabyte as planes.
        resize_rows(Square { side: own, planes: 3 }, side, |row, into| {
            let (plane, row) = (row / own, top + row % own);
            let bytes = self.rgb[3 * (row * self.width + left)..].iter().skip(plane).step_by(3);
            into.iter_mut().zip(bytes).for_each(|(into, &byte)| *into = f32::from(byte) / 255.0);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_a_wide_picture_is_its_middle() {
        let rgb = (0..2 * 4).flat_map(|i| [i, i + 100, i + 200]).collect();
        let middle = Picture { width: 4, height: 2, rgb }.middle();
        assert_eq!((middle.width, middle.height), (2, 2));
        assert_eq!(middle.rgb, [1, 101, 201, 2, 102, 202, 5, 105, 205, 6, 106, 206]);
        assert_eq!(middle.planes()[..2], [1.0 / 255.0, 2.0 / 255.0]);
        assert_eq!(middle.square(2), middle.planes());
    }

    #[test]
    fn a_picture_read_row_by_row_is_resized_as_its_planes_are() {
        let rgb = (0..3 * 50 * 31_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let picture = Picture { width: 50, height: 31, rgb };
        for side in [7, 30, 31, 64] {
            let planes = picture.middle().planes();
            let whole = crate::engine::resample::resize(&planes, Square { side: 31, planes: 3 }, side);
            assert_eq!(picture.square(side), whole, "{side}");
        }
    }
}
