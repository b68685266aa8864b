//! The model: the shared walk over the network, run where the device wants it run.

use std::sync::Arc;

use rayon::ThreadPool;
use trepang_api::{Array, ComputePool, Cotangents, Interpreter, LayerId, Model, ReluGradient, Result};

use crate::ops::CandleOps;

/// A network's operations on candle tensors.
#[derive(Debug)]
pub(crate) struct CandleModel {
    inner: Interpreter<CandleOps>,
    pool: Arc<ThreadPool>,
    /// Whether the pool's threads run the operations. A GPU's work is queued by the calling thread: candle gives each
    /// thread a CUDA stream of its own.
    runs_in_pool: bool,
}

impl CandleModel {
    pub(crate) fn new(inner: Interpreter<CandleOps>, pool: Arc<ThreadPool>, runs_in_pool: bool) -> Self {
        Self { inner, pool, runs_in_pool }
    }

    /// Does work with the interpreter, in the pool or not.
    fn run<T: Send>(&mut self, work: impl FnOnce(&mut Interpreter<CandleOps>) -> T + Send) -> T {
        let Self { inner, pool, runs_in_pool } = self;
        if *runs_in_pool { pool.install(|| work(inner)) } else { work(inner) }
    }
}

impl Model for CandleModel {
    fn activations(&mut self, images: &Array, at: &[LayerId]) -> Result<Vec<Array>> {
        self.run(|inner| inner.activations(images, at))
    }

    fn pull_back(
        &mut self,
        images: &Array,
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> Result<Array> {
        self.run(|inner| inner.pull_back(images, at, relu, cotangents))
    }

    fn activations_from(&mut self, start: &[(LayerId, Array)], at: &[LayerId]) -> Result<Vec<Array>> {
        self.run(|inner| inner.activations_from(start, at))
    }

    fn pull_back_from(
        &mut self,
        start: &[(LayerId, Array)],
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> Result<Vec<Array>> {
        self.run(|inner| inner.pull_back_from(start, at, relu, cotangents))
    }

    fn memory(&self, images: [usize; 3], at: &[LayerId]) -> Result<u64> {
        self.inner.memory(images, at)
    }

    fn pool(&self) -> Arc<dyn ComputePool> {
        Arc::<ThreadPool>::clone(&self.pool)
    }
}
