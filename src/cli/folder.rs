//! The picture files of a folder that the user names.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// All files below a folder whose names end like a picture's, sorted, so that the order does not depend on the disk.
pub(super) fn pictures(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("cannot read the folder {}", folder.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot read the folder {}", folder.display()))?;
            let path = entry.path();
            let extension =
                path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
            // Links to folders are not followed, because they can form a loop.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if ["png", "jpg", "jpeg", "webp", "tif", "tiff", "bmp", "gif"]
                .contains(&extension.as_str())
            {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
