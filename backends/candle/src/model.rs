//! The model: the shared walk over the network, run where the device wants it run.

use std::sync::Arc;

use rayon::ThreadPool;
use trepang_api::{Array, Cotangents, Interpreter, LayerId, Model, ReluGradient, Result};

use crate::ops::CandleOps;

/// A network's operations on candle tensors.
#[derive(Debug)]
pub(crate) struct CandleModel {
    inner: Interpreter<CandleOps>,
    /// The threads that compute; none for a GPU, whose work the calling thread queues: candle gives each thread a
    /// CUDA stream of its own.
    pool: Option<Arc<ThreadPool>>,
}

impl CandleModel {
    pub(crate) fn new(inner: Interpreter<CandleOps>, pool: Option<Arc<ThreadPool>>) -> Self {
        Self { inner, pool }
    }
}

impl Model for CandleModel {
    fn activations(&mut self, images: &Array, at: &[LayerId]) -> Result<Vec<Array>> {
        let Self { inner, pool } = self;
        match pool {
            Some(pool) => pool.install(|| inner.activations(images, at)),
            None => inner.activations(images, at),
        }
    }

    fn pull_back(
        &mut self,
        images: &Array,
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> Result<Array> {
        let Self { inner, pool } = self;
        match pool {
            Some(pool) => pool.install(|| inner.pull_back(images, at, relu, cotangents)),
            None => inner.pull_back(images, at, relu, cotangents),
        }
    }
}
