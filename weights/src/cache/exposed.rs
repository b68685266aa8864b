//! Whether everybody may put another file in the place of a path. A hash of a few digits does not protect against who means
//! to, since a file with such a hash can be made.

use std::io;
use std::path::Path;

/// Whether everybody may write the file or a folder above it. In a sticky folder, as `/tmp`, only the owner of an entry can
/// replace it, so an entry of this user's or of root's is safe there. Fails for a path that leads nowhere.
#[cfg(unix)]
pub(crate) fn is_exposed(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    const EVERYBODY_WRITES: u32 = 0o002;
    const STICKY: u32 = 0o1000;
    let trusted = [0, rustix::process::geteuid().as_raw()];
    let mut is_own = false;
    for (distance, place) in path.canonicalize()?.ancestors().enumerate() {
        let found = std::fs::metadata(place)?;
        let protects = distance > 0 && found.mode() & STICKY != 0 && is_own;
        if found.mode() & EVERYBODY_WRITES != 0 && !protects {
            return Ok(true);
        }
        is_own = trusted.contains(&found.uid());
    }
    Ok(false)
}

/// Files have no such modes here.
#[cfg(not(unix))]
pub(crate) fn is_exposed(_: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn what_everybody_may_write_is_exposed_wherever_it_is() {
        use std::fs::{self, Permissions};
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let [outer, inner] = ["outer", "outer/inner"].map(|name| folder.path().join(name));
        fs::create_dir_all(&inner).unwrap();
        let file = inner.join("vgg.pth");
        fs::write(&file, "bytes").unwrap();
        let chmod = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        let [own, all] = [0o755, 0o777];
        for (modes, exposed) in [
            ([own, own, 0o644], false),
            ([own, own, 0o664], false),
            ([own, own, 0o666], true),
            ([own, all, 0o644], true),
            ([all, own, 0o644], true),
            ([0o1777, own, 0o644], false),
            ([own, 0o1777, 0o644], false),
        ] {
            for (place, mode) in [&outer, &inner, &file].into_iter().zip(modes) {
                chmod(place, mode);
            }
            assert_eq!(is_exposed(&file).unwrap(), exposed, "{modes:?}");
        }
        std::os::unix::fs::symlink(&file, folder.path().join("link.pth")).unwrap();
        chmod(&outer, all);
        assert!(is_exposed(&folder.path().join("link.pth")).unwrap(), "a link leads to it");
        assert!(is_exposed(&folder.path().join("nowhere.pth")).is_err());
    }
}
