//! The GPUs that candle can use in this build, found and opened. The CPU is not among them.

use trepang_api::{Device, DeviceKind, Result};

use crate::failed;

/// Every GPU that is really here; none in a build without a GPU feature.
pub(crate) fn gpus() -> Vec<Device> {
    let found: [Vec<Device>; _] = [
        #[cfg(feature = "cuda")]
        cuda::devices(),
        #[cfg(feature = "metal")]
        metal::devices(),
    ];
    found.into_iter().flatten().collect()
}

/// candle's handle of a device that was found.
pub(crate) fn open(device: &Device) -> Result<candle_core::Device> {
    match device.kind {
        DeviceKind::Cpu => Ok(candle_core::Device::Cpu),
        #[cfg(feature = "cuda")]
        DeviceKind::Cuda => cuda::open(device.index),
        #[cfg(not(feature = "cuda"))]
        DeviceKind::Cuda => candle_core::Device::new_cuda(device.index).map_err(failed),
        DeviceKind::Metal => candle_core::Device::new_metal(device.index).map_err(failed),
        DeviceKind::Mps => Err(failed("MPS is libtorch's name of an Apple GPU; candle's is metal")),
    }
}

#[cfg(feature = "cuda")]
#[allow(unsafe_code, reason = "the driver's memory pool, and candle's events, are set up by unsafe calls")]
mod cuda {
    use candle_core::Device as CandleDevice;
    use candle_core::cuda_backend::cudarc::driver::result::{device, mem_pool};
    use candle_core::cuda_backend::cudarc::driver::sys::CUmemPool_attribute;
    use candle_core::cuda_backend::cudarc::driver::{CudaContext, DriverError};
    use trepang_api::{Device, DeviceKind, Result, gpu_uuid};

    use crate::{CANDLE, failed};

    /// None where the driver finds none.
    pub(super) fn devices() -> Vec<Device> {
        let count = CudaContext::device_count().unwrap_or_default();
        let index = 0..usize::try_from(count).unwrap_or_default();
        index.filter_map(|index| device(index).ok()).collect()
    }

    fn device(index: usize) -> std::result::Result<Device, DriverError> {
        let context = CudaContext::new(index)?;
        let description = format!("{}, {CANDLE}", context.name()?);
        let memory = u64::try_from(context.total_mem()?).ok();
        let free = context.mem_get_info().ok().and_then(|(free, _)| u64::try_from(free).ok());
        let uuid = context.uuid().ok().map(|uuid| gpu_uuid(uuid.bytes.map(|byte| byte as u8)));
        Ok(Device { uuid, memory, free, ..Device::new(DeviceKind::Cuda, index, description) })
    }

    /// candle's handle of a GPU, without two costs of every operation: two events of the driver's for each array, and memory
    /// that is given back to the system whenever the host waits, to be asked for again in the next step.
    pub(super) fn open(index: usize) -> Result<CandleDevice> {
        let opened = CandleDevice::new_cuda(index).map_err(failed)?;
        let CandleDevice::Cuda(cuda) = &opened else { return Ok(opened) };
        // SAFETY: a model's arrays are made, used and dropped by one call on one stream, the calling thread's, and each call
        // waits for its results before it returns. Weights are waited for when they are loaded, and only read after that.
        unsafe { cuda.disable_event_tracking() };
        // A driver without such pools (of virtual machines) computes as well, but slower.
        let _ = keep_memory(index);
        Ok(opened)
    }

    /// Lets the pool keep all that it was ever given.
    fn keep_memory(index: usize) -> std::result::Result<(), DriverError> {
        let context = CudaContext::new(index)?;
        let mut most = u64::MAX;
        // SAFETY: the context's device exists, its default pool lives as long as the device, and the value is the number of 64
        // bits that this attribute has.
        unsafe {
            let pool = device::get_default_mem_pool(context.cu_device())?;
            let threshold = CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
            mem_pool::set_attribute(pool, threshold, (&raw mut most).cast())
        }
    }
}

#[cfg(feature = "metal")]
mod metal {
    use candle_core::Device as CandleDevice;
    use trepang_api::{Device, DeviceKind};

    use crate::CANDLE;

    /// The system's first GPU: candle panics where it is asked for one more than there are.
    pub(super) fn devices() -> Vec<Device> {
        device().into_iter().collect()
    }

    fn device() -> Option<Device> {
        let found = std::panic::catch_unwind(|| CandleDevice::new_metal(0)).ok()?.ok()?;
        let CandleDevice::Metal(metal) = found else { return None };
        let description = format!("{}, {CANDLE}", metal.metal_device().architecture_name());
        let memory = u64::try_from(metal.metal_device().recommended_max_working_set_size()).ok();
        Some(Device { memory, ..Device::new(DeviceKind::Metal, 0, description) })
    }
}
