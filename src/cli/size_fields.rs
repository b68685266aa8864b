//! The size of pictures in JSON.

use serde::Serialize;

use crate::engine::PictureSize;

/// The fields of a size: `size` is a number for every shape, and both sides are there where they differ, so that who read the
/// side of squares goes on to read.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct SizeFields {
    /// The longer side.
    size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<usize>,
}

impl From<PictureSize> for SizeFields {
    fn from(size: PictureSize) -> Self {
        let oblong = Some(size).filter(|size| !size.is_square());
        Self {
            size: size.longer(),
            width: oblong.map(|size| size.width),
            height: oblong.map(|size| size.height),
        }
    }
}
