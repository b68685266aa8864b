//! The name, the UUID and the memory of an NVIDIA GPU, from the driver itself: libtorch's C++ interface has them, tch does not
//! pass them on. A few functions of a C interface that has not changed in ten years (CUDA driver API, "Device
//! Management", "Primary Context Management"). This module has the crate's unsafe code: symbols are what the driver's header
//! says they are.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};

use libloading::{Library, Symbol};
use trepang_api::gpu_uuid;

/// The result of a driver's function that has succeeded: `CUDA_SUCCESS`.
const SUCCESS: c_int = 0;

/// A GPU in the driver's words.
pub(crate) struct Gpu {
    pub(crate) name: String,
    pub(crate) uuid: Option<String>,
    /// The bytes that it has.
    pub(crate) memory: u64,
    /// The bytes that no program has taken.
    pub(crate) free: Option<u64>,
}

/// The GPU of an index, which counts as libtorch counts; none where the driver does not answer.
pub(crate) fn about(index: usize) -> Option<Gpu> {
    // SAFETY: the driver is loaded already if there is a GPU; its initialisers are harmless.
    let driver = unsafe { Library::new("libcuda.so.1") }.ok()?;
    let mut device: c_int = 0;
    let mut name: [c_char; 256] = [0; 256];
    let mut bytes: usize = 0;
    // SAFETY: types and names are the header's; each pointer is to a value that outlives the call, and the name's
    // length is given.
    unsafe {
        let init = driver.get::<unsafe extern "C" fn(c_uint) -> c_int>(b"cuInit\0").ok()?;
        let get = driver.get::<unsafe extern "C" fn(*mut c_int, c_int) -> c_int>(b"cuDeviceGet\0").ok()?;
        let get_name = driver
            .get::<unsafe extern "C" fn(*mut c_char, c_int, c_int) -> c_int>(b"cuDeviceGetName\0")
            .ok()?;
        let memory =
            driver.get::<unsafe extern "C" fn(*mut usize, c_int) -> c_int>(b"cuDeviceTotalMem_v2\0").ok()?;
        let answers = [
            init(0),
            get(&raw mut device, c_int::try_from(index).ok()?),
            get_name(name.as_mut_ptr(), name.len() as c_int - 1, device),
            memory(&raw mut bytes, device),
        ];
        if answers != [SUCCESS; 4] {
            return None;
        }
        let name = CStr::from_ptr(name.as_ptr()).to_string_lossy().into_owned();
        Some(Gpu { name, uuid: uuid(&driver, device), memory: bytes as u64, free: free(&driver, device) })
    }
}

/// The GPU's UUID, if the driver says it.
fn uuid(driver: &Library, device: c_int) -> Option<String> {
    let mut bytes = [0_u8; 16];
    // SAFETY: `CUuuid` is sixteen bytes, which outlive the call.
    let answer = unsafe {
        let get = driver
            .get::<unsafe extern "C" fn(*mut [u8; 16], c_int) -> c_int>(b"cuDeviceGetUuid_v2\0")
            .ok()?;
        get(&raw mut bytes, device)
    };
    (answer == SUCCESS).then(|| gpu_uuid(bytes))
}

type Push = unsafe extern "C" fn(*mut c_void) -> c_int;
type Pop = unsafe extern "C" fn(*mut *mut c_void) -> c_int;
type MemoryInfo = unsafe extern "C" fn(*mut usize, *mut usize) -> c_int;

/// Bytes that no program has taken. The driver says it of the current context, so the GPU's primary one, which libtorch uses
/// too, is made current for that time.
fn free(driver: &Library, device: c_int) -> Option<u64> {
    let mut context: *mut c_void = std::ptr::null_mut();
    let (mut free, mut all): (usize, usize) = (0, 0);
    // SAFETY: types and names are the header's; each pointer is to a value that outlives the call; what is retained is
    // released, and what is pushed is popped.
    unsafe {
        let retain: Symbol<unsafe extern "C" fn(*mut *mut c_void, c_int) -> c_int> =
            driver.get(b"cuDevicePrimaryCtxRetain\0").ok()?;
        let release: Symbol<unsafe extern "C" fn(c_int) -> c_int> =
            driver.get(b"cuDevicePrimaryCtxRelease_v2\0").ok()?;
        let push: Symbol<Push> = driver.get(b"cuCtxPushCurrent_v2\0").ok()?;
        let pop: Symbol<Pop> = driver.get(b"cuCtxPopCurrent_v2\0").ok()?;
        let info: Symbol<MemoryInfo> = driver.get(b"cuMemGetInfo_v2\0").ok()?;
        if retain(&raw mut context, device) != SUCCESS {
            return None;
        }
        let found = push(context) == SUCCESS && {
            let found = info(&raw mut free, &raw mut all) == SUCCESS;
            pop(&raw mut context);
            found
        };
        release(device);
        found.then_some(free as u64)
    }
}
