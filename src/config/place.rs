//! Which backend, and which of its devices: from names to what is on this machine.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use anyhow::Result;
use trepang_api::{Backend, Device, find_device};

use super::Usage;
use super::args::ComputeArgs;
use crate::backends::{BACKENDS, Entry};

/// The device if nobody says otherwise: the backend's best.
const AUTO: &str = "auto";

/// What `args` name. Without a backend it is the first of this build, or the first that has the device asked for.
pub fn find_place(args: &ComputeArgs) -> Result<(Box<dyn Backend>, Device)> {
    let threads = thread_count(args.threads);
    let device = args.device.as_deref().unwrap_or(AUTO);
    let entry = match args.backend.as_deref() {
        Some(name) => find_entry(name)?,
        None if device == AUTO => &BACKENDS[0],
        None => return first_with(device, threads),
    };
    let backend = entry.open(threads)?;
    let device = find_device(backend.as_ref(), device)?;
    Ok((backend, device))
}

/// The backend called `name`.
pub fn find_entry(name: &str) -> Result<&'static Entry> {
    let found = BACKENDS.iter().find(|entry| entry.name == name);
    found.ok_or_else(|| {
        let known = BACKENDS.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ");
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
    asked.map_or_else(|| available_parallelism().map_or(1, NonZeroUsize::get), usize::from)
}
