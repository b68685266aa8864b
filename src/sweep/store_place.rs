//! A store as a user names it: by its folder, or by a file of pictures in it.

use std::path::{Path, PathBuf};

use super::pack::Pack;
use super::store::{DONE, UnitStore};
use super::unit::Unit;
use crate::runs::{MAX_FILE_BYTES, Origin, origin_of_png, read_regular};

/// A store with the pictures in it that a user looks at first.
#[derive(Debug)]
pub struct StorePlace {
    /// The store itself.
    pub store: UnitStore,
    /// The unit of the file that was named, or of the file that was written last.
    pub unit: Unit,
    /// The plan and the provenance of one of its pictures.
    pub origin: Origin,
}

/// The folder of the store that is meant: a folder with a store's pictures, or that of a file of pictures; none for anything else.
pub fn store_folder(given: &Path) -> Option<PathBuf> {
    if given.join(DONE).is_dir() {
        return Some(given.into());
    }
    let done = given.parent()?.parent()?;
    let is_pack = given.is_file() && given.extension().is_some_and(|ending| ending == "zip");
    (is_pack && done.file_name()? == DONE).then(|| done.parent().map(Path::to_owned))?
}

impl StorePlace {
    /// The pictures of the file that was named, or of the file of the store that was written last. None where no picture can
    /// be read.
    pub fn open(given: &Path) -> Option<Self> {
        let store = UnitStore::new(store_folder(given)?);
        let files = if given.is_file() { vec![given.to_owned()] } else { store.packs_by_age() };
        let (unit, origin) = files.iter().find_map(|file| newest_of(file))?;
        Some(Self { store, unit, origin })
    }
}

/// The unit of a pack's file, with what its first picture says of itself.
fn newest_of(file: &Path) -> Option<(Unit, Origin)> {
    let bytes = read_regular(file, MAX_FILE_BYTES).ok()?;
    let pack = Pack::read(&bytes).ok()?;
    let origin = pack.channels.values().find_map(|packed| origin_of_png(&packed.png, file).ok())?;
    Some((pack.unit, origin))
}
