//! The user's picture, or that of a run, as a network's input, also for networks without classes.

use std::path::{Path, PathBuf};

use anyhow::Result;
use trepang_api::Network;

use crate::config::args::FramingArgs;
use crate::config::find_run;
use crate::engine::Picture;
use crate::runs::{PictureReading, read_picture_as};
use crate::worker::{Framing, fit_picture, frame_picture};

/// A picture that the user names: its file, or the run that it is of.
#[derive(Debug)]
pub(super) struct NamedPicture {
    pub(super) file: PathBuf,
    pub(super) is_of_run: bool,
}

impl NamedPicture {
    /// The picture of that name. Fails for a name that is like that of a run.
    pub(super) fn of(given: &Path) -> Result<Self> {
        let place = find_run(given, None)?;
        let is_of_run = place.is_dir();
        Ok(Self { file: if is_of_run { place.join("image.png") } else { place }, is_of_run })
    }

    pub(super) fn read(&self, allow_cut: bool) -> Result<Picture> {
        Ok(read_picture_as(&self.file, PictureReading { allow_cut, ..PictureReading::default() })?)
    }

    /// The way to the network's size. A run's picture that has it was made for it, and is taken as it is.
    pub(super) fn framing(&self, exact: bool) -> Framing {
        match (exact, self.is_of_run) {
            (true, _) => Framing::Exact,
            (false, true) => Framing::Fitting,
            (false, false) => Framing::Crop,
        }
    }
}

/// Reads a picture and brings it to a size of the network's. A network without classes takes any size, so there a picture at
/// its own size stays as it is.
pub(super) fn read_framed(
    network: &Network,
    given: &Path,
    FramingArgs { exact, allow_cut }: FramingArgs,
) -> Result<Picture> {
    let named = NamedPicture::of(given)?;
    framed_by(network, &named.read(allow_cut)?, named.framing(exact))
}

/// The same of a picture that has been read.
pub(super) fn framed(network: &Network, picture: &Picture, exact: bool) -> Result<Picture> {
    framed_by(network, picture, if exact { Framing::Exact } else { Framing::Crop })
}

fn framed_by(network: &Network, picture: &Picture, framing: Framing) -> Result<Picture> {
    if network.logits().is_some() {
        return Ok(frame_picture(network, picture, framing)?);
    }
    match framing {
        Framing::Exact => Ok(picture.clone()),
        Framing::Crop | Framing::Fitting => Ok(fit_picture(network.input().native, picture)?),
    }
}
