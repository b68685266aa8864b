//! The picture that `--from` makes again: whether it came out the same, since its file may have been edited.

use std::path::{Path, PathBuf};

use anyhow::Result;
use trepang_api::printable;

use crate::engine::Picture;
use crate::runs::{is_lossless, read_picture};

/// The pixels of a file that is made again. They are read before the run, since the new file may take its place.
pub(super) struct MadeBefore {
    path: PathBuf,
    /// None for a file that does not keep the pixels it was given.
    picture: Option<Picture>,
    /// The version of the program that made it.
    version: String,
}

impl MadeBefore {
    /// Reads the pixels of a picture file that this version made.
    pub(super) fn read(path: &Path, version: &str) -> Result<Self> {
        let picture = is_lossless(path)?.then(|| read_picture(path)).transpose()?;
        Ok(Self { path: path.into(), picture, version: version.into() })
    }

    /// A sentence on how the picture that was made differs from the one in the file; none if they are the same.
    pub(super) fn difference(&self, made: &Picture) -> Option<String> {
        let (path, before) = (self.path.display(), self.picture.as_ref()?);
        let (width, height) = (before.width, before.height);
        if (width, height) != (made.width, made.height) {
            let (is, high) = (made.width, made.height);
            return Some(format!(
                "{path} has {width}x{height} pixels, and its recipe makes {is}x{high}: the file was changed after it was made"
            ));
        }
        let pixels = || before.rgb.chunks(3).zip(made.rgb.chunks(3));
        let others = pixels().filter(|(was, is)| was != is).count();
        let farthest = before.rgb.iter().zip(&made.rgb).map(|(was, is)| was.abs_diff(*is)).max()?;
        (others > 0).then(|| {
            let (all, version) = (pixels().count(), printable(&self.version));
            format!(
                "the picture differs from {path} in {others} of {all} pixels, by up to {farthest} of 255: the file, which \
                 Trepang {version} made, was changed after that, or another version, build or processor computed it"
            )
        })
    }
}
