//! `trepang show FILE`: prints a picture in the terminal and ends. It asks the terminal what it can show, unless the user
//! says it, and does not wait for one that does not answer.

mod inline;

use std::io::{self, IsTerminal};
use std::time::Duration;

use anyhow::{Context, Result};
use image::RgbImage;
use ratatui::layout::Size;
use viuer::ViuError;

use self::inline::{Placed, characters, iterm2, kitty, sixel};
use super::output::{self, ClosedPipe};
use crate::config::args::{ImageProtocol, ShowArgs};
use crate::runs::{PictureReading, read_picture_as};
use crate::ui::{BlockShape, Graphics, ask_for_kitty, drawn};

/// The longest time in which the terminal may answer.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(700);

/// A half-block shows two pixels, one above the other.
const HALF_BLOCK_PIXELS: (u16, u16) = (1, 2);

/// The size of a cell in pixels of the picture where a cell is two pixels wide.
const QUADRANT_PIXELS: (u16, u16) = (2, 4);

pub(super) fn run(args: &ShowArgs) -> Result<()> {
    let reading = PictureReading { allow_cut: args.allow_cut, ..PictureReading::default() };
    let picture = read_picture_as(&args.file, reading)?;
    let image = RgbImage::from_raw(picture.width as u32, picture.height as u32, picture.rgb)
        .context("the picture has no pixels")?;
    show(args, image).map_err(|error| {
        // A reader that has gone is no fault of the picture's.
        let named = format!("cannot print {}", args.file.display());
        if error.is::<ClosedPipe>() { error } else { error.context(named) }
    })
}

/// Prints a picture as the flags say; `file` names it where nothing is shown.
pub(super) fn show(args: &ShowArgs, image: RgbImage) -> Result<()> {
    let screen = io::stdout().is_terminal().then(|| {
        let (columns, rows) = ratatui::crossterm::terminal::size().unwrap_or_default();
        drawn(Size::new(columns, rows))
    });
    let placed = |cell| Placed::of(&image, cell, screen, args.size);
    let cell = || Graphics::assumed(None).cell;
    match args.image_protocol {
        ImageProtocol::Kitty => output::bytes(kitty(&image, &placed(cell())).as_bytes()),
        ImageProtocol::Sixel => output::bytes(sixel(&image, &placed(cell()))?.as_bytes()),
        ImageProtocol::Iterm2 => output::bytes(iterm2(&image, &placed(cell()))?.as_bytes()),
        ImageProtocol::None => {
            let (width, height) = image.dimensions();
            output::line(format_args!("{}, {width} x {height} pixels", args.file.display()))
        }
        // A pipe or a file cannot be asked for its protocol, so it gets half-blocks.
        ImageProtocol::Auto if screen.is_some() && !viuer::is_iterm_supported() => {
            match ask_for_kitty(ANSWER_TIMEOUT)? {
                Some(cell) => output::bytes(kitty(&image, &placed(cell)).as_bytes()),
                None => half_blocks(image, screen, args),
            }
        }
        ImageProtocol::Quadrants => {
            let placed = placed(QUADRANT_PIXELS);
            output::bytes(characters(&image, &placed, BlockShape::Quadrants).as_bytes())
        }
        ImageProtocol::Sextants => {
            let placed = placed(QUADRANT_PIXELS);
            output::bytes(characters(&image, &placed, BlockShape::Sextants).as_bytes())
        }
        ImageProtocol::Auto | ImageProtocol::Halfblocks => half_blocks(image, screen, args),
    }
}

/// Prints in half-blocks, or by iTerm2's protocol where its environment says so and the choice is free. Neither asks the
/// terminal anything.
fn half_blocks(image: RgbImage, screen: Option<Size>, args: &ShowArgs) -> Result<()> {
    let is_sized = screen.is_some() || args.size.is_some();
    let placed = is_sized.then(|| Placed::of(&image, HALF_BLOCK_PIXELS, screen, args.size));
    let config = viuer::Config {
        absolute_offset: false,
        use_kitty: false,
        use_iterm: screen.is_some() && args.image_protocol == ImageProtocol::Auto,
        width: placed.as_ref().map(|placed| placed.cells[0]),
        height: placed.as_ref().map(|placed| placed.cells[1]),
        ..viuer::Config::default()
    };
    match viuer::print(&image.into(), &config) {
        Err(ViuError::Io(error)) => output::checked(Err(error)),
        printed => Ok(printed.map(|_| ())?),
    }
}
