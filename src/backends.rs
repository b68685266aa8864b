//! The only file that names concrete backends. To add one: a feature in the manifest and a line here.

use anyhow::{Context, Result};
use trepang_api::{Backend, Reference};

/// A backend that was compiled in. Whether it can be used is known when it is opened.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// What it is chosen by.
    pub name: &'static str,
    open: fn(usize) -> Result<Box<dyn Backend>>,
}

/// Every backend compiled in, the default first and the reference last.
pub const BACKENDS: &[Entry] = &[
    #[cfg(feature = "candle")]
    Entry { name: "candle", open: open_candle },
    #[cfg(feature = "tch")]
    Entry { name: "tch", open: open_tch },
    Entry { name: "reference", open: |_| Ok(Box::new(Reference)) },
];

/// The features of this program that are not in this build, for those who look for a device.
pub const ABSENT: &[&str] = &[
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

/// The variable that asks the CPU's kernels for other vector instructions than the fastest: `portable`, `avx2`, `avx512`
/// or `neon`. A run's bits depend on them, so that a picture made on another machine can be made again.
#[cfg(feature = "candle")]
const VECTORS: &str = "TREPANG_VECTORS";

#[cfg(feature = "candle")]
fn open_candle(threads: usize) -> Result<Box<dyn Backend>> {
    let mut options = trepang_candle::Options::default();
    if let Some(level) = std::env::var_os(VECTORS).filter(|level| !level.is_empty()) {
        options.level = level.to_string_lossy().parse().context(VECTORS)?;
    }
    Ok(Box::new(trepang_candle::CandleBackend::with_kernels(threads, options)?))
}

/// libtorch is not linked but loaded, so that the program starts without it: see `trepang-plugin`.
#[cfg(feature = "tch")]
fn open_tch(threads: usize) -> Result<Box<dyn Backend>> {
    trepang_plugin::open(&trepang_plugin::beside_program("trepang_tch"), threads).map_err(|error| {
        anyhow::anyhow!(
            "{error}; backends/tch/setup.sh and a build with --features tch set it up, and the other backends do \
             without"
        )
    })
}
