//! `trepang devices`: every backend and device, and whether it computes a known gradient rightly here.

use anyhow::{Result, ensure};
use serde::Serialize;
use trepang_api::{Array, Backend, Device, Op, Padding, Pool, Preprocess, Weights};
use trepang_api::{InputSize, NetworkBuilder};

use super::output;
use crate::backends::backends;
use crate::config::args::DevicesArgs;
use crate::config::thread_count;

#[derive(Serialize)]
struct Listed {
    backend: String,
    device: String,
    description: String,
    works: bool,
    /// Why not, if it does not.
    error: Option<String>,
}

pub(super) fn run(args: &DevicesArgs) -> Result<()> {
    let mut listed = Vec::new();
    for backend in backends(thread_count(args.threads))? {
        listed.extend(backend.devices().iter().map(|device| try_out(backend.as_ref(), device)));
    }
    if args.json {
        return output::json(&listed);
    }
    for Listed { backend, device, description, error, .. } in &listed {
        let verdict = error.as_ref().map_or("works".into(), |error| format!("does not work: {error}"));
        output::line(format_args!("{backend:<10} {device:<8} {verdict:<8} {description}"))?;
    }
    Ok(())
}

fn try_out(backend: &dyn Backend, device: &Device) -> Listed {
    let error = known_gradient(backend, device).err();
    Listed {
        backend: backend.name().into(),
        device: device.to_string(),
        description: device.description.clone(),
        works: error.is_none(),
        error: error.map(|error| format!("{error:#}")),
    }
}

/// Doubles a 2x2 image and takes its maximum: the gradient is 2 at the largest value and 0 elsewhere.
fn known_gradient(backend: &dyn Backend, device: &Device) -> Result<()> {
    let double = Preprocess { scale: [2.0; 3], shift: [0.0; 3], trained_on_bgr: false };
    let mut b = NetworkBuilder::new("trial", InputSize { native: 2, min: 2, multiple: 2 }, double);
    let pool = Pool { kernel: [2, 2], stride: [2, 2], padding: Padding::default() };
    let at = b.add("pool", Op::MaxPool(pool), &[NetworkBuilder::FIRST]);
    let mut model = backend.load(&b.finish()?, &Weights::default(), device)?;
    let image = Array::new([1, 3, 2, 2], [0.1, 0.9, 0.3, 0.2].repeat(3))?;
    let ones = Array::new([1, 3, 1, 1], vec![1.0; 3])?;
    let gradient = model.pull_back(&image, &[at], &mut |_| Ok(vec![ones.clone()]))?;
    ensure!(
        gradient.data() == [0.0, 2.0, 0.0, 0.0].repeat(3),
        "a known gradient came out as {:?}",
        gradient.data()
    );
    Ok(())
}
