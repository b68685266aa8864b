//! Decides whether a library may be loaded, before the system's loader runs any of its code: nobody but the owner of this
//! program may be able to write it or to put another in its place, and it must hold this build's stamp.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::guest::stamp;

/// The system's own user, whom everybody has to trust.
const ROOT: u32 = 0;

const GROUP_WRITABLE: u32 = 0o020;
const OTHERS_WRITABLE: u32 = 0o002;

/// In a folder with this bit only the owner of an entry can rename or delete it, whoever may write the folder: `/tmp`.
const STICKY: u32 = 0o1000;

/// Checks the library at `path`, and returns its path without links. Fails where it, its folder or a folder above may be
/// written by others than `owner` and root, and where it was not built with this program.
pub(crate) fn check(path: &Path, owner: u32) -> Result<PathBuf, Error> {
    let unreadable = |source: io::Error| Error::Unreadable { path: path.into(), source };
    let real = path.canonicalize().map_err(unreadable)?;
    for (distance, place) in real.ancestors().enumerate() {
        let metadata = fs::metadata(place).map_err(unreadable)?;
        // A sticky folder protects what is in it, but a library that is directly in one is anybody's to create.
        let is_protected = distance > 1 && metadata.mode() & STICKY != 0;
        if !is_protected && is_open_to_others(&metadata, owner) {
            return Err(Error::Exposed { library: path.into(), place: place.into() });
        }
    }
    let bytes = fs::read(&real).map_err(unreadable)?;
    if holds(&bytes, &stamp()) { Ok(real) } else { Err(Error::Foreign(path.into())) }
}

/// Whether others than `owner` and root may write a file or a folder. A group that has the owner's own number is the
/// private group that Linux distributions give each user.
fn is_open_to_others(metadata: &Metadata, owner: u32) -> bool {
    let is_foreign = metadata.uid() != owner && metadata.uid() != ROOT;
    let is_shared = metadata.mode() & GROUP_WRITABLE != 0 && ![owner, ROOT].contains(&metadata.gid());
    is_foreign || is_shared || metadata.mode() & OTHERS_WRITABLE != 0
}

/// Whether `part` stands somewhere in `bytes`.
fn holds(bytes: &[u8], part: &[u8]) -> bool {
    let first = part[0];
    let begins = bytes.iter().enumerate().filter(|(_, byte)| **byte == first);
    begins.map(|(at, _)| &bytes[at..]).any(|rest| rest.starts_with(part))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A library with this build's stamp in a folder of its own, and its owner.
    fn library() -> (tempfile::TempDir, PathBuf, u32) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("libplugin.so");
        fs::write(&path, [b"code".as_slice(), &stamp(), b"code"].concat()).unwrap();
        let owner = fs::metadata(&path).unwrap().uid();
        (folder, path, owner)
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_library_of_this_build_in_a_private_folder_is_trusted() {
        let (_folder, path, owner) = library();
        assert_eq!(check(&path, owner).unwrap(), path.canonicalize().unwrap());
    }

    #[test]
    fn what_others_may_write_is_refused_wherever_it_is() {
        let (folder, path, owner) = library();
        let above = folder.path().join("above");
        let below = above.join("below");
        fs::create_dir_all(&below).unwrap();
        let moved = below.join("libplugin.so");
        fs::rename(&path, &moved).unwrap();
        for (place, mode) in [(&moved, 0o666), (&below, 0o777), (&below, 0o1777), (&above, 0o777)] {
            let before = fs::metadata(place).unwrap().mode();
            chmod(place, mode);
            let error = check(&moved, owner).unwrap_err();
            assert!(matches!(&error, Error::Exposed { .. }), "{place:?} {mode:o}: {error}");
            assert!(error.to_string().contains("chmod go-w"), "{error}");
            chmod(place, before);
        }
        chmod(&above, 0o1777);
        assert!(check(&moved, owner).is_ok(), "a sticky folder further up protects what is in it");
    }

    #[test]
    fn a_library_of_another_user_is_refused() {
        let (_folder, path, owner) = library();
        if owner != ROOT {
            assert!(matches!(check(&path, owner + 1), Err(Error::Exposed { .. })));
        }
    }

    #[test]
    fn a_library_of_another_build_is_refused_unloaded() {
        let (_folder, path, owner) = library();
        fs::write(&path, "not of this build").unwrap();
        assert!(matches!(check(&path, owner), Err(Error::Foreign(_))));
    }
}
