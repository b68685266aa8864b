//! Every operation of `Network` on libtorch tensors, forward and pull-back adjacent, one file a family.

mod conv;
mod curve;
mod normal;
mod pointwise;
mod pool;
mod upsample;
mod vector;

use std::collections::HashMap;

use tch::{Device, TchError, Tensor};
use trepang_api::{Array, Kernels, Network, Node, Op, Padding, ReluGradient, Result, Weights, WithPullBack};

use crate::failed;

/// tch's own result, inside the operations; it becomes an [`Error`](trepang_api::Error) at the seam.
type Torch<T> = std::result::Result<T, TchError>;

/// A network's weights on a device.
#[derive(Debug)]
pub(crate) struct TchOps {
    device: Device,
    tensors: HashMap<String, Tensor>,
    /// The factors and offsets of the preprocessing, `[1, 3, 1, 1]`.
    preprocess: [Tensor; 2],
}

impl TchOps {
    pub(crate) fn new(network: &Network, weights: &Weights, device: Device) -> Result<Self> {
        let p = network.preprocess();
        let per_channel = |values: [f32; 3]| upload(&values, &[1, 3, 1, 1], device);
        let preprocess = [per_channel(p.scale).map_err(failed)?, per_channel(p.shift).map_err(failed)?];
        let mut tensors = HashMap::new();
        for (name, _) in network.tensors() {
            if let Some(array) = weights.get(&name) {
                tensors.insert(name, upload(array.data(), array.shape(), device).map_err(failed)?);
            }
        }
        Ok(Self { device, tensors, preprocess })
    }

    /// The tensors `<prefix>.weight` and `<prefix>.bias`.
    fn weights(&self, prefix: &str) -> Torch<[&Tensor; 2]> {
        let find = |part: &str| {
            let name = format!("{prefix}.{part}");
            self.tensors.get(&name).ok_or_else(|| TchError::TensorNameNotFound(name, "the weights".into()))
        };
        Ok([find("weight")?, find("bias")?])
    }

    fn step<'a>(
        &'a self,
        node: &'a Node,
        inputs: &[&Tensor],
        relu: ReluGradient,
    ) -> Torch<WithPullBack<'a, Tensor>> {
        let x = inputs[0];
        match &node.op {
            Op::Preprocess(_) => pointwise::preprocess(&self.preprocess, x),
            Op::Conv2d(c) => conv::convolve(c, x, self.weights(&c.weights)?),
            Op::Relu => pointwise::relu(x, relu),
            Op::Relu6 => pointwise::relu6(x, relu),
            Op::MaxPool(p) => pool::max(p, x),
            Op::AveragePool { pool, count_padding } => pool::average(pool, *count_padding, x),
            Op::GlobalAverage => pool::global_average(x),
            Op::Add => pointwise::add(inputs),
            Op::Multiply => pointwise::multiply(x, inputs[1]),
            Op::Unary(curve) => curve::unary(*curve, x),
            Op::Lrn(lrn) => normal::lrn(lrn, x),
            Op::LayerNorm { epsilon } => normal::layer_norm(*epsilon, x),
            Op::GroupNorm { groups, epsilon } => normal::group_norm(*groups, *epsilon, x),
            Op::Upsample(up) => upsample::upsample(*up, x),
            Op::Channels(map) => pointwise::channels(map, x),
            Op::Concat => pointwise::concat(inputs),
            Op::Flatten => vector::flatten(x),
            Op::Linear(l) => vector::linear(x, self.weights(&l.weights)?),
            Op::Softmax => vector::softmax(x),
        }
    }
}

impl Kernels for TchOps {
    type Tensor = Tensor;

    fn upload(&self, array: &Array) -> Result<Tensor> {
        upload(array.data(), array.shape(), self.device).map_err(failed)
    }

    fn download(&self, tensor: &Tensor) -> Result<Array> {
        let shape: Vec<usize> = tensor.size().into_iter().map(|side| side.unsigned_abs() as usize).collect();
        let mut data = vec![0.0_f32; shape.iter().product()];
        let len = data.len();
        tensor.f_copy_data(&mut data, len).map_err(failed)?;
        Array::new(shape, data)
    }

    fn forward<'a>(
        &'a self,
        node: &'a Node,
        inputs: &[&Tensor],
        relu: ReluGradient,
    ) -> Result<WithPullBack<'a, Tensor>> {
        self.step(node, inputs, relu).map_err(failed)
    }

    fn add(&self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        a.f_add(b).map_err(failed)
    }
}

fn upload(data: &[f32], shape: &[usize], device: Device) -> Torch<Tensor> {
    Tensor::f_from_slice(data)?.f_reshape(sides(shape))?.f_to(device)
}

/// A shape in libtorch's integers.
fn sides(sides: &[usize]) -> Vec<i64> {
    sides.iter().map(|&side| side as i64).collect()
}

/// An output with the pull-back to its only input.
fn with_one<'a>(y: Tensor, dx: impl FnOnce(&Tensor) -> Torch<Tensor> + 'a) -> WithPullBack<'a, Tensor> {
    with_all(y, |dy| Ok(vec![dx(&dy)?]))
}

/// An output with the pull-back to all of its inputs.
fn with_all<'a>(y: Tensor, dxs: impl FnOnce(Tensor) -> Torch<Vec<Tensor>> + 'a) -> WithPullBack<'a, Tensor> {
    (y, Box::new(move |dy| dxs(dy).map_err(failed)))
}

/// An input with its padding: how it lies in what windows slide over.
struct PaddedInput {
    /// The padding that is left to the windows, rows and columns.
    rest: [i64; 2],
    /// Rows above and columns to the left that were put around the input.
    before: [i64; 2],
    /// Height and width of the input.
    size: [i64; 2],
}

impl PaddedInput {
    /// libtorch's windows take padding that is the same on opposite sides. Other padding is put around the input first.
    fn pad(x: &Tensor, p: Padding, value: f64, to_windows: bool) -> Torch<(Tensor, Self)> {
        let (_, _, height, width) = x.size4()?;
        let (before, size) = ([p.top as i64, p.left as i64], [height, width]);
        if to_windows {
            return Ok((x.f_alias()?, Self { rest: before, before: [0, 0], size }));
        }
        let padded = x.f_pad(sides(&[p.left, p.right, p.top, p.bottom]), "constant", value)?;
        Ok((padded, Self { rest: [0, 0], before, size }))
    }

    /// The input's part of a gradient.
    fn cut(&self, dx: Tensor) -> Torch<Tensor> {
        if dx.size()[2..] == self.size {
            return Ok(dx);
        }
        dx.f_narrow(2, self.before[0], self.size[0])?.f_narrow(3, self.before[1], self.size[1])
    }
}

/// Whether it is the same on opposite sides.
fn is_even(p: Padding) -> bool {
    p.top == p.bottom && p.left == p.right
}
