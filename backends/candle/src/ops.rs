//! Every operation of `Network` on candle tensors, forward and backward adjacent, one file a family. Sliding
//! windows go through the CPU kernels of this crate; the rest is made of candle's own operations.

mod conv;
mod pointwise;
mod pool;
mod vector;

use std::collections::HashMap;

use candle_core::{CpuStorage, Layout, Tensor};
use trepang_api::{Array, Kernels, Network, Node, Op, Result, Weights};

use crate::failed;

/// candle's own result, inside the operations; it becomes an [`Error`](trepang_api::Error) at the seam.
type Candle<T> = candle_core::Result<T>;

/// The weights of a network as tensors, by name.
#[derive(Debug)]
pub(crate) struct CandleOps {
    tensors: HashMap<String, Tensor>,
}

impl CandleOps {
    pub(crate) fn new(network: &Network, weights: &Weights) -> Result<Self> {
        let mut tensors = HashMap::new();
        for (name, _) in network.tensors() {
            if let Some(array) = weights.get(&name) {
                tensors.insert(name, upload(array)?);
            }
        }
        Ok(Self { tensors })
    }

    fn tensor(&self, prefix: &str, part: &str) -> Result<&Tensor> {
        let name = format!("{prefix}.{part}");
        self.tensors.get(&name).ok_or_else(|| failed(format!("tensor {name} was not loaded")))
    }
}

impl Kernels for CandleOps {
    type Tensor = Tensor;

    fn upload(&self, array: &Array) -> Result<Tensor> {
        upload(array)
    }

    fn download(&self, tensor: &Tensor) -> Result<Array> {
        let data = tensor.flatten_all().and_then(|flat| flat.to_vec1()).map_err(failed)?;
        Array::new(tensor.dims(), data)
    }

    fn forward(&self, node: &Node, inputs: &[&Tensor]) -> Result<Tensor> {
        let x = inputs[0];
        match &node.op {
            Op::Preprocess(p) => pointwise::preprocess(p, x),
            Op::Conv2d(c) => {
                conv::forward(c, x, self.tensor(&c.weights, "weight")?, self.tensor(&c.weights, "bias")?)
            }
            Op::Relu => x.relu(),
            Op::Relu6 => x.clamp(0_f32, 6_f32),
            Op::MaxPool(p) => pool::max(p, x),
            Op::AveragePool { pool, count_padding } => pool::average(pool, *count_padding, x),
            Op::GlobalAverage => pool::global_average(x),
            Op::Add => pointwise::add(inputs),
            Op::Concat => Tensor::cat(inputs, 1),
            Op::Flatten => vector::flatten(x),
            Op::Linear(l) => {
                vector::linear(x, self.tensor(&l.weights, "weight")?, self.tensor(&l.weights, "bias")?)
            }
            Op::Softmax => vector::softmax(x),
        }
        .map_err(failed)
    }

    fn backward(&self, node: &Node, inputs: &[&Tensor], output: &Tensor, dy: &Tensor) -> Result<Vec<Tensor>> {
        let x = inputs[0];
        let dx = match &node.op {
            Op::Preprocess(p) => pointwise::preprocess_backward(p, dy),
            Op::Conv2d(c) => conv::backward(c, x, self.tensor(&c.weights, "weight")?, dy),
            Op::Relu => pointwise::relu_backward(output, dy),
            Op::Relu6 => pointwise::relu6_backward(output, dy),
            Op::MaxPool(p) => pool::max_backward(p, x, dy),
            Op::AveragePool { pool, count_padding } => pool::average_backward(pool, *count_padding, x, dy),
            Op::GlobalAverage => pool::global_average_backward(x, dy),
            Op::Add => return Ok(vec![dy.clone(); inputs.len()]),
            Op::Concat => return pointwise::concat_backward(inputs, dy).map_err(failed),
            Op::Flatten => dy.reshape(x.shape()),
            Op::Linear(l) => vector::linear_backward(x, self.tensor(&l.weights, "weight")?, dy),
            Op::Softmax => vector::softmax_backward(output, dy),
        };
        Ok(vec![dx.map_err(failed)?])
    }

    fn add(&self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        (a + b).map_err(failed)
    }
}

fn upload(array: &Array) -> Result<Tensor> {
    Tensor::from_slice(array.data(), array.shape(), &candle_core::Device::Cpu).map_err(failed)
}

/// A contiguous `f32` tensor's numbers, for a CPU kernel.
fn numbers<'a>(storage: &'a CpuStorage, layout: &Layout) -> Candle<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => candle_core::bail!("a kernel was given a tensor that is not contiguous: {layout:?}"),
    }
}
