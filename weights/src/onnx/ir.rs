//! The intermediate network: layers with their weights, before batch norms and paddings are merged into convolutions. Each
//! remembers the node of the file that it comes from. `emit` turns it into a [`Network`](trepang_api::Network).

use trepang_api::{Conv2d, Linear, Op, Padding, Pool, Shape};

use super::tensor::count;

/// The largest number of numbers of an activation: beyond it nothing could be computed anyway.
const MAX_NUMBERS: usize = 1 << 40;

/// A convolution with its numbers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kernel {
    /// `[outputs, inputs / groups, kh, kw]`, row-major.
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
    pub inputs: usize,
    pub outputs: usize,
    /// The height and the width of its window.
    pub window: [usize; 2],
    pub stride: [usize; 2],
    pub padding: Padding,
    pub groups: usize,
}

impl Kernel {
    /// A 1x1 convolution of as many outputs as inputs, with these weights and one bias for all.
    pub(super) fn pointwise(weight: Vec<f32>, bias: f32, channels: usize) -> Self {
        Self {
            weight,
            bias: vec![bias; channels],
            inputs: channels,
            outputs: channels,
            window: [1, 1],
            stride: [1, 1],
            padding: Padding::default(),
            groups: 1,
        }
    }
}

/// A fully connected layer with its numbers, `[outputs, inputs]`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Matrix {
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
    pub inputs: usize,
    pub outputs: usize,
}

/// The computation of a layer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum LayerOp {
    /// The picture in the network's own input space.
    Image,
    Conv(Kernel),
    Linear(Matrix),
    /// Each channel times a number, plus a number.
    Affine {
        scale: Vec<f32>,
        shift: Vec<f32>,
    },
    /// Zeros around its input.
    Pad(Padding),
    /// An operation without numbers of its own.
    Plain(Op),
}

/// A layer, before it has a name.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layer {
    pub op: LayerOp,
    pub inputs: Vec<usize>,
    pub shape: Shape,
    /// The position of the node of the file that it comes from; none for the picture.
    pub origin: Option<usize>,
    /// The layer that this one was merged into, if it was.
    pub merged_into: Option<usize>,
}

/// The layers, each after those that it reads.
#[derive(Debug, Default)]
pub(super) struct Layers(pub Vec<Layer>);

impl Layers {
    /// Adds a layer. Fails, with a clause, if its input does not fit.
    pub(super) fn add(
        &mut self,
        op: LayerOp,
        inputs: &[usize],
        origin: Option<usize>,
    ) -> Result<usize, String> {
        let shapes: Vec<Shape> = inputs.iter().map(|&at| self.0[at].shape).collect();
        let shape = output_shape(&op, &shapes)?;
        let sides = [shape.channels, shape.height, shape.width];
        match count(&sides) {
            Some(0) => return Err("nothing would be left of its input".into()),
            Some(..=MAX_NUMBERS) => {}
            Some(_) | None => return Err(format!("makes an activation {sides:?}, which is too large")),
        }
        self.0.push(Layer { op, inputs: inputs.to_vec(), shape, origin, merged_into: None });
        Ok(self.0.len() - 1)
    }

    pub(super) fn shape(&self, at: usize) -> Shape {
        self.0[at].shape
    }

    /// The layer that the one at `at` was merged into, in the end; itself, if it is still there.
    pub(super) fn now(&self, mut at: usize) -> usize {
        while let Some(into) = self.0[at].merged_into {
            at = into;
        }
        at
    }

    /// Whether the layer at `at` was not merged into another.
    pub(super) fn is_there(&self, at: usize) -> bool {
        self.0[at].merged_into.is_none()
    }

    /// The number of layers that read each layer.
    pub(super) fn readers(&self) -> Vec<usize> {
        let mut readers = vec![0; self.0.len()];
        for layer in self.0.iter().filter(|layer| layer.merged_into.is_none()) {
            for &input in &layer.inputs {
                readers[input] += 1;
            }
        }
        readers
    }
}

impl Kernel {
    /// The operation, with its tensors under `weights`.
    pub(super) fn op(&self, weights: &str) -> Conv2d {
        let Self { inputs, outputs, window, stride, padding, groups, .. } = *self;
        Conv2d { weights: weights.into(), inputs, outputs, kernel: window, stride, padding, groups }
    }

    /// A convolution of one cell that multiplies each channel by its number and adds another.
    pub(super) fn depthwise(scale: Vec<f32>, shift: Vec<f32>, padding: Padding) -> Self {
        let channels = scale.len();
        Self {
            weight: scale,
            bias: shift,
            inputs: channels,
            outputs: channels,
            window: [1, 1],
            stride: [1, 1],
            padding,
            groups: channels,
        }
    }
}

impl Matrix {
    /// The operation, with its tensors under `weights`.
    pub(super) fn op(&self, weights: &str) -> Linear {
        Linear { weights: weights.into(), inputs: self.inputs, outputs: self.outputs }
    }
}

fn output_shape(op: &LayerOp, inputs: &[Shape]) -> Result<Shape, String> {
    let first = || inputs.first().copied().ok_or("it has no input");
    match op {
        LayerOp::Image => Err("a network has one picture".into()),
        LayerOp::Conv(kernel) => Op::Conv2d(kernel.op("")).output_shape(inputs),
        LayerOp::Linear(matrix) => Op::Linear(matrix.op("")).output_shape(inputs),
        LayerOp::Affine { .. } => Ok(first()?),
        LayerOp::Pad(padding) => {
            let Shape { channels, height, width } = first()?;
            let sum = |side: usize, before: usize, after: usize| {
                before.checked_add(after).and_then(|pads| side.checked_add(pads))
            };
            let height = sum(height, padding.top, padding.bottom).ok_or("its padding is absurd")?;
            let width = sum(width, padding.left, padding.right).ok_or("its padding is absurd")?;
            Ok(Shape { channels, height, width })
        }
        LayerOp::Plain(op) => op.output_shape(inputs),
    }
}

/// The window of a pooling operation.
pub(super) fn pool_of(op: &Op) -> Option<Pool> {
    match op {
        Op::MaxPool(pool) | Op::AveragePool { pool, .. } => Some(*pool),
        Op::Preprocess(_)
        | Op::Conv2d(_)
        | Op::Relu
        | Op::Relu6
        | Op::GlobalAverage
        | Op::Add
        | Op::Multiply
        | Op::Unary(_)
        | Op::Lrn(_)
        | Op::LayerNorm { .. }
        | Op::GroupNorm { .. }
        | Op::Upsample(_)
        | Op::Channels(_)
        | Op::Concat
        | Op::Flatten
        | Op::Linear(_)
        | Op::Softmax => None,
    }
}
