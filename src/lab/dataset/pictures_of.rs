//! The picture files of a folder, tar files in it included, or of a tar file alone.

use std::fs;
use std::io;
use std::path::Path;

use super::layout::is_picture_name;
use super::tar_file;
use super::{DataPicture, PictureBytes};
use crate::lab::error::{Error, Result};

/// Endings of archives that cannot be read in place.
const PACKED: [&str; 6] = [".tar.gz", ".tgz", ".tar.xz", ".tar.zst", ".tar.bz2", ".zip"];

/// All pictures at a place.
pub(super) fn find(place: &Path) -> Result<Vec<DataPicture>> {
    let failed = |source| Error::ReadFile { path: place.into(), source };
    let meta = fs::metadata(place).map_err(failed)?;
    let mut found = Vec::new();
    if meta.is_dir() {
        walk(place, &mut found)?;
    } else if tar_file::is_tar(place).map_err(failed)? {
        tar_file::find(place, "", &mut found).map_err(failed)?;
    } else if PACKED.iter().any(|ending| place.to_string_lossy().to_ascii_lowercase().ends_with(ending)) {
        return Err(Error::PackedArchive { place: place.into() });
    } else {
        return Err(Error::NoDataSet { place: place.into() });
    }
    Ok(found)
}

fn walk(root: &Path, found: &mut Vec<DataPicture>) -> Result<()> {
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let failed = |source: io::Error| Error::ReadFile { path: folder.clone(), source };
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            let Some(file) = path.strip_prefix(root).ok().and_then(Path::to_str) else {
                continue; // a name that is no text cannot stand in a table
            };
            // Links to folders are not followed, because they can form a loop.
            if entry.file_type().map_err(failed)?.is_dir() {
                folders.push(path);
            } else if is_picture_name(file) {
                let size = fs::metadata(&path).map_or(0, |meta| meta.len());
                found.push(DataPicture::new(file.into(), size, PictureBytes::File(path.clone())));
            } else if path.extension().is_some_and(|ending| ending == "tar") {
                let failed = |source| Error::ReadFile { path: path.clone(), source };
                tar_file::find(&path, file, found).map_err(failed)?;
            }
        }
    }
    Ok(())
}
