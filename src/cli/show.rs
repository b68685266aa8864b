//! `trepang show FILE`: prints a picture in the terminal and ends. It asks the terminal what it can show, and does not
//! wait for one that does not answer.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anyhow::{Context, Result};
use image::RgbImage;
use ratatui::layout::Size;

use crate::config::args::ShowArgs;
use crate::runs::{PictureReading, read_picture_as};
use crate::ui::{ask_for_kitty, drawn, kitty_at_cursor};

/// The longest time in which the terminal may answer.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(700);

pub(super) fn run(args: &ShowArgs) -> Result<()> {
    let reading = PictureReading { allow_cut: args.allow_cut, ..PictureReading::default() };
    let picture = read_picture_as(&args.file, reading)?;
    let image = RgbImage::from_raw(picture.width as u32, picture.height as u32, picture.rgb)
        .context("the picture has no pixels")?;
    let failed = || format!("cannot print {}", args.file.display());
    // A pipe or a file cannot be queried for its protocol, so it gets half-blocks.
    if !io::stdout().is_terminal() {
        return half_blocks(image, None).with_context(failed);
    }
    let (columns, rows) = ratatui::crossterm::terminal::size().unwrap_or_default();
    let screen = drawn(Size::new(columns, rows));
    if !viuer::is_iterm_supported()
        && let Some(cell) = ask_for_kitty(ANSWER_TIMEOUT).with_context(failed)?
    {
        return writeln!(io::stdout(), "{}", kitty_at_cursor(&image, screen, cell)).with_context(failed);
    }
    half_blocks(image, Some(screen)).with_context(failed)
}

/// Prints by iTerm2's protocol where its environment says so, and else in half-blocks. Neither asks the terminal anything.
fn half_blocks(image: RgbImage, screen: Option<Size>) -> Result<()> {
    // The largest size that fits: a cell of half-blocks is one pixel wide and two high.
    let (width, height) = (f64::from(image.width()), f64::from(image.height()));
    let fits = |screen: Size| {
        let (columns, rows) = (f64::from(screen.width), f64::from(screen.height.saturating_sub(1).max(1)));
        let scale = (columns / width).min(2.0 * rows / height).min(1.0);
        [(width * scale).round().max(1.0) as u32, (height * scale / 2.0).round().max(1.0) as u32]
    };
    let [columns, rows] = screen.map(fits).map_or([None; 2], |size| size.map(Some));
    let config = viuer::Config {
        absolute_offset: false,
        use_kitty: false,
        use_iterm: screen.is_some(),
        width: columns,
        height: rows,
        ..viuer::Config::default()
    };
    viuer::print(&image.into(), &config)?;
    Ok(())
}
