//! The name and the memory of an NVIDIA GPU, from the driver itself: libtorch's C++ interface has them, tch does not
//! pass them on. Four functions of a C interface that has not changed in ten years (CUDA driver API, "Device
//! Management"). This module has the crate's unsafe code: symbols are what the driver's header says they are.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_uint};

use libloading::Library;

/// The result of a driver's function that has succeeded: `CUDA_SUCCESS`.
const SUCCESS: c_int = 0;

/// The GPU's name and its bytes of memory; none where the driver does not answer. `index` counts as libtorch counts.
pub(crate) fn about(index: usize) -> Option<(String, u64)> {
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
        Some((CStr::from_ptr(name.as_ptr()).to_string_lossy().into_owned(), bytes as u64))
    }
}
