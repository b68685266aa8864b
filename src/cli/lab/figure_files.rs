//! Where figures go: files with their CSV beside them, or the terminal.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result};
use image::RgbImage;

use crate::cli::show;
use crate::config::Usage;
use crate::config::args::{DrawnArgs, ImageProtocol, ShowArgs};
use crate::lab::Figure;
use crate::runs::{check_picture_path, check_target, write_atomic, write_sheet};

/// Fails for files that cannot hold a figure, or that cannot be written, before anything is computed.
pub(super) fn check_figures(outputs: &[PathBuf]) -> Result<()> {
    for output in outputs {
        if is_table(output) {
            return Err(Usage(format!(
                "{} is the table that goes beside a figure; name the figure, as in {}",
                output.display(),
                output.with_extension("svg").display()
            ))
            .into());
        }
        if is_svg(output) {
            check_target(output)?;
        } else {
            check_picture_path(output)
                .map_err(Error::from)
                .map_err(|error| error.context("a figure is a .svg, or a picture"))?;
        }
        check_target(&output.with_extension("csv"))?;
    }
    Ok(())
}

/// Writes a figure and its table, and returns the files; without a file to write, shows it in the terminal, if there is one and no
/// JSON goes there.
pub(super) fn show_figure(
    args: &DrawnArgs,
    (figure, csv): (&Figure, &str),
    name: &str,
) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for output in &args.output {
        if is_svg(output) {
            write_atomic(output, figure.svg().as_bytes())?;
        } else {
            write_sheet(output, &figure.picture())?;
        }
        let table = output.with_extension("csv");
        files.push(output.clone());
        if !files.contains(&table) {
            write_atomic(&table, csv.as_bytes())?;
            files.push(table);
        }
    }
    if files.is_empty() && !args.json && has_screen(args.image_protocol) {
        let picture = figure.picture();
        let (width, height) = (picture.width as u32, picture.height as u32);
        let image = RgbImage::from_raw(width, height, picture.rgb).context("the figure has no pixels")?;
        let shown =
            ShowArgs { file: name.into(), size: None, image_protocol: args.image_protocol, allow_cut: false };
        show::show(&shown, image)?;
    }
    Ok(files)
}

/// Whether a picture is to be drawn on stdout. Who reads from a pipe has no use for the colours of cells, unless a protocol is asked for.
pub(super) fn has_screen(protocol: ImageProtocol) -> bool {
    protocol != ImageProtocol::Auto || io::stdout().is_terminal()
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|own| own.eq_ignore_ascii_case(ending))
}

fn is_svg(path: &Path) -> bool {
    has_ending(path, "svg")
}

fn is_table(path: &Path) -> bool {
    has_ending(path, "csv")
}
