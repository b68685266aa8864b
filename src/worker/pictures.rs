//! The pictures that a plan begins with or compares with, read on the worker's machine, and the names of their files.

use std::fs;
use std::path::{Path, PathBuf};

use trepang_api::InputSize;
use trepang_weights::sha256;

use super::error::{Error, Result};
use crate::engine::{AskedSize, Picture, Pictures, Plan, Start, fitted_size};
use crate::runs::{self, read_picture};

/// The endings of the picture files that are read.
const PICTURE_ENDINGS: [&str; 9] = ["png", "jpg", "jpeg", "webp", "tif", "tiff", "bmp", "gif", "apng"];

/// The most names that are looked at in a folder.
const MAX_NAMES: usize = 10_000;

/// Reads the pictures of a plan, and notes their hashes in it. Fails for a file that cannot be read.
pub(super) fn read_pictures(plan: &mut Plan) -> runs::Result<Pictures> {
    let mut pictures = Pictures::new();
    let mut read = |file: &str| -> runs::Result<String> {
        let picture: Picture = read_picture(Path::new(file))?;
        let hash = sha256(&picture.rgb);
        pictures.insert(file.to_owned(), picture);
        Ok(hash)
    };
    if let Start::Picture { file, sha256 } = &mut plan.start {
        *sha256 = read(file)?;
    }
    let changed = plan.changes.iter().map(|change| &change.objective);
    let objectives = changed.chain([&plan.objective]);
    let compared: Vec<String> = objectives.flat_map(|one| one.pictures()).map(Into::into).collect();
    for file in compared {
        let hash = read(&file)?;
        plan.references.insert(file, hash);
    }
    Ok(pictures)
}

/// Reads the pictures of a plan, and gives it the size that was asked for, in the shape of its start picture where that decides. Fails
/// for a file that cannot be read.
pub(super) fn read_in_shape(
    plan: &mut Plan,
    asked: Option<AskedSize>,
    sizes: InputSize,
) -> runs::Result<Pictures> {
    let pictures = read_pictures(plan)?;
    if asked.is_some() {
        plan.size = fitted_size(asked, &plan.recipe, sizes, start_picture(plan, &pictures));
    }
    Ok(pictures)
}

/// The picture that a plan starts from, if it is a file's.
pub(super) fn start_picture<'a>(plan: &Plan, pictures: &'a Pictures) -> Option<&'a Picture> {
    match &plan.start {
        Start::Picture { file, .. } => pictures.get(file),
        Start::Noise | Start::Gray => None,
    }
}

/// Reads the pictures that a saved plan compares with. The one that it began with is not needed any more. Fails for a file that
/// cannot be read, or that holds another picture.
pub(super) fn read_same_pictures(plan: &Plan) -> Result<Pictures> {
    let mut pictures = Pictures::new();
    for (file, hash) in &plan.references {
        let picture = read_picture(Path::new(file))?;
        if sha256(&picture.rgb) != *hash {
            return Err(Error::OtherPicture { file: file.clone() });
        }
        pictures.insert(file.clone(), picture);
    }
    Ok(pictures)
}

/// The path with `home` in the place of a `~/` at its beginning.
pub(super) fn from_home(path: &str, home: Option<PathBuf>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => path.into(),
    }
}

/// The path as far as it is certain, and the names of folders and picture files that go on from it, if there are several.
/// `~/` at the beginning is `home`.
pub(super) fn complete_path(path: &str, home: Option<PathBuf>) -> (String, Vec<String>) {
    let path = from_home(path, home).display().to_string();
    let (folder, begun) =
        path.rsplit_once('/').map_or(("", &*path), |(folder, name)| (&path[..=folder.len()], name));
    let place = if folder.is_empty() { Path::new(".") } else { Path::new(folder) };
    let mut names: Vec<String> = fs::read_dir(place)
        .into_iter()
        .flatten()
        .take(MAX_NAMES)
        .filter_map(|entry| offered(&entry.ok()?))
        .filter(|name| name.starts_with(begun) && (begun.starts_with('.') || !name.starts_with('.')))
        .collect();
    names.sort();
    let Some(first) = names.first() else { return (path, names) };
    let shared = names.iter().fold(first.as_str(), |shared, name| {
        let same = shared.char_indices().zip(name.chars()).find(|((_, a), b)| a != b);
        &shared[..same.map_or(shared.len().min(name.len()), |((at, _), _)| at)]
    });
    let completed = format!("{folder}{shared}");
    if names.len() == 1 { (completed, Vec::new()) } else { (completed, names) }
}

/// The name of a folder, with a slash, or of a picture's file; none for other files.
fn offered(entry: &fs::DirEntry) -> Option<String> {
    let name = entry.file_name().into_string().ok()?;
    // A link is what it points to.
    if fs::metadata(entry.path()).ok()?.is_dir() {
        return Some(format!("{name}/"));
    }
    let ending = Path::new(&name).extension()?.to_str()?.to_ascii_lowercase();
    PICTURE_ENDINGS.contains(&&*ending).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_pictures_are_completed() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().display().to_string();
        fs::create_dir(folder.path().join("photos")).unwrap();
        for name in ["photos/dog.png", "photos/door.JPG", "photos/notes.txt", "photos/.hidden.png"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let complete = |path: &str| complete_path(&format!("{here}/{path}"), None);
        assert_eq!(complete("ph"), (format!("{here}/photos/"), vec![]));
        let both = vec!["dog.png".to_owned(), "door.JPG".to_owned()];
        assert_eq!(complete("photos/"), (format!("{here}/photos/do"), both));
        assert_eq!(complete("photos/doo"), (format!("{here}/photos/door.JPG"), vec![]));
        assert_eq!(complete("photos/n"), (format!("{here}/photos/n"), vec![]));
        assert_eq!(complete("none/x"), (format!("{here}/none/x"), vec![]));
        let home = Some(folder.path().to_owned());
        assert_eq!(complete_path("~/photos/dog", home), (format!("{here}/photos/dog.png"), vec![]));
    }
}
