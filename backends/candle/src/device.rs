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
        DeviceKind::Cuda => candle_core::Device::new_cuda(device.index).map_err(failed),
        DeviceKind::Metal => candle_core::Device::new_metal(device.index).map_err(failed),
        DeviceKind::Mps => Err(failed("MPS is libtorch's name of an Apple GPU; candle's is metal")),
    }
}

#[cfg(feature = "cuda")]
mod cuda {
    use candle_core::cuda_backend::cudarc::driver::{CudaContext, DriverError};
    use trepang_api::{Device, DeviceKind};

    use crate::CANDLE;

    /// None where the driver finds none.
    pub(super) fn devices() -> Vec<Device> {
        let count = CudaContext::device_count().unwrap_or_default();
        let index = 0..usize::try_from(count).unwrap_or_default();
        index.filter_map(|index| device(index).ok()).collect()
    }

    fn device(index: usize) -> Result<Device, DriverError> {
        let context = CudaContext::new(index)?;
        let description = format!("{}, {CANDLE}", context.name()?);
        let memory = u64::try_from(context.total_mem()?).ok();
        Ok(Device { kind: DeviceKind::Cuda, index, description, memory })
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
        Some(Device { kind: DeviceKind::Metal, index: 0, description, memory })
    }
}
