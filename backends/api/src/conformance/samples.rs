//! Tiny networks that between them cover every operation: odd sizes, overlapping windows, asymmetric padding,
//! groups, branches that meet. Their weights are seeded noise.

use crate::{
    ActivationCurve, Array, Conv2d, InputSize, LayerId, Linear, Lrn, Network, NetworkBuilder, Op, Padding,
    Pool, Preprocess, Result, Upsample, UpsampleMode, Weights,
};

/// The shape of a sample's graph, as a function of the images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleForm {
    /// Neither kink nor curvature.
    Affine,
    /// Straight between kinks.
    Kinked,
    /// Curved, with kinks or without.
    Curved,
}

use SampleForm::{Affine, Curved, Kinked};

/// A network small enough to differentiate one pixel at a time.
#[derive(Debug)]
pub struct Sample {
    /// The network; its last node is the target.
    pub network: Network,
    /// Weights that fit it.
    pub weights: Weights,
    /// Height and width of the images to try, odd on purpose.
    pub size: [usize; 2],
    /// Whether it has kinks, or curvature.
    pub form: SampleForm,
}

impl Sample {
    /// The layer that the checks look at.
    pub fn target(&self) -> LayerId {
        self.network.layers().last().unwrap_or(NetworkBuilder::FIRST)
    }
}

/// Builds one sample's nodes onto the input.
type BuildSample = fn(&mut NetworkBuilder, LayerId);

/// A pool with nothing equal to anything: more padding than half a window on one side, less on the others, and rows at
/// the end that no window reads.
const UNEVEN: Pool =
    Pool { kernel: [3, 2], stride: [2, 1], padding: Padding { top: 2, bottom: 0, left: 1, right: 0 } };

/// The curves, with unequal parameters.
const CURVES: [ActivationCurve; 9] = [
    ActivationCurve::Sigmoid,
    ActivationCurve::Tanh,
    ActivationCurve::Silu,
    ActivationCurve::HardSigmoid { slope: 0.3, shift: 0.4 },
    ActivationCurve::HardSwish,
    ActivationCurve::LeakyRelu { slope: 0.2 },
    ActivationCurve::Elu { alpha: 0.8 },
    ActivationCurve::Gelu,
    ActivationCurve::GeluTanh,
];

/// Name, image size, form, nodes.
const SAMPLES: &[(&str, [usize; 2], SampleForm, BuildSample)] = &[
    ("conv", [5, 7], Affine, |b, x| {
        conv(b, x, [3, 4], [3, 3], [1, 1], Padding::all(1), 1);
    }),
    ("conv-wide-and-tall", [6, 5], Affine, |b, x| {
        let x = conv(b, x, [3, 5], [1, 5], [1, 1], Padding { left: 2, right: 2, ..Padding::default() }, 1);
        conv(b, x, [5, 2], [5, 1], [1, 1], Padding { top: 2, bottom: 2, ..Padding::default() }, 1);
    }),
    ("conv-1x1", [1, 1], Affine, |b, x| {
        conv(b, x, [3, 7], [1, 1], [1, 1], Padding::default(), 1);
    }),
    ("conv-strided-asymmetric", [7, 8], Affine, |b, x| {
        conv(b, x, [3, 4], [3, 3], [2, 2], Padding { bottom: 1, right: 1, ..Padding::default() }, 1);
    }),
    ("conv-uneven-strides", [9, 8], Affine, |b, x| {
        conv(b, x, [3, 4], [3, 2], [3, 1], Padding { top: 2, left: 1, ..Padding::default() }, 1);
    }),
    ("conv-grouped", [5, 5], Kinked, |b, x| {
        let x = conv(b, x, [3, 6], [3, 3], [1, 1], Padding::all(1), 3);
        let x = b.add("six", Op::Relu6, &[x]);
        conv(b, x, [6, 4], [3, 3], [2, 2], Padding::all(1), 2);
    }),
    ("conv-many-groups", [5, 4], Affine, |b, x| {
        // As in the bottlenecks of resnext50: more groups than channels in one, and the step in the grouped one.
        let x = conv(b, x, [3, 32], [1, 1], [1, 1], Padding::default(), 1);
        let x = conv(b, x, [32, 32], [3, 3], [2, 2], Padding::all(1), 16);
        conv(b, x, [32, 5], [1, 1], [1, 1], Padding::default(), 1);
    }),
    ("conv-depthwise", [6, 7], Affine, |b, x| {
        conv(b, x, [3, 3], [3, 3], [2, 2], Padding::all(1), 3);
    }),
    ("relu-between-convs", [5, 6], Kinked, |b, x| {
        let x = conv(b, x, [3, 6], [3, 3], [1, 1], Padding::all(1), 1);
        let x = b.add("relu", Op::Relu, &[x]);
        conv(b, x, [6, 3], [3, 3], [1, 1], Padding::default(), 1);
    }),
    ("max-pool", [7, 6], Kinked, |b, x| {
        let x = conv(b, x, [3, 4], [3, 3], [1, 1], Padding::all(1), 1);
        b.add("pool", Op::MaxPool(pool(2, 2, Padding::default())), &[x]);
    }),
    ("max-pool-overlapping", [7, 8], Kinked, |b, x| {
        let x = conv(b, x, [3, 4], [3, 3], [1, 1], Padding::all(1), 1);
        b.add("pool", Op::MaxPool(pool(3, 2, Padding::all(1))), &[x]);
    }),
    ("average-pool", [5, 7], Affine, |b, x| {
        b.add("pool", average(pool(3, 1, Padding::all(1)), false), &[x]);
    }),
    ("average-pool-counting-padding", [7, 5], Affine, |b, x| {
        b.add("pool", average(pool(3, 2, Padding { top: 1, right: 1, ..Padding::default() }), true), &[x]);
    }),
    ("max-pool-uneven", [7, 6], Kinked, |b, x| {
        let x = conv(b, x, [3, 4], [3, 3], [1, 1], Padding::all(1), 1);
        b.add("pool", Op::MaxPool(UNEVEN), &[x]);
    }),
    ("average-pool-uneven", [6, 7], Affine, |b, x| {
        b.add("pool", average(UNEVEN, false), &[x]);
    }),
    ("average-pool-uneven-counting-padding", [8, 5], Affine, |b, x| {
        b.add("pool", average(UNEVEN, true), &[x]);
    }),
    ("branches", [6, 6], Kinked, |b, x| {
        let a = conv(b, x, [3, 4], [3, 3], [1, 1], Padding::all(1), 1);
        let wide = conv(b, x, [3, 4], [5, 5], [1, 1], Padding::all(2), 1);
        let sum = b.add("sum", Op::Add, &[a, wide, a]);
        let relu = b.add("relu", Op::Relu, &[sum]);
        b.add("both", Op::Concat, &[relu, a, x]);
    }),
    ("classifier", [4, 3], Curved, |b, x| {
        let x = conv(b, x, [3, 4], [3, 3], [1, 1], Padding::all(1), 1);
        let x = b.add("flat", Op::Flatten, &[x]);
        let x = linear(b, x, 4 * 4 * 3, 5);
        b.add("softmax", Op::Softmax, &[x]);
    }),
    ("softmax-of-positions", [3, 4], Curved, |b, x| {
        b.add("softmax", Op::Softmax, &[x]);
    }),
    ("global-average", [5, 3], Affine, |b, x| {
        let x = conv(b, x, [3, 6], [3, 3], [1, 1], Padding::all(1), 1);
        let x = b.add("mean", Op::GlobalAverage, &[x]);
        linear(b, x, 6, 4);
    }),
    ("product", [4, 5], Curved, |b, x| {
        let a = conv(b, x, [3, 5], [3, 3], [1, 1], Padding::all(1), 1);
        let wide = conv(b, x, [3, 5], [1, 3], [1, 1], Padding { left: 1, right: 1, ..Padding::default() }, 1);
        let product = b.add("product", Op::Multiply, &[a, wide]);
        let square = b.add("square", Op::Multiply, &[x, x]);
        b.add("both", Op::Concat, &[product, square, a]);
    }),
    ("squeeze-and-excitation", [5, 4], Curved, |b, x| {
        let x = conv(b, x, [3, 6], [3, 3], [1, 1], Padding::all(1), 1);
        let mean = b.add("mean", Op::GlobalAverage, &[x]);
        let gate = conv(b, mean, [6, 6], [1, 1], [1, 1], Padding::default(), 1);
        let gate = b.add("gate", Op::Unary(ActivationCurve::Sigmoid), &[gate]);
        let x = b.add("gated", Op::Multiply, &[x, gate]);
        conv(b, x, [6, 3], [1, 1], [1, 1], Padding::default(), 1);
    }),
    ("curves", [4, 5], Curved, |b, x| {
        // Far enough to either side for every kink.
        let x = b.add("wider", Op::Add, &[x, x]);
        let each =
            |(at, curve): (usize, &ActivationCurve)| b.add(format!("curve{at}"), Op::Unary(*curve), &[x]);
        let curves: Vec<LayerId> = CURVES.iter().enumerate().map(each).collect();
        b.add("all", Op::Concat, &curves);
    }),
    ("response-norm", [4, 3], Curved, |b, x| {
        let x = conv(b, x, [3, 21], [3, 3], [1, 1], Padding::all(1), 1);
        let x = b.add("seven", response_norm(7, 0.75), &[x]);
        let x = b.add("eleven", response_norm(11, 0.5), &[x]);
        b.add("one", response_norm(1, 0.6), &[x]);
    }),
    ("layer-norm", [3, 5], Curved, |b, x| {
        // Sigmoids are nowhere zero: a backend that fills up its vectors must not count what is past the last channel.
        let x = conv(b, x, [3, 13], [3, 3], [1, 1], Padding::all(1), 1);
        let curved = b.add("sigmoid", Op::Unary(ActivationCurve::Sigmoid), &[x]);
        let a = b.add("norm", Op::LayerNorm { epsilon: 1e-3 }, &[curved]);
        let twice = b.add("norm2", Op::LayerNorm { epsilon: 0.1 }, &[a]);
        let mixed = conv(b, twice, [13, 13], [1, 1], [1, 1], Padding::default(), 1);
        b.add("sum", Op::Add, &[mixed, x]);
    }),
    ("group-norm", [3, 4], Curved, |b, x| {
        // Groups that end within a vector, and one for each channel. Sigmoids are nowhere zero, as above.
        let x = conv(b, x, [3, 21], [3, 3], [1, 1], Padding::all(1), 1);
        let curved = b.add("sigmoid", Op::Unary(ActivationCurve::Sigmoid), &[x]);
        let a = b.add("seven", Op::GroupNorm { groups: 7, epsilon: 1e-3 }, &[curved]);
        let mixed = conv(b, a, [21, 21], [1, 1], [1, 1], Padding::default(), 1);
        let all = b.add("one", Op::GroupNorm { groups: 1, epsilon: 0.1 }, &[mixed]);
        let each = b.add("each", Op::GroupNorm { groups: 21, epsilon: 0.05 }, &[all]);
        b.add("sum", Op::Add, &[each, x]);
    }),
    ("upsample", [2, 3], Affine, |b, x| {
        // What was made larger meets what was made smaller, and one row alone has no neighbour.
        let x = conv(b, x, [3, 10], [3, 3], [1, 1], Padding::all(1), 1);
        let near = b.add("nearest", upsample([2, 3], UpsampleMode::Nearest), &[x]);
        let straight = b.add("bilinear", upsample([2, 3], UpsampleMode::Bilinear), &[x]);
        let row = conv(b, x, [10, 10], [2, 1], [1, 1], Padding::default(), 1);
        let row = b.add("row", upsample([4, 3], UpsampleMode::Bilinear), &[row]);
        let all = b.add("all", Op::Concat, &[near, straight, row]);
        conv(b, all, [30, 4], [3, 3], [2, 2], Padding::default(), 1);
    }),
    ("channels", [4, 3], Affine, |b, x| {
        let x = conv(b, x, [3, 10], [3, 3], [1, 1], Padding::all(1), 1);
        let shuffled = b.add("shuffled", Op::Channels(vec![0, 5, 1, 6, 2, 7, 3, 8, 4, 9]), &[x]);
        let halves = [(0..5).collect(), (5..10).collect(), vec![9, 0, 9, 2]];
        let [first, second, some] = halves.map(Op::Channels);
        let first = b.add("first", first, &[shuffled]);
        let second = b.add("second", second, &[shuffled]);
        let second = conv(b, second, [5, 5], [1, 1], [1, 1], Padding::default(), 1);
        let some = b.add("some", some, &[x]);
        b.add("all", Op::Concat, &[second, first, some]);
    }),
];

/// All samples, with their weights.
pub fn samples() -> Result<Vec<Sample>> {
    SAMPLES.iter().map(|(name, size, form, build)| sample(name, *size, *form, *build)).collect()
}

fn sample(name: &str, size: [usize; 2], form: SampleForm, build: BuildSample) -> Result<Sample> {
    let input = InputSize { native: size[0], min: 1, multiple: 1 };
    // Unequal factors: a backend that confuses channels or forgets a factor is found out. That the weights were
    // trained on BGR is no business of a backend's.
    let preprocess = Preprocess { scale: [4.0, 3.5, 5.0], shift: [-2.0, -1.5, -2.5], trained_on_bgr: true };
    let mut b = NetworkBuilder::new(name, input, preprocess);
    let first = b.input();
    build(&mut b, first);
    let network = b.finish()?;
    let weights = weights_for(&network);
    Ok(Sample { network, weights, size, form })
}

/// Noise scaled by one over the square root of the sum's length, so that activations stay near 1.
pub(super) fn weights_for(network: &Network) -> Weights {
    let mut weights = Weights::default();
    for (seed, (name, shape)) in (1..).zip(network.tensors()) {
        let terms: usize = shape.iter().skip(1).product();
        let scale = 1.5 / (terms as f32).sqrt();
        let mut tensor: Array = super::noise(seed, shape);
        tensor.data_mut().iter_mut().for_each(|v| *v *= scale);
        weights.insert(name, tensor);
    }
    weights
}

pub(super) fn conv(
    b: &mut NetworkBuilder,
    from: LayerId,
    [inputs, outputs]: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: Padding,
    groups: usize,
) -> LayerId {
    let name = format!("conv-{}x{}-of-{}", kernel[0], kernel[1], from.index());
    let weights = name.clone();
    b.add(name, Op::Conv2d(Conv2d { weights, inputs, outputs, kernel, stride, padding, groups }), &[from])
}

fn linear(b: &mut NetworkBuilder, from: LayerId, inputs: usize, outputs: usize) -> LayerId {
    b.add("fc", Op::Linear(Linear { weights: "fc".into(), inputs, outputs }), &[from])
}

pub(super) fn pool(kernel: usize, stride: usize, padding: Padding) -> Pool {
    Pool { kernel: [kernel; 2], stride: [stride; 2], padding }
}

fn average(pool: Pool, count_padding: bool) -> Op {
    Op::AveragePool { pool, count_padding }
}

fn upsample(factor: [usize; 2], mode: UpsampleMode) -> Op {
    Op::Upsample(Upsample { factor, mode })
}

fn response_norm(size: usize, beta: f32) -> Op {
    Op::Lrn(Lrn { size, alpha: 0.9, beta, bias: 1.5 })
}
