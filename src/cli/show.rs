//! `trepang show FILE`: prints a picture in the terminal and leaves. viuer finds out what the terminal can do.

use std::io::{self, IsTerminal};

use anyhow::{Context, Result};

use crate::config::args::ShowArgs;
use crate::runs::read_picture;

pub(super) fn run(args: &ShowArgs) -> Result<()> {
    let picture = read_picture(&args.file)?;
    let image = image::RgbImage::from_raw(picture.width as u32, picture.height as u32, picture.rgb)
        .context("the picture has no pixels")?;
    // A pipe or a file cannot be asked what it can show: it gets half-blocks.
    let ask = io::stdout().is_terminal();
    let config =
        viuer::Config { absolute_offset: false, use_kitty: ask, use_iterm: ask, ..viuer::Config::default() };
    viuer::print(&image.into(), &config).with_context(|| format!("cannot print {}", args.file.display()))?;
    Ok(())
}
