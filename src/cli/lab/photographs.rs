//! A folder of photographs: each is read, run and let go of.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressDrawTarget};

use crate::cli::folder::pictures;
use crate::cli::output;
use crate::config::Usage;

/// The photographs of a folder, of which there is at least one.
pub(super) fn of_folder(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let files = pictures(folder)?;
    if files.is_empty() {
        bail!("{} holds no picture (PNG, JPEG, WebP, TIFF, BMP or GIF)", folder.display());
    }
    let folders: BTreeSet<Option<&Path>> = files.iter().map(|file| file.parent()).collect();
    if folders.len() > 1 {
        return Err(Usage(format!(
            "{} holds {} folders of pictures: name the one that has the photographs of the class",
            folder.display(),
            folders.len()
        ))
        .into());
    }
    Ok(files)
}

/// Calls `each` for all files, with progress on stderr. Those that fail are told and left out; fails if all do.
pub(super) fn for_each(files: &[&Path], mut each: impl FnMut(&Path) -> Result<()>) -> Result<()> {
    let bar = ProgressBar::with_draw_target(Some(files.len() as u64), ProgressDrawTarget::stderr());
    let mut failed = Vec::new();
    for file in files {
        if let Err(error) = each(file) {
            let name = file.display().to_string();
            let told = format!("{error:#}");
            failed.push(if told.contains(&name) { told } else { format!("{name}: {told}") });
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let Some(first) = failed.first() else { return Ok(()) };
    if failed.len() == files.len() {
        bail!("none of the {} photographs can be used: {first}", files.len());
    }
    let more = if failed.len() == 1 { String::new() } else { format!(", and {} more", failed.len() - 1) };
    output::remark(format_args!("left out: {first}{more}"));
    Ok(())
}
