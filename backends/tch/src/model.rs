//! The model: the shared walk over the network, with this backend's number of threads.

use std::sync::Arc;

use rayon::ThreadPool;
use trepang_api::{Array, ComputePool, Cotangents, Interpreter, LayerId, Model, ReluGradient, Result};

use crate::ops::TchOps;

/// A network's operations on libtorch tensors.
#[derive(Debug)]
pub(crate) struct TchModel {
    inner: Interpreter<TchOps>,
    /// The threads that it lends. libtorch starts as many of its own.
    pool: Arc<ThreadPool>,
}

impl TchModel {
    pub(crate) fn new(inner: Interpreter<TchOps>, pool: Arc<ThreadPool>) -> Self {
        Self { inner, pool }
    }

    /// libtorch counts threads for the calling thread, and models of several backends may take turns on it.
    fn set_threads(&self) {
        let threads = i32::try_from(self.pool.current_num_threads()).unwrap_or(i32::MAX);
        if tch::get_num_threads() != threads {
            tch::set_num_threads(threads);
        }
    }
}

impl Model for TchModel {
    fn activations(&mut self, images: &Array, at: &[LayerId]) -> Result<Vec<Array>> {
        self.set_threads();
        self.inner.activations(images, at)
    }

    fn pull_back(
        &mut self,
        images: &Array,
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> Result<Array> {
        self.set_threads();
        self.inner.pull_back(images, at, relu, cotangents)
    }

    fn activations_from(&mut self, start: &[(LayerId, Array)], at: &[LayerId]) -> Result<Vec<Array>> {
        self.set_threads();
        self.inner.activations_from(start, at)
    }

    fn pull_back_from(
        &mut self,
        start: &[(LayerId, Array)],
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> Result<Vec<Array>> {
        self.set_threads();
        self.inner.pull_back_from(start, at, relu, cotangents)
    }

    fn memory(&self, images: [usize; 3], at: &[LayerId]) -> Result<u64> {
        self.inner.memory(images, at)
    }

    fn pool(&self) -> Arc<dyn ComputePool> {
        Arc::<ThreadPool>::clone(&self.pool)
    }
}
