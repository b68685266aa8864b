//! Networks on the CPU, as fast as it allows: an interpreter of `Network` with kernels of its own.
//!
//! Activations lie in blocks of channels as wide as a vector (`grid`). For given layers and sizes a network becomes a plan
//! (`plan`): each convolution with its bias and ReLU in one step and the kernel that is fastest for its shape (`conv`),
//! memory given out beforehand. The pull-back needs a ReLU's gates, one bit a number, and a max pool's winners; no
//! activation is kept for it.
//!
//! This crate is *not* a tensor library and has no backend of its own: candle's backend computes with it on the CPU.

#![allow(clippy::inline_always, reason = "what is not inlined is compiled without vectors")]

mod buffer;
mod conv;
mod grid;
mod lanes;
mod matmul;
mod model;
mod plan;
mod pointwise;
mod pool;
mod product;
mod redirect;
#[cfg(test)]
mod tests;
mod vector;

use std::sync::Arc;

use rayon::ThreadPool;
use trepang_api::{Error, Model, Network, Result, Weights};

use self::lanes::Lanes;
pub use self::lanes::Level;
use self::model::CpuModel;

/// How dense convolutions are computed.
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

/// What may be chosen; the default is the fastest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The instructions.
    pub level: Level,
    /// The way convolutions are computed.
    pub algorithm: Algorithm,
}

impl Default for Options {
    fn default() -> Self {
        Self { level: Level::best(), algorithm: Algorithm::default() }
    }
}

/// A network whose weights have been checked, to be run by `pool`. Fails for a level that this machine does not have.
pub fn load(
    network: &Network,
    weights: &Weights,
    pool: Arc<ThreadPool>,
    options: Options,
) -> Result<Box<dyn Model>> {
    match options.level {
        Level::Portable => boxed(pulp::Scalar128b, network, weights, pool, options),
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => {
            boxed(pulp::x86::V3::try_new().ok_or_else(|| absent(options))?, network, weights, pool, options)
        }
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => {
            boxed(pulp::x86::V4::try_new().ok_or_else(|| absent(options))?, network, weights, pool, options)
        }
        #[cfg(target_arch = "aarch64")]
        Level::Neon => boxed(
            pulp::aarch64::Neon::try_new().ok_or_else(|| absent(options))?,
            network,
            weights,
            pool,
            options,
        ),
        #[allow(unreachable_patterns, reason = "which are left depends on the processor")]
        _ => Err(absent(options)),
    }
}

fn boxed<S: Lanes>(
    simd: S,
    network: &Network,
    weights: &Weights,
    pool: Arc<ThreadPool>,
    options: Options,
) -> Result<Box<dyn Model>> {
    Ok(Box::new(CpuModel::new(simd, network, weights, pool, options)?))
}

fn absent(options: Options) -> Error {
    let message = format!("this processor has no {}", options.level);
    Error::Backend { backend: "cpu".into(), message }
}
