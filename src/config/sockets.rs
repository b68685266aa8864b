//! The folder of the sockets on which dashboards of this user can be looked at: one that nobody else may write.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::process::getuid;

/// The ending of a socket's name, after the number of its process.
const ENDING: &str = "sock";

/// The permissions of everybody but the owner, and those of them that let others write.
const OTHERS: u32 = 0o077;
const OTHERS_WRITE: u32 = 0o022;

/// A socket that a process of this user listens at, or listened at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    /// The number of the process.
    pub process: u32,
    /// The socket itself.
    pub path: PathBuf,
}

impl Socket {
    /// The socket of a process. Fails where there is no folder for it that is this user's alone.
    pub fn of(process: u32) -> io::Result<Self> {
        Ok(Self { process, path: folder()?.join(format!("{process}.{ENDING}")) })
    }

    /// All sockets of this user, by the number of their process.
    pub fn all() -> io::Result<Vec<Self>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder()?)? {
            let path = entry?.path();
            let process = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
            if let (Some(process), true) = (process, path.extension().is_some_and(|ending| ending == ENDING))
            {
                found.push(Self { process, path });
            }
        }
        found.sort_by_key(|socket| socket.process);
        Ok(found)
    }
}

/// The folder, which is made if it is not there: the system's folder for a user's sockets, or else one of the temporary
/// files. Fails if somebody else may write it.
fn folder() -> io::Result<PathBuf> {
    let user = getuid().as_raw();
    let of_user = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = match of_user {
        Some(folder) if is_own(&folder, user, OTHERS_WRITE) => folder.join("trepang"),
        _ => std::env::temp_dir().join(format!("trepang-{user}")),
    };
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    if is_own(&folder, user, OTHERS) {
        return Ok(folder);
    }
    let reason = format!("{} is not a folder that only this user may use", folder.display());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, reason))
}

/// Whether a path is a folder, no link, of this user, with none of these permissions.
fn is_own(path: &Path, user: u32, without: u32) -> bool {
    let meta = fs::symlink_metadata(path);
    meta.is_ok_and(|meta| meta.is_dir() && meta.uid() == user && meta.mode() & without == 0)
}
