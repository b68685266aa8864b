//! Trepang's own backend, `cpu`: networks on the CPU, as fast as it allows, by an interpreter of `Network` with its own
//! kernels.
//!
//! Activations lie in blocks of channels as wide as a vector (`grid`). For given layers and sizes a network becomes a plan
//! (`plan`): each convolution with its bias and ReLU in one step and the kernel that is fastest for its shape (`conv`),
//! memory given out beforehand. The pull-back needs a ReLU's gates, one bit a number, and a max pool's winners; numbers are
//! kept for it only by products, curves that are no ReLU, and normalizations (`numbers`).
//!
//! This crate is *not* a tensor library, and not for objectives, optimizers or files.

#![allow(clippy::inline_always, reason = "what is not inlined is compiled without vectors")]

mod buffer;
mod channels;
mod conv;
mod curve;
mod grid;
mod group_norm;
mod kept;
mod lanes;
mod model;
mod normal;
mod numbers;
mod plan;
mod pointwise;
mod pool;
mod product;
mod redirect;
mod runner;
#[cfg(test)]
mod tests;
mod upsample;
mod vector;

use std::sync::Arc;

use rayon::{ThreadPool, ThreadPoolBuilder};
use trepang_api::{Backend, Device, DeviceKind, Error, Model, Network, Result, Weights, find_device};

use self::lanes::Lanes;
pub use self::lanes::Level;
use self::model::CpuModel;

/// The name that chooses this backend, and that its errors carry.
const NAME: &str = "cpu";

/// The method for dense convolutions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// By whichever way takes fewer cycles by a count of its operations.
    #[default]
    Fastest,
    /// By minimal filtering wherever it is possible.
    Winograd,
    /// As sums, depthwise ones too.
    Direct,
}

/// The options of the kernels; the default is the fastest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CpuOptions {
    /// The vector instructions that every kernel is compiled for.
    pub level: Level,
    /// The way convolutions are computed.
    pub algorithm: Algorithm,
}

impl Default for CpuOptions {
    fn default() -> Self {
        Self { level: Level::best(), algorithm: Algorithm::default() }
    }
}

/// The backend `cpu`: its options, and the compute pool that all of its models share.
#[derive(Debug)]
pub struct CpuBackend {
    pool: Arc<ThreadPool>,
    options: CpuOptions,
}

impl CpuBackend {
    /// Starts a pool of `threads` threads; 0 means one for each core. Fails when the system refuses a thread.
    pub fn new(threads: usize, options: CpuOptions) -> Result<Self> {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("cpu-{i}"))
            .build()
            .map_err(|error| failed(error.to_string()))?;
        Ok(Self { pool: Arc::new(pool), options })
    }
}

impl Backend for CpuBackend {
    fn name(&self) -> &'static str {
        NAME
    }

    fn devices(&self) -> Vec<Device> {
        let description = format!("own kernels, {}, {} threads", self.options.level, self.threads());
        let vectors = Some(self.options.level.name().into());
        vec![Device { vectors, ..Device::new(DeviceKind::Cpu, 0, description) }]
    }

    fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Fails, beside the usual, for vector instructions that this processor does not have.
    fn load(&self, network: &Network, weights: &Weights, device: &Device) -> Result<Box<dyn Model>> {
        find_device(self, &device.to_string())?;
        weights.check(network)?;
        match self.options.level {
            Level::Portable => self.model(Some(pulp::Scalar128b), network, weights),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => self.model(pulp::x86::V3::try_new(), network, weights),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => self.model(pulp::x86::V4::try_new(), network, weights),
            #[cfg(target_arch = "aarch64")]
            Level::Neon => self.model(pulp::aarch64::Neon::try_new(), network, weights),
            #[cfg(not(target_arch = "x86_64"))]
            level @ (Level::Avx2 | Level::Avx512) => Err(absent(level)),
            #[cfg(not(target_arch = "aarch64"))]
            level @ Level::Neon => Err(absent(level)),
        }
    }
}

impl CpuBackend {
    fn model<S: Lanes>(
        &self,
        simd: Option<S>,
        network: &Network,
        weights: &Weights,
    ) -> Result<Box<dyn Model>> {
        let simd = simd.ok_or_else(|| absent(self.options.level))?;
        Ok(Box::new(CpuModel::new(simd, network, weights, Arc::clone(&self.pool), self.options)?))
    }
}

fn absent(level: Level) -> Error {
    failed(format!("this processor has no {level}"))
}

fn failed(message: String) -> Error {
    Error::Backend { backend: NAME.into(), message }
}
