//! Max, average and global average pooling: the glue to the window kernels, and the global mean.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Shape, Tensor};
use trepang_api::Pool;

use super::{Candle, Step, numbers, with_one};
use crate::kernels::pool::{self, Windows};

/// The largest of each window; dy to the first maximum, which is found again in x.
pub(super) fn max<'a>(pool: &Pool, x: &Tensor) -> Candle<Step<'a>> {
    slide(Windows::new(pool, x.dims4()?), x, pool::max, pool::max_backward)
}

/// The mean of each window; dy over the window's size to each of its numbers.
pub(super) fn average<'a>(pool: &Pool, count_padding: bool, x: &Tensor) -> Candle<Step<'a>> {
    let windows = Windows::new(pool, x.dims4()?);
    match count_padding {
        true => slide(windows, x, pool::average_counting, pool::average_counting_backward),
        false => slide(windows, x, pool::average, pool::average_backward),
    }
}

fn slide<'a>(windows: Windows, x: &Tensor, forward: Map, backward: PullBack) -> Candle<Step<'a>> {
    let y = x.apply_op1_no_bwd(&Forward(windows.clone(), forward))?;
    let kept = x.clone();
    Ok(with_one(y, move |dy| kept.apply_op2_no_bwd(&dy.contiguous()?, &Backward(windows, backward))))
}

/// The mean over height and width, `[N, C, 1, 1]`; dy over the number of positions, everywhere.
pub(super) fn global_average<'a>(x: &Tensor) -> Candle<Step<'a>> {
    let shape = x.shape().clone();
    let (_, _, h, w) = x.dims4()?;
    Ok(with_one(x.mean_keepdim((2, 3))?, move |dy| {
        dy.affine(1.0 / (h * w) as f64, 0.0)?.broadcast_as(shape)?.contiguous()
    }))
}

/// A kernel from x to y.
type Map = fn(&Windows, &[f32]) -> Vec<f32>;

/// A kernel from x and dy to dx.
type PullBack = fn(&Windows, &[f32], &[f32]) -> Vec<f32>;

struct Forward(Windows, Map);

impl CustomOp1 for Forward {
    fn name(&self) -> &'static str {
        "trepang-pool"
    }

    fn cpu_fwd(&self, x: &CpuStorage, lx: &Layout) -> Candle<(CpuStorage, Shape)> {
        let y = self.1(&self.0, numbers(x, lx)?);
        Ok((CpuStorage::F32(y), Shape::from_dims(&self.0.output_dims())))
    }
}

struct Backward(Windows, PullBack);

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
