//! Trepang's candle backend: an interpreter of `Network` on candle tensors, on the CPU.
//!
//! candle's autograd is not used. In 0.11.1 its 2x2 max pooling has a gradient of 0.25 where 1 is right, 3x3
//! stride-2 pooling has none, and a convolution's backward always computes the kernel's gradient as well. So
//! each operation has an explicit backward beside its forward (`ops`), and only the gradient with respect to
//! the images exists.
//!
//! This crate is *not* for objectives, optimizers or files, and knows nothing of the root crate.

mod kernels;
mod model;
mod ops;

use std::sync::Arc;

use rayon::{ThreadPool, ThreadPoolBuilder};
use trepang_api::{Backend, Device, DeviceKind, Error, Model, Network, Result, Weights, find_device};

/// candle on the CPU, with a compute pool of its own.
#[derive(Debug)]
pub struct CandleBackend {
    pool: Arc<ThreadPool>,
}

impl CandleBackend {
    /// Starts a pool of `threads` threads; 0 means one for each core. Fails when the system refuses a thread.
    pub fn new(threads: usize) -> Result<Self> {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("candle-{i}"))
            .build()
            .map_err(failed)?;
        Ok(Self { pool: Arc::new(pool) })
    }
}

impl Backend for CandleBackend {
    fn name(&self) -> &'static str {
        "candle"
    }

    fn devices(&self) -> Vec<Device> {
        let description = format!("candle 0.11.1 on the CPU, {} threads", self.threads());
        vec![Device { kind: DeviceKind::Cpu, index: 0, description }]
    }

    fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    fn load(&self, network: &Network, weights: &Weights, device: &Device) -> Result<Box<dyn Model>> {
        find_device(self, &device.to_string())?;
        weights.check(network)?;
        Ok(Box::new(model::CandleModel::new(network, weights, Arc::clone(&self.pool))?))
    }
}

/// Any failure of a framework below, in its own words.
fn failed(error: impl std::fmt::Display) -> Error {
    Error::Backend { backend: "candle".into(), message: error.to_string() }
}
