//! Which backend, and which of its devices: from names to what is on this machine.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use anyhow::Result;
use trepang_api::{Backend, Device, DeviceKind, excerpt, find_device};

use super::Usage;
use super::args::ComputeArgs;
use crate::backends::{BACKENDS, Entry};

/// The device if nobody says otherwise: the first GPU, or else the CPU.
const AUTO: &str = "auto";

/// The most threads that are used without being asked for, which is also the most that `--threads` takes.
pub(super) const MAX_THREADS: usize = 1024;

/// The backend and the device that `args` name. Without a backend, `auto` is the first GPU of any backend or else the
/// CPU of the first one, and another device is that of the first backend that has it.
pub fn find_place(args: &ComputeArgs) -> Result<(Box<dyn Backend>, Device)> {
    let threads = thread_count(args.threads);
    match (args.backend.as_deref(), args.device.as_deref().unwrap_or(AUTO)) {
        (Some(name), device) => open(find_entry(name)?, device, threads),
        (None, AUTO) => {
            let seeking = BACKENDS.iter().filter(|entry| (entry.seeks_gpus)());
            // A backend that cannot be used is told of where it is asked for by its name.
            let gpu = first_gpu(seeking.filter_map(|entry| entry.open(threads).ok()));
            gpu.map_or_else(|| open(&BACKENDS[0], AUTO, threads), Ok)
        }
        (None, device) => first_with(device, threads),
    }
}

/// Whether the backend called `name` can be used here and has this device.
pub fn has_device(name: &str, device: &str) -> bool {
    find_entry(name).and_then(|entry| open(entry, device, 1)).is_ok()
}

fn open(entry: &Entry, device: &str, threads: usize) -> Result<(Box<dyn Backend>, Device)> {
    let backend = entry.open(threads)?;
    let device = find_device(backend.as_ref(), device)?;
    Ok((backend, device))
}

fn first_gpu(mut backends: impl Iterator<Item = Box<dyn Backend>>) -> Option<(Box<dyn Backend>, Device)> {
    backends.find_map(|backend| {
        let gpu = backend.devices().into_iter().find(|device| device.kind != DeviceKind::Cpu)?;
        Some((backend, gpu))
    })
}

/// The backend called `name`.
pub fn find_entry(name: &str) -> Result<&'static Entry> {
    let found = BACKENDS.iter().find(|entry| entry.name == name);
    found.ok_or_else(|| {
        let known = BACKENDS.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ");
        let name = excerpt(name);
        Usage(format!("there is no backend \"{name}\" in this build; it has: {known}")).into()
    })
}

fn first_with(device: &str, threads: usize) -> Result<(Box<dyn Backend>, Device)> {
    let mut there = Vec::new();
    for entry in BACKENDS {
        let backend = match entry.open(threads) {
            Ok(backend) => backend,
            Err(error) => {
                there.push(format!("{error:#}"));
                continue;
            }
        };
        if let Ok(device) = find_device(backend.as_ref(), device) {
            return Ok((backend, device));
        }
        let devices = backend.devices().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        there.push(format!("{} has {devices}", entry.name));
    }
    Err(Usage(format!("there is no device \"{device}\" here: {}", there.join("; "))).into())
}

/// The number of compute threads: what was asked for, or one for each core this process may use.
pub fn thread_count(asked: Option<u16>) -> usize {
    let cores = || available_parallelism().map_or(1, NonZeroUsize::get).min(MAX_THREADS);
    asked.map_or_else(cores, usize::from)
}

#[cfg(test)]
mod tests {
    use trepang_api::{Model, Network, Weights};

    use super::*;

    /// A backend that has devices and computes nothing.
    #[derive(Debug)]
    struct Listing(&'static str, Vec<DeviceKind>);

    impl Backend for Listing {
        fn name(&self) -> &'static str {
            self.0
        }

        fn devices(&self) -> Vec<Device> {
            let device = |&kind| Device::new(kind, 0, "");
            self.1.iter().map(device).collect()
        }

        fn threads(&self) -> usize {
            1
        }

        fn load(&self, _: &Network, _: &Weights, _: &Device) -> trepang_api::Result<Box<dyn Model>> {
            unreachable!("nothing is loaded")
        }
    }

    #[test]
    fn auto_is_the_first_gpu_of_any_backend() {
        use DeviceKind::{Cpu, Cuda, Mps};
        let found = |kinds: [&[DeviceKind]; 3]| {
            let names = ["a", "b", "c"].into_iter().zip(kinds);
            let backends =
                names.map(|(name, kinds)| Box::new(Listing(name, kinds.to_vec())) as Box<dyn Backend>);
            first_gpu(backends).map(|(backend, device)| format!("{} on {device}", backend.name()))
        };
        assert_eq!(found([&[Cpu], &[Cpu, Mps], &[Cpu, Cuda]]), Some("b on mps:0".into()));
        assert_eq!(found([&[Cpu], &[], &[Cpu, Cuda]]), Some("c on cuda:0".into()));
        assert_eq!(found([&[Cpu], &[Cpu], &[]]), None);
    }
}
