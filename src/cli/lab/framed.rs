//! The user's picture as a network's input, also for networks without classes.

use std::path::Path;

use anyhow::Result;
use trepang_api::Network;

use crate::config::args::FramingArgs;
use crate::engine::Picture;
use crate::runs::{PictureReading, read_picture_as};
use crate::worker::{Framing, fit_picture, frame_picture};

/// Reads a picture and brings it to a size of the network's. A network without classes takes any size, so there a picture at
/// its own size stays as it is.
pub(super) fn read_framed(
    network: &Network,
    file: &Path,
    FramingArgs { exact, allow_cut }: FramingArgs,
) -> Result<Picture> {
    let picture = read_picture_as(file, PictureReading { allow_cut, ..PictureReading::default() })?;
    framed(network, &picture, exact)
}

/// The same of a picture that has been read.
pub(super) fn framed(network: &Network, picture: &Picture, exact: bool) -> Result<Picture> {
    match (exact, network.logits()) {
        (true, Some(_)) => Ok(frame_picture(network, picture, Framing::Exact)?),
        (true, None) => Ok(picture.clone()),
        (false, Some(_)) => Ok(frame_picture(network, picture, Framing::Crop)?),
        (false, None) => Ok(fit_picture(network.input().native, picture)?),
    }
}
