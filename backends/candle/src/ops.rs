//! Every operation of `Network`, forward and pull-back adjacent, one file a family: made of candle's own tensor operations,
//! which exist for every device, or, where `own` works, with its operations for convolution, max pooling and ReLU. Nothing here
//! copies to the host. The conformance suite runs both ways on the CPU.

mod conv;
mod curve;
mod grid;
mod launches;
mod normal;
mod pointwise;
mod pool;
mod upsample;
mod vector;

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use trepang_api::{Array, Conv2d, Kernels, Network, Node, Op, ReluGradient, Result, Weights, WithPullBack};

use self::launches::launched;
use crate::failed;
use crate::own::works_on;

/// candle's own result, inside the operations; it becomes an [`Error`](trepang_api::Error) at the seam.
type Candle<T> = candle_core::Result<T>;

/// A network's weights on a device.
#[derive(Debug)]
pub(crate) struct CandleOps {
    device: Device,
    /// Whether operations of `own` are used.
    own: bool,
    /// By name; each convolution's kernel turned round, too.
    tensors: HashMap<String, Tensor>,
    /// The factors and offsets of the preprocessing, `[1, 3, 1, 1]`.
    preprocess: [Tensor; 2],
}

impl CandleOps {
    /// `own` says whether operations of ours may be used. They are if they work on the device.
    pub(crate) fn new(network: &Network, weights: &Weights, device: Device, own: bool) -> Result<Self> {
        let own = own && works_on(&device);
        let p = network.preprocess();
        let per_channel = |values: [f32; 3]| Tensor::new(&values, &device)?.reshape((1, 3, 1, 1));
        let preprocess = [per_channel(p.scale).map_err(failed)?, per_channel(p.shift).map_err(failed)?];
        let mut tensors = HashMap::new();
        for (name, _) in network.tensors() {
            if let Some(array) = weights.get(&name) {
                tensors.insert(name, upload(array, &device)?);
            }
        }
        for conv in network.nodes().iter().filter_map(convolution) {
            if let Some(kernel) = weights.get(&format!("{}.weight", conv.weights)) {
                let turned = upload(&conv::turned_round(conv, kernel), &device)?;
                tensors.insert(format!("{}.{TURNED}", conv.weights), turned);
            }
        }
        // Uploads are queued on a GPU, and the model may be used from another thread.
        device.synchronize().map_err(failed)?;
        Ok(Self { device, own, tensors, preprocess })
    }

    fn tensor(&self, prefix: &str, part: &str) -> Candle<&Tensor> {
        let name = format!("{prefix}.{part}");
        match self.tensors.get(&name) {
            Some(tensor) => Ok(tensor),
            None => candle_core::bail!("tensor {name} was not loaded"),
        }
    }

    fn convolve<'a>(&'a self, c: &'a Conv2d, x: &Tensor) -> Candle<WithPullBack<'a, Tensor>> {
        let (w, b) = (self.tensor(&c.weights, "weight")?, self.tensor(&c.weights, "bias")?);
        conv::convolve(c, x, [w, b, self.tensor(&c.weights, TURNED)?], self.own)
    }

    fn step<'a>(
        &'a self,
        node: &'a Node,
        inputs: &[&Tensor],
        relu: ReluGradient,
    ) -> Candle<WithPullBack<'a, Tensor>> {
        let x = inputs[0];
        match &node.op {
            Op::Preprocess(_) => pointwise::preprocess(&self.preprocess, x),
            Op::Conv2d(c) => self.convolve(c, x),
            Op::Relu => pointwise::relu(x, relu, self.own),
            Op::Relu6 => pointwise::relu6(x, relu),
            Op::MaxPool(p) => pool::max(p, x, self.own),
            Op::AveragePool { pool, count_padding } => pool::average(pool, *count_padding, x),
            Op::GlobalAverage => pool::global_average(x),
            Op::Add => pointwise::add(inputs),
            Op::Multiply => pointwise::multiply(x, inputs[1]),
            Op::Unary(curve) => curve::unary(*curve, x),
            Op::Lrn(lrn) => normal::lrn(lrn, x),
            Op::LayerNorm { epsilon } => normal::layer_norm(*epsilon, x),
            Op::GroupNorm { groups, epsilon } => normal::group_norm(*groups, *epsilon, x),
            Op::Upsample(up) => upsample::upsample(up, x),
            Op::Channels(map) => pointwise::channels(map, x),
            Op::Concat => pointwise::concat(inputs),
            Op::Flatten => vector::flatten(x),
            Op::Linear(l) => {
                vector::linear(x, self.tensor(&l.weights, "weight")?, self.tensor(&l.weights, "bias")?)
            }
            Op::Softmax => vector::softmax(x),
        }
    }
}

/// The last part of the name of a kernel that is turned round.
const TURNED: &str = "turned";

fn convolution(node: &Node) -> Option<&Conv2d> {
    if let Op::Conv2d(conv) = &node.op { Some(conv) } else { None }
}

impl Kernels for CandleOps {
    type Tensor = Tensor;

    fn upload(&self, array: &Array) -> Result<Tensor> {
        upload(array, &self.device)
    }

    fn download(&self, tensor: &Tensor) -> Result<Array> {
        let data = tensor.flatten_all().and_then(|flat| flat.to_vec1()).map_err(failed)?;
        Array::new(tensor.dims(), data)
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
        launched(1);
        (a + b).map_err(failed)
    }
}

/// An output with the pull-back to its only input.
fn with_one<'a>(y: Tensor, dx: impl FnOnce(&Tensor) -> Candle<Tensor> + 'a) -> WithPullBack<'a, Tensor> {
    with_all(y, |dy| Ok(vec![dx(dy)?]))
}

/// An output with the pull-back to all of its inputs.
fn with_all<'a>(
    y: Tensor,
    dxs: impl FnOnce(&Tensor) -> Candle<Vec<Tensor>> + 'a,
) -> WithPullBack<'a, Tensor> {
    (y, Box::new(move |dy| dxs(&dy).map_err(failed)))
}

fn upload(array: &Array, device: &Device) -> Result<Tensor> {
    Tensor::from_slice(array.data(), array.shape(), device).map_err(failed)
}
