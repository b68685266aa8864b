//! Pixels as they are shown and saved.

use std::collections::BTreeMap;

use trepang_api::Shape;

use super::resample::resize_rows;
use super::size::PictureSize;

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

/// Pictures by file: those that runs begin with and that objectives compare with. Of each, the middle part of the shape that is
/// needed is cut out and resized.
pub type Pictures = BTreeMap<String, Picture>;

impl Picture {
    /// The share of the values that are 0 or 255: at an end, where the picture cannot say how far it would go.
    pub fn saturated(&self) -> f64 {
        let ends = self.rgb.iter().filter(|&&v| v == 0 || v == 255).count();
        ends as f64 / self.rgb.len().max(1) as f64
    }

    /// The number of its columns and rows.
    pub fn size(&self) -> PictureSize {
        PictureSize { width: self.width, height: self.height }
    }

    /// The largest square in its middle.
    #[must_use]
    pub fn middle(&self) -> Self {
        self.middle_of(PictureSize::square(1))
    }

    /// The largest part of a shape in its middle.
    fn middle_of(&self, shape: PictureSize) -> Self {
        let PictureSize { width, height } = self.part_of(shape);
        let (top, left) = ((self.height - height) / 2, (self.width - width) / 2);
        let rows = (top..top + height).map(|row| &self.rgb[3 * (row * self.width + left)..][..3 * width]);
        Self { width, height, rgb: rows.collect::<Vec<_>>().concat() }
    }

    /// So many columns, from one on.
    pub(super) fn columns(&self, first: usize, width: usize) -> Self {
        let rows = self.rgb.chunks_exact(3 * self.width).map(|row| &row[3 * first..][..3 * width]);
        Self { width, height: self.height, rgb: rows.collect::<Vec<_>>().concat() }
    }

    /// The size of the largest part of a shape: whole pixels, and at least one.
    pub fn part_of(&self, shape: PictureSize) -> PictureSize {
        let PictureSize { width, height } = shape;
        let of = |side: usize, to: usize, from: usize| {
            (side as f64 * to as f64 / from.max(1) as f64).round().max(1.0) as usize
        };
        if self.width as u128 * height as u128 > self.height as u128 * width as u128 {
            PictureSize { width: of(self.height, width, height).min(self.width), height: self.height }
        } else {
            PictureSize { width: self.width, height: of(self.width, height, width).min(self.height) }
        }
    }

    /// R, G and B planes in 0..1: what any viewer would hand to a network.
    pub fn planes(&self) -> Vec<f32> {
        (0..3).flat_map(|c| self.rgb.iter().skip(c).step_by(3).map(|&byte| f32::from(byte) / 255.0)).collect()
    }

    /// The same picture at another size, of which it shows all.
    #[must_use]
    pub fn resized(self, size: impl Into<PictureSize>) -> Self {
        let size = size.into();
        if self.size() == size {
            return self;
        }
        let (area, planes) = (size.pixels(), self.part_resized(self.size(), size));
        let byte = |i: usize| (255.0 * planes[i % 3 * area + i / 3]).round().clamp(0.0, 255.0) as u8;
        Self { width: size.width, height: size.height, rgb: (0..3 * area).map(byte).collect() }
    }

    /// The planes of the largest part of this shape in its middle, at this size.
    pub(super) fn fitted(&self, size: PictureSize) -> Vec<f32> {
        let part = self.part_of(size);
        if part == size { self.middle_of(size).planes() } else { self.part_resized(part, size) }
    }

    /// The planes of the part of the size `part` in its middle, at another size.
    fn part_resized(&self, part: PictureSize, size: PictureSize) -> Vec<f32> {
        let (top, left) = ((self.height - part.height) / 2, (self.width - part.width) / 2);
        let from = Shape { channels: 3, height: part.height, width: part.width };
        // Read in place: a photograph of a hundred megapixels would take a gigabyte as planes.
        resize_rows(from, size.sides(), |row, into| {
            let (plane, row) = (row / part.height, top + row % part.height);
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
        assert_eq!(middle.fitted(2.into()), middle.planes());
    }

    #[test]
    fn the_part_of_a_shape_is_as_large_as_there_is_room_for() {
        let picture = Picture { width: 480, height: 320, rgb: Vec::new() };
        let size = |width, height| PictureSize { width, height };
        for (shape, part) in [
            (size(480, 320), size(480, 320)),
            (size(48, 32), size(480, 320)),
            (size(64, 64), size(320, 320)),
            (size(32, 48), size(213, 320)),
            (size(64, 16), size(480, 120)),
            (size(224, 149), size(480, 319)),
            (size(1, 9000), size(1, 320)),
        ] {
            assert_eq!(picture.part_of(shape), part, "{shape}");
        }
    }

    #[test]
    fn a_picture_of_another_shape_is_cut_on_two_sides() {
        // Three columns, of which the middle one stays; and two of its rows.
        let rgb = (0..12_u8).flat_map(|i| [10 * i; 3]).collect();
        let picture = Picture { width: 3, height: 4, rgb };
        let level = |v: &f32| (v * 255.0).round();
        assert_eq!(
            picture.fitted(PictureSize { width: 1, height: 4 })[..4].iter().map(level).collect::<Vec<_>>(),
            [10.0, 40.0, 70.0, 100.0]
        );
        assert_eq!(
            picture.fitted(PictureSize { width: 3, height: 2 })[..6].iter().map(level).collect::<Vec<_>>(),
            [30.0, 40.0, 50.0, 60.0, 70.0, 80.0]
        );
        assert_eq!(picture.clone().resized(PictureSize { width: 6, height: 8 }).size().to_string(), "6x8");
    }

    #[test]
    fn a_picture_read_row_by_row_is_resized_as_its_planes_are() {
        let rgb = (0..3 * 50 * 31_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let picture = Picture { width: 50, height: 31, rgb };
        for side in [7, 30, 31, 64] {
            let planes = picture.middle().planes();
            let from = Shape { channels: 3, height: 31, width: 31 };
            let whole = crate::engine::resample::resize(&planes, from, [side, side]);
            assert_eq!(picture.fitted(side.into()), whole, "{side}");
        }
    }
}
