//! Sizes of pictures: both sides, and what a user asks for, which may be only the longer one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::typed::as_typed;

/// The size of a picture in pixels. In text a square is its side, as `64`, and another is both, as `480x320`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PictureSize {
    /// The number of columns.
    pub width: usize,
    /// The number of rows.
    pub height: usize,
}

impl PictureSize {
    /// A square with sides of so many pixels.
    pub const fn square(side: usize) -> Self {
        Self { width: side, height: side }
    }

    /// Whether both sides are equal.
    pub fn is_square(self) -> bool {
        self.width == self.height
    }

    /// The longer side: what a single number stands for.
    pub fn longer(self) -> usize {
        self.width.max(self.height)
    }

    /// The shorter side.
    pub fn shorter(self) -> usize {
        self.width.min(self.height)
    }

    /// The number of pixels.
    pub fn pixels(self) -> usize {
        self.width.saturating_mul(self.height)
    }

    /// The height and the width, in the order of an array's.
    pub fn sides(self) -> [usize; 2] {
        [self.height, self.width]
    }

    /// The size of an array's last two dimensions.
    pub(super) fn of_sides([height, width]: [usize; 2]) -> Self {
        Self { width, height }
    }

    /// The same size lying on its other side, so that its width is not the shorter one.
    fn lying(self) -> Self {
        Self { width: self.longer(), height: self.shorter() }
    }

    /// The size of this shape whose longer side has so many pixels; the other is rounded.
    #[must_use]
    pub fn scaled(self, longer: usize) -> Self {
        let Self { width, height } = self.lying();
        let shorter = if width == height {
            longer
        } else {
            (longer as f64 * height as f64 / width.max(1) as f64).round().max(1.0) as usize
        };
        self.with_sides(longer, shorter)
    }

    /// The sides, the longer one where this size has its longer.
    pub(super) fn with_sides(self, longer: usize, shorter: usize) -> Self {
        if self.width >= self.height {
            Self { width: longer, height: shorter }
        } else {
            Self { width: shorter, height: longer }
        }
    }
}

impl From<usize> for PictureSize {
    fn from(side: usize) -> Self {
        Self::square(side)
    }
}

impl fmt::Display for PictureSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_square() { self.width.fmt(f) } else { write!(f, "{}x{}", self.width, self.height) }
    }
}

/// A number or a text of a file.
#[derive(Deserialize)]
#[serde(untagged)]
enum SizeText {
    Side(usize),
    Sides(String),
}

impl Serialize for PictureSize {
    /// The number of a square's side, as it was before pictures could have other shapes, or else a text with both sides.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_square() { self.width.serialize(serializer) } else { serializer.collect_str(self) }
    }
}

impl<'de> Deserialize<'de> for PictureSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = match SizeText::deserialize(deserializer) {
            Ok(SizeText::Side(side)) => Some(Self::square(side)),
            Ok(SizeText::Sides(text)) => both_sides(&text).filter(|size| !size.is_square()),
            Err(_) => None,
        };
        let wanted = "a size is a whole number of pixels, or both sides as \"480x320\"";
        read.ok_or_else(|| serde::de::Error::custom(wanted))
    }
}

/// Both sides of a text such as `480x320`. A sign of multiplication that was pasted is a `*` by now.
fn both_sides(text: &str) -> Option<PictureSize> {
    let (width, height) = text.split_once(['x', 'X', '*'])?;
    let side = |text: &str| text.trim().parse().ok();
    Some(PictureSize { width: side(width)?, height: side(height)? })
}

/// The sentence where something else was typed than a size.
pub(crate) const SIZE_NEEDED: &str =
    "whole numbers of 1 or more pixels are needed: the longer side, or both as in 480x320 (width x height)";

/// A size that was asked for: the longer side, where something else gives the shape, or both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedSize {
    /// The longer side, of the shape that the start picture has; without one, a square's.
    Longer(usize),
    /// Both sides of the picture.
    Sides(PictureSize),
}

impl AskedSize {
    /// The request that makes a plan of this size again, from a start picture or without one.
    pub fn of(size: PictureSize, from_picture: bool) -> Self {
        if size.is_square() && !from_picture { Self::Longer(size.width) } else { Self::Sides(size) }
    }

    /// The size where nothing gives a shape.
    pub fn without_shape(self) -> PictureSize {
        match self {
            Self::Longer(side) => PictureSize::square(side),
            Self::Sides(size) => size,
        }
    }
}

impl From<usize> for AskedSize {
    fn from(longer: usize) -> Self {
        Self::Longer(longer)
    }
}

impl fmt::Display for AskedSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Longer(side) => side.fmt(f),
            Self::Sides(PictureSize { width, height }) => write!(f, "{width}x{height}"),
        }
    }
}

impl FromStr for AskedSize {
    type Err = String;

    /// Reads `480`, `480x320`, and what is pasted for them. Fails with a clause.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = as_typed(text);
        let text = text.trim();
        let longer = text.parse().ok().map(Self::Longer);
        longer.or_else(|| both_sides(text).map(Self::Sides)).ok_or_else(|| SIZE_NEEDED.into())
    }
}

impl Serialize for AskedSize {
    /// A number, or a text with both sides.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Longer(side) => side.serialize(serializer),
            Self::Sides(_) => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for AskedSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match SizeText::deserialize(deserializer)? {
            SizeText::Side(side) => Ok(Self::Longer(side)),
            SizeText::Sides(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_is_a_number_in_files_and_others_are_both_sides() {
        let written = |size: PictureSize| serde_json::to_string(&size).unwrap();
        assert_eq!(written(64.into()), "64");
        let oblong = PictureSize { width: 480, height: 320 };
        assert_eq!(written(oblong), "\"480x320\"");
        for text in ["64", "\"480x320\""] {
            let read: PictureSize = serde_json::from_str(text).unwrap();
            assert_eq!(written(read), text);
        }
        for text in ["-1", "1.5", "\"64\"", "\"64x64\"", "\"4x\"", "[4, 5]", "null"] {
            let error = serde_json::from_str::<PictureSize>(text).unwrap_err().to_string();
            assert!(error.contains("480x320"), "{text}: {error}");
        }
    }

    #[test]
    fn a_size_that_is_asked_for_reads_back() {
        for text in ["480", "480x320", "64x64"] {
            let asked: AskedSize = text.parse().unwrap();
            assert_eq!(asked.to_string(), text);
            assert_eq!(
                serde_json::from_str::<AskedSize>(&serde_json::to_string(&asked).unwrap()).unwrap(),
                asked
            );
        }
        assert_eq!("480 \u{d7} 320".parse(), "480x320".parse::<AskedSize>());
        for text in ["", "x", "480x", "480x320x3", "-4", "a", "4.5"] {
            assert!(text.parse::<AskedSize>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_shape_is_kept_at_another_length() {
        let photo = PictureSize { width: 480, height: 320 };
        assert_eq!(photo.scaled(240), PictureSize { width: 240, height: 160 });
        assert_eq!(
            PictureSize { width: 320, height: 480 }.scaled(224),
            PictureSize { width: 149, height: 224 }
        );
        assert_eq!(PictureSize { width: 1000, height: 1 }.scaled(10), PictureSize { width: 10, height: 1 });
        assert_eq!(PictureSize::square(480).scaled(7), PictureSize::square(7));
    }
}
