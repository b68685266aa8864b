//! Convolution: the glue between candle tensors and the im2col kernel.

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Shape, Tensor};
use trepang_api::Conv2d;

use super::{Candle, Step, numbers, with_one};
use crate::kernels::conv::{self, Geometry};

/// y = w * x + b, shapes `[N, C, H, W]`, `[O, C / groups, kh, kw]`, `[O]`; dx = w^T dy.
pub(super) fn convolve<'a>(conv: &Conv2d, x: &Tensor, w: &'a Tensor, b: &Tensor) -> Candle<Step<'a>> {
    let geometry = Geometry::new(conv, x.dims4()?);
    let y = x.apply_op3_no_bwd(w, b, &Forward(geometry.clone()))?;
    Ok(with_one(y, move |dy| dy.contiguous()?.apply_op2_no_bwd(w, &Backward(geometry))))
}

struct Forward(Geometry);

impl CustomOp3 for Forward {
    fn name(&self) -> &'static str {
        "trepang-conv2d"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        w: &CpuStorage,
        lw: &Layout,
        b: &CpuStorage,
        lb: &Layout,
    ) -> Candle<(CpuStorage, Shape)> {
        let y = conv::convolve(&self.0, numbers(x, lx)?, numbers(w, lw)?, numbers(b, lb)?);
        Ok((CpuStorage::F32(y), Shape::from_dims(&self.0.output_dims())))
    }
}

struct Backward(Geometry);

impl CustomOp2 for Backward {
    fn name(&self) -> &'static str {
        "trepang-conv2d-pull-back"
    }

    fn cpu_fwd(
        &self,
        dy: &CpuStorage,
        ldy: &Layout,
        w: &CpuStorage,
        lw: &Layout,
    ) -> Candle<(CpuStorage, Shape)> {
        let dx = conv::pull_back(&self.0, numbers(dy, ldy)?, numbers(w, lw)?);
        Ok((CpuStorage::F32(dx), Shape::from_dims(&self.0.input_dims())))
    }
}
