//! Max, average and global average pooling: the glue to the window kernels, and the global mean.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Shape, Tensor};
use trepang_api::Pool;

use super::{Candle, numbers};
use crate::kernels::pool::{self, Windows};

/// The largest of each window.
pub(super) fn max(pool: &Pool, x: &Tensor) -> Candle<Tensor> {
    x.apply_op1_no_bwd(&Forward(Windows::new(pool, x.dims4()?), pool::max))
}

/// dy to the first maximum of each window, which is found again in x.
pub(super) fn max_backward(pool: &Pool, x: &Tensor, dy: &Tensor) -> Candle<Tensor> {
    let windows = Windows::new(pool, x.dims4()?);
    x.apply_op2_no_bwd(&dy.contiguous()?, &Backward(windows, pool::max_backward))
}

/// The mean of each window.
pub(super) fn average(pool: &Pool, count_padding: bool, x: &Tensor) -> Candle<Tensor> {
    let kernel = if count_padding { pool::average_counting } else { pool::average };
    x.apply_op1_no_bwd(&Forward(Windows::new(pool, x.dims4()?), kernel))
}

/// dy over the window's size to each of its numbers.
pub(super) fn average_backward(pool: &Pool, count_padding: bool, x: &Tensor, dy: &Tensor) -> Candle<Tensor> {
    let kernel = if count_padding { pool::average_counting_backward } else { pool::average_backward };
    x.apply_op2_no_bwd(&dy.contiguous()?, &Backward(Windows::new(pool, x.dims4()?), kernel))
}

/// The mean over height and width, `[N, C, 1, 1]`.
pub(super) fn global_average(x: &Tensor) -> Candle<Tensor> {
    x.mean_keepdim((2, 3))
}

/// dy over the number of positions, everywhere.
pub(super) fn global_average_backward(x: &Tensor, dy: &Tensor) -> Candle<Tensor> {
    let (_, _, h, w) = x.dims4()?;
    dy.affine(1.0 / (h * w) as f64, 0.0)?.broadcast_as(x.shape())?.contiguous()
}

/// A kernel from the input's numbers to the output's.
struct Forward(Windows, fn(&Windows, &[f32]) -> Vec<f32>);

impl CustomOp1 for Forward {
    fn name(&self) -> &'static str {
        "trepang-pool"
    }

    fn cpu_fwd(&self, x: &CpuStorage, lx: &Layout) -> Candle<(CpuStorage, Shape)> {
        let y = self.1(&self.0, numbers(x, lx)?);
        Ok((CpuStorage::F32(y), Shape::from_dims(&self.0.output_dims())))
    }
}

/// A kernel from the input's numbers and dy to dx.
struct Backward(Windows, fn(&Windows, &[f32], &[f32]) -> Vec<f32>);

impl CustomOp2 for Backward {
    fn name(&self) -> &'static str {
        "trepang-pool-pull-back"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        dy: &CpuStorage,
        ldy: &Layout,
    ) -> Candle<(CpuStorage, Shape)> {
        let dx = self.1(&self.0, numbers(x, lx)?, numbers(dy, ldy)?);
        Ok((CpuStorage::F32(dx), Shape::from_dims(&self.0.input_dims())))
    }
}
