//! The operations a network is made of: their parameters, their output shapes and the tensors they need.
//! Not how they are computed: that is each backend's [`Kernels`](crate::Kernels).

use crate::{ActivationCurve, Shape, Upsample};

/// The affine map from RGB in 0..1 to a network's own input space, fixed by whoever trained the weights: channel
/// `c` becomes `scale[c] * rgb[c] + shift[c]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Preprocess {
    /// Factors of R, G and B.
    pub scale: [f32; 3],
    /// Offsets of R, G and B.
    pub shift: [f32; 3],
    /// The weights were trained on BGR. Whoever reads them turns the kernels of the first convolution round, so
    /// no model permutes anything: only a recipe that works in the original input space has to know.
    pub trained_on_bgr: bool,
}

impl Preprocess {
    /// `(rgb - mean) / std`: PyTorch's convention.
    pub fn normalize(mean: [f32; 3], std: [f32; 3]) -> Self {
        let shift = [0, 1, 2].map(|c| -mean[c] / std[c]);
        Self { scale: std.map(f32::recip), shift, trained_on_bgr: false }
    }

    /// The same for a network that sees the mean of R, G and B: it subtracts the mean of the three means and divides by the
    /// mean of the three deviations.
    #[must_use]
    pub fn of_gray(&self) -> Self {
        let std: f32 = self.scale.iter().map(|scale| scale.recip()).sum::<f32>() / 3.0;
        let mean: f32 =
            self.scale.iter().zip(self.shift).map(|(scale, shift)| -shift / scale).sum::<f32>() / 3.0;
        Self::normalize([mean; 3], [std; 3])
    }

    /// The preprocessing of PyTorch's ImageNet networks.
    pub fn imagenet() -> Self {
        Self::normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    }

    /// Keras's "caffe" mode: BGR, 0..255, minus the ImageNet mean of each channel.
    pub fn caffe() -> Self {
        Self { scale: [255.0; 3], shift: [-123.68, -116.779, -103.939], trained_on_bgr: true }
    }

    /// Keras's "tf" mode: RGB in -1..1.
    pub fn minus_one_to_one() -> Self {
        Self { scale: [2.0; 3], shift: [-1.0; 3], trained_on_bgr: false }
    }

    /// That of `inception_v1`: RGB of 0..255 minus 117.
    pub fn inception_v1() -> Self {
        Self { scale: [255.0; 3], shift: [-117.0; 3], trained_on_bgr: false }
    }

    /// EfficientNet-Lite's: RGB as (x - 127) / 128 of 0..255.
    pub fn lite() -> Self {
        Self { scale: [255.0 / 128.0; 3], shift: [-127.0 / 128.0; 3], trained_on_bgr: false }
    }
}

/// Zeros put around an activation before a window slides over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Padding {
    /// Rows of zeros above.
    pub top: usize,
    /// Rows of zeros below.
    pub bottom: usize,
    /// Columns of zeros to the left.
    pub left: usize,
    /// Columns of zeros to the right.
    pub right: usize,
}

impl Padding {
    /// The same on all four sides.
    pub fn all(p: usize) -> Self {
        Self { top: p, bottom: p, left: p, right: p }
    }
}

impl std::ops::Add for Padding {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            top: self.top + other.top,
            bottom: self.bottom + other.bottom,
            left: self.left + other.left,
            right: self.right + other.right,
        }
    }
}

/// A two-dimensional cross-correlation with bias.
#[derive(Debug, Clone, PartialEq)]
pub struct Conv2d {
    /// Tensors `<weights>.weight` `[out, in / groups, kh, kw]` and `<weights>.bias` `[out]`.
    pub weights: String,
    /// Channels of the input.
    pub inputs: usize,
    /// Channels of the output.
    pub outputs: usize,
    /// Kernel height and width.
    pub kernel: [usize; 2],
    /// Step down and step right.
    pub stride: [usize; 2],
    /// Zeros around the input.
    pub padding: Padding,
    /// Groups of channels that do not see each other; `inputs` for a depthwise convolution.
    pub groups: usize,
}

/// A sliding window that is reduced to one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// Window height and width.
    pub kernel: [usize; 2],
    /// Step down and step right.
    pub stride: [usize; 2],
    /// Cells around the input: never the maximum, and zero in an average that counts them.
    pub padding: Padding,
}

/// A fully connected layer with bias.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// Tensors `<weights>.weight` `[out, in]` and `<weights>.bias` `[out]`.
    pub weights: String,
    /// Features of the input.
    pub inputs: usize,
    /// Features of the output.
    pub outputs: usize,
}

/// Local response normalization over neighbouring channels of a position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lrn {
    /// The number of neighbouring channels, an odd one, half of them on either side.
    pub size: usize,
    /// The factor of the sum of their squares, which is divided by `size`: as ONNX, PyTorch and Caffe write it, not TensorFlow.
    pub alpha: f32,
    /// The exponent of the whole sum.
    pub beta: f32,
    /// The number that is added to the sum.
    pub bias: f32,
}

/// One operation. Batch norm is absent: it is folded into the convolution when weights are loaded.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// RGB in 0..1 to the network's own input space; always the first node, and only that.
    Preprocess(Preprocess),
    /// Cross-correlation with learned kernels and a bias.
    Conv2d(Conv2d),
    /// max(x, 0), with derivative 0 at 0.
    Relu,
    /// min(max(x, 0), 6), with derivative 0 at 0 and at 6.
    Relu6,
    /// The largest of each window. Among equals the first in row-major order takes the whole gradient.
    MaxPool(Pool),
    /// The mean of each window.
    AveragePool {
        /// The window's size, steps and padding.
        pool: Pool,
        /// Whether padding counts as zeros (torchvision's Inception) or not at all (Keras's).
        count_padding: bool,
    },
    /// The mean over height and width: `[N, C, 1, 1]`.
    GlobalAverage,
    /// The sum of two or more equal shapes.
    Add,
    /// The product of two inputs of one shape; or the second has one number for each channel of the first, `[N, C, 1, 1]`.
    Multiply,
    /// A function of each number by itself.
    Unary(ActivationCurve),
    /// `x[c] / (bias + alpha / size * sum of x^2 over the channels around c)^beta`, where channels that are not there are zero.
    Lrn(Lrn),
    /// (x - mean) / sqrt(variance + epsilon), of the channels of each position. What it is multiplied by is the next operation's.
    LayerNorm {
        /// The number that is added to the variance, which is the mean square distance from the mean.
        epsilon: f32,
    },
    /// The same over the channels of a group and all positions: the channels are cut into `groups` of one size, in their order.
    GroupNorm {
        /// The number of groups, which divides that of the channels; one for each channel is instance norm.
        groups: usize,
        /// The number that is added to the variance.
        epsilon: f32,
    },
    /// More rows and columns by whole factors.
    Upsample(Upsample),
    /// Other channels in another order: channel `c` of the output is channel `map[c]` of the input, which may be taken more
    /// than once or not at all.
    Channels(Vec<usize>),
    /// Two or more inputs, one after the other along the channels.
    Concat,
    /// C x H x W to a vector, row-major.
    Flatten,
    /// A matrix product with learned weights and a bias.
    Linear(Linear),
    /// exp(x) / sum exp(x) over the channels of each position.
    Softmax,
}

impl Op {
    /// The word for it in listings.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Preprocess(_) => "preprocess",
            Self::Conv2d(_) => "conv",
            Self::Relu => "relu",
            Self::Relu6 => "relu6",
            Self::MaxPool(_) => "max_pool",
            Self::AveragePool { .. } => "average_pool",
            Self::GlobalAverage => "global_average",
            Self::Add => "add",
            Self::Multiply => "multiply",
            Self::Unary(curve) => curve.name(),
            Self::Lrn(_) => "lrn",
            Self::LayerNorm { .. } => "layer_norm",
            Self::GroupNorm { .. } => "group_norm",
            Self::Upsample(_) => "upsample",
            Self::Channels(_) => "channels",
            Self::Concat => "concat",
            Self::Flatten => "flatten",
            Self::Linear(_) => "linear",
            Self::Softmax => "softmax",
        }
    }

    /// The output's shape from the inputs', or why there is none.
    pub fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, String> {
        let first = *inputs.first().ok_or("it has no input")?;
        match self {
            Self::Preprocess(_) if first.channels != 3 => {
                Err(format!("an RGB image has 3 channels, not {}", first.channels))
            }
            Self::Lrn(Lrn { size, .. }) if size % 2 == 0 => {
                Err(format!("{size} channels have none in their middle"))
            }
            Self::GroupNorm { groups, .. } if *groups == 0 || first.channels % groups != 0 => {
                Err(format!("{} channels do not split into {groups} groups", first.channels))
            }
            Self::Preprocess(_)
            | Self::Relu
            | Self::Relu6
            | Self::Unary(_)
            | Self::Lrn(_)
            | Self::LayerNorm { .. }
            | Self::GroupNorm { .. }
            | Self::Softmax => Ok(first),
            Self::Upsample(up) => up.output_shape(first),
            Self::Conv2d(conv) => conv.output_shape(first),
            Self::MaxPool(pool) | Self::AveragePool { pool, .. } => pool.output_shape(first),
            Self::GlobalAverage => Ok(vector(first.channels)),
            Self::Flatten => Ok(vector(first.len())),
            Self::Linear(linear) if first != vector(linear.inputs) => {
                Err(format!("a linear layer of {} features was given {first:?}", linear.inputs))
            }
            Self::Linear(linear) => Ok(vector(linear.outputs)),
            Self::Add => match inputs.iter().find(|&&shape| shape != first) {
                Some(other) => Err(format!("it adds {first:?} and {other:?}")),
                None => Ok(first),
            },
            Self::Multiply => match inputs.get(1) {
                Some(&second) if second == first || second == vector(first.channels) => Ok(first),
                other => Err(format!("it multiplies {first:?} and {other:?}")),
            },
            Self::Channels(map) => match map.iter().find(|&&from| from >= first.channels) {
                Some(from) => Err(format!("it takes channel {from} of {}", first.channels)),
                None => Ok(Shape { channels: map.len(), ..first }),
            },
            Self::Concat => concat_shape(first, inputs),
        }
    }

    /// The smallest and the largest number of its inputs.
    pub(crate) fn arity(&self) -> (usize, usize) {
        match self {
            Self::Preprocess(_) => (0, 0),
            Self::Add | Self::Concat => (2, usize::MAX),
            Self::Multiply => (2, 2),
            Self::Unary(_)
            | Self::Lrn(_)
            | Self::LayerNorm { .. }
            | Self::GroupNorm { .. }
            | Self::Upsample(_)
            | Self::Channels(_)
            | Self::Conv2d(_)
            | Self::Relu
            | Self::Relu6
            | Self::MaxPool(_)
            | Self::AveragePool { .. }
            | Self::GlobalAverage
            | Self::Flatten
            | Self::Linear(_)
            | Self::Softmax => (1, 1),
        }
    }

    /// The tensors it needs, with their shapes.
    pub(crate) fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let (name, weight, outputs) = match self {
            Self::Conv2d(c) => {
                let [kh, kw] = c.kernel;
                (&c.weights, vec![c.outputs, c.inputs / c.groups.max(1), kh, kw], c.outputs)
            }
            Self::Linear(l) => (&l.weights, vec![l.outputs, l.inputs], l.outputs),
            Self::Preprocess(_)
            | Self::Relu
            | Self::Relu6
            | Self::MaxPool(_)
            | Self::AveragePool { .. }
            | Self::GlobalAverage
            | Self::Add
            | Self::Multiply
            | Self::Unary(_)
            | Self::Lrn(_)
            | Self::LayerNorm { .. }
            | Self::GroupNorm { .. }
            | Self::Upsample(_)
            | Self::Channels(_)
            | Self::Concat
            | Self::Flatten
            | Self::Softmax => return Vec::new(),
        };
        vec![(format!("{name}.weight"), weight), (format!("{name}.bias"), vec![outputs])]
    }
}

impl Conv2d {
    fn output_shape(&self, input: Shape) -> Result<Shape, String> {
        let Self { inputs, outputs, kernel, stride, padding, groups, .. } = self;
        if *groups == 0 || inputs % groups != 0 || outputs % groups != 0 {
            return Err(format!("{inputs} and {outputs} channels do not split into {groups} groups"));
        }
        if input.channels != *inputs {
            return Err(format!("a convolution of {inputs} channels was given {}", input.channels));
        }
        let (height, width) = windows(input, *kernel, *stride, *padding)?;
        Ok(Shape { channels: *outputs, height, width })
    }
}

impl Pool {
    fn output_shape(&self, input: Shape) -> Result<Shape, String> {
        let Self { kernel: [kh, kw], padding: p, .. } = *self;
        if p.top >= kh || p.bottom >= kh || p.left >= kw || p.right >= kw {
            return Err("a window could lie wholly in the padding".into());
        }
        let (height, width) = windows(input, self.kernel, self.stride, self.padding)?;
        Ok(Shape { height, width, ..input })
    }
}

/// The numbers of windows that fit below and beside each other; a partial one at the end is dropped.
fn windows(
    input: Shape,
    kernel: [usize; 2],
    stride: [usize; 2],
    pad: Padding,
) -> Result<(usize, usize), String> {
    let fit = |side: usize, kernel: usize, stride: usize| {
        if kernel == 0 || stride == 0 || side < kernel {
            Err(format!(
                "a {kernel}-wide window, step {stride}, does not fit {}x{}",
                input.height, input.width
            ))
        } else {
            Ok((side - kernel) / stride + 1)
        }
    };
    Ok((
        fit(input.height + pad.top + pad.bottom, kernel[0], stride[0])?,
        fit(input.width + pad.left + pad.right, kernel[1], stride[1])?,
    ))
}

fn concat_shape(first: Shape, inputs: &[Shape]) -> Result<Shape, String> {
    let mut channels = 0;
    for shape in inputs {
        if (shape.height, shape.width) != (first.height, first.width) {
            return Err(format!("it concatenates {first:?} and {shape:?}"));
        }
        channels += shape.channels;
    }
    Ok(Shape { channels, ..first })
}

fn vector(channels: usize) -> Shape {
    Shape { channels, height: 1, width: 1 }
}
