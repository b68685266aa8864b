//! `trepang show FILE`: prints a picture in the terminal and ends. The crate viuer detects what the terminal can show.

use std::io::{self, IsTerminal};

use anyhow::{Context, Result};

use crate::config::args::ShowArgs;
use crate::runs::{PictureReading, read_picture_as};

pub(super) fn run(args: &ShowArgs) -> Result<()> {
    let reading = PictureReading { allow_cut: args.allow_cut, ..PictureReading::default() };
    let picture = read_picture_as(&args.file, reading)?;
    let image = image::RgbImage::from_raw(picture.width as u32, picture.height as u32, picture.rgb)
        .context("the picture has no pixels")?;
    // A pipe or a file cannot be queried for its protocol, so it gets half-blocks.
    let is_terminal = io::stdout().is_terminal();
    let config = viuer::Config {
        absolute_offset: false,
        use_kitty: is_terminal,
        use_iterm: is_terminal,
        ..viuer::Config::default()
    };
    viuer::print(&image.into(), &config).with_context(|| format!("cannot print {}", args.file.display()))?;
    Ok(())
}
