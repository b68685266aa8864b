//! The compute pool that a model lends to its caller.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::Measured;
use super::samples::samples;
use crate::{Backend, Device, Result};

/// Tasks at once: more than any machine has threads, and not a multiple of their number.
const TASKS: usize = 1001;

/// Tasks that each of a few tasks gives out.
const INNER: usize = 7;

/// Every task runs once and has ended when the call returns; a task may give out others.
pub fn pool_runs_each_task_once(backend: &dyn Backend, device: &Device) -> Result<Measured> {
    let Some(sample) = samples()?.into_iter().next() else { return Ok(Measured::exact(false)) };
    let pool = backend.load(&sample.network, &sample.weights, device)?.pool();
    let runs: Vec<AtomicUsize> = (0..TASKS).map(|_| AtomicUsize::new(0)).collect();
    pool.run(TASKS, &|task| {
        runs[task].fetch_add(1, Ordering::Relaxed);
    });
    let once = |runs: &[AtomicUsize], times| runs.iter().all(|runs| runs.load(Ordering::Relaxed) == times);
    let first = once(&runs, 1);
    pool.run(TASKS / INNER, &|outer| {
        pool.run(INNER, &|inner| {
            runs[outer * INNER + inner].fetch_add(1, Ordering::Relaxed);
        });
    });
    pool.run(0, &|task| {
        runs[task].fetch_add(1, Ordering::Relaxed);
    });
    Ok(Measured::exact(first && once(&runs[..TASKS / INNER * INNER], 2)))
}
