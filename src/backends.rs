//! The only file that names concrete backends. To add one: a feature in the manifest and a line here.

use anyhow::{Context, Result};
use trepang_api::{Backend, Reference};

/// A backend that was compiled in. Whether it can be used is known when it is opened.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The name that chooses it: a value of `--backend`.
    pub name: &'static str,
    /// Whether it may find a GPU, in this build on this machine. Where not, it is not opened to look for one.
    pub seeks_gpus: fn() -> bool,
    /// Whether it takes too long for large networks on the CPU. Then `trepang parity` leaves them out there.
    pub is_slow_on_cpu: bool,
    open: fn(usize) -> Result<Box<dyn Backend>>,
}

/// Every backend compiled in, the default first and the reference last.
pub const BACKENDS: &[Entry] = &[
    #[cfg(feature = "cpu")]
    Entry { name: "cpu", seeks_gpus: || false, is_slow_on_cpu: false, open: open_cpu },
    #[cfg(feature = "candle")]
    Entry {
        name: "candle",
        seeks_gpus: || cfg!(any(feature = "cuda", feature = "metal")),
        is_slow_on_cpu: true,
        open: |threads| Ok(Box::new(trepang_candle::CandleBackend::new(threads)?)),
    },
    #[cfg(feature = "tch")]
    Entry { name: "tch", seeks_gpus: has_gpu_driver, is_slow_on_cpu: false, open: open_tch },
    Entry {
        name: "reference",
        seeks_gpus: || false,
        is_slow_on_cpu: true,
        open: |_| Ok(Box::new(Reference)),
    },
];

/// The features of this program that are not in this build, for those who look for a device.
pub const ABSENT: &[&str] = &[
    #[cfg(not(feature = "cpu"))]
    "cpu",
    #[cfg(not(feature = "candle"))]
    "candle",
    #[cfg(not(feature = "cuda"))]
    "cuda",
    #[cfg(not(feature = "metal"))]
    "metal",
    #[cfg(not(feature = "tch"))]
    "tch",
];

impl Entry {
    /// Starts it with so many compute threads. Fails where something that it needs is not on this machine.
    pub fn open(&self, threads: usize) -> Result<Box<dyn Backend>> {
        (self.open)(threads).with_context(|| format!("the backend {} cannot be used here", self.name))
    }
}

/// The variable that asks the backend `cpu` for other vector instructions than the fastest: `portable`, `avx2`, `avx512`
/// or `neon`. A run's bits depend on them, so that a picture made on another machine can be made again.
const VECTORS: &str = "TREPANG_VECTORS";

/// Vector instructions that were asked for and that do not exist, or that this processor lacks: a sentence.
#[derive(Debug, thiserror::Error)]
#[error("{VECTORS}: {0}")]
pub struct UnknownVectors(String);

#[cfg(feature = "cpu")]
fn open_cpu(threads: usize) -> Result<Box<dyn Backend>> {
    let mut options = trepang_cpu::CpuOptions::default();
    if let Some(level) = std::env::var_os(VECTORS).filter(|level| !level.is_empty()) {
        options.level = level.to_string_lossy().parse().map_err(UnknownVectors)?;
    }
    Ok(Box::new(trepang_cpu::CpuBackend::new(threads, options)?))
}

/// libtorch is not linked but loaded, so that the program starts without it: see `trepang-plugin`.
#[cfg(feature = "tch")]
fn open_tch(threads: usize) -> Result<Box<dyn Backend>> {
    let opened =
        trepang_plugin::find("trepang_tch").and_then(|library| trepang_plugin::open(&library, threads));
    opened.map_err(|error| {
        anyhow::anyhow!(
            "{error}; backends/tch/setup.sh and a build with --features tch set it up, and the other backends do \
             without"
        )
    })
}

/// Whether there is a sign of a GPU that libtorch could use. Loading libtorch to ask it takes longer than all else at
/// the start.
#[cfg(feature = "tch")]
fn has_gpu_driver() -> bool {
    // NVIDIA's driver, the same inside of Windows, and AMD's.
    let drivers = ["/dev/nvidiactl", "/dev/dxg", "/dev/kfd"];
    !cfg!(target_os = "linux") || drivers.iter().any(|driver| std::path::Path::new(driver).exists())
}
