//! `trepang devices`: every backend and device, and whether it computes known gradients rightly here.

use anyhow::Result;
use serde::Serialize;
use trepang_api::{Backend, Device, DeviceKind};

use super::output;
use crate::backends::{ABSENT, BACKENDS};
use crate::config::args::DevicesArgs;
use crate::config::thread_count;
use crate::panics::guard;
use crate::parity::known_gradients;

#[derive(Serialize)]
struct Listed {
    backend: String,
    /// None of a backend that cannot be used.
    device: Option<String>,
    description: String,
    /// Bytes: the device's own, or the host's.
    memory: Option<u64>,
    works: bool,
    /// Why not, if it does not.
    error: Option<String>,
}

pub(super) fn run(args: &DevicesArgs) -> Result<()> {
    let mut listed = Vec::new();
    for entry in BACKENDS {
        match entry.open(thread_count(args.threads)) {
            Ok(backend) => {
                listed.extend(backend.devices().iter().map(|device| try_out(backend.as_ref(), device)));
            }
            Err(error) => listed.push(unusable(entry.name, &error)),
        }
    }
    if args.json {
        return output::json(&listed);
    }
    for Listed { backend, device, description, memory, error, .. } in &listed {
        let device = device.as_deref().unwrap_or("-");
        let memory = memory.map_or(String::new(), |bytes| format!("{} MB", bytes / 1_000_000));
        let verdict = error.as_ref().map_or("works".into(), |error| format!("does not work: {error}"));
        output::line(format_args!("{backend:<10} {device:<8} {memory:>10}  {verdict}  {description}"))?;
    }
    if ABSENT.is_empty() {
        Ok(())
    } else {
        output::line(format_args!("not in this build: {} (see README.md)", ABSENT.join(", ")))
    }
}

fn unusable(backend: &str, error: &anyhow::Error) -> Listed {
    Listed {
        backend: backend.into(),
        device: None,
        description: String::new(),
        memory: None,
        works: false,
        error: Some(format!("{error:#}")),
    }
}

fn try_out(backend: &dyn Backend, device: &Device) -> Listed {
    let error = guard("the backend", || known_gradients(backend, device)).err();
    let memory = if device.kind == DeviceKind::Cpu { host_memory() } else { device.memory };
    Listed {
        backend: backend.name().into(),
        device: Some(device.to_string()),
        description: device.description.clone(),
        memory,
        works: error.is_none(),
        error: error.map(|error| format!("{error:#}")),
    }
}

/// Bytes of memory of this machine, where the system tells.
#[allow(clippy::unnecessary_wraps, reason = "other systems do not tell")]
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
