//! The model: the shared walk over the network, run inside the backend's thread pool.

use std::sync::Arc;

use rayon::ThreadPool;
use trepang_api::{Array, Cotangents, Interpreter, LayerId, Model, Network, Result, Weights};

use crate::ops::CandleOps;

/// A network's operations on candle tensors, computed by one pool.
#[derive(Debug)]
pub(crate) struct CandleModel {
    inner: Interpreter<CandleOps>,
    pool: Arc<ThreadPool>,
}

impl CandleModel {
    pub(crate) fn new(network: &Network, weights: &Weights, pool: Arc<ThreadPool>) -> Result<Self> {
        let ops = CandleOps::new(network, weights)?;
        Ok(Self { inner: Interpreter::new(network.clone(), ops), pool })
    }
}

impl Model for CandleModel {
    fn activations(&mut self, images: &Array, at: &[LayerId]) -> Result<Vec<Array>> {
        let Self { inner, pool } = self;
        pool.install(|| inner.activations(images, at))
    }

    fn pull_back(&mut self, images: &Array, at: &[LayerId], cotangents: &mut Cotangents) -> Result<Array> {
        let Self { inner, pool } = self;
        pool.install(|| inner.pull_back(images, at, cotangents))
    }
}
