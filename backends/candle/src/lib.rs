//! Trepang's candle backend: an interpreter of `Network` on candle tensors, on the CPU and, with the features `cuda` and
//! `metal`, on GPUs.
//!
//! candle's autograd is not used. In 0.11.1 its 2x2 max pooling has a gradient of 0.25 where 1 is right, 3x3 stride-2
//! pooling has none, and a convolution's backward always computes the kernel's gradient as well. So each operation
//! gives its pull-back along with its output (`ops`), and only the gradient with respect to the images exists.
//!
//! This crate is *not* for objectives, optimizers or files, and knows nothing of the root crate.

mod device;
mod model;
mod ops;
mod own;

use std::sync::Arc;

use rayon::{ThreadPool, ThreadPoolBuilder};
use trepang_api::{
    Backend, Device, DeviceKind, Error, Interpreter, Model, Network, Result, Weights, find_device,
};

use self::model::CandleModel;
use self::ops::CandleOps;

/// The release of candle-core that the manifest pins, for descriptions of devices.
const CANDLE: &str = "candle 0.11.1";

/// candle, with a compute pool of its own for the CPU.
#[derive(Debug)]
pub struct CandleBackend {
    pool: Arc<ThreadPool>,
    own: bool,
}

impl CandleBackend {
    /// Starts a pool of `threads` threads; 0 means one for each core. Fails when the system refuses a thread.
    pub fn new(threads: usize) -> Result<Self> {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("candle-{i}"))
            .build()
            .map_err(failed)?;
        Ok(Self { pool: Arc::new(pool), own: true })
    }

    /// The same with candle's own operations alone, as they compute where there are no kernels of ours.
    #[must_use]
    pub fn without_own_operations(self) -> Self {
        Self { own: false, ..self }
    }
}

impl Backend for CandleBackend {
    fn name(&self) -> &'static str {
        "candle"
    }

    fn devices(&self) -> Vec<Device> {
        let description = format!("{CANDLE}, {} threads", self.threads());
        let cpu = Device::new(DeviceKind::Cpu, 0, description);
        std::iter::once(cpu).chain(device::gpus()).collect()
    }

    fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    fn load(&self, network: &Network, weights: &Weights, device: &Device) -> Result<Box<dyn Model>> {
        find_device(self, &device.to_string())?;
        weights.check(network)?;
        let ops = CandleOps::new(network, weights, device::open(device)?, self.own)?;
        let (inner, is_cpu) = (Interpreter::new(network.clone(), ops), device.kind == DeviceKind::Cpu);
        Ok(Box::new(CandleModel::new(inner, Arc::clone(&self.pool), is_cpu)))
    }
}

/// Any failure of a framework below, in its own words.
fn failed(error: impl std::fmt::Display) -> Error {
    Error::Backend { backend: "candle".into(), message: error.to_string() }
}
