//! Trepang's tch backend: an interpreter of `Network` on libtorch tensors, on the CPU, CUDA and MPS.
//!
//! libtorch's autograd is not used: every operation gives its pull-back along with its output, from the same derivative
//! kernels that autograd would call. So only the gradient with respect to the images exists, and what a pull-back does
//! not need is freed on the way forwards. Only tch's fallible `f_*` operations are called; what has no fallible
//! form (a tensor's size and device, counting devices, setting threads) cannot fail but by a defect, which the plug-in's
//! border turns into an error.
//!
//! This crate is a library of its own that the program loads when somebody asks for it: see `trepang-plugin`. It is
//! *not* for objectives, optimizers or files.

mod driver;
mod model;
mod ops;

use std::sync::Arc;

use rayon::{ThreadPool, ThreadPoolBuilder};
use trepang_api::{
    Backend, Device, DeviceKind, Error, Interpreter, Model, Network, Result, Weights, find_device,
};

use self::model::TchModel;
use self::ops::TchOps;

trepang_plugin::export!(TchBackend::new);

/// The backend `tch`: libtorch, with a number of threads for the CPU.
#[derive(Debug)]
pub struct TchBackend {
    pool: Arc<ThreadPool>,
}

impl TchBackend {
    /// Computes with `threads` threads on the CPU, at least one. Fails when the system refuses a thread.
    pub fn new(threads: usize) -> Result<Self> {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads.max(1))
            .thread_name(|i| format!("tch-{i}"))
            .build()
            .map_err(failed)?;
        Ok(Self { pool: Arc::new(pool) })
    }
}

impl Backend for TchBackend {
    fn name(&self) -> &'static str {
        "tch"
    }

    fn devices(&self) -> Vec<Device> {
        let about = |what: String| format!("{what}libtorch 2.13.0");
        let threads = format!("{}, {} threads", about(String::new()), self.threads());
        let cpu = Device::new(DeviceKind::Cpu, 0, threads);
        let count = if tch::Cuda::is_available() { tch::Cuda::device_count() } else { 0 };
        let cuda = (0..usize::try_from(count).unwrap_or_default()).map(|index| {
            let Some(gpu) = driver::about(index) else {
                return Device::new(DeviceKind::Cuda, index, about(String::new()));
            };
            let description = about(format!("{}, ", gpu.name));
            Device {
                uuid: gpu.uuid,
                memory: Some(gpu.memory),
                free: gpu.free,
                ..Device::new(DeviceKind::Cuda, index, description)
            }
        });
        let mps = tch::utils::has_mps().then(|| Device::new(DeviceKind::Mps, 0, about("Apple GPU, ".into())));
        std::iter::once(cpu).chain(cuda).chain(mps).collect()
    }

    fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    fn load(&self, network: &Network, weights: &Weights, device: &Device) -> Result<Box<dyn Model>> {
        find_device(self, &device.to_string())?;
        weights.check(network)?;
        let place = match device.kind {
            DeviceKind::Cpu => tch::Device::Cpu,
            DeviceKind::Cuda => tch::Device::Cuda(device.index),
            DeviceKind::Mps => tch::Device::Mps,
            DeviceKind::Metal => {
                return Err(failed("Metal is candle's name of an Apple GPU; libtorch's is mps"));
            }
        };
        let ops = TchOps::new(network, weights, place)?;
        Ok(Box::new(TchModel::new(Interpreter::new(network.clone(), ops), Arc::clone(&self.pool))))
    }
}

/// Any failure of libtorch, in the first line of its own words: the others are where it happened in its sources.
fn failed(error: impl std::fmt::Display) -> Error {
    let words = error.to_string();
    let message = words.lines().next().unwrap_or_default().trim().into();
    Error::Backend { backend: "tch".into(), message }
}
