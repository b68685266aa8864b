//! `trepang show FILE`: prints a picture in the terminal and leaves. viuer finds out what the terminal can do.

use anyhow::{Context, Result};

use crate::config::args::ShowArgs;
use crate::runs::read_picture;

pub(super) fn run(args: &ShowArgs) -> Result<()> {
    let picture = read_picture(&args.file)?;
    let image = image::RgbImage::from_raw(picture.width as u32, picture.height as u32, picture.rgb)
        .context("the picture has no pixels")?;
    let config = viuer::Config { absolute_offset: false, transparent: false, ..viuer::Config::default() };
    viuer::print(&image.into(), &config).with_context(|| format!("cannot print {}", args.file.display()))?;
    Ok(())
}
