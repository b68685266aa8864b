//! The number of pictures that `trepang render` makes together: as many as memory allows.

use anyhow::Result;
use trepang_api::{DeviceKind, Model};

use crate::cli::room::check_step;
use crate::config::{Compute, RenderJob};
use crate::engine::Ascent;
use crate::memory;

/// The pixels of all views that a CPU computes at once: 8 views of 224 px. More are no faster there, and a step should take
/// seconds, since a signal that asks to stop waits for its end.
const CPU_PIXELS: usize = 8 * 224 * 224;

/// The most pictures at once on any device.
const MOST: usize = 256;

/// The number of pictures to make together: 1 or more. The picture's numbers do not depend on it on the CPU. Fails if
/// there is not enough memory for one.
pub(super) fn at_once(jobs: &[RenderJob], compute: &Compute, model: &dyn Model) -> Result<usize> {
    let Some(job) = jobs.first() else { return Ok(1) };
    let free = memory::available(&compute.device)?;
    // What does not fit the network is an error of the run itself, which says more.
    let Ok(ascent) = Ascent::new(job.plan.clone(), compute.network(), &job.pictures) else { return Ok(1) };
    check_step(&ascent, model, compute)?;
    let one = ascent.memory(model)?;
    let (recipe, size) = (ascent.recipe(), ascent.plan().size);
    let few = (CPU_PIXELS / (recipe.images * recipe.views * size.pixels())).max(1);
    let fitting = match free {
        Some(free) => usize::try_from(free / 2 / one.max(1)).unwrap_or(MOST).max(1),
        // Where the system does not say what is free, as many as a CPU makes are safe.
        None => few,
    };
    let most = match compute.device.kind {
        DeviceKind::Cpu => few,
        DeviceKind::Cuda | DeviceKind::Metal | DeviceKind::Mps => MOST,
    };
    Ok(fitting.min(most).min(MOST))
}
