//! A backend's compute pool, lent to the caller for the host's share of a step.

use std::fmt::Debug;

/// The threads that a backend computes with, for work of the caller's between two calls of a model.
pub trait ComputePool: Debug + Send + Sync {
    /// Runs `task(0)` to `task(count - 1)`, each once, in any order and side by side, and returns when all have ended. A
    /// task may run others. A panic of a task is passed on to the caller, once all have ended.
    fn run(&self, count: usize, task: &(dyn Fn(usize) + Sync));
}

/// The pool of a backend without threads of its own: the calling thread runs one task after the other.
#[derive(Debug, Clone, Copy)]
pub struct CallingThread;

impl ComputePool for CallingThread {
    fn run(&self, count: usize, task: &(dyn Fn(usize) + Sync)) {
        (0..count).for_each(task);
    }
}

#[cfg(feature = "rayon")]
impl ComputePool for rayon::ThreadPool {
    fn run(&self, count: usize, task: &(dyn Fn(usize) + Sync)) {
        use rayon::iter::{IntoParallelIterator, ParallelIterator};

        self.install(|| (0..count).into_par_iter().for_each(task));
    }
}
