//! Operations of ours, where candle's take many small pieces of work to do the same: on a GPU each piece costs more to hand over
//! than to compute. Each has a body in Rust, for the CPU, and a kernel for CUDA that computes the same bits (`kernels.cu`). Not
//! for Metal: no kernel of ours could be tried there.

mod bodies;
mod check;
#[cfg(feature = "cuda")]
mod cuda;
#[cfg(test)]
mod kernel_tests;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, Device, Layout, Result, Shape, Tensor};

pub(crate) use self::check::works_on;

/// The most numbers of one array: kernels count in 32 bits, and the last block of threads may count a little further.
pub(crate) const MOST_NUMBERS: usize = 1 << 31;

/// Windows over planes, along rows and columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SlidingWindows {
    /// The sides of a plane.
    pub(crate) input: [usize; 2],
    /// The number of windows.
    pub(crate) out: [usize; 2],
    /// The sides of a window.
    pub(crate) kernel: [usize; 2],
    /// The steps from window to window.
    pub(crate) step: [usize; 2],
    /// The place that the first window begins at: less than 0 where there is padding above and on the left.
    pub(crate) first: [isize; 2],
    /// The distance of a plane's numbers, with zeros between them: 1 for none.
    pub(crate) spread: [usize; 2],
}

impl SlidingWindows {
    /// The place along an axis that a tap of a window reads; none for padding and for zeros between the numbers.
    fn place(&self, axis: usize, window: usize, tap: usize) -> Option<usize> {
        let at = (window * self.step[axis] + tap).checked_add_signed(self.first[axis])?;
        let place = at / self.spread[axis];
        (at.is_multiple_of(self.spread[axis]) && place < self.input[axis]).then_some(place)
    }

    fn taps(&self) -> usize {
        self.kernel.iter().product()
    }

    fn count(&self) -> usize {
        self.out.iter().product()
    }

    fn area(&self) -> usize {
        self.input.iter().product()
    }
}

/// dy where y is positive, else 0.
pub(crate) fn gate(y: &Tensor, dy: &Tensor) -> Result<Tensor> {
    y.contiguous()?.apply_op2_no_bwd(&dy.contiguous()?, &Gate)
}

/// `[N, C, H, W]` plus a number for each channel, `[C]`.
pub(crate) fn add_bias(x: &Tensor, bias: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op2_no_bwd(bias, &AddBias)
}

/// The numbers that the windows read: `[N, C taps, windows]`, which times a kernel `[O, C taps]` is a convolution.
pub(crate) fn columns(x: &Tensor, windows: SlidingWindows) -> Result<Tensor> {
    x.contiguous()?.apply_op1_no_bwd(&Unfold(windows))
}

/// The largest number of each window, `[N, C, out, out]`.
pub(crate) fn max_pool(x: &Tensor, windows: SlidingWindows) -> Result<Tensor> {
    x.contiguous()?.apply_op1_no_bwd(&MaxPool(windows))
}

/// dy to the first largest number of each window, row by row.
pub(crate) fn max_pool_back(x: &Tensor, y: &Tensor, dy: &Tensor, windows: SlidingWindows) -> Result<Tensor> {
    x.contiguous()?.apply_op3_no_bwd(&y.contiguous()?, &dy.contiguous()?, &MaxPoolBack(windows))
}

/// Tells if there are kernels of ours for a kind of device.
fn has_kernels(device: &Device) -> bool {
    match device {
        Device::Cpu => true,
        Device::Cuda(_) => cfg!(feature = "cuda"),
        Device::Metal(_) => false,
    }
}

struct Gate;
struct AddBias;
struct Unfold(SlidingWindows);
struct MaxPool(SlidingWindows);
struct MaxPoolBack(SlidingWindows);

impl Unfold {
    fn shape(&self, layout: &Layout) -> Result<Shape> {
        let (n, c, _, _) = layout.shape().dims4()?;
        Ok(Shape::from((n, c * self.0.taps(), self.0.count())))
    }
}

impl MaxPool {
    fn shape(&self, layout: &Layout) -> Result<Shape> {
        let (n, c, _, _) = layout.shape().dims4()?;
        Ok(Shape::from((n, c, self.0.out[0], self.0.out[1])))
    }
}

/// The area of a plane of `[N, C, H, W]`, and the number of channels.
fn planes(layout: &Layout) -> Result<[usize; 2]> {
    let (_, c, h, w) = layout.shape().dims4()?;
    Ok([h * w, c])
}

/// The numbers of a contiguous array on the host.
fn numbers<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (layout.contiguous_offsets(), storage) {
        (Some((from, to)), CpuStorage::F32(all)) => Ok(&all[from..to]),
        _ => candle_core::bail!("an array that is not contiguous, or not in f32"),
    }
}

impl CustomOp2 for Gate {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn cpu_fwd(
        &self,
        y: &CpuStorage,
        of_y: &Layout,
        dy: &CpuStorage,
        of_dy: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let dx = bodies::gate(numbers(y, of_y)?, numbers(dy, of_dy)?);
        Ok((CpuStorage::F32(dx), of_y.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        y: &candle_core::CudaStorage,
        of_y: &Layout,
        dy: &candle_core::CudaStorage,
        of_dy: &Layout,
    ) -> Result<(candle_core::CudaStorage, Shape)> {
        cuda::launch(self.name(), &[], &[(y, of_y), (dy, of_dy)], of_y.shape().clone())
    }
}

impl CustomOp2 for AddBias {
    fn name(&self) -> &'static str {
        "add_bias"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        of_x: &Layout,
        bias: &CpuStorage,
        of_bias: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let [area, _] = planes(of_x)?;
        let y = bodies::add_bias(numbers(x, of_x)?, numbers(bias, of_bias)?, area);
        Ok((CpuStorage::F32(y), of_x.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &candle_core::CudaStorage,
        of_x: &Layout,
        bias: &candle_core::CudaStorage,
        of_bias: &Layout,
    ) -> Result<(candle_core::CudaStorage, Shape)> {
        cuda::launch(self.name(), &planes(of_x)?, &[(x, of_x), (bias, of_bias)], of_x.shape().clone())
    }
}

impl CustomOp1 for Unfold {
    fn name(&self) -> &'static str {
        "columns_of"
    }

    fn cpu_fwd(&self, x: &CpuStorage, of_x: &Layout) -> Result<(CpuStorage, Shape)> {
        let y = bodies::columns(numbers(x, of_x)?, &self.0);
        Ok((CpuStorage::F32(y), self.shape(of_x)?))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &candle_core::CudaStorage,
        of_x: &Layout,
    ) -> Result<(candle_core::CudaStorage, Shape)> {
        cuda::launch(self.name(), &cuda::words(&self.0), &[(x, of_x)], self.shape(of_x)?)
    }
}

impl CustomOp1 for MaxPool {
    fn name(&self) -> &'static str {
        "max_pool"
    }

    fn cpu_fwd(&self, x: &CpuStorage, of_x: &Layout) -> Result<(CpuStorage, Shape)> {
        let y = bodies::max_pool(numbers(x, of_x)?, &self.0);
        Ok((CpuStorage::F32(y), self.shape(of_x)?))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &candle_core::CudaStorage,
        of_x: &Layout,
    ) -> Result<(candle_core::CudaStorage, Shape)> {
        cuda::launch(self.name(), &cuda::words(&self.0), &[(x, of_x)], self.shape(of_x)?)
    }
}

impl CustomOp3 for MaxPoolBack {
    fn name(&self) -> &'static str {
        "max_pool_back"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        of_x: &Layout,
        y: &CpuStorage,
        of_y: &Layout,
        dy: &CpuStorage,
        of_dy: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let arrays = [numbers(x, of_x)?, numbers(y, of_y)?, numbers(dy, of_dy)?];
        Ok((CpuStorage::F32(bodies::max_pool_back(arrays, &self.0)), of_x.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &candle_core::CudaStorage,
        of_x: &Layout,
        y: &candle_core::CudaStorage,
        of_y: &Layout,
        dy: &candle_core::CudaStorage,
        of_dy: &Layout,
    ) -> Result<(candle_core::CudaStorage, Shape)> {
        let arrays = [(x, of_x), (y, of_y), (dy, of_dy)];
        cuda::launch(self.name(), &cuda::words(&self.0), &arrays, of_x.shape().clone())
    }
}
