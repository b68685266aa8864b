//! `trepang spectrum`: measures the mean spectrum of a folder of pictures, as a table for recipes.

use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressDrawTarget};

use super::folder::pictures;
use super::output;
use super::outputs::is_stdout;
use crate::config::args::SpectrumArgs;
use crate::engine::{Spectrum, SpectrumBuilder};
use crate::runs::{OutputKind, PictureReading, SPECTRUM_HEADER, read_picture_as, write_atomic};

pub(super) fn run(args: &SpectrumArgs) -> Result<()> {
    let output = args.output.as_deref().filter(|path| !is_stdout(path));
    if let Some(path) = output {
        OutputKind::Spectrum.check_place(path)?;
    }
    let files = pictures(&args.folder)?;
    let bar = ProgressBar::with_draw_target(Some(files.len() as u64), ProgressDrawTarget::stderr());
    let mut builder = SpectrumBuilder::new(usize::from(args.size));
    let reading = PictureReading { allow_cut: args.allow_cut, ..PictureReading::default() };
    let mut unreadable = Vec::new();
    for file in &files {
        match read_picture_as(file, reading) {
            Ok(picture) if picture.width > 0 && picture.height > 0 => builder.add(&picture),
            Ok(_) => unreadable.push(format!("{} has no pixels", file.display())),
            Err(error) => unreadable.push(error.chain()),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let Some(spectrum) = builder.finish() else {
        let first = unreadable.first().map(|reason| format!(": {reason}")).unwrap_or_default();
        bail!(
            "{} holds no picture that can be read (PNG, JPEG, WebP, TIFF, BMP or GIF){first}",
            args.folder.display()
        );
    };
    if let [first, rest @ ..] = &unreadable[..] {
        let more = if rest.is_empty() { String::new() } else { format!(", and {} more", rest.len()) };
        output::remark(format_args!("left out: {first}{more}"));
    }
    let text = table(&spectrum, builder.count(), args.size);
    match output {
        Some(path) => Ok(write_atomic(path, text.as_bytes())?),
        None => output::line(text.trim_end()),
    }
}

fn table(spectrum: &Spectrum, count: usize, size: u16) -> String {
    let list = |values: &[f64]| values.iter().map(|v| format!("{v:.4e}")).collect::<Vec<_>>().join(", ");
    let [a, b, c] = spectrum.magnitudes.each_ref().map(|m| list(m));
    format!(
        "{SPECTRUM_HEADER}{count} pictures at {size}x{size} pixels, of three decorrelated colours, by cycles a pixel:\n\
         # what `trepang spectrum` measured.\n[param.spectrum]\nfrequencies = [{}]\nmagnitudes = [\n    [{a}],\n    \
         [{b}],\n    [{c}],\n]\n",
        list(&spectrum.frequencies)
    )
}
