//! The operations' kernels on CUDA. This module has unsafe code: a kernel's arguments are what `kernels.cu` declares.
#![allow(unsafe_code)]

use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::{CudaView, LaunchConfig, PushKernelArg};
use candle_core::{CudaStorage, Layout, Result, Shape};

use super::{MOST_NUMBERS, SlidingWindows};

/// The text that `make_ptx.py` made of kernels.cu: the driver compiles it for the card.
const PTX: &str = include_str!("kernels.ptx");

/// Threads of a block.
const BLOCK: u32 = 256;

/// The windows as the kernels take them: `WINDOWS` in kernels.cu.
pub(super) fn words(windows: &SlidingWindows) -> [usize; 12] {
    let SlidingWindows { input, out, kernel, step, first, spread } = windows;
    // A place before the plane is a negative `int`, of the same bits.
    let first = first.map(|first| first as usize);
    let mut words = [0; 12];
    for (into, from) in words.chunks_exact_mut(2).zip([input, out, kernel, step, &first, spread]) {
        into.copy_from_slice(from);
    }
    words
}

/// Runs a kernel with a thread for each number of the output: its count, then `words`, then the arrays, then the output.
pub(super) fn launch(
    kernel: &'static str,
    words: &[usize],
    arrays: &[(&CudaStorage, &Layout)],
    shape: Shape,
) -> Result<(CudaStorage, Shape)> {
    let Some((first, _)) = arrays.first() else { candle_core::bail!("{kernel} has no input") };
    let (device, count) = (first.device().clone(), shape.elem_count());
    let largest = arrays.iter().map(|(_, layout)| layout.shape().elem_count()).fold(count, usize::max);
    if largest > MOST_NUMBERS {
        candle_core::bail!("{kernel} of {largest} numbers: more than {MOST_NUMBERS} are not counted");
    }
    let function = device.get_or_load_custom_func(kernel, "trepang", PTX)?;
    // SAFETY: the kernel writes every number of it.
    let out = unsafe { device.alloc::<f32>(count)? };
    let count = count as u32;
    let words: Vec<u32> = words.iter().map(|&word| word as u32).collect();
    let views = arrays.iter().map(|(storage, layout)| view(storage, layout)).collect::<Result<Vec<_>>>()?;
    let mut arguments = function.builder();
    arguments.arg(&count);
    for word in &words {
        arguments.arg(word);
    }
    for view in &views {
        arguments.arg(view);
    }
    arguments.arg(&out);
    let blocks = count.div_ceil(BLOCK);
    let config = LaunchConfig { grid_dim: (blocks, 1, 1), block_dim: (BLOCK, 1, 1), shared_mem_bytes: 0 };
    if blocks > 0 {
        // SAFETY: the arguments have the types and the order of kernels.cu, and every array has the numbers that the windows
        // or the output's shape say.
        unsafe { arguments.launch(config) }.w()?;
    }
    Ok((CudaStorage::wrap_cuda_slice(out, device), shape))
}

/// A contiguous array.
fn view<'a>(storage: &'a CudaStorage, layout: &Layout) -> Result<CudaView<'a, f32>> {
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(storage.as_cuda_slice::<f32>()?.slice(from..to)),
        None => candle_core::bail!("an array that is not contiguous"),
    }
}
