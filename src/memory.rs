//! The memory that work may take: what is free on this machine, and in the control group that a container or a batch system
//! gives the process.

use std::fmt::Display;
use std::fs;
use std::path::Path;

use rustix::param::page_size;
use rustix::process::{Resource, getrlimit};
use trepang_api::{Device, DeviceKind, printable};

/// The variable that says how much memory may be used, in MB, in place of what is found.
pub(crate) const VARIABLE: &str = "TREPANG_MEMORY";

/// A value of [`VARIABLE`] that is no number of MB.
#[derive(Debug, thiserror::Error)]
#[error("{VARIABLE} is \"{0}\", which is no number of MB")]
pub(crate) struct UnknownMemory(String);

/// A picture that takes more memory than there is.
#[derive(Debug, thiserror::Error)]
#[error(
    "a picture of {size} px takes about {needed} MB of memory, and {free} MB are free: choose a smaller --size, or set \
     {VARIABLE} to the MB that may be used"
)]
pub(crate) struct NoRoom {
    size: String,
    needed: u64,
    free: u64,
}

/// Fails if a picture of this size that takes `needed` bytes is too large for those that are free, where that is known.
pub(crate) fn check_room(size: impl Display, needed: u64, free: Option<u64>) -> Result<(), NoRoom> {
    let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
    match free.filter(|free| needed > *free) {
        Some(free) => {
            Err(NoRoom { size: size.to_string(), needed: megabytes(needed), free: megabytes(free) })
        }
        None => Ok(()),
    }
}

/// Bytes that work on a device may take: what is free on the host, or on a GPU when it was looked up. None if the system does
/// not say. Fails if the variable is set to something else than a number.
pub(crate) fn available(device: &Device) -> Result<Option<u64>, UnknownMemory> {
    if let Some(text) = std::env::var_os(VARIABLE).filter(|text| !text.is_empty()) {
        return allowed(&text.to_string_lossy()).map(Some);
    }
    Ok(match device.kind {
        DeviceKind::Cpu => free_in(Path::new("/")).into_iter().chain(left_to_process()).min(),
        DeviceKind::Cuda | DeviceKind::Metal | DeviceKind::Mps => device.free.or(device.memory),
    })
}

/// Gives memory that was freed back to the system. glibc keeps it otherwise where something in use lies behind it, and large pieces
/// that are freed and asked for again come to lie there.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "the allocator has no safe interface for it")]
pub(crate) fn give_back() {
    // SAFETY: it may be called at any time by any thread, and leaves alone what is in use.
    unsafe { libc::malloc_trim(0) };
}

/// Other allocators give memory back by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn give_back() {}

/// The bytes of a value of the variable.
fn allowed(text: &str) -> Result<u64, UnknownMemory> {
    let megabytes: u64 = text.trim().parse().map_err(|_| UnknownMemory(printable(text).into_owned()))?;
    Ok(megabytes.saturating_mul(1_000_000))
}

/// The same for the host whose files are under `root`.
fn free_in(root: &Path) -> Option<u64> {
    let free = meminfo(&fs::read_to_string(root.join("proc/meminfo")).ok()?, "MemAvailable:")?;
    let group = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let of_groups = group.lines().filter_map(|line| free_in_group(root, line));
    Some(of_groups.fold(free, u64::min))
}

/// Bytes that the process may still take of its limits on address space (`ulimit -v`) and data (`ulimit -d`); none without a
/// limit.
fn left_to_process() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let used = |column| Some(statm.split_whitespace().nth(column)?.parse::<u64>().ok()? * page_size() as u64);
    // The columns of /proc/self/statm that the system holds against each limit: all of the address space; data and stack.
    let limits = [(Resource::As, 0), (Resource::Data, 5)];
    let left = limits
        .into_iter()
        .filter_map(|(resource, column)| Some(getrlimit(resource).current?.saturating_sub(used(column)?)));
    left.min()
}

/// A line of `/proc/meminfo` in bytes.
fn meminfo(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// Bytes that the group in a line of `/proc/self/cgroup` (`hierarchy:controllers:path`), and the groups around it, leave of
/// their limits.
fn free_in_group(root: &Path, line: &str) -> Option<u64> {
    let mut parts = line.splitn(3, ':');
    let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
    let (base, limit, used) = if controllers.is_empty() {
        ("sys/fs/cgroup", "memory.max", "memory.current")
    } else if controllers.split(',').any(|name| name == "memory") {
        ("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes")
    } else {
        return None;
    };
    let read =
        |folder: &Path, file: &str| fs::read_to_string(folder.join(file)).ok()?.trim().parse::<u64>().ok();
    let base = root.join(base);
    let own = base.join(path.trim_start_matches('/'));
    let groups = own.ancestors().take_while(|folder| folder.starts_with(&base));
    let free =
        |folder: &Path| Some(read(folder, limit)?.saturating_sub(without_cache(folder, read(folder, used)?)));
    groups.filter_map(free).min()
}

/// Bytes that a group uses, less the cached files that it gives back when memory is short.
fn without_cache(group: &Path, used: u64) -> u64 {
    let stat = fs::read_to_string(group.join("memory.stat")).unwrap_or_default();
    let of = |key: &str| {
        let line = stat.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
        line.and_then(|number| number.trim().parse::<u64>().ok())
    };
    used.saturating_sub(of("inactive_file").or_else(|| of("total_inactive_file")).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine with these files.
    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    const MEMINFO: (&str, &str) =
        ("proc/meminfo", "MemTotal:  16000 kB\nMemFree: 100 kB\nMemAvailable:    8000 kB\n");

    #[test]
    fn what_is_free_is_the_least_of_machine_and_groups() {
        let alone = machine(&[MEMINFO]);
        assert_eq!(free_in(alone.path()), Some(8000 * 1024));
        let version2 = machine(&[
            MEMINFO,
            ("proc/self/cgroup", "0::/job/step\n"),
            ("sys/fs/cgroup/job/memory.max", "5000000\n"),
            ("sys/fs/cgroup/job/memory.current", "2000000\n"),
            ("sys/fs/cgroup/job/memory.stat", "anon 1500000\ninactive_file 500000\n"),
            ("sys/fs/cgroup/job/step/memory.max", "max\n"),
            ("sys/fs/cgroup/job/step/memory.current", "2000000\n"),
        ]);
        assert_eq!(free_in(version2.path()), Some(3_500_000));
        let version1 = machine(&[
            MEMINFO,
            ("proc/self/cgroup", "5:cpu:/a\n4:memory:/a\n"),
            ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9000\n"),
            ("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "10000\n"),
        ]);
        assert_eq!(free_in(version1.path()), Some(0));
        assert_eq!(free_in(machine(&[]).path()), None);
    }

    #[test]
    fn a_bound_is_a_number_of_megabytes() {
        assert_eq!(allowed(" 20 ").unwrap(), 20_000_000);
        assert_eq!(allowed("99999999999999999").unwrap(), u64::MAX);
        for text in ["lots", "-1", "1.5", "2 GB"] {
            let error = allowed(text).unwrap_err().to_string();
            assert!(error.contains(text) && error.contains("TREPANG_MEMORY"), "{error}");
        }
    }

    #[test]
    fn a_gpu_has_its_own() {
        let gpu = Device { memory: Some(7), ..Device::new(DeviceKind::Cuda, 0, "") };
        assert_eq!(available(&gpu).unwrap(), Some(7));
        assert_eq!(available(&Device { free: Some(5), ..gpu }).unwrap(), Some(5));
    }
}
