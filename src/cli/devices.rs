//! `trepang devices`: lists every backend and device, and checks that each one computes known gradients correctly.

use anyhow::Result;
use serde::Serialize;
use trepang_api::{Backend, Device, DeviceKind};

use super::output;
use crate::backends::{ABSENT, BACKENDS};
use crate::config::args::DevicesArgs;
use crate::config::thread_count;
use crate::panics::guard;
use crate::parity::known_gradients;

/// A device in the list, for `--json`.
#[derive(Serialize)]
struct DeviceListing {
    backend: String,
    /// The device as users type it; none for a backend that cannot be used.
    device: Option<String>,
    description: String,
    /// The arithmetic of its sums of products; none for a backend that cannot be used.
    precision: Option<&'static str>,
    /// A GPU's own number, as `--device` takes it too.
    uuid: Option<String>,
    /// The memory of the device, or of the host for a CPU, in bytes.
    memory: Option<u64>,
    /// The bytes of a GPU's memory that no program has taken.
    free: Option<u64>,
    works: bool,
    /// The reason, if it does not work.
    error: Option<String>,
}

pub(super) fn run(args: &DevicesArgs) -> Result<()> {
    let mut listed = Vec::new();
    for entry in BACKENDS {
        match entry.open(thread_count(args.threads)) {
            Ok(backend) => {
                listed.extend(backend.devices().iter().map(|device| check_device(backend.as_ref(), device)));
            }
            Err(error) => listed.push(unusable(entry.name, &error)),
        }
    }
    if args.json {
        return output::json(&listed);
    }
    for DeviceListing { backend, device, description, memory, error, .. } in &listed {
        let device = device.as_deref().unwrap_or("-");
        let memory = memory.map_or(String::new(), |bytes| format!("{} MB", bytes / 1_000_000));
        let verdict = error.as_ref().map_or("works".into(), |error| format!("does not work: {error}"));
        output::line(format_args!("{backend:<10} {device:<8} {memory:>10}  {verdict}  {description}"))?;
    }
    if ABSENT.is_empty() {
        Ok(())
    } else {
        output::line(format_args!("not in this build: {} (see docs/backends.md)", ABSENT.join(", ")))
    }
}

fn unusable(backend: &str, error: &anyhow::Error) -> DeviceListing {
    DeviceListing {
        backend: backend.into(),
        device: None,
        description: String::new(),
        precision: None,
        uuid: None,
        memory: None,
        free: None,
        works: false,
        error: Some(format!("{error:#}")),
    }
}

fn check_device(backend: &dyn Backend, device: &Device) -> DeviceListing {
    let error = guard("the backend", || known_gradients(backend, device)).err();
    let memory = if device.kind == DeviceKind::Cpu { host_memory() } else { device.memory };
    DeviceListing {
        backend: backend.name().into(),
        device: Some(device.to_string()),
        description: device.description.clone(),
        precision: Some(device.precision.name()),
        uuid: device.uuid.clone(),
        memory,
        free: device.free,
        works: error.is_none(),
        error: error.map(|error| format!("{error:#}")),
    }
}

/// The memory of this machine in bytes, if the system reports it.
#[allow(clippy::unnecessary_wraps, reason = "other systems do not report it")]
fn host_memory() -> Option<u64> {
    #[cfg(target_os = "linux")]
    {
        let info = rustix::system::sysinfo();
        let unit = u64::from(info.mem_unit);
        #[allow(clippy::useless_conversion, reason = "it is a u32 on 32-bit systems")]
        Some(u64::from(info.totalram) * unit)
    }
    #[cfg(not(target_os = "linux"))]
    None
}
