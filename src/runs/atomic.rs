//! Whole files or none: a temporary file beside the target, fsync, rename. A link is followed to the file that it names,
//! and nothing is ever written through a link that somebody else has put in place of the temporary file.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::error::{Error, Result};

/// The longest name of a file in bytes, on every file system that Linux and macOS are installed on.
const MAX_NAME_BYTES: usize = 255;

/// The most links that are followed, as in the kernel.
const MAX_LINKS: usize = 40;

/// Folders whose files are not on any disk, and the one below them that is a memory disk for everybody.
const SYSTEM_FOLDERS: [&str; 3] = ["/proc", "/sys", "/dev"];
const SHARED_MEMORY: &str = "/dev/shm";

/// The system's view of processes and of what they have open.
const PROCESSES: &str = "/proc";

/// The permissions of a new file, before the process's umask is applied.
const NEW_FILE_MODE: u32 = 0o666;

/// Writes `bytes` to `path`, replacing a regular file that is there, whose permissions stay. If `path` is a link, the file
/// that it points to is written. On an error the old file is untouched and nothing is left beside it. Fails for anything
/// that is no regular file, and for files of the system such as `/proc/self/mem`.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let target = check_target(path)?;
    replace(&target, bytes, Wait::Disk).map_err(|source| Error::Write { path: path.into(), source })?;
    sync_folder(&target);
    Ok(())
}

/// The moment at which a file counts as written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// It is on the disk: a power cut cannot undo it.
    Disk,
    /// Every process sees it. After a power cut it may be empty on some file systems.
    System,
}

/// Writes a file of a run's folder. A link of that name is replaced, and what it points to stays as it is: a folder from
/// somebody else may hold one.
pub(super) fn write_own(path: &Path, bytes: &[u8]) -> Result<()> {
    let place = replace_own(path, bytes, Wait::Disk)?;
    sync_folder(&place);
    Ok(())
}

/// The same without waiting for the disk.
pub(super) fn write_own_quickly(path: &Path, bytes: &[u8]) -> Result<()> {
    replace_own(path, bytes, Wait::System).map(drop)
}

fn replace_own(path: &Path, bytes: &[u8], wait: Wait) -> Result<PathBuf> {
    let failed = |source| Error::Write { path: path.into(), source };
    let folder = path.parent().unwrap_or(Path::new("."));
    let place = folder.canonicalize().map_err(failed)?.join(path.file_name().unwrap_or_default());
    if fs::symlink_metadata(&place).is_ok_and(|meta| !meta.is_file() && !meta.is_symlink()) {
        return Err(Error::NotRegular { path: path.into() });
    }
    replace(&place, bytes, wait).map_err(failed)?;
    Ok(place)
}

/// The file that [`write`](fn@write) would replace or create for `path`: links are followed. Fails for everything that it would
/// refuse before it writes.
pub fn check_target(path: &Path) -> Result<PathBuf> {
    let failed = |source| Error::Write { path: path.into(), source };
    let target = follow(path).map_err(failed)?;
    let name = target.file_name().map_or(0, OsStr::len);
    if name > MAX_NAME_BYTES {
        return Err(Error::NameTooLong { path: path.into(), limit: MAX_NAME_BYTES });
    }
    let is_system = SYSTEM_FOLDERS.iter().any(|folder| target.starts_with(folder));
    if fs::metadata(&target).is_ok_and(|meta| !meta.is_file()) {
        return Err(Error::NotRegular { path: path.into() });
    }
    if is_system && !target.starts_with(SHARED_MEMORY) {
        return Err(Error::NoDisk { path: path.into() });
    }
    Ok(target)
}

/// The file that a path names in the end, also where that does not exist yet.
fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.canonicalize()?,
            _ => Path::new(".").canonicalize()?,
        };
        let Some(name) = path.file_name() else { return path.canonicalize() };
        let place = folder.join(name);
        if place.starts_with(PROCESSES) {
            // A link there stands for what a process has open. A file that takes its place would not be what is open.
            return Ok(place);
        }
        match fs::read_link(&place) {
            Ok(next) => path = folder.join(next),
            Err(_) => return Ok(place),
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "too many links"))
}

fn replace(target: &Path, bytes: &[u8], wait: Wait) -> io::Result<()> {
    let folder = target.parent().unwrap_or(Path::new("/"));
    let before =
        fs::symlink_metadata(target).ok().filter(fs::Metadata::is_file).map(|meta| meta.permissions());
    let mut temporary = tempfile::Builder::new()
        .prefix(&prefix(target))
        .suffix(".part")
        .permissions(Permissions::from_mode(NEW_FILE_MODE))
        .tempfile_in(folder)?;
    temporary.write_all(bytes)?;
    if let Some(before) = before {
        temporary.as_file().set_permissions(before)?;
    }
    if wait == Wait::Disk {
        temporary.as_file().sync_all()?;
    }
    temporary.persist(target).map_err(|error| error.error)?;
    Ok(())
}

/// The beginning of a hidden name, which says whose file it is: of which target, and of which process on which machine.
/// `tempfile` adds random characters and creates the file only if there is none.
fn prefix(target: &Path) -> String {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let short: String = name.chars().take(48).collect();
    let system = rustix::system::uname();
    let host: String = system.nodename().to_string_lossy().chars().take(32).collect();
    format!(".{short}.{host}-{}-", std::process::id())
}

/// Makes the rename itself durable, where the system can; the file is whole either way.
fn sync_folder(path: &Path) {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn count(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn a_failed_write_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("picture.png");
        fs::create_dir(&target).unwrap();
        assert!(write(&target, b"new").unwrap_err().to_string().ends_with("is not a regular file"));
        let error = write(&folder.path().join("missing/picture.png"), b"new").unwrap_err();
        assert!(error.to_string().starts_with("cannot write"), "{error}");
        assert_eq!(count(folder.path()), 1);
    }

    #[test]
    fn a_file_is_replaced_whole_and_keeps_its_permissions() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("manifest.json");
        write(&target, b"a long first version").unwrap();
        fs::set_permissions(&target, Permissions::from_mode(0o640)).unwrap();
        write(&target, b"short").unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"short");
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(count(folder.path()), 1);
    }

    #[test]
    fn a_link_stays_and_the_file_behind_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let (link, target) = (folder.path().join("link.png"), folder.path().join("deep/target.png"));
        fs::create_dir(folder.path().join("deep")).unwrap();
        symlink("deep/target.png", &link).unwrap();
        for content in [b"first", b"again"] {
            write(&link, content).unwrap();
            assert_eq!(fs::read(&target).unwrap(), content);
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        }
        let circle = folder.path().join("circle");
        symlink("circle", &circle).unwrap();
        assert!(write(&circle, b"x").unwrap_err().to_string().starts_with("cannot write"));
    }

    #[test]
    fn a_link_among_a_runs_own_files_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (victim, own) = (folder.path().join("victim"), folder.path().join("manifest.json"));
        fs::write(&victim, "precious").unwrap();
        symlink(&victim, &own).unwrap();
        for content in [b"first", b"again"] {
            write_own(&own, content).unwrap();
            assert_eq!(fs::read(&own).unwrap(), content);
            assert!(fs::symlink_metadata(&own).unwrap().is_file());
        }
        assert_eq!(fs::read(&victim).unwrap(), b"precious");
        fs::remove_file(&own).unwrap();
        fs::create_dir(&own).unwrap();
        assert!(write_own(&own, b"x").unwrap_err().to_string().ends_with("is not a regular file"));
    }

    #[test]
    fn a_link_in_the_temporary_files_place_is_never_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (victim, target) = (folder.path().join("victim"), folder.path().join("a.png"));
        fs::write(&victim, "precious").unwrap();
        // The name that an earlier version would have used.
        symlink(&victim, folder.path().join(format!(".a.png.{}.part", std::process::id()))).unwrap();
        write(&target, b"picture").unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"precious");
    }

    #[test]
    fn files_of_the_system_and_names_too_long_are_refused() {
        for path in ["/proc/self/comm", "/dev/null", "/dev/trepang.png", "/sys/trepang.png"] {
            let Err(error) = write(Path::new(path), b"x") else { panic!("{path} was written") };
            assert!(error.to_string().contains(path), "{error}");
        }
        let folder = tempfile::tempdir().unwrap();
        // What a process has open is not replaced either, though it is a regular file.
        let open = File::create(folder.path().join("open")).unwrap();
        let descriptor = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&open));
        let link = folder.path().join("link");
        symlink(&descriptor, &link).unwrap();
        for path in [Path::new(&descriptor), &link] {
            assert!(write(path, b"x").unwrap_err().to_string().contains("not on a disk"));
        }
        let long = folder.path().join("x".repeat(256));
        assert!(write(&long, b"x").unwrap_err().to_string().contains("255"));
        write(&folder.path().join("x".repeat(255)), b"x").unwrap();
    }
}
