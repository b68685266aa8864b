//! Whether a device computes our operations as the CPU does: asked once, before a network is put on it. A driver that does not
//! take the kernels, or a card that they were never tried on, is no reason for a wrong gradient: candle's own operations do
//! the same there.

use candle_core::{Device, Result, Tensor};

use super::{SlidingWindows, add_bias, columns, gate, has_kernels, max_pool, max_pool_back};

/// Tells if our operations give the bits here that they give on the CPU.
pub(crate) fn works_on(device: &Device) -> bool {
    has_kernels(device)
        && (device.is_cpu()
            || matches!((results(device), results(&Device::Cpu)), (Ok(here), Ok(there)) if here == there))
}

/// The results of every operation on small arrays with ties, padding, steps and zeros between the numbers, as bits.
fn results(device: &Device) -> Result<Vec<Vec<u32>>> {
    // Numbers from -3 to 3 that come again and again.
    let some = |shape: (usize, usize, usize, usize), factor: usize| {
        let (n, c, h, w) = shape;
        let data: Vec<f32> = (0..n * c * h * w).map(|i| (i * factor % 13) as f32 / 2.0 - 3.0).collect();
        Tensor::from_vec(data, shape, device)
    };
    let (x, dx) = (some((2, 3, 9, 7), 5)?, some((2, 3, 9, 7), 7)?);
    let bias = Tensor::new(&[0.5_f32, -1.25, 2.0], device)?;
    let spread = SlidingWindows {
        input: [9, 7],
        out: [17, 20],
        kernel: [3, 2],
        step: [1, 1],
        first: [-1, -2],
        spread: [2, 3],
    };
    let pool = SlidingWindows {
        input: [9, 7],
        out: [5, 4],
        kernel: [3, 3],
        step: [2, 2],
        first: [-1, -1],
        spread: [1, 1],
    };
    let (y, dy) = (max_pool(&x, pool)?, some((2, 3, 5, 4), 3)?);
    let found = [
        gate(&x, &dx)?,
        add_bias(&x, &bias)?,
        columns(&x, spread)?,
        columns(&x, pool)?,
        max_pool_back(&x, &y, &dy, pool)?,
        y,
    ];
    let bits = |found: &Tensor| {
        let numbers: Vec<f32> = found.flatten_all()?.to_vec1()?;
        Ok(numbers.into_iter().map(f32::to_bits).collect())
    };
    found.iter().map(bits).collect()
}
