//! The naive backend: plain loops, sums in `f64`, each operation's forward and backward side by side. It is
//! the oracle the real backends are held against, and the fake that tests run on. Not for speed.
//!
//! Letters: n image, c channel in, o channel out, y x position out, i j position in the window. `dy` is
//! dL/d(output), `dx` dL/d(input).

mod conv;
mod normal;
mod pointwise;
mod pool;
mod upsample;
mod vector;

use std::sync::Arc;

#[cfg(feature = "conformance")]
pub(crate) use pool::{near_winners, winners};

use crate::{
    Array, Backend, Device, DeviceKind, Error, Interpreter, Kernels, Model, Network, Node, Op, PullBack,
    ReluGradient, Result, Weights,
};

/// The naive backend. One thread; the CPU only.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reference;

impl Backend for Reference {
    fn name(&self) -> &'static str {
        "reference"
    }

    fn devices(&self) -> Vec<Device> {
        let description = "naive loops on one thread: the oracle, slow";
        vec![Device::new(DeviceKind::Cpu, 0, description)]
    }

    fn threads(&self) -> usize {
        1
    }

    fn load(&self, network: &Network, weights: &Weights, device: &Device) -> Result<Box<dyn Model>> {
        crate::find_device(self, &device.to_string())?;
        weights.check(network)?;
        Ok(Box::new(Interpreter::new(network.clone(), Loops { weights: weights.clone() })))
    }
}

/// Its operations, on weights that have been checked.
#[derive(Debug)]
pub(crate) struct Loops {
    pub(crate) weights: Weights,
}

impl Loops {
    fn tensor(&self, prefix: &str, part: &str) -> Result<&Array> {
        let name = format!("{prefix}.{part}");
        self.weights.get(&name).ok_or_else(|| Error::Backend {
            backend: "reference".into(),
            message: format!("tensor {name} vanished after loading"),
        })
    }
}

impl Kernels for Loops {
    type Tensor = Arc<Array>;

    fn upload(&self, array: &Array) -> Result<Arc<Array>> {
        Ok(Arc::new(array.clone()))
    }

    fn download(&self, tensor: &Arc<Array>) -> Result<Array> {
        Ok(Array::clone(tensor))
    }

    fn forward<'a>(
        &'a self,
        node: &'a Node,
        inputs: &[&Arc<Array>],
        relu: ReluGradient,
    ) -> Result<(Arc<Array>, PullBack<'a, Arc<Array>>)> {
        let inputs: Vec<Arc<Array>> = inputs.iter().copied().map(Arc::clone).collect();
        let output = Arc::new(self.output(node, &inputs)?);
        let kept = Arc::clone(&output);
        // More is kept than most pull-backs need: naive, as everything here.
        let pull_back = move |dy: Arc<Array>| {
            Ok(self.input_gradients(node, &inputs, &kept, relu, &dy)?.into_iter().map(Arc::new).collect())
        };
        Ok((output, Box::new(pull_back)))
    }

    fn add(&self, a: &Arc<Array>, b: &Arc<Array>) -> Result<Arc<Array>> {
        Ok(Arc::new(pointwise::add(&[a, b])))
    }
}

impl Loops {
    fn output(&self, node: &Node, inputs: &[Arc<Array>]) -> Result<Array> {
        let x = inputs[0].as_ref();
        match &node.op {
            Op::Preprocess(p) => pointwise::preprocess(p, x),
            Op::Conv2d(c) => {
                conv::forward(c, x, self.tensor(&c.weights, "weight")?, self.tensor(&c.weights, "bias")?)
            }
            Op::Relu => Ok(pointwise::clamp(x, f32::INFINITY)),
            Op::Relu6 => Ok(pointwise::clamp(x, 6.0)),
            Op::MaxPool(p) => pool::max(p, x),
            Op::AveragePool { pool, count_padding } => pool::average(pool, *count_padding, x),
            Op::GlobalAverage => pool::global_average(x),
            Op::Add => Ok(pointwise::add(&inputs.iter().map(Arc::as_ref).collect::<Vec<_>>())),
            Op::Multiply => Ok(pointwise::multiply(x, &inputs[1])),
            Op::Unary(curve) => Ok(pointwise::unary(*curve, x)),
            Op::Lrn(lrn) => normal::lrn(lrn, x),
            Op::LayerNorm { epsilon } => normal::layer_norm(*epsilon, x),
            Op::GroupNorm { groups, epsilon } => normal::group_norm(*groups, *epsilon, x),
            Op::Upsample(up) => upsample::upsample(up, x),
            Op::Channels(map) => pointwise::channels(map, x),
            Op::Concat => pointwise::concat(inputs),
            Op::Flatten => vector::flatten(x),
            Op::Linear(l) => {
                vector::linear(l, x, self.tensor(&l.weights, "weight")?, self.tensor(&l.weights, "bias")?)
            }
            Op::Softmax => vector::softmax(x),
        }
    }

    fn input_gradients(
        &self,
        node: &Node,
        inputs: &[Arc<Array>],
        output: &Array,
        relu: ReluGradient,
        dy: &Array,
    ) -> Result<Vec<Array>> {
        let x = inputs[0].as_ref();
        let dx = match &node.op {
            Op::Preprocess(p) => pointwise::preprocess_backward(p, dy),
            Op::Conv2d(c) => conv::backward(c, x, self.tensor(&c.weights, "weight")?, dy),
            Op::Relu => Ok(pointwise::clamp_backward(x, f32::INFINITY, relu, dy)),
            Op::Relu6 => Ok(pointwise::clamp_backward(x, 6.0, relu, dy)),
            Op::MaxPool(p) => pool::max_backward(p, x, dy),
            Op::AveragePool { pool, count_padding } => pool::average_backward(pool, *count_padding, x, dy),
            Op::GlobalAverage => pool::global_average_backward(x, dy),
            Op::Add => return Ok(vec![dy.clone(); inputs.len()]),
            Op::Multiply => return pointwise::multiply_backward(x, &inputs[1], dy),
            Op::Unary(curve) => Ok(pointwise::unary_backward(*curve, x, dy)),
            Op::Lrn(lrn) => normal::lrn_backward(lrn, x, dy),
            Op::LayerNorm { epsilon } => normal::layer_norm_backward(*epsilon, x, dy),
            Op::GroupNorm { groups, epsilon } => normal::group_norm_backward(*groups, *epsilon, x, dy),
            Op::Upsample(up) => upsample::upsample_backward(up, x, dy),
            Op::Channels(map) => pointwise::channels_backward(map, x, dy),
            Op::Concat => return pointwise::concat_backward(inputs, dy),
            Op::Flatten => Array::new(x.shape(), dy.data().to_vec()),
            Op::Linear(l) => vector::linear_backward(l, x, self.tensor(&l.weights, "weight")?, dy),
            Op::Softmax => vector::softmax_backward(output, dy),
        };
        Ok(vec![dx?])
    }
}
