//! Trepang's candle backend: an interpreter of `Network` on candle tensors for GPUs, with the features `cuda` and `metal`.
//! On the CPU, where candle 0.11.1 takes several times as long, it computes with the kernels of `trepang-cpu`.
//!
//! candle's autograd is not used. In 0.11.1 its 2x2 max pooling has a gradient of 0.25 where 1 is right, 3x3 stride-2
//! pooling has none, and a convolution's backward always computes the kernel's gradient as well. So each operation
//! gives its pull-back along with its output (`ops`), and only the gradient with respect to the images exists.
//!
//! This crate is *not* for objectives, optimizers or files, and knows nothing of the root crate.

mod device;
mod model;
mod ops;

use std::sync::Arc;

use rayon::{ThreadPool, ThreadPoolBuilder};
use trepang_api::{
    Backend, Device, DeviceKind, Error, Interpreter, Model, Network, Result, Weights, find_device,
};

use self::model::CandleModel;
use self::ops::CandleOps;

pub use trepang_cpu::{Algorithm, Level, Options};

/// How the CPU computes.
#[derive(Debug, Clone, Copy)]
enum OnCpu {
    /// By the kernels made for it.
    Kernels(Options),
    /// By candle's tensor operations, as every other device.
    Tensors,
}

/// candle, with a compute pool of its own for the CPU.
#[derive(Debug)]
pub struct CandleBackend {
    pool: Arc<ThreadPool>,
    on_cpu: OnCpu,
}

impl CandleBackend {
    /// Starts a pool of `threads` threads; 0 means one for each core. Fails when the system refuses a thread.
    pub fn new(threads: usize) -> Result<Self> {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("candle-{i}"))
            .build()
            .map_err(failed)?;
        Ok(Self { pool: Arc::new(pool), on_cpu: OnCpu::Kernels(Options::default()) })
    }

    /// The same with other kernels than the fastest: for tests.
    pub fn with_kernels(threads: usize, options: Options) -> Result<Self> {
        Ok(Self { on_cpu: OnCpu::Kernels(options), ..Self::new(threads)? })
    }

    /// The same, but the CPU computes as a GPU would: by candle's tensor operations alone. Slow, and for tests.
    pub fn as_on_a_gpu(threads: usize) -> Result<Self> {
        Ok(Self { on_cpu: OnCpu::Tensors, ..Self::new(threads)? })
    }
}

impl Backend for CandleBackend {
    fn name(&self) -> &'static str {
        "candle"
    }

    fn devices(&self) -> Vec<Device> {
        let threads = self.threads();
        let description = match self.on_cpu {
            OnCpu::Kernels(options) => format!("own kernels, {}, {threads} threads", options.level),
            OnCpu::Tensors => format!("candle 0.11.1, {threads} threads"),
        };
        let cpu = Device { kind: DeviceKind::Cpu, index: 0, description, memory: None };
        std::iter::once(cpu).chain(device::gpus()).collect()
    }

    fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    fn load(&self, network: &Network, weights: &Weights, device: &Device) -> Result<Box<dyn Model>> {
        find_device(self, &device.to_string())?;
        weights.check(network)?;
        let on_cpu = device.kind == DeviceKind::Cpu;
        match self.on_cpu {
            OnCpu::Kernels(options) if on_cpu => {
                trepang_cpu::load(network, weights, Arc::clone(&self.pool), options)
            }
            _ => {
                let ops = CandleOps::new(network, weights, device::open(device)?)?;
                let pool = on_cpu.then(|| Arc::clone(&self.pool));
                Ok(Box::new(CandleModel::new(Interpreter::new(network.clone(), ops), pool)))
            }
        }
    }
}

/// Any failure of a framework below, in its own words.
fn failed(error: impl std::fmt::Display) -> Error {
    Error::Backend { backend: "candle".into(), message: error.to_string() }
}
