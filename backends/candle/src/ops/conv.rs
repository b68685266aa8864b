//! Convolution: the glue between candle tensors and the im2col kernel.

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Shape, Tensor};
use trepang_api::Conv2d;

use super::{Candle, numbers};
use crate::kernels::conv::{Geometry, convolve, pull_back};

/// y = w * x + b, shapes `[N, C, H, W]`, `[O, C / groups, kh, kw]`, `[O]`.
pub(super) fn forward(conv: &Conv2d, x: &Tensor, w: &Tensor, b: &Tensor) -> Candle<Tensor> {
    x.apply_op3_no_bwd(w, b, &Forward(Geometry::new(conv, x.dims4()?)))
}

/// dx from dy, for an input of x's shape.
pub(super) fn backward(conv: &Conv2d, x: &Tensor, w: &Tensor, dy: &Tensor) -> Candle<Tensor> {
    dy.contiguous()?.apply_op2_no_bwd(w, &Backward(Geometry::new(conv, x.dims4()?)))
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
        let y = convolve(&self.0, numbers(x, lx)?, numbers(w, lw)?, numbers(b, lb)?);
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
        let dx = pull_back(&self.0, numbers(dy, ldy)?, numbers(w, lw)?);
        Ok((CpuStorage::F32(dx), Shape::from_dims(&self.0.input_dims())))
    }
}
