//! An advisory lock beside a file, so that only one process pulls the file at a time and the others wait. The system
//! releases it when the process ends, by a kill too. Programs that do not use the lock are not stopped by it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::part::beside;
use super::{Error, Event, PullOptions, PullProgress, Result};

/// The time between two looks at a lock that another process holds.
const LOCK_POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The most bytes that are read of what a holder wrote about itself.
const MAX_HOLDER_BYTES: u64 = 200;

/// The lock of one target, which is held until this value is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Takes the lock beside `target`, whose folder is created. Waits as long as another process holds it, and fails if
    /// the user stops the wait. Tells whether there was a wait.
    pub(crate) fn wait(
        target: &Path,
        options: &PullOptions,
        progress: &mut dyn PullProgress,
    ) -> Result<(Self, bool)> {
        if let Some(folder) = target.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|source| Error::io("make the folder", folder, source))?;
        }
        let path = beside(target, ".lock");
        let mut waited = false;
        loop {
            let mut file = open(&path)?;
            match file.try_lock() {
                Ok(()) if is_at(&file, &path) => {
                    sign(&mut file);
                    return Ok((Self { path, _file: file }, waited));
                }
                Ok(()) => {} // its owner removed it after we opened it: create a new one
                Err(TryLockError::WouldBlock) => {
                    let holder = holder(&mut file);
                    if options.stopped() {
                        return Err(Error::StoppedWaiting { holder });
                    }
                    if !waited {
                        progress.event(Event::Waiting { holder: &holder });
                    }
                    waited = true;
                    options.sleep(LOCK_POLL_INTERVAL);
                }
                Err(TryLockError::Error(source)) => return Err(Error::NoLocks { lock: path, source }),
            }
        }
    }
}

fn open(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create(true).truncate(false).open(path);
    file.map_err(|source| Error::io("open", path, source))
}

/// Writes into the lock who holds it, for those who wait. Nobody depends on it, so a failure does not matter.
fn sign(file: &mut File) {
    // The name of the machine matters where a cluster's machines share a folder; other systems than Linux leave it out.
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = Some(host.trim()).filter(|host| !host.is_empty()).map(|host| format!(" on {host}"));
    let holder = format!("process {}{}", std::process::id(), host.unwrap_or_default());
    let _ = file.set_len(0).and_then(|()| file.write_all(holder.as_bytes()));
}

/// The holder of the lock, in printable characters; `another process` if the holder has not said it yet.
fn holder(file: &mut File) -> String {
    let mut text = Vec::new();
    let _ = file.take(MAX_HOLDER_BYTES).read_to_end(&mut text);
    let text: String = String::from_utf8_lossy(&text).chars().filter(|c| !c.is_control()).collect();
    if text.starts_with("process ") { text } else { "another process".into() }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The file is removed while the lock is held, and only where `is_at` can detect a removed lock file.
        if cfg!(unix) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether the open file is still the one that the path names.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let named = fs::metadata(path).map(|meta| (meta.dev(), meta.ino()));
    let open = file.metadata().map(|meta| (meta.dev(), meta.ino()));
    matches!((named, open), (Ok(named), Ok(open)) if named == open)
}

/// On other systems, a lock file is never removed.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records who was waited for, and then requests a stop or releases the lock, if it has one or the other.
    #[derive(Default)]
    struct WaitRecorder {
        holders: Vec<String>,
        stop: Option<PullOptions>,
        held: Option<Lock>,
    }

    impl PullProgress for WaitRecorder {
        fn event(&mut self, event: Event<'_>) {
            if let Event::Waiting { holder } = event {
                self.holders.push(holder.into());
                self.held = None;
                if let Some(options) = &self.stop {
                    options.stop.store(2, std::sync::atomic::Ordering::SeqCst);
                }
            }
        }
    }

    fn take(target: &Path, recorder: &mut WaitRecorder) -> Result<bool> {
        let options = recorder.stop.clone().unwrap_or_default();
        Lock::wait(target, &options, recorder).map(|(_, waited)| waited)
    }

    #[test]
    fn a_lock_leaves_nothing_and_the_next_need_not_wait() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("new/vgg.h5");
        for _ in 0..2 {
            assert!(!take(&target, &mut WaitRecorder::default()).unwrap());
        }
        assert_eq!(fs::read_dir(target.parent().unwrap()).unwrap().count(), usize::from(!cfg!(unix)));
    }

    #[test]
    fn a_held_lock_is_waited_for_and_its_holder_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("vgg.h5");
        let (lock, _) = Lock::wait(&target, &PullOptions::default(), &mut WaitRecorder::default()).unwrap();
        let mut recorder = WaitRecorder { held: Some(lock), ..WaitRecorder::default() };
        assert!(take(&target, &mut recorder).unwrap());
        let [holder] = &recorder.holders[..] else { panic!("{:?}", recorder.holders) };
        assert!(holder.starts_with(&format!("process {}", std::process::id())), "{holder}");
    }

    #[test]
    fn a_stop_ends_the_wait_for_a_lock() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("vgg.h5");
        let _lock = Lock::wait(&target, &PullOptions::default(), &mut WaitRecorder::default()).unwrap();
        let mut recorder = WaitRecorder { stop: Some(PullOptions::default()), ..WaitRecorder::default() };
        let error = take(&target, &mut recorder).unwrap_err().to_string();
        assert!(error.starts_with("stopped while waiting for another pull"), "{error}");
    }

    #[test]
    fn the_lock_file_of_a_killed_process_does_not_block() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("vgg.h5");
        fs::write(beside(&target, ".lock"), "process 1 on elsewhere").unwrap();
        assert!(!take(&target, &mut WaitRecorder::default()).unwrap());
    }
}
